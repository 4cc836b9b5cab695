"""Tokens made and taken back on the box itself, by the command line, whether the box runs or not.

In: the box's folder, what was typed. Out: the same rows and events as from the page; the box seals the event within a
minute, or at its next start. Raises AccountError, StoreError, sqlite3.Error.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.accounts.account_events import AccountEvent
from gateway.accounts.account_rows import ACCOUNTS_FILE, SCHEMA, Token, token_of
from gateway.accounts.account_store import note_event
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.people import Actor
from gateway.accounts.tokens import Draft, Wanted, drafted, insert_token, made, revoke_token, revoked
from gateway.store.database import open_reader, reopen_connection

CONSOLE = Actor("console", "")
"""Whoever may change the box's files."""


def make_token(folder: Path, wanted: Wanted, now_ns: int, hand_over: Callable[[Draft], None]) -> Draft:
    """A new token. `hand_over` gets it before it is valid: one that could not be written down opens nothing."""
    draft = drafted(wanted, CONSOLE, now_ns)
    with _changing(folder, made(draft.token, CONSOLE)) as db:
        insert_token(db, draft)
        hand_over(draft)
    return draft


def take_back_token(folder: Path, token_id: str, now_ns: int) -> None:
    """It opens nothing any more."""
    token = next((each for each in list_tokens(folder) if each.token_id == token_id), None)
    if token is None:
        raise AccountError(AccountFault.NO_SUCH_TOKEN)
    with _changing(folder, revoked(token, CONSOLE, now_ns)) as db:
        revoke_token(db, token_id, now_ns)


def list_tokens(folder: Path) -> list[Token]:
    """Newest first; none in a file of an older release."""
    with closing(open_reader(folder / ACCOUNTS_FILE)) as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'token'").fetchone() is None:
            return []
        return [token_of(row) for row in db.execute("SELECT * FROM token ORDER BY made_at_ns DESC, token_id")]


@contextmanager
def _changing(folder: Path, event: AccountEvent) -> Iterator[sqlite3.Connection]:
    """Change and event in one transaction, both or neither."""
    with closing(reopen_connection(folder / ACCOUNTS_FILE, SCHEMA)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            note_event(db, event)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
