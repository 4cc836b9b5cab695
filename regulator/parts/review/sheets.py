"""Contact sheets: up to sixteen alike items before one pair of eyes, and one verdict for those that were picked.

A bulk verdict is about items of a sheet that was put before this person a short while ago; what was not on it cannot be
judged by it. It is never about a P1, it is all or nothing, and every record of it says that it was in bulk.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, insert, select

from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.review import review_items, review_sheets
from regulator.parts.review.judgement import Judgement, require_reviewer
from regulator.parts.review.leases import find_item, free_for, take_lease
from regulator.parts.review.shelf import waiting
from regulator.parts.review.verdicts import Judged, Verdicts

SHEET_SIZE: Final = 16
SHEET_NS: Final = 600_000_000_000
GRAVEST: Final = "P1"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it was put before somebody: its items are leased to them, in the queue's order."""

    sheet_id: str
    group_key: str
    item_ids: tuple[str, ...]
    rendered_at_ns: int


def lay_out(db: Connection, ledger: Ledger, actor: Actor, item_id: str, now_ns: int) -> Sheet:
    """The sheet of an item's group. Raises RefusedError: 404, or 409 for a P1 and when others hold all of it."""
    require_reviewer(actor)
    row = find_item(db, actor, item_id)
    if row.severity == GRAVEST:
        raise RefusedError(
            409, "never_bulk", "一级报警不得批量判定", "a P1 alarm is judged alone, not in bulk", "item_id"
        )
    at = review_items.c
    alike = and_(at.group_key == row.group_key, at.project_code == row.project_code, at.severity != GRAVEST)
    free = and_(waiting(actor, now_ns), free_for(actor, now_ns))
    order = (at.rank, at.aged_min, at.risk.desc(), at.item_id)
    found = tuple(
        db.scalars(select(at.item_id).where(alike, free).order_by(*order).limit(SHEET_SIZE).with_for_update())
    )
    if not found:
        raise RefusedError(409, "nothing_free", "该组正由他人研判", "others look at all of this group", "item_id")
    for each in found:
        take_lease(db, ledger, actor, each, now_ns)
    sheet = Sheet(secrets.token_hex(12), row.group_key, found, now_ns)
    values = {"sheet_id": sheet.sheet_id, "user_id": actor.user_id, "project_code": row.project_code}
    values |= {"group_key": row.group_key, "item_ids": json.dumps(found), "rendered_at_ns": now_ns}
    db.execute(insert(review_sheets).values(**values))
    content = {"group_key": row.group_key, "item_ids": list(found)}
    ledger.append(db, Deed("review_sheet", sheet.sheet_id, content, row.project_code), actor, now_ns)
    return sheet


def judge_sheet(
    db: Connection, verdicts: Verdicts, actor: Actor, sheet_id: str, picked: Sequence[str], said: Judgement, now_ns: int
) -> list[Judged]:
    """One verdict for the picked items of an own sheet, all or none. Raises RefusedError 404, 409 or 422."""
    sheet = find_sheet(db, actor, sheet_id, now_ns)
    chosen = list(dict.fromkeys(picked))
    if not chosen or not set(chosen) <= set(sheet.item_ids):
        raise RefusedError(422, "not_on_sheet", "只能判定缩略图表中选中的项", "pick items of the sheet", "item_ids")
    for item_id in sorted(chosen):
        if find_item(db, actor, item_id, lock=True).severity == GRAVEST:
            raise RefusedError(
                409, "never_bulk", "一级报警不得批量判定", "a P1 alarm cannot be judged in bulk", "item_ids"
            )
    return [verdicts.judge(db, actor, item_id, said, now_ns, sheet_id=sheet_id) for item_id in chosen]


def find_sheet(db: Connection, actor: Actor, sheet_id: str, now_ns: int) -> Sheet:
    """An own sheet that was laid out in the last ten minutes. Raises RefusedError 404 or 409."""
    at = review_sheets.c
    row = db.execute(select(review_sheets).where(at.sheet_id == sheet_id, at.user_id == actor.user_id)).first()
    if row is None:
        raise RefusedError(404, "no_such_sheet", "没有这张缩略图表", "no such sheet of yours", "sheet_id")
    if now_ns - row.rendered_at_ns > SHEET_NS:
        raise RefusedError(
            409, "sheet_too_old", "缩略图表已过期，请重新打开", "the sheet is too old: open it again", "sheet_id"
        )
    return Sheet(sheet_id, row.group_key, tuple(json.loads(row.item_ids)), row.rendered_at_ns)
