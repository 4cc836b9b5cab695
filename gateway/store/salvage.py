"""Salvage of a damaged SQLite file: rows one rowid at a time, from both ends towards the damage, then
into every gap that damage has left, the widest first.

    rows    1 ........ 812 |xxxx| 840 ...... 2113 |xxxx| 2140 ...... 5000
            up ----------->                              <---------- down
                            then from the middle of what is left, up and down, and so on in each gap

In: a damaged file (only read, but for a torn end that is filled up with zeros) and an open database to copy into.
Out: how many rows were saved. Knows no table of the gateway.
"""

import heapq
import os
import sqlite3
from pathlib import Path

_HIGHEST = 2**62
_MAX_PROBES = 20_000
_MAGIC = b"SQLite format 3\x00"


def fill_torn_end(path: Path) -> None:
    """SQLite refuses a file that is shorter than its header says; with zeros there, only the torn pages are lost."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(_MAGIC):
        return
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    size = page_size * int.from_bytes(header[28:32], "big")
    if path.stat().st_size < size:
        os.truncate(path, size)


def salvage_table(damaged: Path, table: str, into: sqlite3.Connection) -> int:
    """Copy what is readable of one table inside one transaction; the number of rows that were new to `into`."""
    source = sqlite3.connect(damaged, timeout=1.0)
    into.execute("BEGIN IMMEDIATE")
    try:
        return _Copy(source, table, into).everything()
    finally:
        into.execute("COMMIT")
        source.close()


class _Copy:
    def __init__(self, source: sqlite3.Connection, table: str, into: sqlite3.Connection) -> None:
        self._source = source
        self._table = table
        self._into = into
        self._copied = 0

    def everything(self) -> int:
        """Copy every row that can be read; how many those are."""
        low, whole = self._span(0, _HIGHEST, "ASC")
        if whole:
            return self._copied
        high, _ = self._span(low, _HIGHEST, "DESC")
        if high == _HIGHEST:  # the very end is damaged: look as far beyond what is known as what is known is long
            high = 2 * low + 1000
        gaps = [(low - high, low, high)]
        for _ in range(_MAX_PROBES):
            if not gaps:
                break
            _, low, high = heapq.heappop(gaps)
            for left, right in self._halves(low, high):
                if right - left > 1:
                    heapq.heappush(gaps, (left - right, left, right))
        return self._copied

    def _halves(self, low: int, high: int) -> list[tuple[int, int]]:
        """Read from the middle of a gap both ways; what is still unread, as open intervals."""
        middle = (low + high) // 2
        up, up_whole = self._span(middle, high, "ASC")
        self._span(middle - 1, middle + 1, "ASC")
        down, down_whole = self._span(low, middle, "DESC")
        return ([] if up_whole else [(up, high)]) + ([] if down_whole else [(low, down)])

    def _span(self, low: int, high: int, order: str) -> tuple[int, bool]:
        """Copy the rows with low < rowid < high; how far it came, and whether that was all of them."""
        reached = low if order == "ASC" else high
        sql = f"SELECT rowid, * FROM {self._table} WHERE rowid > ? AND rowid < ? ORDER BY rowid {order}"  # noqa: S608
        try:
            rows = self._source.execute(sql, (low, high))
        except sqlite3.DatabaseError:
            return reached, False
        while True:
            try:
                row = rows.fetchone()
            except sqlite3.DatabaseError:
                return reached, False
            if row is None:
                return reached, True
            reached = row[0]
            self._keep(row[1:])

    def _keep(self, row: tuple[object, ...]) -> None:
        marks = ",".join("?" * len(row))
        done = self._into.execute(f"INSERT OR IGNORE INTO {self._table} VALUES ({marks})", row)  # noqa: S608
        self._copied += max(0, done.rowcount)
