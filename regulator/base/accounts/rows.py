"""Rows of the people's tables as what they mean. In: a transaction. Out: dataclasses of `model`."""

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from regulator.base.accounts.model import Account, Delegation, Grant, Session
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.people import accounts, delegations, grants, second_factors


def account_of(row: Row[Any]) -> Account:
    """A row of `accounts`."""
    return Account(
        user_id=row.user_id,
        login=row.login,
        name=row.name,
        home=Scope(Level(row.home_level), row.home_code),
        must_change=bool(row.must_change),
        made_at_ns=row.made_at_ns,
        disabled_at_ns=row.disabled_at_ns,
        has_password=bool(row.password_hash),
    )


def grant_of(row: Row[Any]) -> Grant:
    """A row of `grants`."""
    return Grant(
        grant_id=row.grant_id,
        user_id=row.user_id,
        scope=Scope(Level(row.level), row.scope_code),
        duties=frozenset(Duty(value) for value in json.loads(row.duties)),
        proposed_by=frozenset(json.loads(row.proposed_by)),
        proposed_at_ns=row.proposed_at_ns,
        decided_by=row.decided_by,
        approved_at_ns=row.approved_at_ns,
        rejected_at_ns=row.rejected_at_ns,
        revoked_at_ns=row.revoked_at_ns,
    )


def delegation_of(row: Row[Any]) -> Delegation:
    """A row of `delegations`."""
    return Delegation(
        delegation_id=row.delegation_id,
        grant_id=row.grant_id,
        from_user=row.from_user,
        to_user=row.to_user,
        reason=row.reason,
        from_ns=row.from_ns,
        until_ns=row.until_ns,
        ended_at_ns=row.ended_at_ns,
    )


def session_of(row: Row[Any]) -> Session:
    """A row of `sessions`."""
    return Session(
        session_id=row.session_id,
        user_id=row.user_id,
        seat=row.seat,
        made_at_ns=row.made_at_ns,
        seen_at_ns=row.seen_at_ns,
        address=row.address,
        agent=row.agent,
        code=row.code,
    )


def has_second_factor(db: Connection, user_id: str) -> bool:
    """Whether an account has one in force."""
    confirmed = select(second_factors.c.confirmed_at_ns).where(second_factors.c.user_id == user_id)
    return bool(db.scalar(confirmed))


def account_by_id(db: Connection, user_id: str) -> Account | None:
    """One account."""
    row = db.execute(select(accounts).where(accounts.c.user_id == user_id)).first()
    return account_of(row) if row else None


def account_by_login(db: Connection, login: str) -> Account | None:
    """One account, by its login name in the form that is kept."""
    row = db.execute(select(accounts).where(accounts.c.login == login)).first()
    return account_of(row) if row else None


def known_account(db: Connection, user_id: str) -> Account:
    """For a change: the row is locked. Raises RefusedError 404."""
    row = db.execute(select(accounts).where(accounts.c.user_id == user_id).with_for_update()).first()
    if row is None:
        raise RefusedError(404, "no_such_person", "没有这个账号", "no such account", "user_id")
    return account_of(row)


def known_grant(db: Connection, grant_id: str) -> Grant:
    """For a change: the row is locked. Raises RefusedError 404."""
    row = db.execute(select(grants).where(grants.c.grant_id == grant_id).with_for_update()).first()
    if row is None:
        raise RefusedError(404, "no_such_grant", "没有这项授权", "no such grant", "grant_id")
    return grant_of(row)


def known_delegation(db: Connection, delegation_id: str) -> Delegation:
    """For a change: the row is locked. Raises RefusedError 404."""
    found = select(delegations).where(delegations.c.delegation_id == delegation_id).with_for_update()
    row = db.execute(found).first()
    if row is None:
        raise RefusedError(404, "no_such_delegation", "没有这项代理", "no such delegation", "delegation_id")
    return delegation_of(row)
