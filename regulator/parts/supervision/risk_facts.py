"""What the desk's records say of many projects at once: the raw facts behind the seven inputs, a query a kind.

In: project codes and now. Out: `RiskFacts` by code. Decides nothing: `risk_inputs` does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, func, select

from regulator.base.days import day_of
from regulator.base.kinds import FirmRole, ItemLevel, Standing, WorkStage
from regulator.base.model.hazard import Grade, HazardKind
from regulator.base.model.hazard_states import SETTLED
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, boxes
from regulator.base.records.tables.registry import dangerous_works, devices, project_firms, projects
from regulator.base.records.tables.rounds import key_risks, risk_events
from regulator.base.records.tables.site import site_deliveries, site_notices
from regulator.base.records.tables.supervision import check_ins, risk_latest

BATCH = 500
LOOKED_BACK_DAYS = 400
"""How far back check-ins and points are read; the file's own windows lie within."""


@dataclass(frozen=True, slots=True)
class Alarming:
    """So many standing alarms of one rule and priority."""

    rule_id: str
    severity: str
    count: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A registered device: its kind, and what came of it today or yesterday. `last_minute_ns` 0: nothing good."""

    kind: str
    last_minute_ns: int


@dataclass(frozen=True, slots=True)
class Work:
    """A dangerous work that is not over."""

    type: str
    stage: str
    over_scale: bool


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event of the project or its contractor."""

    on_day: date
    points: int


@dataclass(slots=True)
class RiskFacts:
    """Of one project. `last_seen_ns` 0: no box was ever heard. `last`: severities that counted in the last score."""

    project_code: str
    status: str
    last_seen_ns: int = 0
    alarms: list[Alarming] = field(default_factory=list)
    watched: list[Watched] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    overdue_general: int = 0
    overdue_major: int = 0
    check_ins: set[tuple[str, str]] = field(default_factory=set)
    past: list[PastEvent] = field(default_factory=list)
    key_risk: bool = False
    last: dict[str, Decimal] = field(default_factory=dict)


def facts_of(db: Connection, codes: Iterable[str], now_ns: int) -> dict[str, RiskFacts]:
    """Facts of these projects, without those that the registry does not know."""
    found: dict[str, RiskFacts] = {}
    wanted = sorted(set(codes))
    for begin in range(0, len(wanted), BATCH):
        found |= _gather(db, wanted[begin : begin + BATCH], now_ns)
    return found


def _gather(db: Connection, codes: Sequence[str], now_ns: int) -> dict[str, RiskFacts]:
    known = select(projects.c.project_code, projects.c.status).where(projects.c.project_code.in_(codes))
    found = {row[0]: RiskFacts(row[0], row[1]) for row in db.execute(known)}
    _boxes_and_alarms(db, found)
    _devices(db, found, day_of(now_ns))
    _works(db, found)
    _overdue(db, found, now_ns)
    _warnings(db, found, now_ns)
    _people(db, found, day_of(now_ns))
    _past(db, found, day_of(now_ns))
    _last(db, found)
    return found


def _boxes_and_alarms(db: Connection, found: Mapping[str, RiskFacts]) -> None:
    box = boxes.c
    heard = select(box.project_code, func.max(box.last_seen_ns)).where(box.project_code.in_(found), IS_HEARD)
    for code, last_seen_ns in db.execute(heard.group_by(box.project_code)):
        found[code].last_seen_ns = last_seen_ns
    at = alarms.c
    standing = select(at.project_code, at.rule_id, at.severity, func.count()).where(
        at.project_code.in_(found), at.active == 1, at.raised_event != ""
    )
    for row in db.execute(standing.group_by(at.project_code, at.rule_id, at.severity)):
        found[row[0]].alarms.append(Alarming(row[1], row[2], row[3]))


def _devices(db: Connection, found: Mapping[str, RiskFacts], today: date) -> None:
    at, had = devices.c, asset_days.c
    days = (today.isoformat(), (today - timedelta(days=1)).isoformat())
    good = and_(
        had.project_code == at.project_code,
        had.day.in_(days),
        had.good_minutes > 0,
        had.asset == at.asset,
        at.asset != "",
    )
    rows = (
        select(at.project_code, at.device_code, at.kind, func.max(had.last_minute_ns))
        .select_from(devices.outerjoin(asset_days, good))
        .where(at.project_code.in_(found), at.status == Standing.ACTIVE.value)
        .group_by(at.project_code, at.device_code, at.kind)
    )
    for row in db.execute(rows):
        found[row[0]].watched.append(Watched(row[2], row[3] or 0))


def _works(db: Connection, found: Mapping[str, RiskFacts]) -> None:
    at = dangerous_works.c
    over = (WorkStage.FINISHED.value, WorkStage.ENDED.value)
    rows = select(at.project_code, at.type, at.stage, at.over_scale).where(at.project_code.in_(found))
    for row in db.execute(rows.where(at.stage.not_in(over))):
        found[row[0]].works.append(Work(row[1], row[2], bool(row[3])))


def _overdue(db: Connection, found: Mapping[str, RiskFacts], now_ns: int) -> None:
    at = hazards.c
    late = (
        at.project_code.in_(found),
        at.kind == HazardKind.HAZARD.value,
        at.state.not_in([state.value for state in SETTLED]),
        at.due_at_ns > 0,
        at.due_at_ns < now_ns,
    )
    for code, grade, count in db.execute(
        select(at.project_code, at.grade, func.count()).where(*late).group_by(at.project_code, at.grade)
    ):
        if grade == Grade.MAJOR.value:
            found[code].overdue_major = count
        else:
            found[code].overdue_general = count


def _warnings(db: Connection, found: Mapping[str, RiskFacts], now_ns: int) -> None:
    """Wind and rain warnings in force: the newest version of each, at the projects that it was meant for."""
    at, to = site_notices.c, site_deliveries.c
    newest = select(at.notice_id, func.max(at.version).label("version")).group_by(at.notice_id).subquery()
    rows = (
        select(to.project_code, at.body)
        .distinct()
        .select_from(site_notices)
        .join(newest, and_(newest.c.notice_id == at.notice_id, newest.c.version == at.version))
        .join(site_deliveries, and_(to.notice_id == at.notice_id, to.version == at.version))
        .where(at.kind == "weather_warning", at.withdrawn == 0, at.valid_until_ns > now_ns, to.project_code.in_(found))
    )
    for code, body in db.execute(rows):
        said = orjson.loads(body)
        if said["kind"] in ("wind", "rainstorm", "lightning") and said["valid_from_ns"] <= now_ns:
            found[code].warnings.append(said["level"])


def _people(db: Connection, found: Mapping[str, RiskFacts], today: date) -> None:
    at, since = check_ins.c, (today - timedelta(days=LOOKED_BACK_DAYS)).isoformat()
    seen = select(at.project_code, at.role, at.day).distinct().where(at.project_code.in_(found), at.day >= since)
    for code, role, day in db.execute(seen):
        found[code].check_ins.add((role, day))


def _past(db: Connection, found: Mapping[str, RiskFacts], today: date) -> None:
    """Events and key-risk listings of the project, and of whoever builds it now."""
    builders, firm = defaultdict(set), project_firms.c
    building = (firm.role == FirmRole.CONTRACTOR.value, firm.status == Standing.ACTIVE.value)
    for code, firm_code in db.execute(
        select(firm.project_code, firm.firm_code).where(firm.project_code.in_(found), *building)
    ):
        builders[firm_code].add(code)
    for row in db.execute(_events(found, builders, today)):
        for code in builders.get(row.firm_code, set()) | ({row.project_code} & found.keys()):
            found[code].past.append(PastEvent(date.fromisoformat(row.on_day), row.points))
    at = key_risks.c
    for level, listed in db.execute(select(at.level, at.code).where(at.until_day == "").distinct()):
        ours = {listed} if level == ItemLevel.PROJECT.value else builders.get(listed, set())
        for code in ours & found.keys():
            found[code].key_risk = True


def _events(found: Iterable[str], builders: Iterable[str], today: date) -> "Select[tuple[Any, ...]]":
    at, since = risk_events.c, (today - timedelta(days=LOOKED_BACK_DAYS)).isoformat()
    concerned = at.project_code.in_(list(found)) | at.firm_code.in_(list(builders))
    return select(at.project_code, at.firm_code, at.on_day, at.points).where(at.on_day >= since, concerned)


def _last(db: Connection, found: Mapping[str, RiskFacts]) -> None:
    at = risk_latest.c
    for code, factors in db.execute(select(at.project_code, at.factors).where(at.project_code.in_(found))):
        found[code].last = {each["factor"]: Decimal(each["severity"]) for each in orjson.loads(factors)}
