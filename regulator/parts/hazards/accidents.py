"""Accidents: two clocks to the province and the national platform, receipts that nobody changes, the follow-up list.

The clocks run from when it happened, not from when somebody entered it; a receipt ends its own clock and no other.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from contract.canonical import Canonical
from regulator.base.deadline_days import Urgency, Warned, urgency
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.hazard import HazardKind
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.hazards import (
    accident_follow_ups,
    accident_receipts,
    hazard_deadlines,
    hazard_warnings,
)
from regulator.parts.hazards.deadlines import DeadlineKind, Deadlines, Outcome, Subject, open_deadlines
from regulator.parts.hazards.record import HazardRecord, find_hazard
from regulator.parts.hazards.states import SUPERVISION


class Target(Enum):
    """Where an accident is reported to."""

    PROVINCE = "province"
    NATIONAL = "national"


class FollowUp(Enum):
    """公开曝光、信用扣分、倒查市场行为、暂扣安许证、国资通报 (notice D, II(4)1)."""

    PUBLICITY = "publicity"
    CREDIT = "credit"
    MARKET_CONDUCT = "market_conduct"
    LICENCE = "licence"
    STATE_ASSETS = "state_assets"


CLOCK_OF = {Target.PROVINCE: DeadlineKind.ACCIDENT_PROVINCE, Target.NATIONAL: DeadlineKind.ACCIDENT_NATIONAL}
RECORDERS = (Duty.REVIEWER, Duty.APPROVER)


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """The platform's receipt. `sha256`: its document on the shelf, or empty."""

    target: Target
    receipt_number: str
    submitted_at_ns: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class AccidentClock:
    """One clock as it stands now. `submitted_at_ns` 0: not reported yet; then `urgency` speaks of now."""

    target: Target
    due_at_ns: int
    rule_zh: str
    rule_en: str
    clause: str
    certainty: str
    urgency: Urgency
    submitted_at_ns: int
    receipt_number: str


class AccidentDesk:
    """Records reports and follow-ups. Stateless."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._deadlines = ledger, Deadlines(ledger)

    def record_receipt(self, db: Connection, hazard_id: str, new: NewReceipt, actor: Actor, now_ns: int) -> int:
        """Add a receipt and end its clock; its number. Raises RefusedError 403, 404, 422."""
        hazard = self._accident(db, hazard_id, actor)
        if not new.receipt_number.strip():
            raise RefusedError(422, "no_receipt_number", "缺少回执编号", "a receipt has a number", "receipt_number")
        if not hazard.observed_at_ns <= new.submitted_at_ns <= now_ns:
            zh, en = "报送时间须在事故发生之后、现在之前", "reported after it happened and not later than now"
            raise RefusedError(422, "bad_time", zh, en, "submitted_at")
        at = accident_receipts.c
        mine = (at.hazard_id == hazard_id, at.target == new.target.value)
        number = (db.scalar(select(func.max(at.number)).where(*mine)) or 0) + 1
        content: dict[str, Canonical] = {
            "target": new.target.value,
            "number": number,
            "receipt_number": new.receipt_number,
            "submitted_at_ns": new.submitted_at_ns,
            "sha256": new.sha256,
        }
        deed = Deed("accident_receipt", hazard_id, content, hazard.project_code)
        entry = self._ledger.append(db, deed, actor, now_ns)
        values = {**content, "hazard_id": hazard_id, "project_code": hazard.project_code}
        db.execute(
            insert(accident_receipts).values(
                **values, recorded_by=actor.user_id, recorded_at_ns=now_ns, ledger_seq=entry.seq
            )
        )
        rows = open_deadlines(db, hazard_id, CLOCK_OF[new.target])
        self._deadlines.end(db, Subject(hazard_id, hazard.project_code), rows, Outcome.MET, actor, now_ns)
        return number

    def follow_up(self, db: Connection, hazard_id: str, item: FollowUp, words: str, actor: Actor, now_ns: int) -> None:
        """Tick one of the five off, with words. Raises RefusedError 403, 404, 409, 422."""
        hazard = self._accident(db, hazard_id, actor)
        if not words.strip():
            raise RefusedError(422, "reason_missing", "须写明情况", "say what was done", "words")
        if item in {row.item for row in follow_ups_of(db, hazard_id)}:
            raise RefusedError(409, "already_done", "已办理，不能重复", "this was done already", "item")
        values = {"hazard_id": hazard_id, "item": item.value, "project_code": hazard.project_code, "words": words}
        db.execute(insert(accident_follow_ups).values(**values, done_by=actor.user_id, done_at_ns=now_ns))
        content: dict[str, Canonical] = {"item": item.value, "words": words}
        self._ledger.append(db, Deed("accident_follow_up", hazard_id, content, hazard.project_code), actor, now_ns)

    def _accident(self, db: Connection, hazard_id: str, actor: Actor) -> HazardRecord:
        hazard = find_hazard(db, actor, hazard_id, lock=True)
        if actor.level not in SUPERVISION or not actor.has(*RECORDERS):
            raise RefusedError(403, "not_your_duty", "您的职责不能这样做", "your duty does not allow it", "action")
        if hazard.kind is not HazardKind.NON_FATAL_ACCIDENT:
            raise RefusedError(409, "no_accident", "这不是事故", "this is no accident", "hazard_id")
        return hazard


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """One item that was done."""

    item: FollowUp
    words: str
    done_by: str
    done_at_ns: int


def follow_ups_of(db: Connection, hazard_id: str) -> tuple[FollowedUp, ...]:
    """Follow-ups so far."""
    rows = db.execute(select(accident_follow_ups).where(accident_follow_ups.c.hazard_id == hazard_id))
    return tuple(FollowedUp(FollowUp(row.item), row.words, row.done_by, row.done_at_ns) for row in rows)


def receipts_of(db: Connection, hazard_id: str) -> "list[Row[Any]]":
    """Every receipt of this hazard, the oldest first."""
    at = accident_receipts.c
    found = select(accident_receipts).where(at.hazard_id == hazard_id)
    return list(db.execute(found.order_by(at.recorded_at_ns, at.target, at.number)))


def clocks_of(db: Connection, hazard_id: str, now_ns: int) -> tuple[AccidentClock, ...]:
    """The clocks of an accident; none where no rule pack has them."""
    return tuple(clock for target in Target if (clock := _clock(db, hazard_id, target, now_ns)) is not None)


def _clock(db: Connection, hazard_id: str, target: Target, now_ns: int) -> AccidentClock | None:
    at = hazard_deadlines.c
    mine = (at.hazard_id == hazard_id, at.what == CLOCK_OF[target].value)
    row = db.execute(select(hazard_deadlines).where(*mine).order_by(at.started_at_ns).limit(1)).first()
    if row is None:
        return None
    first = next((each for each in receipts_of(db, hazard_id) if each.target == target.value), None)
    rows = db.execute(select(hazard_warnings).where(hazard_warnings.c.deadline_id == row.deadline_id))
    warned = tuple(Warned(each.name, each.at_ns) for each in rows)
    return AccidentClock(
        target=target,
        due_at_ns=row.due_at_ns,
        rule_zh=row.rule_zh,
        rule_en=row.rule_en,
        clause=row.clause,
        certainty=row.certainty,
        urgency=urgency(row.due_at_ns, warned, first.submitted_at_ns if first else now_ns),
        submitted_at_ns=first.submitted_at_ns if first else 0,
        receipt_number=first.receipt_number if first else "",
    )
