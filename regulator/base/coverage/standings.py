"""Coverage of the set on a day: the headline, the rest with the reason of each, and days frozen at their end."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.coverage.facts import Moment, gather
from regulator.base.coverage.ladder import Footing, Ladder, Rung, Step, climb
from regulator.base.coverage.set_membership import member_codes_on
from regulator.base.days import day_end_ns, day_of
from regulator.base.model.actor import Scope
from regulator.base.percent import percent
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.coverage import coverage_days

FREEZE_WITHIN_NS = 1_800_000_000_000
"""How long after midnight a heartbeat still tells of the evening; later the desk was down, and says so."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The set on a day. `ladders` by project code; `frozen`: as kept at the day's end, not as it is now."""

    day: date
    ladders: Mapping[str, Ladder]
    frozen: bool

    @property
    def covered(self) -> int:
        """Projects on the last rung."""
        return sum(ladder.reached is Rung.DATA for ladder in self.ladders.values())

    @property
    def unknown(self) -> int:
        """Projects whose first gap is something nobody knows, a silent box above all."""
        return sum(is_unknown(ladder) for ladder in self.ladders.values())

    @property
    def headline(self) -> str:
        """Share of the set on the last rung, in percent."""
        return percent(self.covered, len(self.ladders))

    @property
    def on_rung(self) -> Mapping[Rung, int]:
        """How many reached each rung or more."""
        order = [rung for rung in Rung if rung is not Rung.NOWHERE]
        ended = Counter(ladder.reached for ladder in self.ladders.values())
        return {rung: sum(ended[above] for above in order[place:]) for place, rung in enumerate(order)}


def standing_now(db: Connection, set_code: str, scope: Scope, now_ns: int, silent_s: int) -> Standing:
    """Today, as it is now."""
    moment = Moment.today(now_ns, silent_s)
    facts = gather(db, moment, member_codes_on(db, set_code, moment.day, scope))
    return Standing(moment.day, {code: climb(each) for code, each in facts.items()}, frozen=False)


def standing_of(db: Connection, set_code: str, scope: Scope, day: date, now_ns: int, silent_s: int) -> Standing | None:
    """A day: today (and any later one) as it is now, a past one as it was frozen; None when it was not."""
    if day >= day_of(now_ns):
        return standing_now(db, set_code, scope, now_ns, silent_s)
    return standing_on(db, scope, day)


def standing_on(db: Connection, scope: Scope, day: date) -> Standing | None:
    """A day as it was frozen at its end; None when it was not."""
    at = coverage_days.c
    kept = select(coverage_days).where(at.day == day.isoformat(), at.member == 1, in_scope(scope, at.project_code))
    rows = db.execute(kept.order_by(at.project_code)).all()
    return Standing(day, {row.project_code: _thawed(row.steps) for row in rows}, frozen=True) if rows else None


def freeze(db: Connection, set_code: str, now_ns: int, silent_s: int) -> int:
    """Keep yesterday as it ended, once; how many projects were kept. Two replicas that do it at once do it once."""
    day = day_of(now_ns) - timedelta(days=1)
    at = coverage_days.c
    if db.execute(select(at.day).where(at.day == day.isoformat()).limit(1)).first() is not None:
        return 0
    heard = now_ns - day_end_ns(day) <= FREEZE_WITHIN_NS
    moment = Moment(day, day_end_ns(day), silent_s, heard=heard)
    facts = gather(db, moment, member_codes_on(db, set_code, day))
    rows = [frozen_row(day, code, climb(each), now_ns) for code, each in facts.items()]
    if rows:
        dialect = postgresql if db.dialect.name == "postgresql" else sqlite
        db.execute(dialect.insert(coverage_days).on_conflict_do_nothing(), rows)
    return len(rows)


def is_unknown(ladder: Ladder) -> bool:
    """Whether nobody can say how far a project reaches: its first gap is unknown, or a box that fell silent."""
    stop = ladder.stopped_at
    silent = stop is not None and stop.rung is Rung.HEARTBEAT
    return stop is not None and (stop.footing is Footing.UNKNOWN or silent)


def frozen_row(day: date, code: str, ladder: Ladder, now_ns: int) -> dict[str, object]:
    """The row that keeps a project's day."""
    steps = [asdict(step) | {"rung": step.rung.value, "footing": step.footing.value} for step in ladder.steps]
    return {
        "day": day.isoformat(),
        "project_code": code,
        "member": 1,
        "reached": ladder.reached.value,
        "steps": json.dumps(steps, ensure_ascii=False),
        "frozen_at_ns": now_ns,
    }


def _thawed(steps: str) -> Ladder:
    return Ladder(
        tuple(
            Step(Rung.of(each["rung"]), Footing(each["footing"]), each["zh"], each["en"]) for each in json.loads(steps)
        )
    )
