"""Rounds follow the registry and lose nothing on the way; the key-risk list is left by two people and a report only."""

import contextlib
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from regulator.base.kinds import Answer, DeviceKind, ItemLevel, RiskKind
from regulator.base.listed import Listed
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.rounds import round_items
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.registry.projects.device_office import Device, add_device, end_device
from regulator.parts.registry.projects.project_office import Project, register_project
from regulator.parts.registry.rounds.coverage import coverage_of, days_left, dropped_items, not_inspected
from regulator.parts.registry.rounds.key_risk import (
    RiskEvent,
    approve_exit,
    list_by_hand,
    list_by_rules,
    propose_exit,
    record_event,
)
from regulator.parts.registry.rounds.monthly import monthly_tasks
from regulator.parts.registry.rounds.round_office import (
    Check,
    Inspecting,
    ItemKey,
    check_item,
    follow_registry,
    open_round,
)
from regulator.parts.registry.rounds.sheet_file import load_sheets
from regulator.parts.registry.rounds.sheets import SheetKind
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import (
    ADMIN,
    APPROVER,
    CITY_ADMIN,
    CITY_APPROVER,
    FIRM_PERSON,
    INSPECTOR,
    PROVINCE,
    RegistryDesk,
    person,
)

CRANE = ItemKey(ItemLevel.DEVICE, project_code="p-001", device_code="crane-1")
BOOK = load_sheets()
INSPECTING = Inspecting(BOOK, open_hazard)
IN_ORDER = {question.key: Answer.FITS for question in BOOK.questions(SheetKind.SITE)}
SHA = "a" * 64


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(1)
    made.plant(1, city="4403", county="440303", first=2)
    made.equip("p-001", "crane-1", "crane-2")
    made.equip("p-001", "cam-1", kind=DeviceKind.CAMERA)
    return made


def opened(desk: RegistryDesk) -> str:
    with desk.act(ADMIN, "第一轮") as act:
        return open_round(act, "第一轮", desk.today, desk.today + timedelta(days=30))


def left(desk: RegistryDesk, round_id: str) -> list[tuple[str, str, str]]:
    with desk.database.reading() as db:
        rows = not_inspected(db, round_id, PROVINCE)
    return [(row.level, row.firm_code or row.device_code or row.project_code, row.sheet) for row in rows]


def test_a_round_lists_everything_but_cameras_and_follows_the_registry(desk: RegistryDesk) -> None:
    round_id = opened(desk)
    assert left(desk, round_id) == [
        ("project", "p-001", "duty"),
        ("project", "p-001", "site"),
        ("project", "p-002", "duty"),
        ("project", "p-002", "site"),
        ("firm", "f-1", "duty"),
        ("device", "crane-1", "site"),
        ("device", "crane-2", "site"),
    ]
    with desk.act(INSPECTOR, "现场检查") as act:
        check_item(act, INSPECTING, round_id, Check(CRANE, SheetKind.SITE, IN_ORDER))
    with desk.act(INSPECTOR, "拆除") as act:
        end_device(act, "p-001", "crane-1")
        end_device(act, "p-001", "crane-2")
        add_device(act, Device("p-001", "crane-3", DeviceKind.TOWER_CRANE, "3号塔机"))
        assert follow_registry(act, round_id) == 1
    with desk.database.reading() as db:
        device = coverage_of(db, round_id, PROVINCE)[2]
        assert (device.checked, device.all, device.dropped) == (1, 2, 1)
        assert [row.device_code for row in dropped_items(db, round_id, PROVINCE)] == ["crane-2"]
        city = coverage_of(db, round_id, CITY_ADMIN.scope)
    assert [each.all for each in city] == [1, 1, 2]
    assert days_left("2026-03-31", desk.today) == 30
    assert days_left("2026-02-27", desk.today) == -2


def test_sheets_are_answered_whole_and_once_and_by_inspectors(desk: RegistryDesk) -> None:
    round_id = opened(desk)
    hazard = {**IN_ORDER, "state": Answer.HAZARD}
    for actor, check, code in (
        (FIRM_PERSON, Check(CRANE, SheetKind.SITE, IN_ORDER), "not_your_duty"),
        (ADMIN, Check(CRANE, SheetKind.SITE, IN_ORDER), "not_your_duty"),
        (INSPECTOR, Check(CRANE, SheetKind.SITE, {"plan": Answer.FITS}), "not_answered"),
        (INSPECTOR, Check(CRANE, SheetKind.SITE, hazard), "missing"),
        (INSPECTOR, Check(CRANE, SheetKind.DUTY, IN_ORDER), "not_on_the_list"),
        (
            person("other-city", CITY_ADMIN.scope, Duty.INSPECTOR),
            Check(ItemKey(ItemLevel.PROJECT, "", "p-002"), SheetKind.SITE, IN_ORDER),
            "not_on_the_list",
        ),
    ):
        with pytest.raises(RefusedError, match=code), desk.act(actor) as act:
            check_item(act, INSPECTING, round_id, check)
    with desk.act(INSPECTOR) as act:
        check_item(act, INSPECTING, round_id, Check(CRANE, SheetKind.SITE, hazard, "力矩限制器失效"))
    with pytest.raises(RefusedError, match="checked_before"), desk.act(INSPECTOR) as act:
        check_item(act, INSPECTING, round_id, Check(CRANE, SheetKind.SITE, IN_ORDER))
    with pytest.raises(RefusedError, match="no_such_round"), desk.act(CITY_APPROVER) as act:
        follow_registry(act, round_id)


def listed(desk: RegistryDesk) -> list[tuple[str, tuple[RiskKind, ...]]]:
    with desk.database.transaction() as db:
        list_by_rules(db, desk.ledger, desk.clock())
    with desk.database.reading() as db:
        return [(task.listed.code, task.grounds) for task in monthly_tasks(db, PROVINCE, desk.today)]


def happened(desk: RegistryDesk, kind: RiskKind, on: date, *, points: int = 0, firm: bool = False) -> None:
    codes = {"firm_code": "f-1"} if firm else {"project_code": "p-001"}
    with desk.act(ADMIN, "登记") as act:
        record_event(act, RiskEvent(kind, on, "登记", points=points, **codes))


def test_rules_list_with_their_reason(desk: RegistryDesk) -> None:
    happened(desk, RiskKind.ACCIDENT, date(2024, 2, 29))
    happened(desk, RiskKind.POINTS, date(2025, 2, 1), points=39)
    happened(desk, RiskKind.POINTS, date(2025, 12, 1), points=20)
    assert listed(desk) == []
    happened(desk, RiskKind.POINTS, date(2026, 2, 1), points=20)
    assert listed(desk) == [("p-001", (RiskKind.POINTS,))]
    happened(desk, RiskKind.ACCIDENT, date(2024, 3, 1), firm=True)
    happened(desk, RiskKind.STOP_ORDER, date(2019, 1, 1))
    assert listed(desk) == [
        ("f-1", (RiskKind.ACCIDENT,)),
        ("p-001", (RiskKind.POINTS, RiskKind.STOP_ORDER)),
    ]


def test_bad_events_are_refused(desk: RegistryDesk) -> None:
    for event, code in (
        (RiskEvent(RiskKind.ACCIDENT, desk.today, "x"), "missing"),
        (RiskEvent(RiskKind.ACCIDENT, desk.today + timedelta(days=1), "x", project_code="p-001"), "wrong_days"),
        (RiskEvent(RiskKind.POINTS, desk.today, "x", project_code="p-001"), "wrong_points"),
        (RiskEvent(RiskKind.ACCIDENT, desk.today, "x", project_code="p-404"), "no_such_project"),
        (RiskEvent(RiskKind.ACCIDENT, desk.today, " ", project_code="p-001"), "missing"),
    ):
        with pytest.raises(RefusedError, match=code), desk.act(ADMIN) as act:
            record_event(act, event)


def test_out_only_with_a_report_and_a_second_person(desk: RegistryDesk) -> None:
    thing = Listed(ItemLevel.PROJECT, "p-001")
    both = person("both", PROVINCE, Duty.REVIEWER, Duty.APPROVER)
    happened(desk, RiskKind.STOP_ORDER, date(2026, 1, 1))
    with desk.act(ADMIN, "领导要求关注") as act:
        list_by_hand(act, thing)
    with pytest.raises(RefusedError, match="no_report"), desk.act(both) as act:
        propose_exit(act, thing, SHA, lambda _sha: False)
    with pytest.raises(RefusedError, match="no_report"), desk.act(APPROVER) as act:
        approve_exit(act, thing)
    assert listed(desk) == [("p-001", (RiskKind.STOP_ORDER, RiskKind.MANUAL))]
    with desk.act(both, "专家评估通过") as act:
        propose_exit(act, thing, SHA, SHA.__eq__)
    for actor, code in ((both, "same_person"), (ADMIN, "not_your_duty")):
        with pytest.raises(RefusedError, match=code), desk.act(actor) as act:
            approve_exit(act, thing)
    with desk.act(CITY_APPROVER, "同意移出") as act:
        approve_exit(act, thing)
    assert listed(desk) == [], "what the experts judged does not list again"
    desk.clock.move(days=1)
    happened(desk, RiskKind.STOP_ORDER, desk.today)
    assert listed(desk) == [("p-001", (RiskKind.STOP_ORDER,))]


def round_hazards(desk: RegistryDesk) -> list[tuple[str, str, str, str, str]]:
    at = hazards.c
    with desk.database.reading() as db:
        rows = db.execute(select(hazards).where(at.channel == "round").order_by(at.title_zh))
        return sorted((row.project_code, row.place_id, row.title_zh, row.state, row.words) for row in rows)


def test_what_is_not_in_order_on_a_sheet_opens_a_hazard_at_once(desk: RegistryDesk) -> None:
    round_id = opened(desk)
    answers = {**IN_ORDER, "state": Answer.HAZARD, "people": Answer.HAZARD, "plan": Answer.NOT_APPLICABLE}
    check = Check(CRANE, SheetKind.SITE, answers, "力矩限制器失效")
    with desk.act(INSPECTOR) as act:
        check_id = check_item(act, INSPECTING, round_id, check)
    assert round_hazards(desk) == [
        ("p-001", "crane-1", "作业人员无证或防护不到位", "pending", "力矩限制器失效"),
        ("p-001", "crane-1", "实体状态不符合标准", "pending", "力矩限制器失效"),
    ]
    with pytest.raises(RefusedError, match="checked_before"), desk.act(INSPECTOR) as act:
        check_item(act, INSPECTING, round_id, check)
    with desk.act(INSPECTOR) as act:
        act.db.execute(update(round_items).where(round_items.c.check_id == check_id).values(check_id=""))
        check_item(act, INSPECTING, round_id, check)
    assert len(round_hazards(desk)) == 2


def test_a_sheet_that_was_rolled_back_opens_nothing(desk: RegistryDesk) -> None:
    round_id = opened(desk)
    answers = {**IN_ORDER, "state": Answer.HAZARD}
    first, second = (Check(CRANE, SheetKind.SITE, answers, "力矩限制器失效") for _ in range(2))
    with contextlib.suppress(RefusedError), desk.act(INSPECTOR) as act:
        check_item(act, INSPECTING, round_id, first)
        assert act.db.scalar(select(hazards.c.channel)) == "round"
        check_item(act, INSPECTING, round_id, second)
    assert round_hazards(desk) == []
    assert ("device", "crane-1", "site") in left(desk, round_id)


def test_a_hazard_of_a_firms_sheet_is_one_of_a_project_of_the_firm(desk: RegistryDesk) -> None:
    round_id = opened(desk)
    firm = ItemKey(ItemLevel.FIRM, "f-1")
    answers = {question.key: Answer.FITS for question in BOOK.questions(SheetKind.DUTY)} | {"training": Answer.HAZARD}
    with desk.act(ADMIN) as act:
        register_project(act, Project("p-009", "别家项目", "44", "4401", "440105", started_on="2025-01-01"))
    for project, code in (("", "project_needed"), ("p-404", "no_such_project"), ("p-009", "not_of_the_firm")):
        with pytest.raises(RefusedError, match=code), desk.act(INSPECTOR) as act:
            check_item(act, INSPECTING, round_id, Check(firm, SheetKind.DUTY, answers, "未交底", project))
    with desk.act(INSPECTOR) as act:
        check_item(act, INSPECTING, round_id, Check(firm, SheetKind.DUTY, answers, "未交底", "p-002"))
    assert [row[:2] for row in round_hazards(desk)] == [("p-002", "f-1")]
