"""The set's door: proposals, and the decision of another person without which nothing changes.

    propose --> PROPOSED --decide--> APPROVED   the membership begins, or ends, on the effective day
                    |          |---> WAITING    approved, but there is no place: first come, first admitted
                    |          `---> REFUSED
                    `--withdraw--> WITHDRAWN

The effective day is never before the day of the decision, so that what was true on a past day stays so. The size is a
hard limit on every day from the effective day on, and so is a city's quota.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import Enum

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.act import Act
from regulator.base.coverage.set_membership import Membership, memberships_of, most_from
from regulator.base.days import day_of
from regulator.base.kinds import Category, ProjectStatus
from regulator.base.model.actor import Duty, Level
from regulator.base.model.authority import persons_of, require_duty, require_second_person
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.project_set import set_books, set_memberships, set_proposals
from regulator.base.texts import read_reason, read_text
from regulator.parts.registry.projects.project_office import take_project

PROPOSERS = (Duty.ADMINISTRATOR, Duty.REVIEWER, Duty.APPROVER)


class Action(Enum):
    """What is proposed."""

    ADD = "add"
    REMOVE = "remove"


class ProposalState(Enum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    WAITING = "waiting"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class SetRules:
    """The set's name, its size, and how many of it a city may have at most (cities without a quota: no limit)."""

    set_code: str
    size: int
    quotas: Mapping[str, int] = field(default_factory=dict)

    @property
    def chain(self) -> str:
        """The set's own chain in the ledger."""
        return f"set:{self.set_code}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """`ground`: what suggested it, `manual` for nobody but the proposer. `batch`: the import that it came with."""

    action: Action
    project_code: str
    effective_day: date
    category: Category = Category.OTHER
    category_reason: str = ""
    ground: str = "manual"
    batch: str = ""


def propose(act: Act, rules: SetRules, proposal: Proposal) -> str:
    """Put a change forward; the proposal's id. Raises RefusedError: 403, 404 outside the scope, 409 nothing to add or
    remove or already proposed, 422 a past day or no reason."""
    require_duty(act.actor, *PROPOSERS)
    take_set(act.db, rules)
    project = take_project(act.db, act.actor, proposal.project_code)
    _check_day(proposal.effective_day, act.now_ns)
    _check_open(act.db, rules, proposal.project_code)
    if proposal.action is Action.ADD:
        _check_category(proposal)
        _check_joinable(project.status)
        _check_not_in(act.db, rules, proposal.project_code, proposal.effective_day)
    else:
        _stay_to_end(act.db, rules, proposal.project_code, proposal.effective_day)
    proposal_id = uuid.uuid4().hex
    values = _columns(proposal) | {"set_code": rules.set_code, "reason": read_reason(act.reason)}
    act.db.execute(
        insert(set_proposals).values(
            **values,
            proposal_id=proposal_id,
            proposer=act.actor.user_id,
            proposer_for=act.actor.on_behalf_of,
            proposed_at_ns=act.now_ns,
        )
    )
    content = _columns(proposal) | {"proposal_id": proposal_id}
    act.write("set_proposed", proposal.project_code, content, proposal.project_code, rules.chain)
    return proposal_id


def decide(act: Act, rules: SetRules, proposal_id: str, *, approve: bool) -> ProposalState:
    """Approve or refuse; where it stands then. Raises RefusedError: 403 not the province's approver, or the same
    person; 404; 409 already decided or no longer possible; 422 its effective day has passed."""
    take_set(act.db, rules)
    row = _take_proposal(act, rules, proposal_id, ProposalState.PROPOSED)
    if not approve:
        return _settle(act, rules, row, ProposalState.REFUSED)
    day = date.fromisoformat(row.effective_day)
    _check_day(day, act.now_ns)
    if row.action == Action.REMOVE.value:
        _end_stay(act, rules, row, day)
        return _settle(act, rules, row, ProposalState.APPROVED)
    _check_not_in(act.db, rules, row.project_code, day)
    if _is_full(act.db, rules, _city_of(act, row.project_code), day):
        return _settle(act, rules, row, ProposalState.WAITING)
    _begin_stay(act, rules, row, day)
    return _settle(act, rules, row, ProposalState.APPROVED)


def admit(act: Act, rules: SetRules, proposal_id: str, day: date) -> None:
    """Give a free place to who waits for it, in the order of waiting. Raises RefusedError: as for deciding, and 409
    while there is no place or somebody before it fits, too."""
    take_set(act.db, rules)
    row = _take_proposal(act, rules, proposal_id, ProposalState.WAITING)
    _check_day(day, act.now_ns)
    for earlier in waiting_list(act.db, rules):
        if _is_full(act.db, rules, _city_of(act, earlier.project_code), day):
            continue
        if earlier.proposal_id != proposal_id:
            code = earlier.project_code
            raise RefusedError(409, "not_first", f"{code} 排在前面", f"{code} waits for longer", "proposal_id")
        _check_not_in(act.db, rules, row.project_code, day)
        _begin_stay(act, rules, row, day)
        _settle(act, rules, row, ProposalState.APPROVED)
        return
    raise RefusedError(409, "no_place", "名额已满", "there is no place", "proposal_id")


def withdraw(act: Act, rules: SetRules, proposal_id: str) -> None:
    """The proposer takes it back before it is decided. Raises RefusedError: 403 somebody else's, 404, 409 decided."""
    take_set(act.db, rules)
    row = _find(act.db, rules, proposal_id)
    if not act.actor.persons & persons_of(row.proposer, row.proposer_for):
        raise RefusedError(403, "not_yours", "只有提出人可以撤回", "only the proposer may withdraw it", "proposal_id")
    if row.state not in (ProposalState.PROPOSED.value, ProposalState.WAITING.value):
        raise RefusedError(409, "decided", "已作决定", "it has been decided", "proposal_id")
    _settle(act, rules, row, ProposalState.WITHDRAWN)


def waiting_list(db: Connection, rules: SetRules) -> "list[Row[tuple[str, ...]]]":
    """Who waits for a place, longest first."""
    at = set_proposals.c
    ours = (at.set_code == rules.set_code, at.state == ProposalState.WAITING.value)
    return list(db.execute(select(set_proposals).where(*ours).order_by(at.decided_at_ns, at.proposal_id)))


def take_set(db: Connection, rules: SetRules) -> None:
    """One at a time changes the set: held until the transaction ends."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    db.execute(dialect.insert(set_books).values(set_code=rules.set_code).on_conflict_do_nothing())
    db.execute(select(set_books).where(set_books.c.set_code == rules.set_code).with_for_update()).one()


def _find(db: Connection, rules: SetRules, proposal_id: str) -> "Row[tuple[str, ...]]":
    at = set_proposals.c
    ours = (at.set_code == rules.set_code, at.proposal_id == proposal_id)
    row = db.execute(select(set_proposals).where(*ours)).first()
    if row is None:
        raise RefusedError(404, "no_such_proposal", "没有这项提案", "no such proposal", "proposal_id")
    return row


def _take_proposal(act: Act, rules: SetRules, proposal_id: str, state: ProposalState) -> "Row[tuple[str, ...]]":
    """The proposal, for a decision on it: the right duty at the right level, another person, the right state."""
    require_duty(act.actor, Duty.APPROVER, levels=(Level.PROVINCE,))
    row = _find(act.db, rules, proposal_id)
    take_project(act.db, act.actor, row.project_code)
    if row.state != state.value:
        raise RefusedError(409, "decided", f"提案状态为 {row.state}", f"the proposal is {row.state}", "proposal_id")
    require_second_person(act.actor, persons_of(row.proposer, row.proposer_for))
    return row


def _settle(act: Act, rules: SetRules, row: "Row[tuple[str, ...]]", state: ProposalState) -> ProposalState:
    values = {
        "state": state.value,
        "decider": act.actor.user_id,
        "decider_for": act.actor.on_behalf_of,
        "decision": read_reason(act.reason),
        "decided_at_ns": act.now_ns,
    }
    act.db.execute(update(set_proposals).where(set_proposals.c.proposal_id == row.proposal_id).values(**values))
    content = {"proposal_id": row.proposal_id, "action": row.action, "state": state.value}
    act.write("set_decided", row.project_code, content, row.project_code, rules.chain)
    return state


def _begin_stay(act: Act, rules: SetRules, row: "Row[tuple[str, ...]]", day: date) -> None:
    stay = Membership(
        membership_id=uuid.uuid4().hex,
        project_code=row.project_code,
        city_code=_city_of(act, row.project_code),
        category=Category.of(row.category),
        category_reason=row.category_reason,
        from_day=day.isoformat(),
        until_day="",
        added_by=row.proposal_id,
        removed_by="",
    )
    values = asdict(stay) | {"category": stay.category.value}
    act.db.execute(insert(set_memberships).values(**values, set_code=rules.set_code))
    act.write("set_added", row.project_code, values, row.project_code, rules.chain)


def _end_stay(act: Act, rules: SetRules, row: "Row[tuple[str, ...]]", day: date) -> None:
    stay = _stay_to_end(act.db, rules, row.project_code, day)
    ended = {"until_day": day.isoformat(), "removed_by": row.proposal_id}
    at = set_memberships.c
    act.db.execute(update(set_memberships).where(at.membership_id == stay.membership_id).values(**ended))
    content = ended | {"membership_id": stay.membership_id}
    act.write("set_removed", row.project_code, content, row.project_code, rules.chain)


def _city_of(act: Act, project_code: str) -> str:
    return str(take_project(act.db, act.actor, project_code).city_code)


def _is_full(db: Connection, rules: SetRules, city_code: str, day: date) -> bool:
    """Whether one more from `day` on would pass the size, or the city's quota, on any day."""
    stays = memberships_of(db, rules.set_code)
    quota = rules.quotas.get(city_code)
    own = [stay for stay in stays if stay.city_code == city_code]
    full_here = quota is not None and most_from(own, day.isoformat()) >= quota
    return full_here or most_from(stays, day.isoformat()) >= rules.size


def _stay_to_end(db: Connection, rules: SetRules, project_code: str, day: date) -> Membership:
    for stay in memberships_of(db, rules.set_code, project_code):
        if not stay.until_day and stay.from_day < day.isoformat():
            return stay
    raise RefusedError(409, "not_a_member", "该项目当日之前不在名单内", "not a member before that day", "project_code")


def _check_not_in(db: Connection, rules: SetRules, project_code: str, day: date) -> None:
    for stay in memberships_of(db, rules.set_code, project_code):
        if not stay.until_day or stay.until_day > day.isoformat():
            raise RefusedError(409, "already_in", "该项目已在名单内", "it is already a member", "project_code")


def _check_open(db: Connection, rules: SetRules, project_code: str) -> None:
    at = set_proposals.c
    states = (ProposalState.PROPOSED.value, ProposalState.WAITING.value)
    ours = (at.set_code == rules.set_code, at.project_code == project_code, at.state.in_(states))
    if db.scalar(select(at.proposal_id).where(*ours)) is not None:
        raise RefusedError(409, "already_proposed", "该项目有未决提案", "a proposal is still open", "project_code")


def _check_day(day: date, now_ns: int) -> None:
    today = day_of(now_ns)
    if day < today:
        raise RefusedError(
            422,
            "back_dated",
            f"生效日 {day} 早于今天 {today}：名单不得倒签",
            f"{day} is before today, {today}: the set cannot be changed for past days",
            "effective_day",
        )


def _check_category(proposal: Proposal) -> None:
    if proposal.category is Category.OTHER:
        read_text(proposal.category_reason, "category_reason", most=2000)


def _check_joinable(status: str) -> None:
    kind = ProjectStatus.of(status)
    if kind in (ProjectStatus.FINISHED, ProjectStatus.ENDED, ProjectStatus.UNREGISTERED):
        raise RefusedError(409, "not_running", f"项目{kind.zh}", f"the project is {kind.en}", "project_code")


def _columns(proposal: Proposal) -> dict[str, str]:
    return {
        "action": proposal.action.value,
        "project_code": proposal.project_code,
        "category": proposal.category.value if proposal.action is Action.ADD else "",
        "category_reason": proposal.category_reason.strip(),
        "effective_day": proposal.effective_day.isoformat(),
        "ground": proposal.ground,
        "batch": proposal.batch,
    }
