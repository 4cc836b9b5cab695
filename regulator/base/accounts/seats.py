"""The seats somebody may act in now: grants in force of their own, and those they keep for somebody on leave.

In: an account and the time. Out: seats, the own ones first. What is two persons' work stays so: a delegate's actor
carries both user ids, and two-person rules compare `Actor.persons`.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from regulator.base.accounts.model import Account, Grant, Seat
from regulator.base.accounts.rows import account_by_id, delegation_of, grant_of
from regulator.base.model.actor import Actor
from regulator.base.records.tables.people import delegations, grants


def seats_of(db: Connection, account: Account, now_ns: int) -> tuple[Seat, ...]:
    """Every seat, in the order in which they were given. A disabled account has none."""
    if account.disabled_at_ns:
        return ()
    return (*_own(db, account), *_kept_for_others(db, account, now_ns))


def own_grants(db: Connection, user_id: str) -> list[Grant]:
    """Every grant that was ever proposed for somebody, oldest first."""
    found = select(grants).where(grants.c.user_id == user_id).order_by(grants.c.proposed_at_ns, grants.c.grant_id)
    return [grant_of(row) for row in db.execute(found)]


def _own(db: Connection, account: Account) -> Iterator[Seat]:
    for grant in own_grants(db, account.user_id):
        if grant.in_force:
            yield Seat(grant.grant_id, Actor(account.user_id, account.name, grant.scope, grant.duties))


def _kept_for_others(db: Connection, account: Account, now_ns: int) -> Iterator[Seat]:
    current = (delegations.c.from_ns <= now_ns) & (delegations.c.until_ns > now_ns) & (delegations.c.ended_at_ns == 0)
    found = select(delegations).where(delegations.c.to_user == account.user_id, current)
    for row in db.execute(found.order_by(delegations.c.made_at_ns, delegations.c.delegation_id)).all():
        delegation = delegation_of(row)
        giver = account_by_id(db, delegation.from_user)
        grant = db.execute(select(grants).where(grants.c.grant_id == delegation.grant_id)).first()
        if giver is None or giver.disabled_at_ns or grant is None or not grant_of(grant).in_force:
            continue
        held = grant_of(grant)
        actor = Actor(account.user_id, account.name, held.scope, held.duties, on_behalf_of=giver.user_id)
        yield Seat(delegation.delegation_id, actor, delegation.until_ns, giver.name)
