"""My work: tasks that the duties of a seat can do now, each with its count and its list.

    reviewer judges, orders, rechecks | inspector looks on site | approver is the second or higher person
    administrator settles grants and unregistered projects | responder accepts and puts right

What somebody proposed does not wait for the same person. For a viewer or an auditor nothing waits but
what they were told and have not read, and what stands where they are guarantors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from sqlalchemy import ColumnElement, Connection, Table, func, select

from regulator.base.days import day_of
from regulator.base.kinds import ProjectStatus
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.hazard_states import HazardState
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.duties import hazard_notices
from regulator.base.records.tables.hazards import hazard_analogies, hazard_requests, hazards
from regulator.base.records.tables.project_set import set_proposals
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items, review_site_checks
from regulator.parts.hazards.requests import asked_of
from regulator.parts.registry.guaranteed_alarms import guaranteed_alarms
from regulator.parts.registry.projects.set_office import ProposalState
from regulator.parts.registry.rounds.monthly import MonthState, monthly_tasks
from regulator.parts.review.shelf import waiting

S = HazardState


class Work(Enum):
    """What there is to do, and the page that lists it."""

    JUDGE_ITEMS = "/review"
    JUDGE_HAZARDS = "/hazards?state=pending"
    ORDER = "/hazards?state=confirmed"
    RECHECK = "/hazards?state=awaiting_recheck"
    REFUSED = "/hazards?state=refused_by_site"
    SITE_CHECKS = "/review/checks"
    SITE_CHECK_HAZARDS = "/hazards?state=site_check"
    LOOK_ALIKES = "/supervision"
    KEY_RISKS = "/key-risks?month=open"
    REQUESTS = "/hazards?asked=yes"
    PROPOSALS = "/set"
    EXITS = "/key-risks?month=exit"
    UNREGISTERED = "/projects?status=unregistered"
    ACCEPT = "/hazards?state=ordered"
    PUT_RIGHT = "/hazards?state=rectifying"
    READ = "/hazards?unread=yes"
    GUARANTEED = "/guarantors"


@dataclass(frozen=True, slots=True)
class Task:
    """One line. `since_ns`: when the oldest came (UTC); 0 where that is not kept."""

    work: Work
    count: int
    since_ns: int = 0


def waits_for(db: Connection, actor: Actor, now_ns: int) -> tuple[Task, ...]:
    """Everything that this seat may do and that is there to be done, in the order of the duties."""
    today = day_of(now_ns)
    found = [*_judging(db, actor, now_ns), *_inspecting(db, actor, today), *_approving(db, actor, today)]
    found += [*_keeping(db, actor), *_answering(db, actor), _told(db, actor), _guaranteed(db, actor)]
    return tuple(task for task in found if task.count)


def _judging(db: Connection, actor: Actor, now_ns: int) -> Iterator[Task]:
    if not actor.has(Duty.REVIEWER):
        return
    at = review_items.c
    yield _task(db, Work.JUDGE_ITEMS, review_items, at.queued_at_ns, waiting(actor, now_ns))
    by_state = {
        S.PENDING: Work.JUDGE_HAZARDS,
        S.CONFIRMED: Work.ORDER,
        S.AWAITING_RECHECK: Work.RECHECK,
        S.REFUSED_BY_SITE: Work.REFUSED,
    }
    yield from _hazards(db, actor, by_state)


def _inspecting(db: Connection, actor: Actor, today: date) -> Iterator[Task]:
    if not actor.has(Duty.INSPECTOR):
        return
    check, alike = review_site_checks.c, hazard_analogies.c
    asked = (check.outcome == "", in_scope(actor.scope, check.project_code))
    yield _task(db, Work.SITE_CHECKS, review_site_checks, check.asked_at_ns, *asked)
    yield from _hazards(db, actor, {S.SITE_CHECK: Work.SITE_CHECK_HAZARDS})
    owed = (alike.done_at_ns == 0, in_scope(actor.scope, alike.project_code))
    yield _task(db, Work.LOOK_ALIKES, hazard_analogies, alike.created_at_ns, *owed)
    tasks = monthly_tasks(db, actor.scope, today)
    yield Task(Work.KEY_RISKS, sum(task.state is not MonthState.DONE for task in tasks))


def _approving(db: Connection, actor: Actor, today: date) -> Iterator[Task]:
    if not actor.has(Duty.APPROVER):
        return
    request, proposal = hazard_requests.c, set_proposals.c
    yield _task(db, Work.REQUESTS, hazard_requests, request.asked_at_ns, asked_of(actor))
    proposed = (
        proposal.state == ProposalState.PROPOSED.value,
        proposal.proposer.not_in(actor.persons),
        in_scope(actor.scope, proposal.project_code),
    )
    yield _task(db, Work.PROPOSALS, set_proposals, proposal.proposed_at_ns, *proposed)
    tasks = monthly_tasks(db, actor.scope, today)
    handed_in = (task for task in tasks if task.report_sha256 and task.exit_proposer not in actor.persons)
    yield Task(Work.EXITS, sum(1 for _ in handed_in))


def _keeping(db: Connection, actor: Actor) -> Iterator[Task]:
    if not actor.has(Duty.ADMINISTRATOR):
        return
    at = projects.c
    unknown = (at.status == ProjectStatus.UNREGISTERED.value, in_scope(actor.scope, at.project_code))
    yield _task(db, Work.UNREGISTERED, projects, at.registered_at_ns, *unknown)


def _answering(db: Connection, actor: Actor) -> Iterator[Task]:
    if not actor.has(Duty.RESPONDER):
        return
    yield from _hazards(db, actor, {S.ORDERED: Work.ACCEPT, S.RECTIFYING: Work.PUT_RIGHT})


def _told(db: Connection, actor: Actor) -> Task:
    at = hazard_notices.c
    unread = (at.user_id == actor.user_id, at.read_at_ns == 0, in_scope(actor.scope, at.project_code))
    return _task(db, Work.READ, hazard_notices, at.told_at_ns, *unread)


def _guaranteed(db: Connection, actor: Actor) -> Task:
    standing = guaranteed_alarms(db, actor)
    return Task(Work.GUARANTEED, len(standing), min((each.raised_at_ns for each in standing), default=0))


def _hazards(db: Connection, actor: Actor, works: dict[HazardState, Work]) -> Iterator[Task]:
    at = hazards.c
    wanted = (at.state.in_([state.value for state in works]), in_scope(actor.scope, at.project_code))
    counted = select(at.state, func.count(), func.min(at.opened_at_ns)).where(*wanted).group_by(at.state)
    found = {row[0]: (row[1], row[2]) for row in db.execute(counted)}
    for state, work in works.items():
        yield Task(work, *found.get(state.value, (0, 0)))


def _task(db: Connection, work: Work, table: Table, since: "ColumnElement[int]", *where: "ColumnElement[bool]") -> Task:
    row = db.execute(select(func.count(), func.min(since)).select_from(table).where(*where)).one()
    return Task(work, row[0], row[1] or 0)
