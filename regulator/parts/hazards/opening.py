"""Opening a hazard (排查): one door for all channels, idempotent by the key of its cause.

In: what is known (`NewHazard`), who opens it, now. Out: the hazard's id. It is opened as 待研判: whether it is one is
for people to say; a reviewer's true verdict on a machine's alarm has said so. It cannot be opened before it was seen,
and one that was seen long ago says why it comes late.
"""

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import Canonical
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.hazard import Channel, Grade, NewHazard
from regulator.base.model.hazard_states import HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.hazards import hazard_evidence, hazard_holders, hazards
from regulator.parts.hazards.states import SUPERVISION
from screens.formats import site_time

DAY_NS = 86_400_000_000_000
CLOCK_TOLERANCE_NS = 300_000_000_000
"""How far a box's clock may be ahead of the desk's."""
BACK_DATED_DAYS = 7
"""A find that is entered later than this says why (a product default; the desk's packs may say otherwise)."""


@dataclass(frozen=True, slots=True)
class LateEntry:
    """Why a hazard is entered long after it was seen, and after how many days that has to be said."""

    reason: str = ""
    after_days: int = BACK_DATED_DAYS


def open_hazard(
    db: Connection, ledger: Ledger, new: NewHazard, actor: Actor, now_ns: int, late: LateEntry | None = None
) -> str:
    """Write it down; the id of the first one when `event_key` was opened before.

    Raises RefusedError: seen in the future, no title or key, or entered late by a person without a reason.
    """
    late = late or LateEntry()
    _check(new, late, now_ns)
    hazard_id = hazard_id_of(new.event_key)
    if not _added(db, _row(new, hazard_id, actor, now_ns, late)):
        return hazard_id
    entry = ledger.append(
        db, Deed("hazard_opened", hazard_id, _content(new, late, now_ns), new.project_code), actor, now_ns
    )
    number = f"YH-{new.project_code}-{site_time(now_ns).year}-{entry.seq}"
    db.execute(update(hazards).where(hazards.c.hazard_id == hazard_id).values(number=number))
    if judged_by_opening(new, actor):
        _note_judgement(db, ledger, hazard_id, new, actor, now_ns)
    _hold(db, hazard_id, new.project_code, now_ns)
    _keep_blobs(db, hazard_id, new, actor, now_ns, entry.seq)
    return hazard_id


def hazard_id_of(event_key: str) -> str:
    """The id that a cause's hazard has or would have."""
    return "hz-" + hashlib.sha256(event_key.encode()).hexdigest()[:20]


def judged_by_opening(new: NewHazard, actor: Actor) -> bool:
    """Whether whoever opens it has judged it in doing so: a reviewer who found a machine's alarm true at the review
    desk. What may be a major hazard by the national criteria, or is one, is graded by a person of its own."""
    judge = actor.level in SUPERVISION and actor.has(Duty.REVIEWER, Duty.APPROVER)
    return judge and new.channel is Channel.DEVICE and new.grade is Grade.GENERAL and not new.catalogue_code


def is_back_dated(new: NewHazard, late: LateEntry, now_ns: int) -> bool:
    """Whether it is entered later than is usual."""
    return now_ns - new.observed_at_ns > late.after_days * DAY_NS


def _check(new: NewHazard, late: LateEntry, now_ns: int) -> None:
    tolerance_ns = CLOCK_TOLERANCE_NS if new.channel is Channel.DEVICE else 0
    if new.observed_at_ns <= 0 or new.observed_at_ns > now_ns + tolerance_ns:
        raise RefusedError(
            422, "observed_after_opening", "发现时间晚于登记时间", "seen later than it is entered", "observed_at"
        )
    if not new.title_zh.strip():
        raise RefusedError(422, "no_title", "缺少隐患名称", "a hazard needs a title", "title_zh")
    if not new.event_key:
        raise RefusedError(422, "no_event_key", "缺少来源编号", "a hazard needs the key of its cause", "event_key")
    if new.channel is not Channel.DEVICE and is_back_dated(new, late, now_ns) and not late.reason.strip():
        raise RefusedError(
            422,
            "back_dated_without_reason",
            f"发现时间早于登记 {late.after_days} 天以上，须说明原因",
            f"seen more than {late.after_days} days before it is entered: say why",
            "back_date_reason",
        )


def _row(new: NewHazard, hazard_id: str, actor: Actor, now_ns: int, late: LateEntry) -> dict[str, object]:
    return {
        "hazard_id": hazard_id,
        "project_code": new.project_code,
        "channel": new.channel.value,
        "kind": new.kind.value,
        "grade": new.grade.value,
        "state": HazardState.PENDING.value,
        "title_zh": new.title_zh,
        "title_en": new.title_en,
        "words": new.words,
        "place_id": new.place_id,
        "rule_id": new.rule_id,
        "box_id": new.box_id,
        "alarm_id": new.alarm_id,
        "event_key": new.event_key,
        "catalogue_code": new.catalogue_code,
        "catalogue_edition": new.catalogue_edition,
        "other_code": new.other_code,
        "other_edition": new.other_edition,
        "observed_at_ns": new.observed_at_ns,
        "opened_at_ns": now_ns,
        "opened_by": actor.user_id,
        "back_dated": int(is_back_dated(new, late, now_ns)),
        "back_date_reason": late.reason,
        "held_since_ns": now_ns,
    }


def _content(new: NewHazard, late: LateEntry, now_ns: int) -> dict[str, Canonical]:
    return {
        "channel": new.channel.value,
        "kind": new.kind.value,
        "grade": new.grade.value,
        "title_zh": new.title_zh,
        "title_en": new.title_en,
        "words": new.words,
        "place_id": new.place_id,
        "rule_id": new.rule_id,
        "box_id": new.box_id,
        "alarm_id": new.alarm_id,
        "event_key": new.event_key,
        "catalogue": {"code": new.catalogue_code, "edition": new.catalogue_edition},
        "other": {"code": new.other_code, "edition": new.other_edition},
        "observed_at_ns": new.observed_at_ns,
        "opened_at_ns": now_ns,
        "back_dated": is_back_dated(new, late, now_ns),
        "back_date_reason": late.reason,
        "blobs": list(new.blobs),
    }


def _added(db: Connection, row: dict[str, object]) -> bool:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    added = dialect.insert(hazards).values(**row).on_conflict_do_nothing().returning(hazards.c.hazard_id)
    return db.execute(added).first() is not None


def _note_judgement(db: Connection, ledger: Ledger, hazard_id: str, new: NewHazard, actor: Actor, now_ns: int) -> None:
    values = {"state": HazardState.CONFIRMED.value, "confirmed_at_ns": now_ns, "round": 1}
    persons = json.dumps(sorted(actor.persons))
    db.execute(update(hazards).where(hazards.c.hazard_id == hazard_id).values(**values, confirmed_by=persons))
    content: dict[str, Canonical] = {
        "from": HazardState.PENDING.value,
        "to": HazardState.CONFIRMED.value,
        "round": 1,
        "words": "judged at the review desk",
        "evidence": [],
        "evidence_numbers": [],
    }
    ledger.append(db, Deed("hazard_confirm", hazard_id, content, new.project_code), actor, now_ns)


def _hold(db: Connection, hazard_id: str, project_code: str, now_ns: int) -> None:
    level = db.scalar(select(hazards.c.held_by_level).where(hazards.c.hazard_id == hazard_id))
    db.execute(
        insert(hazard_holders).values(
            hazard_id=hazard_id, number=1, project_code=project_code, level=level, since_ns=now_ns, reason="opened"
        )
    )


def _keep_blobs(db: Connection, hazard_id: str, new: NewHazard, actor: Actor, now_ns: int, seq: int) -> None:
    persons = json.dumps(sorted(actor.persons))
    for number, sha256 in enumerate(dict.fromkeys(new.blobs), start=1):
        db.execute(
            insert(hazard_evidence).values(
                hazard_id=hazard_id,
                number=number,
                sha256=sha256,
                kind="found",
                added_by=actor.user_id,
                persons=persons,
                added_at_ns=now_ns,
                ledger_seq=seq,
            )
        )
