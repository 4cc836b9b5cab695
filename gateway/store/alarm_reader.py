"""Questions to `alerts.db` about spans of time: episodes for the figures, records by kind, when the box ran.

In: the file's path and spans (UTC ns, ends excluded). Out: columns and rows. Every call opens a read-only connection of
its own, so it may run in any thread and holds nobody up. The figures' index holds what they need of an episode's state,
so that a season's alarms are read without opening each one.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.figures.episodes import Episodes, Tag
from gateway.figures.spans import BoxStart
from gateway.model.alarm import Alarm
from gateway.store.alert_store import FIGURES_INDEX, KeptRecord, alarm_from_json, kept_record
from gateway.store.database import open_reader

LOOK_BACK_NS = 7 * 86_400_000_000_000
"""How long before a window episodes are looked for that reach into it; what is open is always found."""
MOST_FOLDED = 1_000_000
MAX_RECORDS = 20_000
_EPISODES = (
    "SELECT raised_at_ns, json_extract(state, '$.acknowledged_at_ns'), json_extract(state, '$.returned_at_ns'),"
    " (instr('P1 P2 P3 log', json_extract(state, '$.rule.severity')) - 1) / 3, is_open,"
    " rule_id || char(10) || subject FROM alarm"
)
"""Numbers as SQLite makes them, so that no object of a row but its tag has to be looked at: the severity's place in
`SEVERITIES`, the tag as one text."""
_ROW = np.dtype(
    [("raised", "i8"), ("acknowledged", "i8"), ("returned", "i8"), ("severity", "u1"), ("open", "?"), ("tag", "O")]
)
_TOLD = "NOT json_extract(state, '$.withheld')"


class AlarmReader:
    """Reads the alarms and the chain of a file that someone else is writing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def episodes(self, from_ns: int, to_ns: int) -> Episodes:
        """Every episode that was raised in the span, or within a week before it, or earlier and is still open. What was
        withheld was never raised for anybody and is left out."""
        since_ns = from_ns - LOOK_BACK_NS
        with closing(open_reader(self._path)) as db:
            db.row_factory = None  # a season is 100,000 rows: plain tuples cost half
            index = _index(db)
            old = db.execute(f"{_EPISODES} WHERE is_open = 1 AND raised_at_ns < ? AND {_TOLD}", (since_ns,))
            before = np.sort(np.fromiter(old, _ROW), order="raised")
            span = f"{_EPISODES} {index} WHERE raised_at_ns >= ? AND raised_at_ns < ? AND {_TOLD} ORDER BY raised_at_ns"
            rows = np.fromiter(db.execute(span, (since_ns, to_ns)), _ROW)
        return _columns(np.concatenate([before, rows]))

    def alarms(self, from_ns: int, to_ns: int) -> list[Alarm]:
        """Alarms of which something happened in the span: raised, acknowledged, returned; and what is open. Oldest
        first. Of what is closed, only episodes that began within a week before the span are looked at."""
        with closing(open_reader(self._path)) as db:
            rows = db.execute(
                "SELECT is_open, state FROM alarm WHERE (raised_at_ns >= ? AND raised_at_ns < ?)"
                " OR (is_open = 1 AND raised_at_ns < ?) ORDER BY raised_at_ns, alarm_id",
                (from_ns - LOOK_BACK_NS, to_ns, to_ns),
            ).fetchall()
        found = [(bool(row["is_open"]), alarm_from_json(row["state"])) for row in rows]
        return [alarm for is_open, alarm in found if not alarm.withheld and (is_open or _touches(alarm, from_ns))]

    def records(self, kinds: Sequence[str], from_ns: int, to_ns: int, limit: int = MAX_RECORDS) -> list[KeptRecord]:
        """Records of some kinds by their time, in the order of the chain, the first `limit` of them."""
        marks = ",".join("?" * len(kinds))
        sql = f"SELECT * FROM evidence WHERE kind IN ({marks}) AND at_ns >= ? AND at_ns < ? ORDER BY seq LIMIT ?"  # noqa: S608
        with closing(open_reader(self._path)) as db:
            return [kept_record(row) for row in db.execute(sql, (*map(str, kinds), from_ns, to_ns, limit))]

    def every(self, kinds: Sequence[str]) -> list[KeptRecord]:
        """Records of some kinds, in the order of the chain: for whoever folds them all at a start."""
        return self.records(kinds, 0, 2**63 - 1, MOST_FOLDED)

    def filed(self, prefix: str) -> list[KeptRecord]:
        """Records that are filed under names with this beginning (ASCII, ends with a colon), in the order of the
        chain."""
        with closing(open_reader(self._path)) as db:
            rows = db.execute(
                "SELECT * FROM evidence WHERE alarm_id <> '' AND alarm_id >= ? AND alarm_id < ? ORDER BY seq",
                (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)),
            ).fetchall()
        return [kept_record(row) for row in rows]

    def about(self, name: str) -> list[KeptRecord]:
        """Records that are filed under this very name, in the order of the chain."""
        with closing(open_reader(self._path)) as db:
            rows = db.execute("SELECT * FROM evidence WHERE alarm_id = ? AND alarm_id <> '' ORDER BY seq", (name,))
            return [kept_record(row) for row in rows]

    def starts(self, started: str, stopped: str) -> list[BoxStart]:
        """Every start of the box that the chain holds, with how far the run before it is known to have come. The two
        kinds of record that say so are the caller's to name."""
        with closing(open_reader(self._path)) as db:
            rows = db.execute(
                "SELECT seq, kind, at_ns FROM evidence WHERE kind IN (?, ?) ORDER BY seq", (started, stopped)
            ).fetchall()
            stops = {row["seq"] for row in rows if row["kind"] == stopped}
            return [
                BoxStart(row["at_ns"], _heard_before(db, row["seq"]), clean=row["seq"] - 1 in stops)
                for row in rows
                if row["kind"] == started
            ]

    def first_at_ns(self) -> int:
        """The time of the oldest record; 0 when there is none."""
        with closing(open_reader(self._path)) as db:
            row = db.execute("SELECT at_ns FROM evidence ORDER BY seq LIMIT 1").fetchone()
        return int(row["at_ns"]) if row else 0

    def last_at_ns(self) -> int:
        """The time of the newest record; 0 when there is none."""
        with closing(open_reader(self._path)) as db:
            row = db.execute("SELECT at_ns FROM evidence ORDER BY seq DESC LIMIT 1").fetchone()
        return int(row["at_ns"]) if row else 0

    def waiting(self) -> dict[str, tuple[int, int]]:
        """uplink -> how many messages wait for it, and when the oldest of them was made."""
        sql = (
            "SELECT uplink, count(*) AS n, min(created_at_ns) AS since FROM outbox WHERE state = 'pending'"
            " GROUP BY uplink"
        )
        with closing(open_reader(self._path)) as db:
            return {row["uplink"]: (row["n"], row["since"]) for row in db.execute(sql)}


def _index(db: sqlite3.Connection) -> str:
    """Names the figures' index where the file has it: an older file, opened for reading only, may not."""
    known = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", (FIGURES_INDEX,)).fetchone()
    return f"INDEXED BY {FIGURES_INDEX}" if known else ""


def _heard_before(db: sqlite3.Connection, seq: int) -> int:
    """The time of the record before a start; 0 when it was the first."""
    row = db.execute("SELECT at_ns FROM evidence WHERE seq < ? ORDER BY seq DESC LIMIT 1", (seq,)).fetchone()
    return int(row["at_ns"]) if row else 0


def _touches(alarm: Alarm, from_ns: int) -> bool:
    return max(alarm.raised_at_ns, alarm.acknowledged_at_ns, alarm.returned_at_ns) >= from_ns


def _columns(rows: NDArray[np.void]) -> Episodes:
    names = rows["tag"].tolist()
    tags = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return Episodes(
        raised_at_ns=rows["raised"].copy(),
        acknowledged_at_ns=rows["acknowledged"].copy(),
        returned_at_ns=rows["returned"].copy(),
        severity=rows["severity"].copy(),
        tag=np.array([tags[name] for name in names], dtype=np.int32),
        open=rows["open"].copy(),
        tags=tuple(Tag(*name.split("\n")) for name in tags),
    )
