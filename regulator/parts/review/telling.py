"""Verdicts on cameras' alarms go back to the box that raised them: what its own cameras learn from.

    final, reopened --> alarm_verdict in the box's mailbox, in the same transaction as the verdict

Told are first looks alone, without who judged. A box that was revoked, or is heard for another project by now, is told
nothing: what one site was judged is no other's to learn from. A transaction that will tell takes the box first
(`regulator.base.records.locks`).
"""

from contextlib import suppress
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, and_, select

from contract.mailbox import AlarmVerdict
from regulator.base.desk import Post
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.review import review_items
from regulator.parts.review.items import CAMERA_KIND
from regulator.parts.review.judgement import FalseReason

REASON_CODES: Final = {reason: reason.name.lower() for reason in FalseReason}
OPEN: Final = "open"


def hold_box(db: Connection, item_id: str) -> None:
    """Take the item's box for this transaction, before the item."""
    at = review_items.c
    mine = select(at.box_id).where(at.item_id == item_id).scalar_subquery()
    db.execute(select(boxes.c.box_id).where(boxes.c.box_id == mine).with_for_update()).all()


def tell_box(
    db: Connection, post: Post, row: "Row[Any]", said: Literal["true", "false", "doubtful", "open"], now_ns: int
) -> None:
    """Tell the item's box what was said of its alarm; `row` is the item as it stood before."""
    if row.asset_kind != CAMERA_KIND or row.round != 1 or not _heard(db, row):
        return
    reason = REASON_CODES[FalseReason(row.false_reason)] if said == "false" else ""
    body = AlarmVerdict(
        alarm_id=row.alarm_id,
        version=row.verdict_number + 1,
        verdict=said,
        reason=reason,
        judged_at_ns=row.judged_at_ns if said != OPEN else now_ns,
    )
    with suppress(LookupError):  # this desk has no mailboxes
        post(db, row.box_id, "alarm_verdict", body, now_ns)


def _heard(db: Connection, row: "Row[Any]") -> bool:
    """Whether the box is still this project's."""
    at = boxes.c
    own = and_(at.box_id == row.box_id, at.project_code == row.project_code, at.revoked_at_ns == 0)
    return db.scalar(select(at.box_id).where(own)) is not None
