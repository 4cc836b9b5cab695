"""Slows guessers down without keeping anybody out (`screens.guessing` says how), and remembers where people log in.

Kept in the database, so that all replicas of a desk count together. Rows of one try are always locked in one order:
the name's, then what came from elsewhere, then the address's.
"""

import hashlib
from typing import Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.accounts.model import Caller
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.people import accounts, login_tries, login_workplaces
from screens.guessing import (
    CODES,
    FORGET_NS,
    MOST_WORKPLACES,
    SHORTEST_BROWSER,
    WORKPLACE_NS,
    Attempt,
    Count,
    Guesses,
    Patience,
    Turns,
    network_of,
)

WITH_AN_ADDRESS: Final = Patience(free=40, longest_s=900)
"""A whole office may come from one address."""


def begin_try(db: Connection, login: str, caller: Caller, now_ns: int) -> Attempt:
    """The try, which counts from now on. Raises RefusedError 429 while it must wait."""
    attempt = Attempt(login, network_of(caller.address), own_workplace(db, login, caller, now_ns))
    wait_s = _guesses(db).begin(attempt, now_ns)
    if wait_s:
        words = (f"尝试次数过多，请 {wait_s} 秒后再试", f"too many failed tries: wait {wait_s} s")
        raise RefusedError(429, "wait", *words, "login")
    return attempt


def succeeded(db: Connection, attempt: Attempt, now_ns: int) -> None:
    """The password was right: the failures at this login from there are over, the address has one less."""
    _guesses(db).succeeded(attempt, now_ns)


def not_tried(db: Connection, attempt: Attempt, now_ns: int) -> None:
    """Nobody had the time to look at the password."""
    _guesses(db).not_tried(attempt, now_ns)


def code_turns(db: Connection) -> Turns:
    """The turns of codes of a second factor, of accounts, from networks that are not the person's own."""
    return Turns(_Rows(db), CODES)


def remember_workplace(db: Connection, user_id: str, caller: Caller, now_ns: int) -> None:
    """A login was completed here: address and browser are this person's own for a while. Whoever still owes a second
    factor has not completed one."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    for workplace in _workplaces_of(caller):
        row = {"user_id": user_id, "workplace": workplace, "last_ns": now_ns}
        kept = dialect.insert(login_workplaces).values(**row)
        db.execute(kept.on_conflict_do_update(index_elements=["user_id", "workplace"], set_={"last_ns": now_ns}))
    at, mine = login_workplaces.c, login_workplaces.c.user_id == user_id
    newest = select(at.workplace).where(mine).order_by(at.last_ns.desc(), at.workplace).limit(MOST_WORKPLACES)
    db.execute(delete(login_workplaces).where(mine, at.workplace.not_in(newest.scalar_subquery())))


def forget_old(db: Connection, now_ns: int) -> None:
    """Rows that count for nothing any more. What somebody changes just now stays for the next time."""
    old = select(login_tries.c.who).where(login_tries.c.last_ns < now_ns - FORGET_NS)
    old = old.where(login_tries.c.free_at_ns < now_ns).with_for_update(skip_locked=True)
    db.execute(delete(login_tries).where(login_tries.c.who.in_(old)))
    db.execute(delete(login_workplaces).where(login_workplaces.c.last_ns < now_ns - WORKPLACE_NS))


def own_workplace(db: Connection, login: str, caller: Caller, now_ns: int) -> str:
    """The workplace from which this login has logged in lately; the browser says more than the address."""
    found = (
        select(login_workplaces.c.workplace)
        .join(accounts, accounts.c.user_id == login_workplaces.c.user_id)
        .where(accounts.c.login == login, login_workplaces.c.last_ns >= now_ns - WORKPLACE_NS)
    )
    known = set(db.scalars(found.where(login_workplaces.c.workplace.in_(_workplaces_of(caller)))))
    return next((each for each in _workplaces_of(caller) if each in known), "")


def _guesses(db: Connection) -> Guesses:
    return Guesses(_Rows(db), WITH_AN_ADDRESS)


def _workplaces_of(caller: Caller) -> tuple[str, ...]:
    """The browser first. A browser is kept as a digest: its cookie is nobody else's to know."""
    address = f"address:{network_of(caller.address)}"
    if len(caller.browser) < SHORTEST_BROWSER:
        return (address,)
    return f"browser:{hashlib.sha256(caller.browser.encode()).hexdigest()[:32]}", address


class _Rows:
    """Counts as rows of `login_tries`."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._dialect = postgresql if db.dialect.name == "postgresql" else sqlite

    def get(self, key: str) -> Count:
        """See `Counts.get`. Makes the row where there is none, so that it can be locked."""
        self._db.execute(self._dialect.insert(login_tries).values(who=key).on_conflict_do_nothing())
        found = select(login_tries).where(login_tries.c.who == key).with_for_update()
        row = self._db.execute(found).first()
        return Count(row.failed, row.last_ns, row.free_at_ns) if row is not None else Count()

    def put(self, key: str, count: Count) -> None:
        """See `Counts.put`."""
        values = {"failed": count.failed, "last_ns": count.last_ns, "free_at_ns": count.free_at_ns}
        self._db.execute(update(login_tries).where(login_tries.c.who == key).values(**values))
