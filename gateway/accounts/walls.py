"""Wall screens: read-only tokens. Somebody takes them back; a time ends them only where one was given.

In: orders, and tokens. Out: tokens (once) and whose they are. Raises AccountError. A wall may look and never command;
that is asked by its role, elsewhere.
"""

import secrets
import sqlite3

from gateway.accounts.account_events import AccountEvent, AccountEventKind
from gateway.accounts.account_ledger import AccountLedger
from gateway.accounts.account_rows import Wall, token_digest
from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.pairing import PairingCodes
from gateway.accounts.people import Actor
from gateway.accounts.person import checked_title
from gateway.accounts.throttle import Throttle
from gateway.ports import Clock

TOUCH_EVERY_NS = 60_000_000_000
DAY_NS = 86_400_000_000_000
MOST_DAYS = 3660


class Walls:
    """The wall screens of one box."""

    def __init__(self, store: AccountStore, ledger: AccountLedger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._pairing = PairingCodes()
        self._throttle = Throttle()

    def all(self) -> list[Wall]:
        """Newest first; revoked ones too."""
        return self._store.walls()

    def whose(self, token: str) -> Wall | None:
        """The wall screen in force."""
        wall = self._store.wall(token) if token else None
        return None if wall is None or wall.expired(self._clock.now_ns()) else wall

    def used(self, wall: Wall) -> None:
        """It has asked for something. Written once a minute at most; nobody waits."""
        now_ns = self._clock.now_ns()
        if now_ns - wall.seen_at_ns >= TOUCH_EVERY_NS:
            self._store.touch("wall", wall.wall_id, now_ns)

    async def give(self, title: str, by: Actor, days: int = 0) -> tuple[Wall, str]:
        """A new one, and its token, which is not shown again. `days`: how long it may look; 0: until it is revoked."""
        if not 0 <= days <= MOST_DAYS:
            raise AccountError(AccountFault.BAD_WALL_DAYS)
        token, now_ns = secrets.token_urlsafe(32), self._clock.now_ns()
        until_ns = now_ns + days * DAY_NS if days else 0
        wall = Wall("wall-" + secrets.token_hex(3), checked_title(title), by.user, now_ns, expires_at_ns=until_ns)
        event = self._event(AccountEventKind.WALL_GIVEN, wall, by)
        row = (wall.wall_id, token_digest(token), wall.title, wall.made_by, wall.made_at_ns)

        def job(db: sqlite3.Connection) -> None:
            sql = "INSERT INTO wall(wall_id, token_sha256, title, made_by, made_at_ns) VALUES (?, ?, ?, ?, ?)"
            db.execute(sql, row)
            if until_ns:
                db.execute("INSERT INTO wall_end VALUES (?, ?)", (wall.wall_id, until_ns))

        await self._ledger.carry_out(job, event)
        return wall, token

    def pairing_code(self, token: str) -> str:
        """A short code that a screen may show instead of the token, for ten minutes and once."""
        return self._pairing.code_for(token, self._clock.monotonic_ns())

    def paired(self, typed: str, address: str) -> str:
        """The token that a code stands for. Raises AccountError: WRONG_CODE, or WAIT after too many."""
        now_mono_ns = self._clock.monotonic_ns()
        wait_s = self._throttle.wait_s(address, now_mono_ns)
        if wait_s:
            raise AccountError(AccountFault.WAIT, wait_s)
        token = self._pairing.take(typed, now_mono_ns)
        if not token:
            self._throttle.failed(address, now_mono_ns)
            raise AccountError(AccountFault.WRONG_CODE)
        return token

    async def revoke(self, wall_id: str, by: Actor) -> None:
        """It may not look any more."""
        wall = next((each for each in self.all() if each.wall_id == wall_id), None)
        if wall is None:
            raise AccountError(AccountFault.NO_SUCH_WALL)
        event = self._event(AccountEventKind.WALL_REVOKED, wall, by)

        def job(db: sqlite3.Connection) -> None:
            sql = "UPDATE wall SET revoked_at_ns = ? WHERE wall_id = ? AND revoked_at_ns = 0"
            if not db.execute(sql, (event.at_ns, wall_id)).rowcount:
                raise AccountError(AccountFault.NO_SUCH_WALL)

        await self._ledger.carry_out(job, event)

    def _event(self, kind: AccountEventKind, wall: Wall, by: Actor) -> AccountEvent:
        return AccountEvent(kind, self._clock.now_ns(), by.user, wall.wall_id, by.address, wall.title)
