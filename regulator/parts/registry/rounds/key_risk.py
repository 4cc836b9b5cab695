"""The key-risk list (重点风险企业项目台账, notice A7 to A9): in by rule or by hand, out only by two people.

    accident within two years | 40 points within twelve months | an earlier stop order -> listed, with the reason
    listed -> one check a month, or it stands on the month's list from the last day minus 5
    out    -> an expert report is handed in, an approver of city or province who is another person lets it go

The notice counts "dynamic deduction" without saying over which time; twelve months is the product's reading. What an
exit has judged never lists again; a later event does. Accidents and stop orders come by themselves (`from_hazards`); an
accident that was found to be none counts no more.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from regulator.base.act import Act
from regulator.base.days import day_of
from regulator.base.kinds import ItemLevel, RiskKind
from regulator.base.listed import Listed, require_seen
from regulator.base.model.actor import SYSTEM, Duty, Level
from regulator.base.model.authority import persons_of, require_duty, require_second_person
from regulator.base.model.hazard import HazardKind
from regulator.base.model.hazard_states import HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Ledger
from regulator.base.records.scope import require_project
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.rounds import key_risk_checks, key_risks, risk_events
from regulator.base.texts import read_reason, read_text

ACCIDENT_YEARS, POINTS_LISTED, POINTS_DAYS = 2, 40, 365
JUDGES = (Duty.REVIEWER, Duty.APPROVER, Duty.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class RiskEvent:
    """Something that counts. One code, or both. `points` only for points; `source`: a hazard or document number."""

    kind: RiskKind
    on_day: date
    words: str
    firm_code: str = ""
    project_code: str = ""
    points: int = 0
    source: str = ""


def record_event(act: Act, event: RiskEvent) -> str:
    """Write down an accident, a deduction or a stop order; its id. Raises RefusedError: 403, 404, 422."""
    require_duty(act.actor, *JUDGES, Duty.INSPECTOR)
    for thing in _things(event.firm_code, event.project_code):
        require_seen(act.db, act.actor, thing)
    if not event.firm_code and not event.project_code:
        raise RefusedError(422, "missing", "须填写企业或项目", "a firm or a project is needed", "project_code")
    if event.on_day > day_of(act.now_ns) or event.kind is RiskKind.MANUAL:
        raise RefusedError(422, "wrong_days", "日期不得晚于今天", "the day lies in the future", "on_day")
    if (event.kind is RiskKind.POINTS) != (event.points > 0):
        raise RefusedError(
            422, "wrong_points", "扣分须为正数，且仅用于扣分", "points above 0, for deductions", "points"
        )
    row: dict[str, str | int] = {
        "event_id": uuid.uuid4().hex,
        "kind": event.kind.value,
        "firm_code": event.firm_code,
        "project_code": event.project_code,
        "on_day": event.on_day.isoformat(),
        "points": event.points,
        "words": read_text(event.words, "words", most=2000),
        "source": read_text(event.source, "source", needed=False),
    }
    act.db.execute(insert(risk_events).values(**row, user_id=act.actor.user_id, at_ns=act.now_ns))
    _write(act, "risk_event", Listed(ItemLevel.PROJECT, event.project_code), row, firm_code=event.firm_code)
    return str(row["event_id"])


def list_by_rules(db: Connection, ledger: Ledger, now_ns: int) -> int:
    """Put on the list whoever the rules put there today and is not on it for this reason; how many. Two replicas at
    once put nobody there twice: who waited for the chains looks again."""
    held = {_chain_of(thing) for thing, _ in _due(db, now_ns)}
    ledger.hold(db, *held)
    new = [(thing, kind) for thing, kind in _due(db, now_ns) if _chain_of(thing) in held] if held else []
    for thing, kind in new:
        _enter(Act(db, ledger, SYSTEM, now_ns, kind.zh), thing, kind)
    return len(new)


def _due(db: Connection, now_ns: int) -> "list[tuple[Listed, RiskKind]]":
    today = day_of(now_ns)
    known, exits = _active_grounds(db), _last_exits(db)
    return [
        (thing, kind)
        for thing, events in _events(db).items()
        for kind in _grounds([event for event in events if event.at_ns > exits.get(thing, 0)], today)
        if (thing, kind) not in known
    ]


def _chain_of(thing: Listed) -> str:
    return f"{thing.level.value}:{thing.code}"


def list_by_hand(act: Act, thing: Listed) -> None:
    """Raises RefusedError: 403, 404, 409 already listed by hand, 422 no reason."""
    require_duty(act.actor, *JUDGES)
    require_seen(act.db, act.actor, thing)
    act.ledger.hold(act.db, _chain_of(thing))  # two who list it at once: the second is told
    if (thing, RiskKind.MANUAL) in _active_grounds(act.db):
        raise RefusedError(409, "already_listed", "已在台账内", "it is on the list", "code")
    _enter(act, thing, RiskKind.MANUAL)


def check_done(act: Act, thing: Listed, project_code: str) -> None:
    """The month's inspection, today, at a project. `act.reason` says what was found. Raises RefusedError."""
    require_duty(act.actor, Duty.INSPECTOR, Duty.REVIEWER)
    require_seen(act.db, act.actor, thing)
    require_project(act.db, act.actor, project_code)
    _require_listed(act.db, thing)
    row = {
        "check_id": uuid.uuid4().hex,
        "level": thing.level.value,
        "code": thing.code,
        "project_code": project_code,
        "on_day": day_of(act.now_ns).isoformat(),
    }
    words = read_reason(act.reason)
    kept = {"words": words, "inspector": act.actor.user_id, "at_ns": act.now_ns}
    act.db.execute(insert(key_risk_checks).values(**row, **kept))
    _write(act, "key_risk_checked", thing, row)


def propose_exit(act: Act, thing: Listed, report_sha256: str, holds: Callable[[str], bool]) -> None:
    """Hand in the experts' report, a file that is held. Raises RefusedError: 403, 404, 409, 422 no such file."""
    require_duty(act.actor, *JUDGES)
    require_seen(act.db, act.actor, thing)
    _require_listed(act.db, thing)
    if not holds(report_sha256):
        raise RefusedError(422, "no_report", "须附专家评估报告", "the experts' report is needed", "report")
    values = {
        "report_sha256": report_sha256,
        "exit_words": read_reason(act.reason),
        "exit_proposer": act.actor.user_id,
        "exit_proposer_for": act.actor.on_behalf_of,
    }
    act.db.execute(update(key_risks).where(*_active(thing)).values(**values))
    _write(act, "key_risk_exit_proposed", thing, {"report_sha256": report_sha256})


def approve_exit(act: Act, thing: Listed) -> None:
    """Let it go. Raises RefusedError: 403 no approver of city or province, or the proposer; 404; 409 no report."""
    require_duty(act.actor, Duty.APPROVER, levels=(Level.PROVINCE, Level.CITY))
    require_seen(act.db, act.actor, thing)
    row = _require_listed(act.db, thing)
    if not row.report_sha256:
        raise RefusedError(409, "no_report", "尚未提交专家评估报告", "no experts' report was handed in", "report")
    require_second_person(act.actor, persons_of(row.exit_proposer, row.exit_proposer_for))
    today = day_of(act.now_ns).isoformat()
    values = {"until_day": today, "exit_approver": act.actor.user_id, "exit_at_ns": act.now_ns}
    act.db.execute(update(key_risks).where(*_active(thing)).values(**values))
    _write(act, "key_risk_ended", thing, {"report_sha256": row.report_sha256})


def _grounds(events: "Iterable[Row[tuple[str, ...]]]", today: date) -> list[RiskKind]:
    """Which rules hold. Two years back is the same day of the month, as people count."""
    two_years = _years_before(today, ACCIDENT_YEARS).isoformat()
    window = (today - timedelta(days=POINTS_DAYS)).isoformat()
    found: set[RiskKind] = set()
    points = 0
    for event in events:
        kind = RiskKind.of(event.kind)
        recent = kind is RiskKind.ACCIDENT and event.on_day >= two_years
        if recent or kind is RiskKind.STOP_ORDER:
            found.add(kind)
        elif kind is RiskKind.POINTS and event.on_day > window:
            points += event.points
    if points >= POINTS_LISTED:
        found.add(RiskKind.POINTS)
    return [kind for kind in RiskKind if kind in found]


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def _things(firm_code: str, project_code: str) -> list[Listed]:
    both = (Listed(ItemLevel.FIRM, firm_code), Listed(ItemLevel.PROJECT, project_code))
    return [thing for thing in both if thing.code]


def _events(db: Connection) -> "dict[Listed, list[Row[tuple[str, ...]]]]":
    found = defaultdict(list)
    at = risk_events.c
    refuted = select(hazards.c.number).where(
        hazards.c.kind == HazardKind.NON_FATAL_ACCIDENT.value, hazards.c.state == HazardState.REJECTED.value
    )
    counting = ~and_(at.kind == RiskKind.ACCIDENT.value, at.source.in_(refuted))
    for row in db.execute(select(risk_events).where(counting).order_by(at.on_day)):
        for thing in _things(row.firm_code, row.project_code):
            found[thing].append(row)
    return found


def _active_grounds(db: Connection) -> set[tuple[Listed, RiskKind]]:
    at = key_risks.c
    active = select(at.level, at.code, at.ground).where(at.until_day == "")
    return {(Listed(ItemLevel.of(row[0]), row[1]), RiskKind.of(row[2])) for row in db.execute(active)}


def _last_exits(db: Connection) -> dict[Listed, int]:
    at = key_risks.c
    ended = select(at.level, at.code, func.max(at.exit_at_ns)).where(at.until_day != "").group_by(at.level, at.code)
    return {Listed(ItemLevel.of(row[0]), row[1]): row[2] for row in db.execute(ended)}


def _enter(act: Act, thing: Listed, kind: RiskKind) -> None:
    row = {
        "entry_id": uuid.uuid4().hex,
        "level": thing.level.value,
        "code": thing.code,
        "ground": kind.value,
        "words": read_reason(act.reason),
        "from_day": day_of(act.now_ns).isoformat(),
    }
    act.db.execute(insert(key_risks).values(**row, entered_by=act.actor.user_id, entered_at_ns=act.now_ns))
    _write(act, "key_risk_listed", thing, row)


def _active(thing: Listed) -> "tuple[ColumnElement[bool], ...]":
    at = key_risks.c
    return (at.level == thing.level.value, at.code == thing.code, at.until_day == "")


def _require_listed(db: Connection, thing: Listed) -> "Row[tuple[str, ...]]":
    row = db.execute(select(key_risks).where(*_active(thing)).order_by(key_risks.c.from_day).with_for_update()).first()
    if row is None:
        raise RefusedError(404, "not_listed", "不在重点风险台账内", "not on the key-risk list", "code")
    return row


def _write(act: Act, kind: str, thing: Listed, content: dict[str, str | int], firm_code: str = "") -> None:
    """A project's chain where a project is meant, else the firm's."""
    project_code = thing.code if thing.level is ItemLevel.PROJECT else ""
    firm = firm_code or ("" if project_code else thing.code)
    act.write(kind, thing.code or firm, content, project_code, "" if project_code else f"firm:{firm}")
