"""How far the stores had come, in a second place: a small file beside them. A store that is gone, or an older copy of
itself, is noticed.

    last-known.json    the newest record of the chain (number, digest), the newest block of the history, when

In: what the stores hold. Out: what is missing, in words. The file lags by up to a minute, so it is never ahead of what
was synced: `alerts.db` is synced with every commit. The history may lose its newest blocks in a power cut. That is a
gap and no loss of the store, so a history that was not closed is held against the time alone.
"""

import json
import logging
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.store.alert_store import ALERTS_FILE
from gateway.store.database import open_reader
from kit.durable import write_whole

log = logging.getLogger(__name__)
LAST_KNOWN_FILE = "last-known.json"
HISTORY_FILE = "history.db"
STORE_LOST = "store_lost"
"""The kind of the record that a start seals."""
UNSYNCED_NS = 120_000_000_000
"""A power cut takes less from the history than this."""


@dataclass(frozen=True, slots=True)
class LastKnown:
    """`seq` and `sha256` of the chain's head, `block_id` of the history (0: nothing yet), at `at_ns` (UTC)."""

    seq: int
    sha256: str
    block_id: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class LostStore:
    """A store that holds less than it did. `expected` and `found`: the newest record or block."""

    file: str
    expected: int
    found: int

    @property
    def text_zh(self) -> str:
        """What is lost, said for people in Chinese."""
        return f"{self.file} 丢失或被较旧的副本替换：应至少到第 {self.expected} 条，现为 {self.found}"

    @property
    def text_en(self) -> str:
        """What is lost, said for people in English."""
        return f"{self.file} is gone or an older copy: expected up to {self.expected} at least, found {self.found}"


def remember(folder: Path, known: LastKnown) -> None:
    """Write down what is known beside the stores; raises OSError."""
    write_whole(folder / LAST_KNOWN_FILE, json.dumps(asdict(known)).encode())


def last_known(folder: Path) -> LastKnown | None:
    """None where nothing was remembered, or it cannot be read (said in the log)."""
    path = folder / LAST_KNOWN_FILE
    try:
        return LastKnown(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        log.error("event=last_known_unreadable file=%s reason=%r", path, str(error))
        return None


def lost_stores(folder: Path) -> list[LostStore]:
    """Stores in a data folder that hold less than is remembered. Opens them for reading, also beside a running box."""
    known = last_known(folder)
    if known is None:
        return []
    return [lost for lost in (_lost_chain(folder, known), _lost_history(folder, known)) if lost is not None]


def sealed_losses(folder: Path) -> list[str]:
    """What the chain itself says of stores that were lost before one of its starts; English."""
    with closing(open_reader(folder / ALERTS_FILE)) as db:
        rows = db.execute("SELECT seq, CAST(body AS TEXT) AS body FROM evidence WHERE kind = ?", (STORE_LOST,))
        found = [(row["seq"], json.loads(row["body"])["content"]) for row in rows]
    return [f"{LostStore(c['file'], c['expected'], c['found']).text_en} (record {seq})" for seq, c in found]


def _lost_chain(folder: Path, known: LastKnown) -> LostStore | None:
    path = folder / ALERTS_FILE
    try:
        with closing(open_reader(path)) as db:
            row = db.execute("SELECT sha256 FROM evidence WHERE seq = ?", (known.seq,)).fetchone()
            newest = int(db.execute("SELECT coalesce(max(seq), 0) FROM evidence").fetchone()[0])
    except sqlite3.Error:
        return None if path.is_file() else LostStore(ALERTS_FILE, known.seq, 0)
    held = known.seq == 0 or (row is not None and row["sha256"] == known.sha256)
    return None if held else LostStore(ALERTS_FILE, known.seq, min(newest, known.seq - 1))


def _lost_history(folder: Path, known: LastKnown) -> LostStore | None:
    path = folder / HISTORY_FILE
    try:
        with closing(open_reader(path)) as db:
            meta = {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM meta")}
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'block'").fetchone()
    except sqlite3.Error:
        return None if path.is_file() else LostStore(HISTORY_FILE, known.block_id, 0)
    newest = int(row["seq"]) if row else 0
    cut_ns = 0 if meta.get("clean", 1) else int(meta.get("last_flush_ns", 0))
    power_cut = cut_ns > known.at_ns - UNSYNCED_NS
    return None if newest >= known.block_id or power_cut else LostStore(HISTORY_FILE, known.block_id, newest)
