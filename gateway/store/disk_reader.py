"""Measures what the databases take and how fast they grow.

In: the data folder, the history's bound, the time. Out: `DiskFacts`. Reads sizes and times, no reading. Blocks.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import disk_usage

from gateway.figures.disk import DiskFacts
from gateway.store.alert_store import ALERTS_FILE
from gateway.store.database import open_reader

MEASURED_OVER_NS = 24 * 3_600_000_000_000
HISTORY_FILE = "history.db"


def disk_facts(folder: Path, history_bound: int, now_ns: int) -> DiskFacts:
    """The facts as they stand. Raises sqlite3.Error and OSError where they cannot be had."""
    with closing(open_reader(folder / HISTORY_FILE)) as db:
        history = _used(db)
        oldest_ns = _first(db)
        since_ns = max(oldest_ns or now_ns, now_ns - MEASURED_OVER_NS)
        added = _added(db, "block", since_ns, now_ns) + _added(db, "rollup", since_ns, now_ns)
    with closing(open_reader(folder / ALERTS_FILE)) as db:
        alarms = _used(db)
        row = db.execute("SELECT at_ns FROM evidence ORDER BY seq LIMIT 1").fetchone()
    begun_ns = row["at_ns"] if row else now_ns
    return DiskFacts(
        free=disk_usage(folder).free,
        history=history,
        history_bound=history_bound,
        added=added,
        added_over_s=max(0, now_ns - since_ns) / 1e9,
        alarms=alarms,
        alarms_over_s=max(0, now_ns - begun_ns) / 1e9,
        kept_s=max(0, now_ns - (oldest_ns or now_ns)) / 1e9,
    )


def _used(db: sqlite3.Connection) -> int:
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _first(db: sqlite3.Connection) -> int | None:
    """When the oldest raw readings that are still kept were made."""
    row = db.execute("SELECT t_first_ns FROM block ORDER BY block_id LIMIT 1").fetchone()
    return int(row["t_first_ns"]) if row else None


def _added(db: sqlite3.Connection, table: str, since_ns: int, now_ns: int) -> int:
    """Bytes of the rows of the span; SQLite knows a body's length without reading it."""
    sql = (
        f"SELECT coalesce(sum(length(body)), 0) FROM {table}"  # noqa: S608
        " WHERE layout_id IN (SELECT layout_id FROM layout) AND t_last_ns > ? AND t_last_ns <= ?"
    )
    return int(db.execute(sql, (since_ns, now_ns)).fetchone()[0])
