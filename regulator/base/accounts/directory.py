"""The accounts of the desk: made, disabled, given passwords. Nobody is ever deleted, because records name people.

In: a transaction, who orders it, what was typed. Out: the account as it is then. Raises RefusedError; nothing changed.
Who may order it, and within which scope, is asked by `keeping`.
"""

import re
import secrets

from sqlalchemy import Connection, func, insert, select, update

from regulator.base.accounts.deeds import note
from regulator.base.accounts.model import Account, NewAccount
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.rows import account_by_login, known_account
from regulator.base.accounts.sessions import as_actor, end_all, normal_login
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.people import accounts, grants

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
MOST_NAME_CHARACTERS = 24


def anyone(db: Connection) -> bool:
    """Whether the first administrator has been made."""
    return bool(db.scalar(select(func.count()).select_from(accounts)))


def make_account(
    db: Connection, ledger: Ledger, new: NewAccount, password_hash: str, home: Scope, by: Actor, now_ns: int
) -> Account:
    """One more account, without any duty; a password that was given must be changed before anything else.

    `password_hash` empty: the person signs on elsewhere. Raises RefusedError 409: the login name is taken, 422."""
    login, name = checked_login(new.login), checked_name(new.name)
    if account_by_login(db, login) is not None:
        raise RefusedError(409, "login_taken", "这个登录名已有人使用", "this login name is taken", "login")
    user_id = f"u-{secrets.token_hex(6)}"
    row = {
        "user_id": user_id,
        "login": login,
        "name": name,
        "password_hash": password_hash,
        "must_change": int(bool(password_hash)),
        "home_level": home.level.value,
        "home_code": home.code,
        "made_at_ns": now_ns,
    }
    db.execute(insert(accounts).values(**row))
    content = {"login": login, "name": name, "home_level": home.level.value, "home_code": home.code}
    note(db, ledger, "account_made", user_id, content, by, now_ns)
    return known_account(db, user_id)


def set_disabled(db: Connection, ledger: Ledger, user_id: str, *, disabled: bool, by: Actor, now_ns: int) -> Account:
    """No more logins, or logins again. Raises RefusedError 409 when no administrator of the top would be left."""
    account = known_account(db, user_id)
    if bool(account.disabled_at_ns) == disabled:
        return account
    if disabled and user_id in by.persons:
        raise RefusedError(409, "own_account", "不能停用自己的账号", "you cannot disable your own account", "user_id")
    changed = update(accounts).where(accounts.c.user_id == user_id)
    db.execute(changed.values(disabled_at_ns=now_ns if disabled else 0))
    if disabled:
        end_all(db, user_id, now_ns)
    note(db, ledger, "account_disabled" if disabled else "account_enabled", user_id, {}, by, now_ns)
    return known_account(db, user_id)


def set_password(db: Connection, ledger: Ledger, user_id: str, password_hash: str, by: Actor, now_ns: int) -> None:
    """Somebody else sets it: the person must choose another before anything else, and all their logins end."""
    known_account(db, user_id)
    _keep_hash(db, user_id, password_hash, must_change=True)
    end_all(db, user_id, now_ns)
    note(db, ledger, "password_set_by_other", user_id, {}, by, now_ns)


def change_password(
    db: Connection, ledger: Ledger, passwords: Passwords, account: Account, password: str, now_ns: int
) -> None:
    """Their own new one; whoever orders it has shown the old one. All their logins end."""
    kept = db.scalar(select(accounts.c.password_hash).where(accounts.c.user_id == account.user_id)) or ""
    if kept and passwords.fits(kept, password):
        raise RefusedError(
            422, "same_password", "新密码不能与原密码相同", "the new password is the old one", "password"
        )
    _keep_hash(db, account.user_id, passwords.hashed(password, account.login), must_change=False)
    end_all(db, account.user_id, now_ns)
    note(db, ledger, "password_changed", account.user_id, {}, as_actor(account), now_ns)


def checked_login(typed: str) -> str:
    """The form that is kept. Raises RefusedError 422."""
    login = normal_login(typed)
    if LOGIN.fullmatch(login):
        return login
    words = ("登录名应为 2 至 32 个小写字母、数字或 . _ -", "a login name has 2 to 32 letters, digits or . _ -")
    raise RefusedError(422, "bad_login", *words, "login")


def checked_name(typed: str) -> str:
    """A name as records show it. Raises RefusedError 422."""
    name = " ".join(typed.split())
    if 0 < len(name) <= MOST_NAME_CHARACTERS and name.isprintable():
        return name
    words = (f"姓名应为 1 至 {MOST_NAME_CHARACTERS} 个字符", f"a name has 1 to {MOST_NAME_CHARACTERS} characters")
    raise RefusedError(422, "bad_name", *words, "name")


def administrators_at_the_top(db: Connection) -> int:
    """How many persons keep accounts for the whole desk."""
    found = (
        select(grants.c.duties, accounts.c.user_id)
        .join(accounts, accounts.c.user_id == grants.c.user_id)
        .where(accounts.c.disabled_at_ns == 0, grants.c.approved_at_ns > 0, grants.c.revoked_at_ns == 0)
        .where(grants.c.level == Level.PROVINCE.value)
    )
    return len({row.user_id for row in db.execute(found) if f'"{Duty.ADMINISTRATOR.value}"' in row.duties})


def _keep_hash(db: Connection, user_id: str, password_hash: str, *, must_change: bool) -> None:
    changed = update(accounts).where(accounts.c.user_id == user_id)
    db.execute(changed.values(password_hash=password_hash, must_change=int(must_change)))
