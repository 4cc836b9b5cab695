"""The queue: what waits, in order (priority, then age, then risk), a page at a time.

In: who asks, what they look for, where the last page ended. Out: rows for the list, and counts that stop at a bound, so
that a long queue costs no more than a short one. Says nothing of verdicts: a second look must not know of the first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items, review_seen
from regulator.parts.review.judgement import ItemState
from regulator.parts.review.leases import visible
from regulator.parts.review.shelf import acknowledged_by, waiting

PAGE = 50
COUNT_LIMIT = 1000
MAX_SEARCH = 100
RANKS = {1: "P1", 2: "P2", 3: "P3", 4: "log"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands in the order."""

    rank: int
    aged_min: int
    risk: int
    item_id: str

    def __str__(self) -> str:
        return f"{self.rank}.{self.aged_min}.{self.risk}.{self.item_id}"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line. `held_by` is the name of whoever else looks at it, or empty. Times UTC ns."""

    item_id: str
    place: Place
    project_code: str
    project_name: str
    severity: str
    title_zh: str
    title_en: str
    source_id: str
    rule_id: str
    stage: str
    risk_reasons: tuple[str, ...]
    raised_at_ns: int
    queued_at_ns: int
    group_key: str
    group_size: int
    held_by: str
    mine: bool
    seen: bool
    acknowledged_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Lines in order; `next` is where the following page begins, None at the end."""

    rows: tuple[QueueRow, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: words of title, project or source; one project; all of it when empty."""

    words: str = ""
    project_code: str = ""


def read_place(text: str) -> Place | None:
    """From an address; None when empty. Raises RefusedError 422."""
    if not text:
        return None
    parts = text.split(".", 3)
    try:
        rank, aged, risk = (int(part) for part in parts[:3])
        return Place(rank, aged, risk, parts[3])
    except (ValueError, IndexError):
        raise RefusedError(
            422, "bad_place", "翻页位置有误", "expected a place as the page before gave it", "after"
        ) from None


def read_queue(
    db: Connection, actor: Actor, now_ns: int, wanted: Wanted = Wanted(), after: Place | None = None, limit: int = PAGE
) -> QueuePage:
    """One page of what is open in the actor's scope."""
    at, chosen = review_items.c, _chosen(waiting(actor, now_ns), wanted)
    if after is not None:
        chosen = chosen.where(_behind(after))
    found = _described(db, actor, chosen.order_by(at.rank, at.aged_min, at.risk.desc(), at.item_id).limit(limit + 1))
    rows = tuple(_rows(db, actor, found[:limit], now_ns))
    return QueuePage(rows, rows[-1].place if len(found) > limit else None)


def read_row(db: Connection, actor: Actor, item_id: str, now_ns: int) -> QueueRow:
    """One open item as a line, from the shelf too. Raises RefusedError 404."""
    opened = and_(review_items.c.state == ItemState.OPEN.value, visible(actor))
    found = _described(db, actor, _chosen(opened, Wanted()).where(review_items.c.item_id == item_id))
    if not found:
        raise RefusedError(404, "no_such_item", "没有这个研判项", "no such item in your scope", "item_id")
    return next(_rows(db, actor, found, now_ns))


def count_waiting(db: Connection, actor: Actor, now_ns: int) -> Mapping[str, int]:
    """How many wait by priority; no count goes beyond `COUNT_LIMIT`."""
    at, mine = review_items.c, waiting(actor, now_ns)
    some = (select(at.item_id).where(mine, at.rank == rank).limit(COUNT_LIMIT).subquery() for rank in RANKS)
    counts = (select(func.count()).select_from(each).scalar_subquery() for each in some)
    return dict(zip(RANKS.values(), map(int, db.execute(select(*counts)).one()), strict=True))


def _chosen(which: "ColumnElement[bool]", wanted: Wanted) -> "Select[tuple[object, ...]]":
    """The items, and nothing beside them unless words are looked for: their order comes from one index."""
    at, alarm = review_items.c, alarms.c
    query = select(review_items).where(which)
    if wanted.project_code:
        query = query.where(at.project_code == wanted.project_code)
    if not wanted.words:
        return query
    joined = query.outerjoin(alarms, (alarm.box_id == at.box_id) & (alarm.alarm_id == at.alarm_id))
    return joined.outerjoin(projects, projects.c.project_code == at.project_code).where(_contains(wanted.words))


def _described(db: Connection, actor: Actor, chosen: "Select[tuple[object, ...]]") -> "Sequence[Row[Any]]":
    """A page's items with what they are called, in the queue's order."""
    page, alarm = chosen.subquery("page"), alarms.c
    at, own = page.c, review_seen.c.user_id == actor.user_id
    seen = select(review_seen.c.item_id).where(review_seen.c.item_id == at.item_id, own)
    query = (
        select(page, projects.c.name, alarm.title_zh, alarm.title_en, seen.exists().label("seen"))
        .select_from(page)
        .outerjoin(alarms, (alarm.box_id == at.box_id) & (alarm.alarm_id == at.alarm_id))
        .outerjoin(projects, projects.c.project_code == at.project_code)
    )
    return db.execute(query.order_by(at.rank, at.aged_min, at.risk.desc(), at.item_id)).all()


def _contains(words: str) -> "ColumnElement[bool]":
    columns = (
        alarms.c.title_zh,
        alarms.c.title_en,
        projects.c.name,
        review_items.c.source_id,
        review_items.c.project_code,
    )
    text = words[:MAX_SEARCH].lower()
    return or_(*(func.lower(column).contains(text, autoescape=True) for column in columns))


def _behind(place: Place) -> "ColumnElement[bool]":
    """Everything that comes after a place; risk counts downward."""
    at = review_items.c
    return or_(
        at.rank > place.rank,
        (at.rank == place.rank) & (at.aged_min > place.aged_min),
        (at.rank == place.rank) & (at.aged_min == place.aged_min) & (at.risk < place.risk),
        (at.rank == place.rank)
        & (at.aged_min == place.aged_min)
        & (at.risk == place.risk)
        & (at.item_id > place.item_id),
    )


def _rows(db: Connection, actor: Actor, found: "Sequence[Row[Any]]", now_ns: int) -> Iterator[QueueRow]:
    sizes = _group_sizes(db, actor, {row.group_key for row in found}, now_ns)
    names = acknowledged_by(db, {row.item_id for row in found})
    for row in found:
        yield _row(row, actor, now_ns, sizes, names.get(row.item_id, ()))


def _group_sizes(db: Connection, actor: Actor, keys: set[str], now_ns: int) -> dict[str, int]:
    at = review_items.c
    counted = (
        select(at.group_key, func.count()).where(waiting(actor, now_ns), at.group_key.in_(keys)).group_by(at.group_key)
    )
    return {str(key): int(size) for key, size in db.execute(counted)} if keys else {}


def _row(
    row: "Row[tuple[object, ...]]", actor: Actor, now_ns: int, sizes: dict[str, int], names: tuple[str, ...]
) -> QueueRow:
    held = row.lease_until_ns > now_ns
    mine = held and row.lease_by == actor.user_id
    return QueueRow(
        item_id=row.item_id,
        place=Place(row.rank, row.aged_min, row.risk, row.item_id),
        project_code=row.project_code,
        project_name=row.name or row.project_code,
        severity=row.severity,
        title_zh=row.title_zh or row.rule_id,
        title_en=row.title_en or row.rule_id,
        source_id=row.source_id,
        rule_id=row.rule_id,
        stage=row.stage,
        risk_reasons=tuple(row.risk_reasons.split()),
        raised_at_ns=row.raised_at_ns,
        queued_at_ns=row.queued_at_ns,
        group_key=row.group_key,
        group_size=sizes.get(row.group_key, 1),
        held_by=row.lease_name if held and not mine else "",
        mine=mine,
        seen=bool(row.seen),
        acknowledged_by=names,
    )
