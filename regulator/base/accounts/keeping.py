"""Who keeps whose account: an administrator keeps the accounts at home in their scope, and grants only what lies in it.

In: an administrator's actor. Out: the people they keep, checks before a change. Nobody else's are shown or changed.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from regulator.base.accounts.bindings import Binding, bindings_of
from regulator.base.accounts.coverage import coverage_of
from regulator.base.accounts.model import Account, Grant
from regulator.base.accounts.rows import account_of, grant_of, known_account, known_grant
from regulator.base.model.actor import Actor, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.people import accounts, grants, second_factors
from regulator.base.records.tables.registry import firms, projects, regions


@dataclass(frozen=True, slots=True)
class Kept:
    """One person, every grant that was ever proposed for them within the keeper's scope, and whom they sign on as."""

    account: Account
    grants: tuple[Grant, ...]
    binding: Binding | None
    has_second_factor: bool = False


def people_kept(db: Connection, actor: Actor) -> list[Kept]:
    """By login name; disabled ones too."""
    coverage = coverage_of(db, actor.scope)
    held: dict[str, list[Grant]] = {}
    for row in db.execute(select(grants).order_by(grants.c.proposed_at_ns, grants.c.grant_id)):
        grant = grant_of(row)
        if coverage.holds(grant.scope):
            held.setdefault(grant.user_id, []).append(grant)
    people = [account_of(row) for row in db.execute(select(accounts).order_by(accounts.c.login))]
    mine = [account for account in people if coverage.holds(account.home)]
    bindings = bindings_of(db, [account.user_id for account in mine])
    at = second_factors.c
    with_factor = set(db.scalars(select(at.user_id).where(at.confirmed_at_ns > 0)))
    return [
        Kept(each, tuple(held.get(each.user_id, ())), bindings.get(each.user_id), each.user_id in with_factor)
        for each in mine
    ]


def require_keeper(db: Connection, actor: Actor, user_id: str) -> Account:
    """Raises RefusedError 404 for an account that is not the actor's to keep."""
    account = known_account(db, user_id)
    if not coverage_of(db, actor.scope).holds(account.home):
        raise RefusedError(404, "no_such_person", "没有这个账号", "no such account", "user_id")
    return account


def require_grant_kept(db: Connection, actor: Actor, grant_id: str) -> Grant:
    """Raises RefusedError 404 for a grant outside the actor's scope."""
    grant = known_grant(db, grant_id)
    if not coverage_of(db, actor.scope).holds(grant.scope):
        raise RefusedError(404, "no_such_grant", "没有这项授权", "no such grant", "grant_id")
    return grant


def scope_to_grant(db: Connection, actor: Actor, level: str, code: str) -> Scope:
    """A scope as somebody typed it. Raises RefusedError: 422 no such level or code, 403 not inside the actor's."""
    try:
        scope = Scope(Level(level), code.strip())
    except ValueError:
        raise RefusedError(422, "bad_level", "没有这个层级", f"no such level: {level}", "level") from None
    if not _known(db, scope):
        words = ("登记册中没有这个代码", f"the register has no {scope.level.value} {scope.code or '(empty)'}")
        raise RefusedError(422, "no_such_scope", *words, "code")
    if not coverage_of(db, actor.scope).holds(scope):
        words = ("该范围不在您的管辖内", "this scope is not inside yours")
        raise RefusedError(403, "outside_scope", *words, "code")
    return scope


def _known(db: Connection, scope: Scope) -> bool:
    """A province needs no register: it is the desk's own."""
    if scope.level is Level.PROVINCE:
        return True
    if scope.level is Level.FIRM:
        return db.scalar(select(firms.c.firm_code).where(firms.c.firm_code == scope.code)) is not None
    if scope.level is Level.PROJECT:
        return db.scalar(select(projects.c.project_code).where(projects.c.project_code == scope.code)) is not None
    wanted = (regions.c.code == scope.code) & (regions.c.level == scope.level.value)
    return db.scalar(select(regions.c.code).where(wanted)) is not None
