"""Facts for the tiles, in a few statements whose cost does not grow with the stored alarms.

In: a connection. Out: facts by project code. Active alarms have an index of their own; those of today lie together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, case, func, literal_column, select

from regulator.base.model.hazard_states import HazardState
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, alerts, boxes
from regulator.base.records.tables.supervision import risk_latest
from regulator.parts.wall.tile import Band, Link

CHUNK: Final = 400
"""Codes in one statement."""
_GRAVITY: Final = {"P1": 1, "P2": 2, "P3": 3}
_CLOSED: Final = {HazardState.CLOSED, HazardState.REJECTED}
_OPEN: Final = tuple(state.value for state in HazardState if state not in _CLOSED)


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """`worst` 0: none is active."""

    worst: int = 0
    unacknowledged: bool = False
    active: int = 0
    today: int = 0


@dataclass(frozen=True, slots=True)
class HazardFacts:
    """Open hazards, and those of them that are late."""

    open: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """The newest score."""

    score: int
    band: Band


def touched_since(db: Connection, since_ns: int) -> set[str]:
    """Projects of which an alarm's transition was accepted after a time."""
    at = alerts.c
    return set(db.scalars(select(at.project_code).where(at.accepted_at_ns > since_ns).distinct()))


def alarm_facts(db: Connection, codes: Iterable[str], midnight_ns: int) -> dict[str, AlarmFacts]:
    """Of every project named. Diagnostics (`log`) are no alarms of the wall."""
    found: dict[str, AlarmFacts] = {}
    for chunk in _chunks(sorted(codes)):
        today = _today(db, chunk, midnight_ns)
        standing = _active(db, chunk)
        for code in chunk:
            rows = standing.get(code, [])
            worst = min((gravity for gravity, _, _ in rows), default=0)
            open_ones = any(gravity == worst and not answered for gravity, answered, _ in rows)
            active = sum(count for _, _, count in rows)
            found[code] = AlarmFacts(worst, open_ones, active, today.get(code, 0))
    return found


def last_heard(db: Connection) -> dict[str, int]:
    """When a box of each project was heard of last, UTC ns."""
    at = boxes.c
    newest = select(at.project_code, func.max(at.last_seen_ns)).where(IS_HEARD).group_by(at.project_code)
    return {row[0]: row[1] for row in db.execute(newest)}


def link_of(heard: Mapping[str, int], code: str, now_ns: int, silent_s: int) -> Link:
    """Whether anything is heard of a project now."""
    if code not in heard:
        return Link.NONE
    return Link.HEARD if now_ns - heard[code] <= silent_s * 1_000_000_000 else Link.SILENT


def hazard_facts(db: Connection, now_ns: int) -> dict[str, HazardFacts]:
    """Of every project that has an open hazard."""
    at = hazards.c
    late = func.sum(case(((at.due_at_ns > 0) & (at.due_at_ns < now_ns), 1), else_=0))
    rows = db.execute(select(at.project_code, func.count(), late).where(at.state.in_(_OPEN)).group_by(at.project_code))
    return {row[0]: HazardFacts(row[1], int(row[2] or 0)) for row in rows}


def risk_facts(db: Connection) -> dict[str, RiskFacts]:
    """Of every project that was scored."""
    at = risk_latest.c
    rows = db.execute(select(at.project_code, at.score, at.band))
    return {row.project_code: RiskFacts(row.score, Band.of(row.band)) for row in rows}


def _active(db: Connection, codes: Sequence[str]) -> dict[str, list[tuple[int, bool, int]]]:
    """Gravity, whether it was answered, how many."""
    at = alarms.c
    standing = select(at.project_code, at.severity, at.acknowledged, func.count()).where(
        literal_column("active") == literal_column("1"), at.project_code.in_(codes)
    )
    found = defaultdict(list)
    for row in db.execute(standing.group_by(at.project_code, at.severity, at.acknowledged)):
        if row.severity in _GRAVITY:
            found[row.project_code].append((_GRAVITY[row.severity], bool(row.acknowledged), row[3]))
    return found


def _today(db: Connection, codes: Sequence[str], midnight_ns: int) -> dict[str, int]:
    at = alarms.c
    raised = select(at.project_code, func.count()).where(
        at.project_code.in_(codes), at.raised_at_ns >= midnight_ns, at.severity.in_(_GRAVITY)
    )
    return {row[0]: row[1] for row in db.execute(raised.group_by(at.project_code))}


def _chunks(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(codes), CHUNK):
        yield codes[start : start + CHUNK]
