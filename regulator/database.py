"""The receiving regulator's SQLite file: schema, opening, transactions.

In: a path. Out: one writing connection (WAL, synchronous=FULL: a commit that returned survives a power cut) and one
that only reads. Knows no message.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE boxes (
  box_id TEXT PRIMARY KEY, project_code TEXT NOT NULL, software TEXT NOT NULL, enrolled_at_ns INTEGER NOT NULL,
  last_seen_ns INTEGER NOT NULL, seq_highest INTEGER NOT NULL, seq_bits TEXT NOT NULL,
  verified_seq INTEGER NOT NULL, verified_sha256 TEXT NOT NULL, chain_fault TEXT NOT NULL DEFAULT '',
  head_seq INTEGER NOT NULL DEFAULT 0, head_sha256 TEXT NOT NULL DEFAULT '', counters TEXT NOT NULL DEFAULT '{}');
CREATE TABLE box_keys (
  box_id TEXT NOT NULL REFERENCES boxes, key_id TEXT NOT NULL, alg TEXT NOT NULL, public_text TEXT NOT NULL,
  added_at_ns INTEGER NOT NULL, retired_at_ns INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (box_id, key_id));
CREATE TABLE codes (
  code_sha256 TEXT PRIMARY KEY, box_id TEXT NOT NULL, issued_at_ns INTEGER NOT NULL,
  used_by TEXT NOT NULL DEFAULT '', used_key_id TEXT NOT NULL DEFAULT '', used_at_ns INTEGER NOT NULL DEFAULT 0);
CREATE TABLE items (
  box_id TEXT NOT NULL REFERENCES boxes, key TEXT NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL,
  late INTEGER NOT NULL, sent_at_ns INTEGER NOT NULL, accepted_at_ns INTEGER NOT NULL, body TEXT NOT NULL,
  body_sha256 TEXT NOT NULL, envelope_signature TEXT NOT NULL, envelope TEXT NOT NULL, receipt TEXT NOT NULL,
  PRIMARY KEY (box_id, key));
CREATE INDEX items_by_arrival ON items (kind, accepted_at_ns);
CREATE TABLE alerts (
  box_id TEXT NOT NULL, key TEXT NOT NULL, project_code TEXT NOT NULL, asset TEXT NOT NULL, subject TEXT NOT NULL,
  rule_id TEXT NOT NULL, severity TEXT NOT NULL, transition TEXT NOT NULL, title_zh TEXT NOT NULL,
  title_en TEXT NOT NULL, measured TEXT, limit_value TEXT, unit TEXT NOT NULL, suspected INTEGER NOT NULL,
  late INTEGER NOT NULL, observed_at_ns INTEGER NOT NULL, accepted_at_ns INTEGER NOT NULL,
  PRIMARY KEY (box_id, key));
CREATE INDEX alerts_by_arrival ON alerts (accepted_at_ns);
CREATE TABLE chain_records (
  box_id TEXT NOT NULL REFERENCES boxes, seq INTEGER NOT NULL, sha256 TEXT NOT NULL, prev TEXT NOT NULL,
  envelope_seq INTEGER NOT NULL, record TEXT NOT NULL, accepted_at_ns INTEGER NOT NULL,
  PRIMARY KEY (box_id, seq, sha256));
CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, media_type TEXT NOT NULL, box_id TEXT NOT NULL,
  completed_at_ns INTEGER NOT NULL);
CREATE TABLE mailbox (
  box_id TEXT NOT NULL REFERENCES boxes, mailbox_seq INTEGER NOT NULL, message_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL, signed TEXT NOT NULL, issued_at_ns INTEGER NOT NULL,
  acknowledged_at_ns INTEGER NOT NULL DEFAULT 0, outcome TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (box_id, mailbox_seq));
CREATE INDEX mailbox_waiting ON mailbox (box_id, mailbox_seq) WHERE acknowledged_at_ns = 0;
CREATE TABLE counters (name TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""


class Database:
    """One file, one writer at a time. Raises ValueError when the file's schema is of another version."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _connect(path)
        self._write_lock = threading.Lock()
        self._prepare(path)
        self._reader = _connect(path)
        self._reader.execute("PRAGMA query_only=ON")
        self._read_lock = threading.Lock()

    def _prepare(self, path: Path) -> None:
        version = int(self._writer.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, SCHEMA_VERSION):
            self._writer.close()
            raise ValueError(f"{path}: schema version {version}, expected {SCHEMA_VERSION}")
        if version == 0:
            self._writer.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; durable once the block has ended."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Read what is committed."""
        with self._read_lock:
            return self._reader.execute(sql, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()
        self._writer.close()


def insert(db: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    """One row by column names. `table` and the names are the caller's own words, never input."""
    names, places = ", ".join(row), ", ".join("?" * len(row))
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(row.values()))  # noqa: S608 - fixed names


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection
