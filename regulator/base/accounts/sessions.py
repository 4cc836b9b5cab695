"""Logins: sessions kept on the server, known by the digest of a token that only the browser has.

In: a login name, a password, or a token. Out: who it is and in which seat. A session ends after `IDLE_NS` without a
person's doing, after `LONGEST_NS` in any case, when it is ended, and when the account is disabled.
"""

import hashlib
import secrets
from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from regulator.base.accounts.deeds import note
from regulator.base.accounts.model import SECOND_NS, Account, Caller, Seat, Session
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.rows import account_by_id, account_by_login, has_second_factor, session_of
from regulator.base.accounts.seats import seats_of
from regulator.base.accounts.tries import begin_try, not_tried, remember_workplace, succeeded
from regulator.base.model.actor import SYSTEM, Actor, Duty, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.people import accounts, sessions
from screens.second_factor import Owes

HOUR_NS = 3600 * SECOND_NS
IDLE_NS = 2 * HOUR_NS
LONGEST_NS = 12 * HOUR_NS
TOUCH_EVERY_NS = 60 * SECOND_NS
MOST_AGENT_CHARACTERS = 200
WRONG = RefusedError(401, "wrong_login", "登录名或密码不正确", "wrong login name or password", "login")


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who is logged in: the account, the session, every seat, and the one they act in (None: they have no).

    `owes`: what the login still lacks; until then it opens nothing else."""

    account: Account
    session: Session
    seats: tuple[Seat, ...]
    seat: Seat | None
    owes: Owes | None = None


def normal_login(typed: str) -> str:
    """The form of a login name that is kept: without blanks around it, in lower case."""
    return typed.strip().casefold()[:64]


def as_actor(account: Account) -> Actor:
    """Somebody who acts on their own account, without any duty."""
    return Actor(account.user_id, account.name, Scope(account.home.level, account.home.code), frozenset())


def log_in(
    database: DeskDatabase, ledger: Ledger, passwords: Passwords, typed: tuple[str, str], caller: Caller, now_ns: int
) -> tuple[Account, str]:
    """`typed`: login name and password. The account and the token of a new session. Raises RefusedError: 401 whatever
    of the two was wrong, 429 after too many failures, 503."""
    login = normal_login(typed[0])
    check_password(database, ledger, passwords, (login, typed[1]), caller, now_ns)
    with database.transaction() as db:
        account = account_by_login(db, login)
        if account is None or account.disabled_at_ns:
            raise WRONG
        return account, open_session(db, ledger, account, caller, now_ns)


def check_password(
    database: DeskDatabase, ledger: Ledger, passwords: Passwords, typed: tuple[str, str], caller: Caller, now_ns: int
) -> None:
    """Raises RefusedError 401 when it does not fit or the account is disabled, 429 after too many failures, 503."""
    login, password = typed
    with database.transaction() as db:
        attempt = begin_try(db, login, caller, now_ns)
        row = db.execute(select(accounts).where(accounts.c.login == login)).first()
    kept = row.password_hash if row is not None and not row.disabled_at_ns else ""
    try:
        fits = passwords.fits(kept, password, stranger=not attempt.workplace)
    except RefusedError:
        with database.transaction() as db:
            not_tried(db, attempt, now_ns)
        raise
    if fits:
        with database.transaction() as db:
            succeeded(db, attempt, now_ns)
        return
    if row is not None:  # a name that nobody has is not written down: it may be a password in the wrong field
        with database.transaction() as db:
            note(db, ledger, "login_failed", row.user_id, {"address": caller.address}, SYSTEM, now_ns)
    raise WRONG


def open_session(
    db: Connection, ledger: Ledger, account: Account, caller: Caller, now_ns: int, how: str = "password"
) -> str:
    """A session for somebody who has just shown who they are; its token. After a password it owes a code when the
    account has a second factor; the office's provider (`oidc`) asks for its own. Unless it owes one, the caller's
    workplaces are the person's own from now on."""
    token, session_id = secrets.token_urlsafe(32), secrets.token_hex(8)
    seats = seats_of(db, account, now_ns)
    owed = "owed" if has_second_factor(db, account.user_id) else ""
    code = {"oidc": "elsewhere", "password_change": "shown"}.get(how, owed)
    row = {
        "token_sha256": digest_of(token),
        "session_id": session_id,
        "user_id": account.user_id,
        "seat": seats[0].key if seats else "",
        "made_at_ns": now_ns,
        "seen_at_ns": now_ns,
        "address": caller.address,
        "agent": caller.agent[:MOST_AGENT_CHARACTERS],
        "code": code,
    }
    db.execute(insert(sessions).values(**row))
    if code != "owed":
        remember_workplace(db, account.user_id, caller, now_ns)
    content = {"session_id": session_id, "address": caller.address, "how": how}
    note(db, ledger, "logged_in", account.user_id, content, as_actor(account), now_ns)
    return token


def whose(db: Connection, token: str, now_ns: int, asked_of: Set[Duty] = frozenset()) -> Presence | None:
    """Who has this token now; None: nobody any more. `asked_of`: duties that need a second factor."""
    row = db.execute(select(sessions).where(sessions.c.token_sha256 == digest_of(token))).first() if token else None
    if row is None or row.ended_at_ns or _over(row.made_at_ns, row.seen_at_ns, now_ns):
        return None
    account = account_by_id(db, row.user_id)
    if account is None or account.disabled_at_ns:
        return None
    seats = seats_of(db, account, now_ns)
    chosen = next((seat for seat in seats if seat.key == row.seat), seats[0] if seats else None)
    session = session_of(row)
    return Presence(account, session, seats, chosen, _owes(db, session, seats, asked_of))


def _owes(db: Connection, session: Session, seats: tuple[Seat, ...], asked_of: Set[Duty]) -> Owes | None:
    if session.code == "owed":
        return Owes.CODE
    asked = session.code != "elsewhere" and any(seat.actor.duties & asked_of for seat in seats)
    return Owes.SET_UP if asked and not has_second_factor(db, session.user_id) else None


def touch(db: Connection, session: Session, now_ns: int) -> None:
    """The person did something: idle time begins anew."""
    db.execute(update(sessions).where(sessions.c.session_id == session.session_id).values(seen_at_ns=now_ns))


def take_seat(db: Connection, ledger: Ledger, presence: Presence, key: str, now_ns: int) -> Seat:
    """Act in another seat from now on. Raises RefusedError 404 for one that the person does not have."""
    seat = next((seat for seat in presence.seats if seat.key == key), None)
    if seat is None:
        raise RefusedError(404, "no_such_seat", "您没有这个岗位", "you have no such role", "seat")
    mine = sessions.c.session_id == presence.session.session_id
    db.execute(update(sessions).where(mine).values(seat=key))
    note(db, ledger, "seat_taken", presence.account.user_id, {"seat": key}, seat.actor, now_ns)
    return seat


def sessions_of(db: Connection, user_id: str, now_ns: int) -> list[Session]:
    """Logins in force, newest first."""
    found = select(sessions).where(sessions.c.user_id == user_id, sessions.c.ended_at_ns == 0)
    rows = db.execute(found.order_by(sessions.c.made_at_ns.desc())).all()
    return [session_of(row) for row in rows if not _over(row.made_at_ns, row.seen_at_ns, now_ns)]


def end_session(db: Connection, ledger: Ledger, account: Account, session_id: str, now_ns: int) -> None:
    """End one login of an account; one that has ended already is fine."""
    mine = (sessions.c.session_id == session_id) & (sessions.c.user_id == account.user_id)
    ended = db.execute(update(sessions).where(mine, sessions.c.ended_at_ns == 0).values(ended_at_ns=now_ns)).rowcount
    if ended:
        note(db, ledger, "logged_out", account.user_id, {"session_id": session_id}, as_actor(account), now_ns)


def end_all(db: Connection, user_id: str, now_ns: int) -> None:
    """Every login of an account ends; the caller writes down why."""
    open_ones = (sessions.c.user_id == user_id) & (sessions.c.ended_at_ns == 0)
    db.execute(update(sessions).where(open_ones).values(ended_at_ns=now_ns))


def digest_of(token: str) -> str:
    """What the database holds of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _over(made_at_ns: int, seen_at_ns: int, now_ns: int) -> bool:
    return now_ns - made_at_ns >= LONGEST_NS or now_ns - seen_at_ns >= IDLE_NS
