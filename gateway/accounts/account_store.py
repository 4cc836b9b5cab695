"""`accounts.db`: asked on every request, written by one thread.

In: jobs, and questions. Out: futures, and values. A change and the event that tells of it go into one transaction, so
that no change stays unsealed, whatever is killed when. Knows no password rule and no chain.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import orjson

from contract.canonical import Canonical
from gateway.accounts.account_events import AccountEvent
from gateway.accounts.account_rows import (
    ACCOUNTS_FILE,
    SCHEMA,
    SecondFactor,
    Session,
    Token,
    Wall,
    person_of,
    session_of,
    token_digest,
    token_of,
    wall_of,
)
from gateway.accounts.person import Person
from gateway.model.errors import StoreError
from gateway.model.repair import Repair
from gateway.store.database import (
    DiskFullError,
    FollowingReader,
    Writer,
    open_or_repair,
    reopen_connection,
)
from screens.guessing import WORKPLACE_NS

T = TypeVar("T")
_WALLS = "SELECT wall.*, coalesce(expires_at_ns, 0) AS expires_at_ns FROM wall LEFT JOIN wall_end USING (wall_id)"


class AccountStore:
    """Opens (and where needed repairs) the file, which only its owner may read. `repair` says what was lost.

    `on_full` may free space when the disk is full: nobody can acknowledge who cannot log in.
    """

    def __init__(self, folder: Path, on_full: Callable[[], bool] = lambda: False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / ACCOUNTS_FILE
        self.path.touch(mode=0o600)
        connection, self.repair = self._opened(on_full)
        self._writer = Writer("accounts-writer", connection, on_full, lambda: reopen_connection(self.path, SCHEMA))
        self._reader = FollowingReader(self.path)

    repair: Repair | None

    def _opened(self, on_full: Callable[[], bool]) -> tuple[sqlite3.Connection, Repair | None]:
        try:
            return open_or_repair(self.path, SCHEMA)
        except DiskFullError:
            if not on_full():
                raise
        return open_or_repair(self.path, SCHEMA)

    def change(self, job: Callable[[sqlite3.Connection], T], event: AccountEvent | None = None) -> "Future[T]":
        """Carry a change out and note its event, both or neither. The future raises what the job raises, or StoreError
        when it could not be kept."""

        def both(db: sqlite3.Connection) -> T:
            result = job(db)
            if event is not None:
                note_event(db, event)
            return result

        return self._writer.submit(both)

    def unsealed(self) -> list[tuple[str, int, dict[str, Canonical]]]:
        """Events (id, time, content) that were not yet known to be in the chain, oldest first."""
        rows = self._reader.execute("SELECT * FROM unsealed ORDER BY at_ns, event_id")
        return [(row["event_id"], row["at_ns"], orjson.loads(row["content"])) for row in rows]

    def sealed(self, event_id: str) -> "Future[None]":
        """The chain holds the event."""
        return self._writer.submit(lambda db: _forget(db, event_id))

    def form_key(self) -> bytes:
        """32 random bytes, the same for the life of the file."""
        return bytes(self._reader.execute("SELECT key FROM form_key").fetchone()["key"])

    def touch(self, table: str, row_id: str, now_ns: int) -> None:
        """Note when a session, a wall or a token was last seen. Nobody waits, and nobody is refused when it cannot be
        kept."""
        key = {"session": "session_id", "wall": "wall_id", "token": "token_id"}[table]
        sql = f"UPDATE {table} SET seen_at_ns = ? WHERE {key} = ?"  # noqa: S608 - names from the line above
        with contextlib.suppress(StoreError):
            self.change(lambda db: db.execute(sql, (now_ns, row_id)).rowcount)

    def anyone(self) -> bool:
        """Whether there is an account."""
        return self._reader.execute("SELECT 1 FROM person LIMIT 1").fetchone() is not None

    def people(self) -> list[Person]:
        """All accounts, disabled ones too, by name."""
        return [person_of(row) for row in self._reader.execute("SELECT * FROM person ORDER BY name")]

    def person(self, name: str) -> Person | None:
        """One account."""
        row = self._reader.execute("SELECT * FROM person WHERE name = ?", (name,)).fetchone()
        return person_of(row) if row else None

    def password_hash(self, name: str) -> str | None:
        """The hash of one account; None when there is no such account or it is disabled."""
        row = self._reader.execute(
            "SELECT password_hash FROM person WHERE name = ? AND disabled_at_ns = 0", (name,)
        ).fetchone()
        return row["password_hash"] if row else None

    def session(self, token: str) -> tuple[Session, Person] | None:
        """Whose token it is, expired or not; never that of a disabled person."""
        digest = token_digest(token)
        row = self._reader.execute("SELECT * FROM session WHERE token_sha256 = ?", (digest,)).fetchone()
        person = self.person(row["name"]) if row else None
        return (session_of(row), person) if person is not None and not person.disabled_at_ns else None

    def sessions(self, name: str) -> list[Session]:
        """One person's logins, newest first."""
        rows = self._reader.execute("SELECT * FROM session WHERE name = ? ORDER BY made_at_ns DESC", (name,))
        return [session_of(row) for row in rows]

    def second_factor(self, name: str) -> SecondFactor:
        """The second factor of one account."""
        sql = "SELECT * FROM second_factor LEFT JOIN begun USING (name) WHERE name = ?"
        row = self._reader.execute(sql, (name,)).fetchone()
        if row is None:
            return SecondFactor()
        left = self._reader.execute("SELECT count(*) AS many FROM recovery_code WHERE name = ?", (name,)).fetchone()
        return SecondFactor(row["confirmed_at_ns"], row["pending_secret"], left["many"], row["at_ns"] or 0)

    def owing(self, session_id: str) -> bool:
        """Whether a login owes a code."""
        sql = "SELECT 1 FROM owing WHERE session_id = ?"
        return self._reader.execute(sql, (session_id,)).fetchone() is not None

    def walls(self) -> list[Wall]:
        """All wall screens, revoked ones too, newest first."""
        rows = self._reader.execute(f"{_WALLS} ORDER BY made_at_ns DESC, wall_id")
        return [wall_of(row) for row in rows]

    def wall(self, token: str) -> Wall | None:
        """The wall screen whose token it is; None when it was revoked."""
        digest = token_digest(token)
        row = self._reader.execute(f"{_WALLS} WHERE token_sha256 = ? AND revoked_at_ns = 0", (digest,)).fetchone()
        return wall_of(row) if row else None

    def tokens(self) -> list[Token]:
        """All tokens of programs, ended ones too, newest first."""
        rows = self._reader.execute("SELECT * FROM token ORDER BY made_at_ns DESC, token_id")
        return [token_of(row) for row in rows]

    def token(self, secret: str) -> Token | None:
        """The program's token whose secret it is, in force or not."""
        row = self._reader.execute("SELECT * FROM token WHERE token_sha256 = ?", (token_digest(secret),)).fetchone()
        return token_of(row) if row else None

    def own_workplace(self, name: str, workplaces: Sequence[str], now_ns: int) -> str:
        """The first of `workplaces` where this person has logged in lately; empty when there is none."""
        sql = "SELECT workplace FROM workplace WHERE name = ? AND last_ns >= ?"
        rows = self._reader.execute(sql, (name, now_ns - WORKPLACE_NS))
        known = {row["workplace"] for row in rows}
        return next((each for each in workplaces if each in known), "")

    def close(self) -> None:
        """Finish the writes and let go of the file."""
        self._writer.close()
        self._reader.close()


def note_event(db: sqlite3.Connection, event: AccountEvent) -> None:
    """In the transaction of what it tells of; the chain gets it from there."""
    content = orjson.dumps(event.content()).decode()
    db.execute("INSERT INTO unsealed VALUES (?, ?, ?)", (event.event_id, event.at_ns, content))


def _forget(db: sqlite3.Connection, event_id: str) -> None:
    db.execute("DELETE FROM unsealed WHERE event_id = ?", (event_id,))
