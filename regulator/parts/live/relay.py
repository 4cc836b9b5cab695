"""The newest seconds of live video between the box that pushes and the browsers that watch.

    part 0 (initialisation) stays; parts 1, 2, 3 ... stay back to the last but one that begins with a key frame

One process keeps them in memory. Where several serve one database (PostgreSQL) a part may arrive at another process
than the browser's: they go through an unlogged table, which no write-ahead log, no standby and no crash keeps. Bounded
either way: what exceeds `MOST_BYTES` is forgotten, and whoever watches goes on with the next key frame.
"""

import threading
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy import Connection, delete, insert, select, text

from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.live import live_parts

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_PARTS: Final = 240
LOCK: Final = 7_240_292
"""An advisory lock of PostgreSQL: any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece as the box sent it. `begins`: a player may begin here."""

    number: int
    begins: bool
    body: bytes


class Relay(Protocol):
    """Passes parts of live video from box to viewers. Thread-safe."""

    def put(self, db: Connection, request_id: str, part: Part, now_ns: int) -> None:
        """Take the next part, inside the transaction that notes it."""
        ...

    def after(self, request_id: str, number: int | None) -> list[Part]:
        """Parts after a number, in order. None: the initialisation and all from the newest beginning. A number that
        was forgotten meanwhile: from the newest beginning."""
        ...

    def drop(self, db: Connection, request_id: str) -> None:
        """Forget a session and every part of it."""
        ...


@dataclass(slots=True)
class _Held:
    first: Part | None = None
    parts: list[Part] = field(default_factory=list)


class MemoryRelay:
    """Keeps the parts in this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def put(self, db: Connection, request_id: str, part: Part, now_ns: int) -> None:  # noqa: ARG002 - the protocol's
        """As `Relay` says; this is one way of doing it."""
        with self._lock:
            held = self._held.setdefault(request_id, _Held())
            if part.number == 0:
                held.first, held.parts = part, []
            else:
                held.parts = kept([*held.parts, part])

    def after(self, request_id: str, number: int | None) -> list[Part]:
        """As `Relay` says; this is one way of doing it."""
        with self._lock:
            held = self._held.get(request_id)
            return wanted(held.first, held.parts, number) if held else []

    def drop(self, db: Connection, request_id: str) -> None:  # noqa: ARG002 - the protocol's shape
        """As `Relay` says; this is one way of doing it."""
        with self._lock:
            self._held.pop(request_id, None)

    @property
    def sessions(self) -> int:
        """How many sessions have parts that are held."""
        return len(self._held)


class TableRelay:
    """Keeps the parts in the database, for many replicas."""

    def __init__(self, database: DeskDatabase) -> None:
        self._database = database
        with database.transaction() as db:
            _keep_out_of_the_log(db)

    def put(self, db: Connection, request_id: str, part: Part, now_ns: int) -> None:
        """As `Relay` says; this is one way of doing it."""
        row = {"request_id": request_id, "number": part.number, "begins": int(part.begins), "at_ns": now_ns}
        db.execute(insert(live_parts).values(**row, body=part.body))
        at = live_parts.c
        mine = select(at.number, at.begins).where(at.request_id == request_id, at.number > 0).order_by(at.number)
        held = [Part(each.number, bool(each.begins), b"") for each in db.execute(mine)]
        first = kept(held)[0].number if held else 0
        db.execute(delete(live_parts).where(at.request_id == request_id, at.number > 0, at.number < first))

    def after(self, request_id: str, number: int | None) -> list[Part]:
        """As `Relay` says; this is one way of doing it."""
        at = live_parts.c
        found = select(live_parts).where(at.request_id == request_id).order_by(at.number)
        if number is not None and number > 0:
            found = found.where((at.number >= number) | (at.number == 0))
        with self._database.reading() as db:
            rows = [Part(row.number, bool(row.begins), bytes(row.body)) for row in db.execute(found)]
        first = rows[0] if rows and rows[0].number == 0 else None
        return wanted(first, [part for part in rows if part.number > 0], number)

    def drop(self, db: Connection, request_id: str) -> None:
        """As `Relay` says; this is one way of doing it."""
        db.execute(delete(live_parts).where(live_parts.c.request_id == request_id))


def relay_for(database: DeskDatabase) -> Relay:
    """SQLite serves one process; PostgreSQL may serve several."""
    return MemoryRelay() if database.is_sqlite else TableRelay(database)


def kept(parts: list[Part]) -> list[Part]:
    """From the last but one beginning, so that who is a little behind loses nothing; at most what the bounds allow."""
    begins = [place for place, part in enumerate(parts) if part.begins]
    found = parts[begins[-2] :] if len(begins) > 1 else parts
    found = found[-MOST_PARTS:]
    size = sum(len(part.body) for part in found)
    while size > MOST_BYTES and len(found) > 1:
        size -= len(found[0].body)
        found = found[1:]
    return found


def wanted(first: Part | None, parts: list[Part], number: int | None) -> list[Part]:
    """What somebody who has everything up to `number` gets next."""
    if first is None:
        return []
    if number is None:
        return [first, *_from_newest_beginning(parts)]
    later = [part for part in parts if part.number > number]
    follows_on = number > 0 and (not later or later[0].number == number + 1)
    return later if follows_on else _from_newest_beginning(later)


def _from_newest_beginning(parts: list[Part]) -> list[Part]:
    begins = [place for place, part in enumerate(parts) if part.begins]
    return parts[begins[-1] :] if begins else []


def _keep_out_of_the_log(db: Connection) -> None:
    """Once: what passes through is in no log and no backup made of one."""
    db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
    kind = db.scalar(text("SELECT relpersistence FROM pg_class WHERE oid = 'live_parts'::regclass"))
    if kind not in ("u", b"u"):
        db.execute(text("ALTER TABLE live_parts SET UNLOGGED"))
