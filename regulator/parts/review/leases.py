"""Leases: one person looks at an item at a time, on however many replicas.

A lease is one conditional UPDATE: it is taken where the item is open and nobody else's lease runs. Sixty seconds,
renewed while the item is looked at; a lease that has run out is none, so that nobody has to give one back. Whoever
comes second is told the name.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, and_, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.review import review_items, review_seen
from regulator.parts.review.judgement import LEASE_NS, ItemState


@dataclass(frozen=True, slots=True)
class Lease:
    """Who looks at an item and until when (UTC ns)."""

    item_id: str
    user_id: str
    name: str
    until_ns: int


def visible(actor: Actor) -> "ColumnElement[bool]":
    """Items that somebody may see at all: in scope, and no second look at an own verdict."""
    at = review_items.c
    own = or_(at.barred_user.in_(actor.persons), and_(at.barred_for != "", at.barred_for.in_(actor.persons)))
    return and_(in_scope(actor.scope, at.project_code), ~own)


def free_for(actor: Actor, now_ns: int) -> "ColumnElement[bool]":
    """The clause for items that nobody else holds at this moment."""
    return or_(review_items.c.lease_by == actor.user_id, review_items.c.lease_until_ns <= now_ns)


def take_lease(db: Connection, ledger: Ledger, actor: Actor, item_id: str, now_ns: int) -> Lease:
    """Take or renew; the first look of a person is written into the ledger. Raises RefusedError 404 or 409."""
    at = review_items.c
    mine = (at.lease_by == actor.user_id) & (at.lease_until_ns > now_ns)
    values = {
        "lease_since_ns": case((mine, at.lease_since_ns), else_=now_ns),
        "lease_by": actor.user_id,
        "lease_name": actor.name,
        "lease_until_ns": now_ns + LEASE_NS,
    }
    wanted = and_(at.item_id == item_id, at.state == ItemState.OPEN.value, visible(actor), free_for(actor, now_ns))
    if db.execute(update(review_items).where(wanted).values(**values)).rowcount != 1:
        raise why_not(find_item(db, actor, item_id), actor, now_ns)
    _look(db, ledger, actor, item_id, now_ns)
    return Lease(item_id, actor.user_id, actor.name, now_ns + LEASE_NS)


def release(db: Connection, actor: Actor, item_id: str, now_ns: int) -> None:
    """Let go of an own lease; of anything else nothing happens."""
    at = review_items.c
    mine = (at.item_id == item_id) & (at.lease_by == actor.user_id) & (at.lease_until_ns > now_ns)
    db.execute(update(review_items).where(mine).values(lease_until_ns=now_ns))


def find_item(db: Connection, actor: Actor, item_id: str, *, lock: bool = False) -> "Row[tuple[object, ...]]":
    """One item in the actor's scope. Raises RefusedError 404."""
    query = select(review_items).where(review_items.c.item_id == item_id, visible(actor))
    row = db.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise RefusedError(404, "no_such_item", "没有这个研判项", "no such item in your scope", "item_id")
    return row


def why_not(row: "Row[tuple[object, ...]]", actor: Actor, now_ns: int) -> RefusedError:
    """The refusal of a person who cannot have an item."""
    if row.state != ItemState.OPEN.value:
        return RefusedError(409, "judged_already", "该项已有判定", "this item has been judged", "item_id")
    if row.lease_by != actor.user_id and row.lease_until_ns > now_ns:
        zh, en = f"{row.lease_name} 正在研判该项", f"{row.lease_name} is looking at this item"
        return RefusedError(409, "leased", zh, en, "item_id")
    return RefusedError(
        409, "changed_meanwhile", "该项刚刚有变化，请重试", "this item has just changed: try again", "item_id"
    )


def _look(db: Connection, ledger: Ledger, actor: Actor, item_id: str, now_ns: int) -> None:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    seen = dialect.insert(review_seen).values(item_id=item_id, user_id=actor.user_id, first_at_ns=now_ns)
    if db.scalar(seen.on_conflict_do_nothing().returning(review_seen.c.item_id)) is not None:
        code = db.scalar(select(review_items.c.project_code).where(review_items.c.item_id == item_id))
        ledger.append(db, Deed("review_viewed", item_id, {}, str(code)), actor, now_ns)
