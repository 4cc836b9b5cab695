"""Scores as they are kept: computed daily and after events, a new row whenever something of a score changed.

    an alarm arrives ------> risk_dirty --.
    a deed in the ledger -----------------+--> score_changed (each half minute) --> risk_scores, risk_latest
    nothing scored today yet -------------+--> score_day (each ten minutes)   ----'

    risk_dirty:  clean (0) --an alarm--> marked (+ns) --taken--> being scored (-ns) --scored--> clean
                                             ^------------an alarm meanwhile------'
                                             ^------------no score within five minutes: the desk that took it died

Nothing that was marked is forgotten when a desk is killed between taking and scoring, and the book `risk` says up to
when deeds were scored. Replicas write one after the other and see what was written: nobody's score is kept twice. What
concerns a firm as a whole comes with the day's run.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

from contract.messages import AlarmTransition
from regulator.base.days import day_of, day_start_ns
from regulator.base.kinds import ProjectStatus
from regulator.base.model.heard import Heard
from regulator.base.records.books import read_book, take_book, turn_book
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.supervision import risk_dirty, risk_latest, risk_scores
from regulator.parts.supervision.risk import Assessment, Contribution, assess, points
from regulator.parts.supervision.risk_facts import facts_of
from regulator.parts.supervision.risk_file import RiskFile
from regulator.parts.supervision.risk_inputs import Now, inputs_of

DIRTY_EVERY_S, DAY_EVERY_S = 30.0, 600.0
WRITTEN_AT_ONCE = 50
LOOKED_BACK_NS = 300_000_000_000
"""How far each run reads back behind the last one that was finished, so that a slow commit is not overlooked."""
LEASE_NS = 300_000_000_000
"""How long a mark that was taken waits for its score before another run takes it. A product default."""
BOOK = "risk"
SCORED = (ProjectStatus.RUNNING.value, ProjectStatus.STOPPED.value, ProjectStatus.UNREGISTERED.value)
DEEDS = (
    *(f"hazard_{name}" for name in ("opened", "confirm", "reject", "order", "close", "reopen", "withdraw")),
    *("hazard_decide_extension", "hazard_decide_regrade", "deadline_overdue", "weather_warning_told"),
    *("risk_event", "key_risk_listed", "key_risk_ended", "device_added", "device_ended", "work_put"),
    *("project_registered", "project_moved", "firm_put", "firm_released", "checked_in", "box_enrolled"),
)
"""After which deeds a project's score is computed again."""
KEPT = ("score", "band", "reasons", "factors", "version", "day")


@dataclass(frozen=True, slots=True)
class RiskOffice:
    """`silent_s`: how long a box may say nothing before what it watches is unknown."""

    database: DeskDatabase
    file: RiskFile
    silent_s: int

    def hear_alarms(self, db: Connection, told: Sequence[Heard], now_ns: int) -> None:
        """Hears `alarm_transition`: each project is to be scored again, and marked once."""
        mark_dirty(db, {heard.project_code for heard in told if _scores(heard)}, now_ns)

    def score_changed(self, now_ns: int) -> None:
        """Job: whatever something happened to, here or while no desk ran. A mark goes when its score is kept."""
        with self.database.transaction() as db:
            marked = _take_dirty(db, now_ns)
        try:
            with self.database.reading() as db:
                read_up_to_ns = read_book(db, BOOK)
                codes = {*marked, *_after_deeds(db, read_up_to_ns, now_ns)}
            self.score(codes, now_ns)
        except Exception:
            with self.database.transaction() as db:
                _settle_dirty(db, marked, now_ns, now_ns)
            raise
        with self.database.transaction() as db:
            _settle_dirty(db, marked, now_ns, 0)
            take_book(db, BOOK)
            turn_book(db, BOOK, now_ns)

    def score_day(self, now_ns: int) -> None:
        """Job: every running, stopped or unregistered project that has no score of today."""
        today, at = day_of(now_ns).isoformat(), projects.c
        done = select(risk_latest.c.project_code).where(risk_latest.c.day == today)
        left = select(at.project_code).where(at.status.in_(SCORED), at.project_code.not_in(done))
        with self.database.reading() as db:
            codes = list(db.scalars(left))
        self.score(codes, now_ns)

    def score(self, codes: Iterable[str], now_ns: int) -> int:
        """Compute and keep; how many rows were new. Projects that are over keep their last score."""
        now = Now(day_of(now_ns), now_ns, self.silent_s)
        with self.database.reading() as db:
            facts = {code: each for code, each in facts_of(db, codes, now_ns).items() if each.status in SCORED}
        rows = {code: _row(assess(self.file, inputs_of(self.file, each, now)), now) for code, each in facts.items()}
        return sum(self._keep_some(some, now_ns) for some in _parts_of(rows))

    def _keep_some(self, rows: dict[str, dict[str, Any]], now_ns: int) -> int:
        with self.database.transaction() as db:
            take_book(db, BOOK)
            return _keep(db, rows, now_ns)


def _marking(dialect: Any) -> Any:
    marking = dialect.insert(risk_dirty)
    said, clean = {"since_ns": marking.excluded.since_ns}, risk_dirty.c.since_ns <= 0
    return marking.on_conflict_do_update(index_elements=["project_code"], set_=said, where=clean)


_MARK = {"postgresql": _marking(postgresql), "sqlite": _marking(sqlite)}
"""Built once: every alarm is marked, and building a statement costs more than running it."""


def _parts_of(rows: dict[str, dict[str, Any]]) -> Iterator[dict[str, dict[str, Any]]]:
    """A few at a time: an alarm that arrives must not wait for a whole province's scores."""
    ordered = sorted(rows)
    for begin in range(0, len(ordered), WRITTEN_AT_ONCE):
        yield {code: rows[code] for code in ordered[begin : begin + WRITTEN_AT_ONCE]}


def _scores(heard: Heard) -> bool:
    """Whether what a box said changes its project's score."""
    return isinstance(heard.body, AlarmTransition) and heard.body.transition in ("raised", "returned")


def mark_dirty(db: Connection, codes: Collection[str], now_ns: int) -> None:
    """Something happened to these projects."""
    if codes:
        db.execute(_MARK[db.dialect.name], [{"project_code": code, "since_ns": now_ns} for code in sorted(codes)])


def _take_dirty(db: Connection, now_ns: int) -> list[str]:
    """What another replica is taking, or an alarm is marking, waits for the next run: nobody waits for a row here."""
    since = risk_dirty.c.since_ns
    left = (since < 0) & (since > LEASE_NS - now_ns)
    return _move_dirty(db, (since > 0) | left, -now_ns)


def _settle_dirty(db: Connection, codes: list[str], taken_ns: int, since_ns: int) -> None:
    """What this run took and nothing has marked since: clean (0), or marked again."""
    _move_dirty(db, risk_dirty.c.project_code.in_(codes) & (risk_dirty.c.since_ns == -taken_ns), since_ns)


def _move_dirty(db: Connection, which: "ColumnElement[bool]", since_ns: int) -> list[str]:
    at = risk_dirty.c
    ready = select(at.project_code).where(which).order_by(at.project_code)
    codes = list(db.scalars(ready.with_for_update(skip_locked=True)))
    if codes:
        db.execute(update(risk_dirty).where(at.project_code.in_(codes)).values(since_ns=since_ns))
    return codes


def _after_deeds(db: Connection, read_up_to_ns: int, now_ns: int) -> list[str]:
    """Of a longer rest only this day's: every project is scored anew on the first run of a day."""
    begin_ns = max(min(read_up_to_ns or now_ns, now_ns), day_start_ns(day_of(now_ns))) - LOOKED_BACK_NS
    at = ledger_entries.c
    lately = (at.kind.in_(DEEDS), at.at_ns >= begin_ns, at.project_code != "")
    return list(db.scalars(select(at.project_code).where(*lately).distinct()))


def _keep(db: Connection, rows: dict[str, dict[str, Any]], now_ns: int) -> int:
    at = risk_latest.c
    known = {row.project_code: row for row in db.execute(select(risk_latest).where(at.project_code.in_(rows)))}
    fresh = [
        {"project_code": code, "scored_at_ns": now_ns, **row}
        for code, row in sorted(rows.items())
        if code not in known or _differs(known[code], row, now_ns)
    ]
    if fresh:
        _write(db, fresh)
    return len(fresh)


def _differs(before: Any, row: dict[str, Any], now_ns: int) -> bool:
    return before.scored_at_ns < now_ns and any(getattr(before, name) != row[name] for name in KEPT)


def _write(db: Connection, rows: list[dict[str, Any]]) -> None:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    db.execute(dialect.insert(risk_scores).on_conflict_do_nothing(), rows)
    adding = dialect.insert(risk_latest)
    values = {name: adding.excluded[name] for name in ("scored_at_ns", *KEPT)}
    newer = risk_latest.c.scored_at_ns < adding.excluded.scored_at_ns
    db.execute(adding.on_conflict_do_update(index_elements=["project_code"], set_=values, where=newer), rows)


def _row(found: Assessment, now: Now) -> dict[str, Any]:
    return {
        "score": found.score,
        "band": found.band.value,
        "reasons": _json([_told(each) for each in found.reasons]),
        "factors": _json([_told(each) | _worked(each) for each in found.contributions]),
        "version": found.version,
        "day": now.day.isoformat(),
    }


def _told(each: Contribution) -> dict[str, str]:
    return {"factor": each.factor.value, "share": points(each.share), "zh": each.zh, "en": each.en}


def _worked(each: Contribution) -> dict[str, str]:
    return {"weight": str(each.weight), "severity": str(each.severity), "footing": each.footing.value}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
