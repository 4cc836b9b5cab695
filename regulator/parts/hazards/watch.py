"""Effects of time on hazards: warnings, overdue, escalation county -> city -> province, proposals to list.

Run every minute by every replica. Each step locks its hazard, looks again and writes once, so that two replicas that
come at the same moment do it once. Nobody judges here: the desk notes and hands upwards, and closes nothing.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contract.canonical import Canonical
from regulator.base.deadline_days import SECOND_NS
from regulator.base.model.actor import SYSTEM, Level
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed
from regulator.base.records.tables.hazards import (
    hazard_deadlines,
    hazard_holders,
    hazard_requests,
    hazard_warnings,
    hazards,
)
from regulator.base.rules import Escalation, RuleId
from regulator.parts.hazards.deadlines import URGING, DeadlineKind, open_deadlines
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.record import HazardRecord, locked_hazard
from regulator.parts.hazards.requests import open_request
from regulator.parts.hazards.states import is_higher, level_above

DAY_NS = 86_400 * SECOND_NS
EVERY_S = 60.0
ESCALATED = (DeadlineKind.RECTIFY, DeadlineKind.LISTING, DeadlineKind.SITE_CHECK)


class HazardWatch:
    """One run looks at everything that is due; idempotent."""

    def __init__(self, database: DeskDatabase, office: HazardOffice) -> None:
        self._database, self._office = database, office

    def run(self, now_ns: int) -> None:
        """Give the warnings that are due, note what is overdue, hand up what stays so."""
        for hazard_id in self._due(now_ns):
            with self._database.transaction() as db:
                hazard = locked_hazard(db, hazard_id)
                if hazard is not None:
                    self._look_at(db, hazard, now_ns)

    def _due(self, now_ns: int) -> list[str]:
        at, warned = hazard_deadlines.c, hazard_warnings.c
        late = select(at.hazard_id).where(at.ended_at_ns == 0, at.due_at_ns <= now_ns)
        warn = (
            select(at.hazard_id)
            .join(hazard_warnings, warned.deadline_id == at.deadline_id)
            .where(at.ended_at_ns == 0, warned.given_at_ns == 0, warned.at_ns <= now_ns)
        )
        with self._database.reading() as db:
            return sorted({*db.scalars(late), *db.scalars(warn)})

    def _look_at(self, db: Connection, hazard: HazardRecord, now_ns: int) -> None:
        running = open_deadlines(db, hazard.hazard_id)
        for row in running:
            self._warn(db, hazard, row, now_ns)
        late = [row for row in running if row.due_at_ns <= now_ns]
        for row in late:
            self._note_overdue(db, hazard, row, now_ns)
        self._escalate(db, hazard, late, now_ns)
        self._propose(db, hazard, late, now_ns)

    def _warn(self, db: Connection, hazard: HazardRecord, row: "Row[Any]", now_ns: int) -> None:
        at = hazard_warnings.c
        due = (at.deadline_id == row.deadline_id, at.given_at_ns == 0, at.at_ns <= now_ns)
        for name in list(db.scalars(select(at.name).where(*due).order_by(at.at_ns))):
            db.execute(update(hazard_warnings).where(*due, at.name == name).values(given_at_ns=now_ns))
            self._write(db, "deadline_warning", hazard, _about(row) | {"warning": name}, now_ns)

    def _note_overdue(self, db: Connection, hazard: HazardRecord, row: "Row[Any]", now_ns: int) -> None:
        if not row.overdue_at_ns:
            mine = hazard_deadlines.c.deadline_id == row.deadline_id
            db.execute(update(hazard_deadlines).where(mine).values(overdue_at_ns=now_ns))
            self._write(db, "deadline_overdue", hazard, _about(row), now_ns)

    def _escalate(self, db: Connection, hazard: HazardRecord, late: "list[Row[Any]]", now_ns: int) -> None:
        escalation = self._office.rules(db, hazard.project_code).escalation
        wanted = hazard.held_by_level
        for row in late:
            if DeadlineKind(row.what) in ESCALATED:
                wanted = _higher(wanted, _holder(row, escalation, now_ns))
        if not is_higher(wanted, hazard.held_by_level):
            return
        mine = hazards.c.hazard_id == hazard.hazard_id
        db.execute(update(hazards).where(mine).values(held_by_level=wanted.value, held_since_ns=now_ns))
        count = db.scalar(
            select(func.max(hazard_holders.c.number)).where(hazard_holders.c.hazard_id == hazard.hazard_id)
        )
        values = {"hazard_id": hazard.hazard_id, "number": (count or 0) + 1, "project_code": hazard.project_code}
        db.execute(insert(hazard_holders).values(**values, level=wanted.value, since_ns=now_ns, reason="overdue"))
        content: dict[str, Canonical] = {"from": hazard.held_by_level.value, "to": wanted.value, "reason": "overdue"}
        self._write(db, "hazard_escalated", hazard, content, now_ns)

    def _propose(self, db: Connection, hazard: HazardRecord, late: "list[Row[Any]]", now_ns: int) -> None:
        """Long unfinished: listed supervision is proposed once (A32); people decide."""
        rule = self._office.rules(db, hazard.project_code).deadline(RuleId.SUPERVISION_PROPOSAL)
        old = [row for row in late if rule and row.due_at_ns + rule.days * DAY_NS <= now_ns]
        urging = [row for row in old if DeadlineKind(row.what) in URGING]
        if not urging or hazard.listed_level or open_request(db, hazard.hazard_id, "supervision"):
            return
        values = {
            "request_id": f"{hazard.hazard_id}/supervision/{now_ns}",
            "hazard_id": hazard.hazard_id,
            "project_code": hazard.project_code,
            "kind": "supervision",
            "words": rule.rule_zh if rule else "",
            "asked_by": SYSTEM.user_id,
            "asked_at_ns": now_ns,
        }
        db.execute(insert(hazard_requests).values(**values))
        self._write(db, "supervision_proposed", hazard, _about(urging[0]), now_ns)

    def _write(
        self, db: Connection, kind: str, hazard: HazardRecord, content: dict[str, Canonical], now_ns: int
    ) -> None:
        self._office.ledger.append(db, Deed(kind, hazard.hazard_id, content, hazard.project_code), SYSTEM, now_ns)


def holders_of(db: Connection, hazard_id: str) -> "list[Row[Any]]":
    """Who held it since when, oldest first."""
    at = hazard_holders.c
    return list(db.execute(select(hazard_holders).where(at.hazard_id == hazard_id).order_by(at.number)))


def warnings_of(db: Connection, deadline_ids: Iterable[str]) -> "list[Row[Any]]":
    """The warnings of some deadlines, by time."""
    at = hazard_warnings.c
    return list(db.execute(select(hazard_warnings).where(at.deadline_id.in_(list(deadline_ids))).order_by(at.at_ns)))


def _holder(row: "Row[Any]", escalation: Escalation, now_ns: int) -> Level:
    """An overdue listing goes to the level above its own at once; the others as the pack says."""
    if row.what == DeadlineKind.LISTING.value:
        return level_above(Level(row.level))
    late_ns = now_ns - row.due_at_ns
    if late_ns >= escalation.province_after_days * DAY_NS:
        return Level.PROVINCE
    return Level.CITY if late_ns >= escalation.city_after_days * DAY_NS else Level.COUNTY


def _higher(one: Level, other: Level) -> Level:
    return other if is_higher(other, one) else one


def _about(row: "Row[Any]") -> dict[str, Canonical]:
    return {"deadline_id": row.deadline_id, "what": row.what, "level": row.level, "due_at_ns": row.due_at_ns}
