"""`media.db`: what is kept of which alarm, and what was begun.

    media   one row an item (alarm, class, place): its state and everything `MediaItem` says
    chain   the number of the newest sealed record that the rows show

In: items. Out: items. The rows are an index of the chain: lost ones are made from it again, but for what was begun and
never sealed. One writer; every question is asked on a connection of its own, from any thread.
"""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import orjson

from gateway.media.kept import MediaClass, MediaItem, MediaState
from gateway.store.database import Schema, Writer, open_or_repair, open_reader, reopen_connection

MEDIA_FILE = "media.db"
SCHEMA = Schema(
    version=1,
    synchronous="FULL",
    tables=("media", "chain"),
    ddl="""
CREATE TABLE media (
    alarm_id TEXT NOT NULL, class TEXT NOT NULL, place INTEGER NOT NULL, state TEXT NOT NULL, sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, captured_at_ns INTEGER NOT NULL, record_seq INTEGER NOT NULL, item BLOB NOT NULL,
    PRIMARY KEY (alarm_id, class, place));
CREATE INDEX media_by_digest ON media(sha256) WHERE sha256 <> '';
CREATE INDEX media_by_state ON media(state, captured_at_ns);
CREATE TABLE chain (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL)
""",
)
_ORDER = "CASE class WHEN 'frame' THEN 0 WHEN 'strip' THEN 1 WHEN 'clip' THEN 2 ELSE 3 END, place"


class MediaIndex:
    """Opens (and where needed repairs) the file; `repair` says what was lost."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / MEDIA_FILE
        connection, self.repair = open_or_repair(self.path, SCHEMA)
        self._writer = Writer("media-writer", connection, reopen=lambda: reopen_connection(self.path, SCHEMA))

    def keep(self, items: Sequence[MediaItem], chain_seq: int = 0) -> "Future[None]":
        """Write items down, each in place of the one with its identity; with `chain_seq`, the rows show the chain up to
        that record. Done after the commit; StoreError when it could not be kept."""
        return self._writer.submit(lambda db: _keep(db, items, chain_seq))

    def begin(self, items: Sequence[MediaItem]) -> "Future[bool]":
        """Note what is about to be done. False when something is known of this alarm already: nothing is done twice."""
        return self._writer.submit(lambda db: _begin(db, items))

    def of_alarm(self, alarm_id: str) -> list[MediaItem]:
        """Frame, strip, clip, in this order."""
        return self._asked(f"SELECT item FROM media WHERE alarm_id = ? ORDER BY {_ORDER}", alarm_id)  # noqa: S608

    def of_digest(self, sha256: str) -> list[MediaItem]:
        """Every item whose body has this digest."""
        return self._asked("SELECT item FROM media WHERE sha256 = ? AND sha256 <> ''", sha256)

    def in_state(self, state: MediaState, before_ns: int = 2**62, limit: int = 10_000) -> list[MediaItem]:
        """Items of one state that were captured before a time, oldest first."""
        sql = "SELECT item FROM media WHERE state = ? AND captured_at_ns < ? ORDER BY captured_at_ns LIMIT ?"
        return self._asked(sql, str(state), before_ns, limit)

    def digests(self) -> set[str]:
        """Every body that a row names."""
        with closing(open_reader(self.path)) as db:
            return {row["sha256"] for row in db.execute("SELECT DISTINCT sha256 FROM media WHERE sha256 <> ''")}

    def chain_seq(self) -> int:
        """The newest record that the rows show."""
        with closing(open_reader(self.path)) as db:
            row = db.execute("SELECT seq FROM chain").fetchone()
        return int(row["seq"]) if row else 0

    def close(self) -> None:
        """Finish the writes and let go of the file."""
        self._writer.close()

    def _asked(self, sql: str, *parameters: object) -> list[MediaItem]:
        with closing(open_reader(self.path)) as db:
            return [item_from_json(row["item"]) for row in db.execute(sql, parameters)]


def item_to_json(item: MediaItem) -> bytes:
    """The form in which an item is stored."""
    return orjson.dumps(item, default=dict)


def item_from_json(text: bytes) -> MediaItem:
    """An item, read back from its stored form."""
    fields = orjson.loads(text)
    fields["media_class"], fields["state"] = MediaClass(fields["media_class"]), MediaState(fields["state"])
    fields["boxes"] = tuple(tuple(box) for box in fields["boxes"])
    return MediaItem(**fields)


def _keep(db: sqlite3.Connection, items: Sequence[MediaItem], chain_seq: int) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (*_identity(i), str(i.state), i.sha256, i.size_bytes, i.captured_at_ns, i.record_seq, item_to_json(i))
            for i in items
        ],
    )
    if chain_seq:
        db.execute(
            "INSERT INTO chain VALUES (1, ?) ON CONFLICT(one) DO UPDATE SET seq = max(seq, excluded.seq)", (chain_seq,)
        )


def _begin(db: sqlite3.Connection, items: Sequence[MediaItem]) -> bool:
    known = [db.execute("SELECT 1 FROM media WHERE alarm_id = ?", (item.alarm_id,)).fetchone() for item in items[:1]]
    if any(known):
        return False
    _keep(db, items, 0)
    return True


def _identity(item: MediaItem) -> tuple[str, str, int]:
    return item.alarm_id, str(item.media_class), item.place
