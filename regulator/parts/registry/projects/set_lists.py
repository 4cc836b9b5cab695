"""What the set's page shows: members on a day with their names, proposals, and who waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Row, select

from regulator.base.coverage.set_membership import Membership, members_on
from regulator.base.model.actor import Actor
from regulator.base.records.among import among
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.people import accounts
from regulator.base.records.tables.project_set import set_proposals
from regulator.base.records.tables.registry import projects
from regulator.parts.registry.projects.set_office import ProposalState

DECIDED = 50
Rows = Sequence[Row[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class SetView:
    """The set on a day, in the actor's scope. `names` by project code, `people` by user id."""

    members: Sequence[Membership]
    proposed: Rows
    waiting: Rows
    decided: Rows
    names: dict[str, str]
    people: dict[str, str]


def set_view(db: Connection, actor: Actor, set_code: str, day: date) -> SetView:
    """Members on `day`; proposals as they stand now."""
    members = members_on(db, set_code, day, actor.scope)
    at = set_proposals.c
    ours = select(set_proposals).where(at.set_code == set_code, in_scope(actor.scope, at.project_code))
    open_ones = ours.where(at.state == ProposalState.PROPOSED.value).order_by(at.proposed_at_ns, at.proposal_id)
    waits = ours.where(at.state == ProposalState.WAITING.value).order_by(at.decided_at_ns, at.proposal_id)
    over = ours.where(at.decided_at_ns > 0).order_by(at.decided_at_ns.desc(), at.proposal_id).limit(DECIDED)
    proposed, waiting, decided = (db.execute(each).all() for each in (open_ones, waits, over))
    rows = [*proposed, *waiting, *decided]
    codes = {stay.project_code for stay in members} | {str(row.project_code) for row in rows}
    users = {str(user) for row in rows for user in (row.proposer, row.decider) if user}
    return SetView(members, proposed, waiting, decided, _names(db, codes), _people(db, users))


def _names(db: Connection, codes: set[str]) -> dict[str, str]:
    at = projects.c
    return {row[0]: row[1] for row in db.execute(select(at.project_code, at.name).where(among(at.project_code, codes)))}


def _people(db: Connection, users: set[str]) -> dict[str, str]:
    at = accounts.c
    return {row[0]: row[1] for row in db.execute(select(at.user_id, at.name).where(among(at.user_id, users)))}
