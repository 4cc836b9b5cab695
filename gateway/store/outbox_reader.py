"""What became of messages: questions to the outbox of `alerts.db`, for the page of channels.

In: the file's path. Out: messages with the receiver's words. Every call opens a read-only connection of its own, so it
may run in any thread. Only for uplinks that tell people: the answers look at all rows of one uplink.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.model.alert import ReceiptKind
from gateway.store.database import open_reader


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message. `outcome` is None while nobody has taken or refused it; `words` are the receiver's, or why the last
    attempt failed. Times are UTC ns; `resolved_at_ns` is 0 while it waits."""

    key: str
    kind: str
    created_at_ns: int
    resolved_at_ns: int
    attempts: int
    outcome: ReceiptKind | None
    words: str

    @property
    def pending(self) -> bool:
        """Neither accepted nor refused yet."""
        return self.outcome is None


class OutboxReader:
    """Reads the outbox of a file that someone else is writing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self, uplink: str, kind: str) -> SentMessage | None:
        """The newest message of one kind for one uplink."""
        return self._one("uplink = ? AND kind = ? ORDER BY outbox_id DESC", uplink, kind)

    def of_key(self, uplink: str, key: str) -> SentMessage | None:
        """The message of this idempotency key."""
        return self._one("uplink = ? AND key = ?", uplink, key)

    def accepted(self, uplink: str) -> SentMessage | None:
        """The last message that the receiver accepted."""
        return self._one("uplink = ? AND state = ? ORDER BY resolved_at_ns DESC", uplink, str(ReceiptKind.ACCEPTED))

    def rejected(self, uplink: str) -> SentMessage | None:
        """The last message that the receiver refused."""
        return self._one("uplink = ? AND state = ? ORDER BY resolved_at_ns DESC", uplink, str(ReceiptKind.REJECTED))

    def pending(self, uplink: str) -> int:
        """How many messages wait for this uplink."""
        with closing(open_reader(self._path)) as db:
            row = db.execute("SELECT count(*) FROM outbox WHERE uplink = ? AND state = 'pending'", (uplink,)).fetchone()
            return int(row[0])

    def _one(self, where: str, *values: Any) -> SentMessage | None:
        with closing(open_reader(self._path)) as db:
            row = db.execute(f"SELECT * FROM outbox WHERE {where} LIMIT 1", values).fetchone()  # noqa: S608 - our words
            return _sent(row) if row else None


def _sent(row: sqlite3.Row) -> SentMessage:
    outcome = None if row["state"] == "pending" else ReceiptKind(row["state"])
    return SentMessage(
        row["key"], row["kind"], row["created_at_ns"], row["resolved_at_ns"], row["attempts"], outcome, row["receipt"]
    )
