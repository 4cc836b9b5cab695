"""Slows guessers down: after some failures each further try must wait, twice as long each time (back-off).

Kept in the database, so that all replicas of a desk count together. A try counts as failed from its beginning, so that
many at once gain nothing; a success takes the login's tries back.
"""

import math
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.accounts.model import SECOND_NS
from regulator.model.refusals import RefusedError
from regulator.records.tables.people import login_tries

FORGET_NS = 3600 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Patience:
    """`free` failures cost nothing; then waits double from 2 s up to `longest_s`. Forgotten after an hour of quiet."""

    free: int
    longest_s: int


WITH_A_LOGIN = Patience(free=5, longest_s=300)
WITH_AN_ADDRESS = Patience(free=40, longest_s=900)
"""A whole office may come from one address."""


def begin_try(db: Connection, login: str, address: str, now_ns: int) -> None:
    """Raises RefusedError 429 while the login or the address must wait; otherwise this try counts."""
    db.execute(delete(login_tries).where(login_tries.c.last_ns < now_ns - FORGET_NS))
    keys = ((f"login:{login}", WITH_A_LOGIN), (f"address:{address}", WITH_AN_ADDRESS))
    for who, _ in keys:
        _refuse_if_early(db, who, now_ns)
    for who, patience in keys:
        _count(db, who, patience, now_ns)


def forgive(db: Connection, login: str, address: str) -> None:
    """The try succeeded: the login starts anew, the address has one failure less."""
    db.execute(delete(login_tries).where(login_tries.c.who == f"login:{login}"))
    seat = login_tries.c.who == f"address:{address}"
    db.execute(update(login_tries).where(seat).values(failed=login_tries.c.failed - 1, free_at_ns=0))


def _refuse_if_early(db: Connection, who: str, now_ns: int) -> None:
    free_at_ns = db.scalar(select(login_tries.c.free_at_ns).where(login_tries.c.who == who)) or 0
    if now_ns < free_at_ns:
        wait_s = math.ceil((free_at_ns - now_ns) / SECOND_NS)
        words = (f"尝试次数过多，请 {wait_s} 秒后再试", f"too many failed tries: wait {wait_s} s")
        raise RefusedError(429, "wait", *words, "login")


def _count(db: Connection, who: str, patience: Patience, now_ns: int) -> None:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    db.execute(dialect.insert(login_tries).values(who=who).on_conflict_do_nothing())
    found = select(login_tries.c.failed).where(login_tries.c.who == who).with_for_update()
    failed = (db.scalar(found) or 0) + 1
    beyond = failed - patience.free
    pause_s = min(2**beyond, patience.longest_s) if 0 < beyond < 30 else (patience.longest_s if beyond > 0 else 0)
    changed = {"failed": failed, "last_ns": now_ns, "free_at_ns": now_ns + pause_s * SECOND_NS if pause_s else 0}
    db.execute(update(login_tries).where(login_tries.c.who == who).values(**changed))
