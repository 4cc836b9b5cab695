"""Logins and the sessions they open.

In: names and passwords as typed, and session tokens. Out: tokens and whose they are. A token is made here, 256 random
bits, new at every login, and only its digest is kept; a token from outside is never taken up. Raises AccountError.
"""

import secrets
import sqlite3
from dataclasses import dataclass

from gateway.accounts.account_events import AccountEvent, AccountEventKind
from gateway.accounts.account_ledger import AccountLedger
from gateway.accounts.account_rows import Session, token_digest
from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import Actor
from gateway.accounts.person import Person, login_name, said_as
from gateway.accounts.throttle import login_guesses
from gateway.accounts.workplaces import Caller, remember_workplace
from gateway.ports import Clock
from screens.guessing import Attempt, network_of

HOUR_NS = 3_600_000_000_000
TOUCH_EVERY_NS = 60_000_000_000
CLOCK_SET_BACK_NS = 600_000_000_000
MOST_SESSIONS_A_PERSON = 20
MOST_AGENT_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class SessionBounds:
    """When a login ends by itself, nanoseconds: after so long without use, and however much it is used. PD."""

    idle_ns: int = 8 * HOUR_NS
    longest_ns: int = 12 * HOUR_NS

    def ended(self, session: Session, now_ns: int) -> bool:
        """Whether it has. A clock that was set back far ends it too: its age is not known then."""
        age_ns, idle_ns = now_ns - session.made_at_ns, now_ns - session.seen_at_ns
        return age_ns >= self.longest_ns or idle_ns >= self.idle_ns or age_ns < -CLOCK_SET_BACK_NS


class Logins:
    """The sessions of one box."""

    def __init__(
        self,
        store: AccountStore,
        ledger: AccountLedger,
        passwords: Passwords,
        clock: Clock,
        bounds: SessionBounds,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._passwords = passwords
        self._clock = clock
        self._bounds = bounds
        self._guesses = login_guesses()

    async def login(self, typed_name: str, password: str, caller: Caller) -> tuple[Person, str]:
        """Who it is, and the token of a new session. Raises AccountError: WRONG_LOGIN whatever of the two was wrong."""
        name = login_name(typed_name)
        await self.check_password(name, password, caller, AccountFault.WRONG_LOGIN)
        person, kept = self._store.person(name), self._store.password_hash(name)
        if person is None or kept is None:
            raise AccountError(AccountFault.WRONG_LOGIN)
        if self._passwords.outdated(kept):
            await self._renew_hash(name, kept, password)
        return person, await self.open(person, caller)

    async def check_password(self, name: str, password: str, caller: Caller, fault: AccountFault) -> None:
        """Raises AccountError: WAIT after too many failures, `fault` when it does not fit, BUSY."""
        workplace = self._store.own_workplace(name, caller.workplaces, self._clock.now_ns())
        attempt = Attempt(name, network_of(caller.address), workplace)
        wait_s = self._guesses.begin(attempt, self._clock.monotonic_ns())
        if wait_s:
            raise AccountError(AccountFault.WAIT, wait_s)
        try:
            fits = await self._passwords.fits(self._store.password_hash(name), password, stranger=not workplace)
        except AccountError:
            self._guesses.not_tried(attempt, self._clock.monotonic_ns())
            raise
        if fits:
            self._guesses.succeeded(attempt, self._clock.monotonic_ns())
            return
        await self._note_failure(name, caller.address)
        raise AccountError(fault)

    async def open(self, person: Person, caller: Caller, *, shown: bool = False) -> str:
        """A session for somebody who has just shown who they are; its token. The oldest beyond twenty ends. It owes a
        code when the account has a second factor, unless one was `shown` by the login before. When it owes none, the
        workplace is theirs from now on."""
        token, now_ns = secrets.token_urlsafe(32), self._clock.now_ns()
        session_id = secrets.token_hex(6)
        event = AccountEvent(
            AccountEventKind.LOGIN, now_ns, said_as(person.name, person.title), person.name, caller.address, session_id
        )
        agent = caller.agent[:MOST_AGENT_CHARACTERS]
        row = (token_digest(token), session_id, person.name, now_ns, now_ns, caller.address, agent)

        def job(db: sqlite3.Connection) -> None:
            if _insert(db, row, shown=shown):
                remember_workplace(db, person.name, caller, now_ns)

        await self._ledger.carry_out(job, event)
        return token

    def whose(self, token: str) -> tuple[Session, Person] | None:
        """The session in force and its person; None when there is none, or no more."""
        found = self._store.session(token) if token else None
        return None if found is None or self._bounds.ended(found[0], self._clock.now_ns()) else found

    def used(self, session: Session) -> None:
        """The person has done something: idle time begins anew. Written once a minute at most; nobody waits."""
        now_ns = self._clock.now_ns()
        if now_ns - session.seen_at_ns >= TOUCH_EVERY_NS:
            self._store.touch("session", session.session_id, now_ns)

    def of(self, name: str) -> list[Session]:
        """One person's sessions in force, newest first."""
        now_ns = self._clock.now_ns()
        return [session for session in self._store.sessions(name) if not self._bounds.ended(session, now_ns)]

    async def logout(self, token: str, address: str) -> None:
        """End it here, whatever the browser keeps. A session that has ended already is fine."""
        found = self._store.session(token)
        if found is not None:
            session, person = found
            by = Actor(said_as(person.name, person.title), address)
            await self._end(AccountEventKind.LOGOUT, session, by)

    async def end(self, name: str, session_id: str, by: Actor) -> None:
        """End another session of the same person."""
        for session in self._store.sessions(name):
            if session.session_id == session_id:
                await self._end(AccountEventKind.SESSION_ENDED, session, by)

    def forget_ended(self) -> None:
        """Rows of sessions that nobody can use any more; that they were is in the chain."""
        now_ns = self._clock.now_ns()
        oldest = (now_ns - self._bounds.longest_ns, now_ns - self._bounds.idle_ns)

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM session WHERE made_at_ns <= ? OR seen_at_ns <= ?", oldest)
            db.execute("DELETE FROM owing WHERE session_id NOT IN (SELECT session_id FROM session)")

        self._store.change(job)

    async def _end(self, kind: AccountEventKind, session: Session, by: Actor) -> None:
        event = AccountEvent(kind, self._clock.now_ns(), by.user, session.name, by.address, session.session_id)
        gone = "DELETE FROM session WHERE session_id = ?"
        await self._ledger.carry_out(lambda db: db.execute(gone, (session.session_id,)).rowcount, event)

    async def _note_failure(self, name: str, address: str) -> None:
        """A name that nobody has is not sealed: it may be a password in the wrong field."""
        known = name if self._store.person(name) else ""
        kind = AccountEventKind.LOGIN_FAILED
        await self._ledger.note_failure(AccountEvent(kind, self._clock.now_ns(), "", known, address))

    async def _renew_hash(self, name: str, kept: str, password: str) -> None:
        """The parameters have changed since the hash was made; the password is at hand only now."""
        fresh = await self._passwords.renewed(password)
        sql = "UPDATE person SET password_hash = ? WHERE name = ? AND password_hash = ?"
        self._store.change(lambda db: db.execute(sql, (fresh, name, kept)).rowcount)


def _insert(db: sqlite3.Connection, row: tuple[str | int, ...], *, shown: bool) -> bool:
    """Whether the login is complete: it owes no code. Refused when the person was disabled meanwhile."""
    name = row[2]
    if db.execute("SELECT 1 FROM person WHERE name = ? AND disabled_at_ns = 0", (name,)).fetchone() is None:
        raise AccountError(AccountFault.WRONG_LOGIN)
    db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    owed = "INSERT INTO owing SELECT ? FROM second_factor WHERE name = ? AND confirmed_at_ns > 0"
    complete = shown or not db.execute(owed, (row[1], name)).rowcount
    db.execute(
        "DELETE FROM session WHERE name = ? AND token_sha256 NOT IN"
        " (SELECT token_sha256 FROM session WHERE name = ? ORDER BY made_at_ns DESC, rowid DESC LIMIT ?)",
        (name, name, MOST_SESSIONS_A_PERSON),
    )
    return complete
