"""Second factors of the desk's accounts: set up, shown at a login, recovered, taken away.

    begin ──> a secret that waits, 10 min ──confirm (a code)──> in force, with recovery codes that are shown once
    log_in of an account with a factor ──> a session that owes a code ──show──> a session like any other

In: a transaction or the database, who it is, what was typed, the time, UTC ns. Out: what changed, each deed in the
ledger. Raises RefusedError. Secrets lie where the password hashes lie; no deed and no log holds one.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.accounts.deeds import note
from regulator.base.accounts.model import SECOND_NS, Account, Caller, Session
from regulator.base.accounts.sessions import Presence, as_actor, end_all
from regulator.base.accounts.tries import code_turns, own_workplace, remember_workplace
from regulator.base.model.actor import SYSTEM, Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.people import code_tries, recovery_codes, second_factors, sessions
from screens.guessing import network_of
from screens.second_factor import (
    BEGUN_LASTS_NS,
    FREE_TRIES,
    TRIES_FORGOTTEN_S,
    new_recovery_codes,
    new_secret,
    recovery_digest,
    step_of,
    still_waits,
)

WRONG_CODE = RefusedError(401, "wrong_code", "验证码不正确或已使用过", "the code is wrong or was used before", "code")
NO_FACTOR = RefusedError(409, "no_second_factor", "您尚未启用两步验证", "you have no second factor", "code")
FORGOTTEN_NS = TRIES_FORGOTTEN_S * SECOND_NS


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What an account has. `pending`: a secret that waits for its first code; empty when none does."""

    confirmed_at_ns: int = 0
    pending: str = ""
    codes_left: int = 0


def factor_of(db: Connection, user_id: str, now_ns: int) -> SecondFactor:
    """The second factor of an account."""
    row = _row(db, user_id)
    if row is None:
        return SecondFactor()
    left = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == user_id)
    pending = row.pending_secret if still_waits(row.begun_at_ns, now_ns) else ""
    return SecondFactor(row.confirmed_at_ns, pending, db.scalar(left) or 0)


def begin(db: Connection, account: Account, typed: str, now_ns: int) -> None:
    """Make a secret that waits for its first code. Whoever has a factor shows a code of it: a new phone."""
    row = _row(db, account.user_id)
    if row is not None and row.confirmed_at_ns:
        _take(db, account.user_id, typed, now_ns)
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    begun = {"pending_secret": new_secret(), "begun_at_ns": now_ns}
    made = dialect.insert(second_factors).values(user_id=account.user_id, **begun)
    db.execute(made.on_conflict_do_update(index_elements=["user_id"], set_=begun))


def confirm(db: Connection, ledger: Ledger, presence: Presence, typed: str, now_ns: int) -> list[str]:
    """The first code of the secret that waits: from now on it is asked at each login. Recovery codes; all other logins
    end. Raises RefusedError 401, 409."""
    account = presence.account
    row = _row(db, account.user_id)
    if row is None or not row.pending_secret or not still_waits(row.begun_at_ns, now_ns):
        raise RefusedError(409, "nothing_begun", "请先扫描二维码", "begin the set-up first", "code")
    step = step_of(row.pending_secret, typed, now_ns, 0)
    if step is None:
        raise WRONG_CODE
    changed = {"secret": row.pending_secret, "pending_secret": "", "last_step": step, "confirmed_at_ns": now_ns}
    db.execute(update(second_factors).where(second_factors.c.user_id == account.user_id).values(**changed))
    db.execute(update(sessions).where(_others(presence.session)).values(ended_at_ns=now_ns))
    db.execute(update(sessions).where(_this(presence.session)).values(code="shown"))
    note(db, ledger, "second_factor_set", account.user_id, {}, as_actor(account), now_ns)
    return _fresh_codes(db, ledger, account, now_ns)


def fresh_codes(db: Connection, ledger: Ledger, account: Account, typed: str, now_ns: int) -> list[str]:
    """New recovery codes; the old ones are worth nothing. Raises RefusedError 401, 409."""
    _take(db, account.user_id, typed, now_ns)
    return _fresh_codes(db, ledger, account, now_ns)


def remove(db: Connection, ledger: Ledger, account: Account, typed: str, now_ns: int) -> None:
    """No second factor any more. Raises RefusedError 401, 409."""
    _take(db, account.user_id, typed, now_ns)
    _forget(db, account.user_id)
    note(db, ledger, "second_factor_removed", account.user_id, {}, as_actor(account), now_ns)


def forget_begun(db: Connection, now_ns: int) -> None:
    """Secrets that have waited too long for their first code leave the table."""
    at = second_factors.c
    old = update(second_factors).where(at.pending_secret != "", at.begun_at_ns <= now_ns - BEGUN_LASTS_NS)
    db.execute(old.values(pending_secret=""))


def reset(db: Connection, ledger: Ledger, user_id: str, by: Actor, now_ns: int, reason: str = "") -> None:
    """Somebody else takes it away, for a lost phone: all logins of the account end."""
    _forget(db, user_id)
    end_all(db, user_id, now_ns)
    note(db, ledger, "second_factor_reset", user_id, {"reason": reason} if reason else {}, by, now_ns)


def show(database: DeskDatabase, ledger: Ledger, presence: Presence, typed: str, caller: Caller, now_ns: int) -> None:
    """A login that owes a code shows one, of the app or for recovery, and is a login like any other, at a workplace
    that is the person's own from now on. Raises RefusedError: 401 wrong or used before, 409, 429 after too many from
    this network."""
    account, session = presence.account, presence.session
    with trying(database, ledger, account, caller, now_ns) as db:
        how = _take(db, account.user_id, typed, now_ns)
        db.execute(update(sessions).where(_this(session)).values(code="shown"))
        remember_workplace(db, account.user_id, caller, now_ns)
        content = {"session_id": session.session_id, "address": caller.address, "how": how}
        note(db, ledger, "code_shown", account.user_id, content, as_actor(account), now_ns)


@contextmanager
def trying(
    database: DeskDatabase, ledger: Ledger, account: Account, caller: Caller, now_ns: int
) -> Iterator[Connection]:
    """A transaction in which a code is taken. A wrong one counts against the caller's network, and is noted. Raises
    RefusedError 429 after too many from there, or from all that are not the person's own."""
    network = network_of(caller.address)
    with database.transaction() as db:
        own = bool(own_workplace(db, account.login, caller, now_ns))
        wait_s = _begin_try(db, account.user_id, network, now_ns, own=own)
    if wait_s:  # after the commit: a turn that was given is kept
        words = (f"验证码尝试次数过多，请 {wait_s} 秒后再试", f"too many codes were tried: wait {wait_s} s")
        raise RefusedError(429, "wait", *words, "code")
    try:
        with database.transaction() as db:
            yield db
            _forgive(db, account.user_id, network)
            if not own:
                code_turns(db).take_back(_turns_of(account.user_id), now_ns)
    except RefusedError as refused:
        if refused is WRONG_CODE:
            with database.transaction() as db:
                note(db, ledger, "code_failed", account.user_id, {"address": caller.address}, SYSTEM, now_ns)
        raise


def _take(db: Connection, user_id: str, typed: str, now_ns: int) -> str:
    """Take a code: each is good once. How it was shown. Raises RefusedError 401, 409."""
    row = _row(db, user_id, lock=True)
    if row is None or not row.confirmed_at_ns:
        raise NO_FACTOR
    at = second_factors.c
    step = step_of(row.secret, typed, now_ns, row.last_step)
    if step is not None:
        newer = update(second_factors).where(at.user_id == user_id, at.last_step < step)
        if db.execute(newer.values(last_step=step)).rowcount:
            return "app"
    digest, code = recovery_digest(typed), recovery_codes.c
    used = delete(recovery_codes).where(code.user_id == user_id, code.code_sha256 == digest)
    if digest and db.execute(used).rowcount:
        return "recovery_code"
    raise WRONG_CODE


def _fresh_codes(db: Connection, ledger: Ledger, account: Account, now_ns: int) -> list[str]:
    codes = new_recovery_codes()
    db.execute(delete(recovery_codes).where(recovery_codes.c.user_id == account.user_id))
    rows = [{"code_sha256": recovery_digest(code), "user_id": account.user_id} for code in codes]
    db.execute(insert(recovery_codes), rows)
    note(db, ledger, "recovery_codes_made", account.user_id, {"count": len(codes)}, as_actor(account), now_ns)
    return codes


def _forget(db: Connection, user_id: str) -> None:
    db.execute(delete(second_factors).where(second_factors.c.user_id == user_id))
    db.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))


def _row(db: Connection, user_id: str, *, lock: bool = False) -> "Row[tuple[str, str, str, int, int, int]] | None":
    found = select(second_factors).where(second_factors.c.user_id == user_id)
    return db.execute(found.with_for_update() if lock else found).first()


def _this(session: Session):  # type: ignore[no-untyped-def]
    return sessions.c.session_id == session.session_id


def _others(session: Session):  # type: ignore[no-untyped-def]
    at = sessions.c
    return (at.user_id == session.user_id) & (at.session_id != session.session_id) & (at.ended_at_ns == 0)


def _begin_try(db: Connection, user_id: str, network: str, now_ns: int, *, own: bool) -> int:
    """Seconds to wait; 0: it has begun. Counts as failed from its beginning, so that many at once gain nothing."""
    at = code_tries.c
    db.execute(delete(code_tries).where(at.first_ns < now_ns - FORGOTTEN_NS))
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    made = dialect.insert(code_tries).values(user_id=user_id, address=network, failed=1, first_ns=now_ns)
    counted = made.on_conflict_do_update(index_elements=["user_id", "address"], set_={"failed": at.failed + 1})
    row = db.execute(counted.returning(at.failed, at.first_ns)).one()
    if row.failed > FREE_TRIES:
        return math.ceil((int(row.first_ns) + FORGOTTEN_NS - now_ns) / SECOND_NS)
    wait_s = 0 if own else code_turns(db).wait_s(_turns_of(user_id), network, now_ns)
    if wait_s:
        here = (at.user_id == user_id) & (at.address == network)
        db.execute(update(code_tries).where(here).values(failed=at.failed - 1))
    return wait_s


def _turns_of(user_id: str) -> str:
    return f"codes of {user_id}"


def _forgive(db: Connection, user_id: str, network: str) -> None:
    here = (code_tries.c.user_id == user_id) & (code_tries.c.address == network)
    db.execute(delete(code_tries).where(here))
