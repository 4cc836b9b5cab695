"""The tables of `accounts.db`, and its rows as values.

    person    one row an account; never deleted, only disabled
    session   one row a login; of its token only the SHA-256
    wall      one row a wall screen; of its token only the SHA-256; never deleted, only revoked
    wall_end  when a wall screen ends by itself, if it does
    token     one row a program's token; of its secret only the SHA-256; never deleted
    workplace where a person has logged in lately: an address or a browser's digest
    unsealed  what has happened and is not in the evidence chain yet; empty but for a moment
    second_factor  one row an account that has or begins one: the secret of the authenticator app
    begun     since when a secret waits for its first code
    recovery_code  of each code that is not used yet the SHA-256
    owing     sessions that owe a code of the second factor
    form_key  one row: what makes the forms of pages, so that an open page outlives a restart

In: rows. Out: values. Knows no writer thread.
"""

import hashlib
import sqlite3
from dataclasses import dataclass

from gateway.accounts.person import Person, Role
from gateway.store.database import Schema

ACCOUNTS_FILE = "accounts.db"
SCHEMA = Schema(
    version=1,
    synchronous="FULL",
    tables=(
        *("person", "session", "wall", "unsealed", "workplace", "token", "wall_end"),
        *("second_factor", "recovery_code", "owing", "begun"),
    ),
    ddl="""
CREATE TABLE person (
    name TEXT PRIMARY KEY, title TEXT NOT NULL, role INTEGER NOT NULL, password_hash TEXT NOT NULL,
    made_at_ns INTEGER NOT NULL, disabled_at_ns INTEGER NOT NULL DEFAULT 0, must_change INTEGER NOT NULL DEFAULT 0);
CREATE TABLE session (
    token_sha256 TEXT PRIMARY KEY, session_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, made_at_ns INTEGER NOT NULL,
    seen_at_ns INTEGER NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL);
CREATE INDEX session_of_person ON session(name);
CREATE TABLE wall (
    wall_id TEXT PRIMARY KEY, token_sha256 TEXT NOT NULL UNIQUE, title TEXT NOT NULL, made_by TEXT NOT NULL,
    made_at_ns INTEGER NOT NULL, seen_at_ns INTEGER NOT NULL DEFAULT 0, revoked_at_ns INTEGER NOT NULL DEFAULT 0);
CREATE TABLE unsealed (event_id TEXT PRIMARY KEY, at_ns INTEGER NOT NULL, content TEXT NOT NULL);
CREATE TABLE form_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL);
INSERT INTO form_key VALUES (1, randomblob(32))
""",
    added=(
        "CREATE TABLE IF NOT EXISTS workplace"
        " (name TEXT, workplace TEXT, last_ns INTEGER, PRIMARY KEY (name, workplace))",
        "CREATE TABLE IF NOT EXISTS token (token_id TEXT PRIMARY KEY, token_sha256 TEXT NOT NULL UNIQUE,"
        " title TEXT NOT NULL, scopes TEXT NOT NULL, made_by TEXT NOT NULL, made_at_ns INTEGER NOT NULL,"
        " expires_at_ns INTEGER NOT NULL, seen_at_ns INTEGER NOT NULL DEFAULT 0,"
        " revoked_at_ns INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE IF NOT EXISTS wall_end (wall_id TEXT PRIMARY KEY, expires_at_ns INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS second_factor (name TEXT PRIMARY KEY, secret TEXT NOT NULL DEFAULT '',"
        " pending_secret TEXT NOT NULL DEFAULT '', last_step INTEGER NOT NULL DEFAULT 0,"
        " confirmed_at_ns INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE IF NOT EXISTS recovery_code (code_sha256 TEXT PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS owing (session_id TEXT PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS begun (name TEXT PRIMARY KEY, at_ns INTEGER NOT NULL)",
    ),
)


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one person. `session_id` names it on pages; it opens nothing."""

    session_id: str
    name: str
    made_at_ns: int
    seen_at_ns: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Wall:
    """One wall screen. `seen_at_ns` 0: never; `revoked_at_ns` 0: not revoked; `expires_at_ns` 0: has no end."""

    wall_id: str
    title: str
    made_by: str
    made_at_ns: int
    seen_at_ns: int = 0
    revoked_at_ns: int = 0
    expires_at_ns: int = 0

    def expired(self, now_ns: int) -> bool:
        """Whether its end has come; a clock that was set back behind its last use does not prolong it."""
        return bool(self.expires_at_ns) and max(now_ns, self.seen_at_ns) >= self.expires_at_ns


@dataclass(frozen=True, slots=True)
class Token:
    """One program's token. `seen_at_ns` 0: never; `revoked_at_ns` 0: not revoked."""

    token_id: str
    title: str
    scopes: frozenset[str]
    made_by: str
    made_at_ns: int
    expires_at_ns: int
    seen_at_ns: int = 0
    revoked_at_ns: int = 0

    def expired(self, now_ns: int) -> bool:
        """Whether its end has come; a clock that was set back behind its last use does not prolong it."""
        return max(now_ns, self.seen_at_ns) >= self.expires_at_ns


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What an account has. `pending`: a secret that has waited since `begun_at_ns` for its first code; empty when none
    does."""

    confirmed_at_ns: int = 0
    pending: str = ""
    codes_left: int = 0
    begun_at_ns: int = 0


def token_digest(token: str) -> str:
    """What is kept of a token. Tokens are 256 random bits, so a plain digest cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


def person_of(row: sqlite3.Row) -> Person:
    """A row of `person`."""
    return Person(
        name=row["name"],
        title=row["title"],
        role=Role(row["role"]),
        made_at_ns=row["made_at_ns"],
        disabled_at_ns=row["disabled_at_ns"],
        must_change=bool(row["must_change"]),
    )


def session_of(row: sqlite3.Row) -> Session:
    """A row of `session`."""
    return Session(row["session_id"], row["name"], row["made_at_ns"], row["seen_at_ns"], row["address"], row["agent"])


def wall_of(row: sqlite3.Row) -> Wall:
    """A row of `wall` with its `wall_end`."""
    return Wall(
        wall_id=row["wall_id"],
        title=row["title"],
        made_by=row["made_by"],
        made_at_ns=row["made_at_ns"],
        seen_at_ns=row["seen_at_ns"],
        revoked_at_ns=row["revoked_at_ns"],
        expires_at_ns=row["expires_at_ns"],
    )


def token_of(row: sqlite3.Row) -> Token:
    """A row of `token`."""
    return Token(
        token_id=row["token_id"],
        title=row["title"],
        scopes=frozenset(row["scopes"].split()),
        made_by=row["made_by"],
        made_at_ns=row["made_at_ns"],
        expires_at_ns=row["expires_at_ns"],
        seen_at_ns=row["seen_at_ns"],
        revoked_at_ns=row["revoked_at_ns"],
    )


def forget_factor(db: sqlite3.Connection, name: str) -> None:
    """Take the second factor of an account away, in the caller's transaction."""
    db.execute("DELETE FROM second_factor WHERE name = ?", (name,))
    db.execute("DELETE FROM begun WHERE name = ?", (name,))
    db.execute("DELETE FROM recovery_code WHERE name = ?", (name,))
