"""`office.db`: every version of every paper of the office, in the order in which it was kept.

    paper   about         stage    by    sha256   body (canonical JSON)
    1       safety_log:2026-11-22  draft    ...
    2       safety_log:2026-11-22  signed   ...
    3       safety_log:2026-11-22  supplement

Rows are only ever added. In: bodies. Out: rows. That nobody altered them is proved by the evidence chain, which holds
each digest. Knows no paper's meaning. One writer; every question is asked on a connection of its own, from any thread.
"""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.store.database import Schema, Writer, open_or_repair, open_reader, reopen_connection

OFFICE_FILE = "office.db"
SCHEMA = Schema(
    version=1,
    synchronous="FULL",
    tables=("paper",),
    ddl="""
CREATE TABLE paper (
    paper_id INTEGER PRIMARY KEY, about TEXT NOT NULL, stage TEXT NOT NULL, kept_at_ns INTEGER NOT NULL,
    user TEXT NOT NULL, sha256 TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX paper_about ON paper(about, paper_id)
""",
)


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One version as it is stored. `sha256` (hex) is that of `body`."""

    about: str
    stage: str
    kept_at_ns: int
    user: str
    sha256: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PaperHead:
    """What a list of papers needs of the newest version: no body."""

    about: str
    stage: str
    kept_at_ns: int
    user: str


class PaperStore:
    """Opens (and where needed repairs) the file; `repair` says what was lost."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / OFFICE_FILE
        connection, self.repair = open_or_repair(self.path, SCHEMA)
        self._writer = Writer("office-writer", connection, reopen=lambda: reopen_connection(self.path, SCHEMA))

    def add(self, row: PaperRow) -> "Future[None]":
        """Keep one more version. Done after the commit; StoreError when it could not be kept."""
        return self._writer.submit(lambda db: _insert(db, row))

    def versions(self, about: str) -> list[PaperRow]:
        """Every version of one paper, oldest first."""
        sql = "SELECT * FROM paper WHERE about = ? ORDER BY paper_id"
        return [_row(row) for row in self._asked(sql, (about,))]

    def newest(self, prefix: str, limit: int) -> list[PaperHead]:
        """The newest version of each paper whose name begins so (ends with a colon), the last name first."""
        sql = (
            "SELECT about, stage, kept_at_ns, user FROM paper WHERE paper_id IN"
            " (SELECT max(paper_id) FROM paper WHERE about >= ? AND about < ? GROUP BY about)"
            " ORDER BY about DESC LIMIT ?"
        )
        rows = self._asked(sql, (prefix, prefix[:-1] + ";", limit))
        return [PaperHead(row["about"], row["stage"], row["kept_at_ns"], row["user"]) for row in rows]

    def stages(self, about: Sequence[str]) -> dict[str, set[str]]:
        """Which stages each of these papers has reached."""
        marks = ",".join("?" * len(about))
        rows = self._asked(f"SELECT DISTINCT about, stage FROM paper WHERE about IN ({marks})", tuple(about))  # noqa: S608
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["about"], set()).add(row["stage"])
        return found

    def close(self) -> None:
        """Finish the writes and let go of the file."""
        self._writer.close()

    def _asked(self, sql: str, parameters: tuple[object, ...]) -> list[sqlite3.Row]:
        with closing(open_reader(self.path)) as db:
            return db.execute(sql, parameters).fetchall()


def _insert(db: sqlite3.Connection, row: PaperRow) -> None:
    db.execute(
        "INSERT INTO paper(about, stage, kept_at_ns, user, sha256, body) VALUES (?, ?, ?, ?, ?, ?)",
        (row.about, row.stage, row.kept_at_ns, row.user, row.sha256, row.body),
    )


def _row(row: sqlite3.Row) -> PaperRow:
    return PaperRow(row["about"], row["stage"], row["kept_at_ns"], row["user"], row["sha256"], bytes(row["body"]))
