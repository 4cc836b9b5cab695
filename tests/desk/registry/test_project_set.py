"""The set: two people for every change, a hard size with a waiting list, quotas, and days that are never rewritten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from regulator.base.coverage.set_membership import members_on
from regulator.base.kinds import Category, ProjectStatus
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.parts.registry.projects.project_office import move_project
from regulator.parts.registry.projects.set_office import (
    Action,
    Proposal,
    ProposalState,
    SetRules,
    admit,
    decide,
    propose,
    waiting_list,
    withdraw,
)
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import (
    ADMIN,
    APPROVER,
    CITY_ADMIN,
    CITY_APPROVER,
    PROVINCE,
    VIEWER,
    RegistryDesk,
    person,
)

SECOND = person("second", PROVINCE, Duty.APPROVER)
BOTH = person("both", PROVINCE, Duty.ADMINISTRATOR, Duty.APPROVER)
STAND_IN = person("stand-in", PROVINCE, Duty.APPROVER, on_behalf_of="both")
A_DAY = timedelta(days=1)


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    return RegistryDesk(database, ledger, clock, SetRules("44", 3, {"4403": 1}))


def put_forward(desk: RegistryDesk, code: str, day: date, *, by: Actor = ADMIN, action: Action = Action.ADD) -> str:
    with desk.act(by, "名单更新") as act:
        return propose(act, desk.rules, Proposal(action, code, day, Category.URBAN_RAIL))


def settle(desk: RegistryDesk, proposal_id: str, *, by: Actor = APPROVER, approve: bool = True) -> ProposalState:
    with desk.act(by, "审核") as act:
        return decide(act, desk.rules, proposal_id, approve=approve)


def members(desk: RegistryDesk, day: date) -> list[str]:
    with desk.database.reading() as db:
        return [stay.project_code for stay in members_on(db, "44", day)]


def test_nobody_decides_alone(desk: RegistryDesk) -> None:
    desk.plant(1)
    own = put_forward(desk, "p-001", desk.today, by=BOTH)
    for actor, code in (
        (BOTH, "same_person"),
        (STAND_IN, "same_person"),
        (ADMIN, "not_your_duty"),
        (CITY_APPROVER, "not_your_duty"),
        (VIEWER, "not_your_duty"),
    ):
        with pytest.raises(RefusedError, match=code):
            settle(desk, own, by=actor)
    assert members(desk, desk.today) == []
    assert settle(desk, own, by=SECOND) is ProposalState.APPROVED
    assert members(desk, desk.today) == ["p-001"]
    with pytest.raises(RefusedError, match="decided"):
        settle(desk, own, by=SECOND, approve=False)


def test_what_may_not_be_proposed(desk: RegistryDesk) -> None:
    desk.plant(2)
    desk.plant(1, city="4403", county="440303", first=3)
    desk.join("p-001")
    for code, day, by, action, expected in (
        ("p-001", desk.today, ADMIN, Action.ADD, "already_in"),
        ("p-002", desk.today, ADMIN, Action.REMOVE, "not_a_member"),
        ("p-002", desk.today - A_DAY, ADMIN, Action.ADD, "back_dated"),
        ("p-003", desk.today, CITY_ADMIN, Action.ADD, "no_such_project"),
        ("p-002", desk.today, VIEWER, Action.ADD, "not_your_duty"),
    ):
        with pytest.raises(RefusedError, match=expected):
            put_forward(desk, code, day, by=by, action=action)
    with pytest.raises(RefusedError, match="missing") as told, desk.act(ADMIN) as act:
        propose(act, desk.rules, Proposal(Action.ADD, "p-002", desk.today, Category.OTHER))
    assert told.value.field == "category_reason"
    with pytest.raises(RefusedError, match="missing"), desk.act(ADMIN, "") as act:
        propose(act, desk.rules, Proposal(Action.ADD, "p-002", desk.today, Category.URBAN_RAIL))
    put_forward(desk, "p-002", desk.today)
    with pytest.raises(RefusedError, match="already_proposed"):
        put_forward(desk, "p-002", desk.today)
    with desk.act(ADMIN) as act:
        move_project(act, "p-003", ProjectStatus.FINISHED, desk.today)
    with pytest.raises(RefusedError, match="not_running"):
        put_forward(desk, "p-003", desk.today)


def test_a_decision_that_comes_too_late_is_refused(desk: RegistryDesk) -> None:
    desk.plant(1)
    waiting = put_forward(desk, "p-001", desk.today)
    desk.clock.move(hours=15.9)
    assert desk.today == date(2026, 3, 1)
    desk.clock.move(hours=0.2)
    with pytest.raises(RefusedError, match="back_dated"):
        settle(desk, waiting)
    assert settle(desk, waiting, approve=False) is ProposalState.REFUSED
    assert members(desk, desk.today) == members(desk, desk.today - A_DAY) == []


def test_a_full_set_makes_wait_and_admits_in_order(desk: RegistryDesk) -> None:
    desk.plant(5)
    desk.join("p-001", "p-002", "p-003")
    fourth, fifth = (put_forward(desk, code, desk.today) for code in ("p-004", "p-005"))
    assert settle(desk, fourth) is ProposalState.WAITING
    desk.clock.move(seconds=1)
    assert settle(desk, fifth) is ProposalState.WAITING
    with pytest.raises(RefusedError, match="no_place"), desk.act(APPROVER) as act:
        admit(act, desk.rules, fourth, desk.today)
    leaving = put_forward(desk, "p-002", desk.today + A_DAY, action=Action.REMOVE)
    assert settle(desk, leaving) is ProposalState.APPROVED
    with pytest.raises(RefusedError, match="not_first"), desk.act(APPROVER) as act:
        admit(act, desk.rules, fifth, desk.today + A_DAY)
    with pytest.raises(RefusedError, match="no_place"), desk.act(APPROVER) as act:
        admit(act, desk.rules, fourth, desk.today)
    with desk.act(APPROVER) as act:
        admit(act, desk.rules, fourth, desk.today + A_DAY)
    assert members(desk, desk.today) == ["p-001", "p-002", "p-003"]
    assert members(desk, desk.today + A_DAY) == ["p-001", "p-003", "p-004"]
    with desk.database.reading() as db:
        assert [row.project_code for row in waiting_list(db, desk.rules)] == ["p-005"]


def test_a_citys_quota_holds_though_the_set_has_places(desk: RegistryDesk) -> None:
    desk.plant(2, city="4403", county="440303")
    desk.plant(1, first=3)
    desk.join("p-001", "p-002")
    assert members(desk, desk.today) == ["p-001"]
    desk.join("p-003")
    assert members(desk, desk.today) == ["p-001", "p-003"]


def test_two_replicas_never_fill_the_same_place(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> None:
    desk = RegistryDesk(database, ledger, clock, SetRules("44", 1))
    desk.plant(4)
    waiting = [put_forward(desk, code, desk.today) for code in ("p-001", "p-002", "p-003", "p-004")]
    with ThreadPoolExecutor(4) as replicas:
        states = sorted(state.value for state in replicas.map(lambda each: settle(desk, each), waiting))
    assert states == ["approved", "waiting", "waiting", "waiting"]
    assert len(members(desk, desk.today)) == 1


def test_only_the_proposer_withdraws(desk: RegistryDesk) -> None:
    desk.plant(1)
    own = put_forward(desk, "p-001", desk.today)
    with pytest.raises(RefusedError, match="not_yours"), desk.act(SECOND) as act:
        withdraw(act, desk.rules, own)
    with desk.act(ADMIN) as act:
        withdraw(act, desk.rules, own)
    with pytest.raises(RefusedError, match="decided"):
        settle(desk, own)
