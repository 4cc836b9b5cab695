"""Second factors of the box's accounts: set up, shown at a login, recovered, taken away.

    begin ──> a secret that waits, 10 min ──confirm (a code)──> in force, with recovery codes that are shown once
    login of an account with a factor ──> a session that owes a code ──show──> a session like any other

In: who it is, what was typed, the time. Out: what changed, each deed sealed. Raises AccountError. Secrets lie where the
password hashes lie; no record and no log holds one.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Set
from dataclasses import replace

from gateway.accounts.account_events import AccountEvent, AccountEventKind
from gateway.accounts.account_ledger import AccountLedger
from gateway.accounts.account_rows import SecondFactor, Session, forget_factor
from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.people import Actor
from gateway.accounts.person import Person, Role
from gateway.accounts.throttle import CountsInMemory
from gateway.accounts.workplaces import Caller, remember_workplace
from gateway.ports import Clock
from screens.guessing import CODES, SECOND_NS, Count, Turns, network_of
from screens.second_factor import (
    BEGUN_LASTS_NS,
    FREE_TRIES,
    TRIES_FORGOTTEN_S,
    Owes,
    new_recovery_codes,
    new_secret,
    recovery_digest,
    step_of,
    still_waits,
)

FORGOTTEN_NS = TRIES_FORGOTTEN_S * SECOND_NS
Job = Callable[[sqlite3.Connection], list[str]]


class SecondFactors:
    """The second factors of one box. `asked_of`: roles that need one; others may have one."""

    def __init__(
        self, store: AccountStore, ledger: AccountLedger, clock: Clock, asked_of: Set[Role] = frozenset()
    ) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock
        self._asked_of = asked_of
        self._tries = _Tries()

    def of(self, name: str) -> SecondFactor:
        """What an account has."""
        kept = self._store.second_factor(name)
        return kept if still_waits(kept.begun_at_ns, self._clock.now_ns()) else replace(kept, pending="")

    def required(self, person: Person) -> bool:
        """Whether the policy asks for one."""
        return person.role in self._asked_of

    def owes(self, session: Session, person: Person) -> Owes | None:
        """What a login still lacks."""
        if self._store.owing(session.session_id):
            return Owes.CODE
        return Owes.SET_UP if self.required(person) and not self.of(person.name).confirmed_at_ns else None

    async def begin(self, name: str, typed: str, by: Actor) -> None:
        """Make a secret that waits for its first code. Whoever has a factor shows a code of it: a new phone."""
        secret, now_ns = new_secret(), self._clock.now_ns()

        def job(db: sqlite3.Connection) -> list[str]:
            if _kept(db, name)["confirmed_at_ns"]:
                self._take(db, name, typed)
            db.execute("INSERT OR IGNORE INTO second_factor(name) VALUES (?)", (name,))
            db.execute("UPDATE second_factor SET pending_secret = ? WHERE name = ?", (secret, name))
            db.execute("INSERT OR REPLACE INTO begun VALUES (?, ?)", (name, now_ns))
            return []

        await self._tried(name, Caller(by.address), lambda: asyncio.wrap_future(self._store.change(job)))

    async def confirm(self, name: str, session_id: str, typed: str, by: Actor) -> list[str]:
        """The first code of the secret that waits: from now on it is asked at each login. Recovery codes; all other
        logins of the account end."""
        codes = new_recovery_codes()

        def job(db: sqlite3.Connection) -> list[str]:
            kept = _kept(db, name)
            if not kept["pending_secret"] or not still_waits(int(kept["at_ns"]), self._clock.now_ns()):
                raise AccountError(AccountFault.NOTHING_BEGUN)
            step = step_of(str(kept["pending_secret"]), typed, self._clock.now_ns(), 0)
            if step is None:
                raise AccountError(AccountFault.WRONG_SECOND_CODE)
            db.execute(
                "UPDATE second_factor SET secret = pending_secret, pending_secret = '', last_step = ?,"
                " confirmed_at_ns = ? WHERE name = ?",
                (step, self._clock.now_ns(), name),
            )
            db.execute("DELETE FROM begun WHERE name = ?", (name,))
            db.execute("DELETE FROM session WHERE name = ? AND session_id <> ?", (name, session_id))
            return _put_codes(db, name, codes)

        return await self._ledger.carry_out(job, self._event(AccountEventKind.SECOND_FACTOR_SET, name, by))

    async def fresh_codes(self, name: str, typed: str, by: Actor) -> list[str]:
        """New recovery codes; the old ones are worth nothing."""
        codes = new_recovery_codes()

        def job(db: sqlite3.Connection) -> list[str]:
            self._take(db, name, typed)
            return _put_codes(db, name, codes)

        return await self._tried(
            name, Caller(by.address), lambda: self._carry_out(job, AccountEventKind.RECOVERY_CODES_MADE, name, by)
        )

    async def remove(self, name: str, typed: str, by: Actor) -> None:
        """No second factor any more."""

        def job(db: sqlite3.Connection) -> list[str]:
            self._take(db, name, typed)
            forget_factor(db, name)
            return []

        await self._tried(
            name, Caller(by.address), lambda: self._carry_out(job, AccountEventKind.SECOND_FACTOR_REMOVED, name, by)
        )

    async def reset(self, name: str, by: Actor) -> Person:
        """Somebody else takes it away, for a lost phone: the person's logins end."""
        person = self._store.person(name)
        if person is None:
            raise AccountError(AccountFault.NO_SUCH_PERSON)

        def job(db: sqlite3.Connection) -> Person:
            forget_factor(db, name)
            db.execute("DELETE FROM session WHERE name = ?", (name,))
            return person

        return await self._ledger.carry_out(job, self._event(AccountEventKind.SECOND_FACTOR_RESET, name, by))

    async def show(self, name: str, session_id: str, typed: str, by: Actor, caller: Caller) -> None:
        """A login that owes a code shows one, of the app or for recovery, and is a login like any other, at a workplace
        that is the person's own from now on."""

        def job(db: sqlite3.Connection) -> list[str]:
            self._take(db, name, typed)
            db.execute("DELETE FROM owing WHERE session_id = ?", (session_id,))
            remember_workplace(db, name, caller, self._clock.now_ns())
            return []

        await self._tried(name, caller, lambda: self._carry_out(job, AccountEventKind.CODE_SHOWN, name, by))

    def forget_begun(self) -> None:
        """Secrets that have waited too long for their first code leave the file."""
        oldest_ns = self._clock.now_ns() - BEGUN_LASTS_NS

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM begun WHERE at_ns <= ?", (oldest_ns,))
            waiting = "pending_secret <> '' AND name NOT IN (SELECT name FROM begun)"
            db.execute(f"UPDATE second_factor SET pending_secret = '' WHERE {waiting}")  # noqa: S608 - our own words

        self._store.change(job)

    async def _carry_out(self, job: Job, kind: AccountEventKind, name: str, by: Actor) -> list[str]:
        return await self._ledger.carry_out(job, self._event(kind, name, by))

    async def _tried(self, name: str, caller: Caller, doing: Callable[[], Awaitable[list[str]]]) -> list[str]:
        """Do it unless this address has shown too many wrong codes of this account lately, or all that are not the
        person's own have."""
        network = network_of(caller.address)
        own = bool(self._store.own_workplace(name, caller.workplaces, self._clock.now_ns()))
        wait_s = self._tries.begin(name, network, self._clock.monotonic_ns(), own=own)
        if wait_s:
            raise AccountError(AccountFault.WAIT, wait_s)
        try:
            done = await doing()
        except AccountError as error:
            if error.fault is AccountFault.WRONG_SECOND_CODE:
                failed = AccountEvent(AccountEventKind.CODE_FAILED, self._clock.now_ns(), "", name, caller.address)
                await self._ledger.note_failure(failed)
            raise
        self._tries.succeeded(name, network, self._clock.monotonic_ns(), own=own)
        return done

    def _take(self, db: sqlite3.Connection, name: str, typed: str) -> None:
        """Take a code: each is good once."""
        kept = _kept(db, name)
        if not kept["confirmed_at_ns"]:
            raise AccountError(AccountFault.NO_SECOND_FACTOR)
        step = step_of(str(kept["secret"]), typed, self._clock.now_ns(), int(kept["last_step"]))
        if step is not None:
            db.execute("UPDATE second_factor SET last_step = ? WHERE name = ?", (step, name))
            return
        gone = "DELETE FROM recovery_code WHERE code_sha256 = ? AND name = ?"
        if not db.execute(gone, (recovery_digest(typed), name)).rowcount:
            raise AccountError(AccountFault.WRONG_SECOND_CODE)

    def _event(self, kind: AccountEventKind, name: str, by: Actor) -> AccountEvent:
        return AccountEvent(kind, self._clock.now_ns(), by.user, name, by.address)


class _Tries:
    """Tries of one account's codes from one network: so many, then it waits; other networks go on, those that are not
    the person's own by turns. A try counts as wrong from its beginning."""

    def __init__(self) -> None:
        self._counts = CountsInMemory()
        self._turns = Turns(self._counts, CODES)

    def begin(self, name: str, network: str, now_mono_ns: int, *, own: bool) -> int:
        """Seconds to wait before the try; 0: it has begun."""
        key = f"{name} {network}"
        before = self._counts.get(key)
        wait_s = before.wait_s(now_mono_ns)
        if not wait_s and not own:
            wait_s = self._turns.wait_s(name, network, now_mono_ns)
        if not wait_s:
            wrong = 1 if now_mono_ns - before.last_ns > FORGOTTEN_NS else before.failed + 1
            free_ns = now_mono_ns + FORGOTTEN_NS if wrong >= FREE_TRIES else 0
            self._counts.put(key, Count(wrong, now_mono_ns, free_ns))
        return wait_s

    def succeeded(self, name: str, network: str, now_mono_ns: int, *, own: bool) -> None:
        """The code was right."""
        self._counts.put(f"{name} {network}", Count())
        if not own:
            self._turns.take_back(name, now_mono_ns)


def _kept(db: sqlite3.Connection, name: str) -> dict[str, str | int]:
    sql = "SELECT secret, pending_secret, last_step, confirmed_at_ns, coalesce(at_ns, 0) FROM second_factor"
    row = db.execute(f"{sql} LEFT JOIN begun USING (name) WHERE name = ?", (name,)).fetchone() or ("", "", 0, 0, 0)
    return dict(zip(("secret", "pending_secret", "last_step", "confirmed_at_ns", "at_ns"), row, strict=True))


def _put_codes(db: sqlite3.Connection, name: str, codes: list[str]) -> list[str]:
    db.execute("DELETE FROM recovery_code WHERE name = ?", (name,))
    db.executemany("INSERT INTO recovery_code VALUES (?, ?)", [(recovery_digest(code), name) for code in codes])
    return codes
