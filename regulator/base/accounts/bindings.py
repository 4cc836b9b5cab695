"""Whose account of an office is whose account here: (issuer, subject) bound to one account at its first sign-on.

A provider may change a name and give it to somebody else; `issuer` and `sub` it never gives again (OpenID Connect Core
1.0, 5.7). So the claim that is the login is asked once, when an account has no binding yet. After that only the binding
counts, until an administrator releases it. In: a transaction, checked claims. Out: accounts. All deeds are in the
ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.accounts.deeds import note
from regulator.base.accounts.model import Account
from regulator.base.accounts.rows import account_by_id, account_by_login, known_account
from regulator.base.accounts.sessions import as_actor, end_all
from regulator.base.model.actor import SYSTEM, Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.among import among
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.people import sign_on_bindings

MOST_SUBJECT_CHARACTERS: Final = 255
"""OpenID Connect Core 1.0, 2: a `sub` is not longer."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody as a provider knows them, for ever. `login`: what they are called there today."""

    issuer: str
    subject: str
    login: str


@dataclass(frozen=True, slots=True)
class Binding:
    """One account's subject at one provider, since `bound_at_ns` (UTC)."""

    user_id: str
    issuer: str
    subject: str
    bound_at_ns: int


def signed_on(database: DeskDatabase, ledger: Ledger, who: Subject, now_ns: int) -> Account:
    """The account that `who` is bound to, or is bound to now. Raises RefusedError 403: no account or a disabled one,
    or the account belongs to another subject (which is noted)."""
    with database.transaction() as db:
        account = _bound_account(db, who) or _bind(db, ledger, who, now_ns)
    if account is None:
        with database.transaction() as db:
            _note_refused(db, ledger, who, now_ns)
        words = (
            "这个账号已绑定另一个统一账号，登录未成功。若人员或统一账号已更换，请管理员在“人员”页解除绑定",
            "this account is bound to another account of the office, so nobody was logged in. "
            "If that has changed, an administrator releases the binding on the page People",
        )
        raise RefusedError(403, "bound_to_another", *words)
    if account.disabled_at_ns:
        raise _no_account()
    return account


def release(db: Connection, ledger: Ledger, user_id: str, by: Actor, now_ns: int) -> None:
    """The next sign-on under the account's login name binds anew; all logins of the account end.

    Raises RefusedError 404 without a binding."""
    known_account(db, user_id)
    binding = bindings_of(db, [user_id]).get(user_id)
    if binding is None:
        raise RefusedError(404, "no_binding", "这个账号没有绑定统一账号", "this account has no binding", "user_id")
    db.execute(delete(sign_on_bindings).where(sign_on_bindings.c.user_id == user_id))
    end_all(db, user_id, now_ns)
    content = {"issuer": binding.issuer, "subject": binding.subject}
    note(db, ledger, "sign_on_released", user_id, content, by, now_ns)


def bindings_of(db: Connection, user_ids: Iterable[str]) -> dict[str, Binding]:
    """Bindings by account."""
    found = select(sign_on_bindings).where(among(sign_on_bindings.c.user_id, user_ids))
    return {row.user_id: Binding(row.user_id, row.issuer, row.subject, row.bound_at_ns) for row in db.execute(found)}


def _bound_account(db: Connection, who: Subject) -> Account | None:
    mine = (sign_on_bindings.c.issuer == who.issuer) & (sign_on_bindings.c.subject == who.subject)
    user_id = db.scalar(select(sign_on_bindings.c.user_id).where(mine))
    return account_by_id(db, user_id) if user_id else None


def _bind(db: Connection, ledger: Ledger, who: Subject, now_ns: int) -> Account | None:
    """The account of that login name, bound; None when it belongs to another subject."""
    account = account_by_login(db, who.login) if who.login else None
    if account is None or account.disabled_at_ns:
        raise _no_account()
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    row = {"user_id": account.user_id, "issuer": who.issuer, "subject": who.subject, "bound_at_ns": now_ns}
    binding = dialect.insert(sign_on_bindings).values(**row).on_conflict_do_nothing()
    if (
        db.scalar(binding.returning(sign_on_bindings.c.user_id)) is None
    ):  # somebody else's, or another answer was quicker
        return _bound_account(db, who)
    content = {"issuer": who.issuer, "subject": who.subject, "login": who.login}
    note(db, ledger, "sign_on_bound", account.user_id, content, as_actor(account), now_ns)
    return account


def _note_refused(db: Connection, ledger: Ledger, who: Subject, now_ns: int) -> None:
    account = account_by_login(db, who.login)
    if account is not None:
        content = {"issuer": who.issuer, "subject": who.subject}
        note(db, ledger, "sign_on_refused", account.user_id, content, SYSTEM, now_ns)


def _no_account() -> RefusedError:
    words = ("您的统一账号在本审查台没有对应账号", "your office's account has no account at this desk")
    return RefusedError(403, "no_account", *words)
