"""Accounts: made, given another role, disabled, given another password. Nothing is ever deleted.

In: who orders it, and what was typed. Out: the account as it is then, once that is on the disk and on its way into the
chain. Raises AccountError (nothing has changed) or StoreError. Whether somebody may order it is asked before, by role.
"""

import sqlite3
from dataclasses import dataclass

from gateway.accounts.account_events import AccountEvent, AccountEventKind
from gateway.accounts.account_ledger import AccountLedger
from gateway.accounts.account_rows import forget_factor, person_of
from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.passwords import Passwords, checked_password
from gateway.accounts.person import Newcomer, Person, Role, checked_name, checked_title, said_as
from gateway.ports import Clock


@dataclass(frozen=True, slots=True)
class Actor:
    """Who orders something, as records say it, and from which address."""

    user: str
    address: str


class People:
    """The accounts of one box."""

    def __init__(self, store: AccountStore, ledger: AccountLedger, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._passwords = passwords
        self._clock = clock

    def exist(self) -> bool:
        """Whether the first administrator has been made."""
        return self._store.anyone()

    def all(self) -> list[Person]:
        """By login name; disabled ones too."""
        return self._store.people()

    def find(self, name: str) -> Person | None:
        """One account."""
        return self._store.person(name)

    async def add_first(self, newcomer: Newcomer, address: str) -> Person:
        """The first administrator; whoever orders it has shown the set-up code."""
        person, kept = await self._ready(newcomer)
        kind = AccountEventKind.FIRST_ADMINISTRATOR
        event = self._event(kind, Actor(said_as(person.name, person.title), address), person)

        def job(db: sqlite3.Connection) -> Person:
            if db.execute("SELECT 1 FROM person LIMIT 1").fetchone():
                raise AccountError(AccountFault.ALREADY_SET_UP)
            return _insert(db, person, kept)

        return await self._ledger.carry_out(job, event)

    async def add(self, newcomer: Newcomer, by: Actor) -> Person:
        """One more; must choose a password of their own before anything else."""
        person, kept = await self._ready(newcomer, must_change=True)
        event = self._event(AccountEventKind.PERSON_ADDED, by, person, person.role.name.lower())
        return await self._ledger.carry_out(lambda db: _insert(db, person, kept), event)

    async def change_role(self, name: str, role: Role, by: Actor) -> Person:
        """Another role; whoever has the account open must log in again."""
        before = self._known(name)
        detail = f"{before.role.name.lower()} to {role.name.lower()}"

        def job(db: sqlite3.Connection) -> Person:
            db.execute("UPDATE person SET role = ? WHERE name = ?", (role, name))
            return _changed(db, name)

        return await self._ledger.carry_out(job, self._event(AccountEventKind.ROLE_CHANGED, by, before, detail))

    async def disable(self, name: str, by: Actor) -> Person:
        """No more logins; the last administrator stays."""

        def job(db: sqlite3.Connection) -> Person:
            sql = "UPDATE person SET disabled_at_ns = ? WHERE name = ? AND disabled_at_ns = 0"
            db.execute(sql, (event.at_ns, name))
            return _changed(db, name)

        event = self._event(AccountEventKind.DISABLED, by, self._known(name))
        return await self._ledger.carry_out(job, event)

    async def enable(self, name: str, by: Actor) -> Person:
        """Logins again."""

        def job(db: sqlite3.Connection) -> Person:
            db.execute("UPDATE person SET disabled_at_ns = 0 WHERE name = ?", (name,))
            return _changed(db, name)

        return await self._ledger.carry_out(job, self._event(AccountEventKind.ENABLED, by, self._known(name)))

    async def set_password(self, name: str, password: str, by: Actor) -> Person:
        """Somebody else sets it: until the person has chosen their own, the account may only look."""
        person = self._known(name)
        kept = await self._passwords.hashed(checked_password(password, name))
        event = self._event(AccountEventKind.PASSWORD_SET_BY_OTHER, by, person)
        return await self._ledger.carry_out(lambda db: _set_hash(db, name, kept, must_change=True), event)

    async def change_password(self, name: str, password: str, by: Actor) -> Person:
        """Their own new one; whoever orders it has shown the old one. All their logins end."""
        person = self._known(name)
        normal = checked_password(password, name)
        if await self._passwords.fits(self._store.password_hash(name), password):
            raise AccountError(AccountFault.SAME_AS_BEFORE)
        kept = await self._passwords.hashed(normal)
        event = self._event(AccountEventKind.PASSWORD_CHANGED, by, person)
        return await self._ledger.carry_out(lambda db: _set_hash(db, name, kept, must_change=False), event)

    async def recover(self, newcomer: Newcomer, address: str) -> Person:
        """An administrator, new or back, without a second factor; whoever orders it has shown a code made on the box
        itself."""
        person, kept = await self._ready(newcomer)
        by = Actor(said_as(person.name, person.title), address)

        def job(db: sqlite3.Connection) -> Person:
            if db.execute("SELECT 1 FROM person WHERE name = ?", (person.name,)).fetchone() is None:
                return _insert(db, person, kept)
            forget_factor(db, person.name)
            sql = "UPDATE person SET title = ?, role = ?, disabled_at_ns = 0 WHERE name = ?"
            db.execute(sql, (person.title, person.role, person.name))
            return _set_hash(db, person.name, kept, must_change=False)

        return await self._ledger.carry_out(job, self._event(AccountEventKind.RECOVERY, by, person))

    async def _ready(self, newcomer: Newcomer, *, must_change: bool = False) -> tuple[Person, str]:
        """The account as it will be, and its hash. Raises AccountError for what was typed."""
        name, title = checked_name(newcomer.name), checked_title(newcomer.title)
        normal = checked_password(newcomer.password, name)
        person = Person(name, title, newcomer.role, self._clock.now_ns(), must_change=must_change)
        return person, await self._passwords.hashed(normal)

    def _known(self, name: str) -> Person:
        person = self._store.person(name)
        if person is None:
            raise AccountError(AccountFault.NO_SUCH_PERSON)
        return person

    def _event(self, kind: AccountEventKind, by: Actor, subject: Person, detail: str = "") -> AccountEvent:
        return AccountEvent(kind, self._clock.now_ns(), by.user, subject.name, by.address, detail)


def _insert(db: sqlite3.Connection, person: Person, kept: str) -> Person:
    if db.execute("SELECT 1 FROM person WHERE name = ?", (person.name,)).fetchone():
        raise AccountError(AccountFault.NAME_TAKEN)
    db.execute(
        "INSERT INTO person(name, title, role, password_hash, made_at_ns, must_change) VALUES (?, ?, ?, ?, ?, ?)",
        (person.name, person.title, person.role, kept, person.made_at_ns, person.must_change),
    )
    return person


def _set_hash(db: sqlite3.Connection, name: str, kept: str, *, must_change: bool) -> Person:
    db.execute("UPDATE person SET password_hash = ?, must_change = ? WHERE name = ?", (kept, must_change, name))
    return _changed(db, name)


def _changed(db: sqlite3.Connection, name: str) -> Person:
    """After a change: the person's logins end, and somebody must be left who can undo it."""
    db.execute("DELETE FROM session WHERE name = ?", (name,))
    sql = "SELECT 1 FROM person WHERE role = ? AND disabled_at_ns = 0 LIMIT 1"
    if db.execute(sql, (Role.ADMINISTRATOR,)).fetchone() is None:
        raise AccountError(AccountFault.LAST_ADMINISTRATOR)
    cursor = db.execute("SELECT * FROM person WHERE name = ?", (name,))
    cursor.row_factory = sqlite3.Row
    return person_of(cursor.fetchone())
