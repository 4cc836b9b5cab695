"""Tokens of programs: each has a name, scopes, an end, and can be taken back.

In: orders, and tokens. Out: tokens (once, as a secret) and whose they are. Of a secret only the SHA-256 is kept. What a
scope lets in is said elsewhere (`gateway.web.token_scopes`). Raises AccountError.
"""

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.accounts.account_events import AccountEvent, AccountEventKind
from gateway.accounts.account_ledger import AccountLedger
from gateway.accounts.account_rows import Token, token_digest
from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.people import Actor
from gateway.accounts.person import checked_title
from gateway.ports import Clock

TOUCH_EVERY_NS: Final = 60_000_000_000
DAY_NS: Final = 86_400_000_000_000
USUAL_DAYS: Final = 90
MOST_DAYS: Final = 400
MOST_IN_FORCE: Final = 100
SECRET_BEGINS: Final = "swt_"  # noqa: S105 - how every secret begins
"""So that scanners for lost secrets know one."""


class TokenScope(StrEnum):
    """What a token is for. A token may have several; none includes another."""

    METRICS = "metrics"
    READ = "read"
    AUDIT = "audit"
    READINGS = "readings"
    COMMAND = "command"
    RELOAD = "reload"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token as somebody ordered it."""

    title: str
    scopes: Iterable[str]
    days: int = USUAL_DAYS


@dataclass(frozen=True, slots=True)
class Draft:
    """A token that is ready to be kept, and its secret, which is shown once."""

    token: Token
    secret: str


class Tokens:
    """The tokens of one box."""

    def __init__(self, store: AccountStore, ledger: AccountLedger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock

    def all(self) -> list[Token]:
        """Newest first; revoked and expired ones too."""
        return self._store.tokens()

    def find(self, secret: str) -> Token | None:
        """Whose secret it is, in force or not."""
        return self._store.token(secret) if secret.startswith(SECRET_BEGINS) else None

    def expired(self, token: Token) -> bool:
        """Whether its end has come. A clock that was set back behind its last use does not prolong it."""
        return token.expired(self._clock.now_ns())

    def used(self, token: Token) -> None:
        """It has asked for something. Written once a minute at most; nobody waits."""
        now_ns = self._clock.now_ns()
        if now_ns - token.seen_at_ns >= TOUCH_EVERY_NS:
            self._store.touch("token", token.token_id, now_ns)

    async def make(self, wanted: Wanted, by: Actor) -> Draft:
        """A new one, and its secret, which is not shown again."""
        draft = drafted(wanted, by, self._clock.now_ns())
        await self._ledger.carry_out(lambda db: insert_token(db, draft), made(draft.token, by))
        return draft

    async def revoke(self, token_id: str, by: Actor) -> None:
        """It opens nothing any more."""
        token = next((each for each in self.all() if each.token_id == token_id), None)
        if token is None:
            raise AccountError(AccountFault.NO_SUCH_TOKEN)
        event = revoked(token, by, self._clock.now_ns())
        await self._ledger.carry_out(lambda db: revoke_token(db, token_id, event.at_ns), event)


def drafted(wanted: Wanted, by: Actor, now_ns: int) -> Draft:
    """A token with a fresh secret. Raises AccountError for what was typed."""
    try:
        scopes = frozenset(TokenScope(scope) for scope in wanted.scopes)
    except ValueError:
        raise AccountError(AccountFault.BAD_SCOPE) from None
    if not scopes:
        raise AccountError(AccountFault.BAD_SCOPE)
    if not 1 <= wanted.days <= MOST_DAYS:
        raise AccountError(AccountFault.BAD_DAYS)
    until_ns = now_ns + wanted.days * DAY_NS
    title, token_id = checked_title(wanted.title), f"token-{secrets.token_hex(3)}"
    token = Token(token_id, title, frozenset(map(str, scopes)), by.user, now_ns, until_ns)
    return Draft(token, SECRET_BEGINS + secrets.token_urlsafe(32))


def insert_token(db: sqlite3.Connection, draft: Draft) -> None:
    """Keep it. Raises AccountError when there are too many."""
    token = draft.token
    sql = "SELECT count(*) FROM token WHERE revoked_at_ns = 0 AND expires_at_ns > ?"
    if db.execute(sql, (token.made_at_ns,)).fetchone()[0] >= MOST_IN_FORCE:
        raise AccountError(AccountFault.TOO_MANY_TOKENS)
    scopes = " ".join(sorted(token.scopes))
    row = (token.token_id, token_digest(draft.secret), token.title, scopes, token.made_by)
    sql = (
        "INSERT INTO token(token_id, token_sha256, title, scopes, made_by, made_at_ns, expires_at_ns)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    db.execute(sql, (*row, token.made_at_ns, token.expires_at_ns))


def revoke_token(db: sqlite3.Connection, token_id: str, now_ns: int) -> None:
    """Raises AccountError when there is none in force."""
    sql = "UPDATE token SET revoked_at_ns = ? WHERE token_id = ? AND revoked_at_ns = 0"
    if not db.execute(sql, (now_ns, token_id)).rowcount:
        raise AccountError(AccountFault.NO_SUCH_TOKEN)


def made(token: Token, by: Actor) -> AccountEvent:
    """The event of a new token: its name, its scopes, its days."""
    days = (token.expires_at_ns - token.made_at_ns) // DAY_NS
    detail = f"{token.title}: {', '.join(sorted(token.scopes))}; {days} d"
    return AccountEvent(AccountEventKind.TOKEN_MADE, token.made_at_ns, by.user, token.token_id, by.address, detail)


def revoked(token: Token, by: Actor, now_ns: int) -> AccountEvent:
    """The event of a token that was taken back."""
    return AccountEvent(AccountEventKind.TOKEN_REVOKED, now_ns, by.user, token.token_id, by.address, token.title)
