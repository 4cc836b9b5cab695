"""Entering and changing: who may, what is refused, and that every change stands in the ledger with its reason."""

import pytest
from sqlalchemy import select

from contract.chain import ChainHead
from contract.signing import SignKey
from regulator.base.kinds import DeviceKind, FirmRole, ProjectStatus, RegionLevel, WorkStage, WorkType
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_of, verify_ledger
from regulator.base.records.scope import may_see
from regulator.base.records.tables.registry import dangerous_works, devices, projects
from regulator.parts.registry.projects.device_office import (
    DangerousWork,
    Device,
    add_device,
    end_device,
    put_work,
    watch_work,
)
from regulator.parts.registry.projects.project_office import (
    Project,
    change_project,
    move_project,
    register_project,
    release_firm,
)
from regulator.parts.registry.projects.region_office import Region, add_region
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, CITY_ADMIN, FIRM_PERSON, INSPECTOR, VIEWER, RegistryDesk

PLAIN = Project("p-9", "地铁九号线", "44", "4401", "440105")


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    return RegistryDesk(database, ledger, clock)


def refused(desk: RegistryDesk, actor: Actor, project: Project) -> tuple[int, str, str]:
    with pytest.raises(RefusedError) as told, desk.act(actor) as act:
        register_project(act, project)
    return told.value.status, told.value.code, told.value.field


def test_every_change_stands_in_the_projects_chain(desk: RegistryDesk, desk_key: SignKey) -> None:
    with desk.act(CITY_ADMIN, "新开工") as act:
        register_project(act, PLAIN)
        change_project(act, Project("p-9", "地铁九号线一标", "44", "4401", "440105"))
        move_project(act, "p-9", ProjectStatus.RUNNING, desk.today)
        add_device(act, Device("p-9", "tc-1", DeviceKind.TOWER_CRANE, "1号塔机"))
        end_device(act, "p-9", "tc-1")
    with desk.database.reading() as db:
        told = [entry.fields for entry in entries_of(db, "project:p-9")]
        kinds = ["project_registered", "project_changed", "project_moved", "device_added", "device_ended"]
        assert [each["kind"] for each in told] == kinds
        changed = told[1]["content"]
        assert changed == {"reason": "新开工", "before": {"name": PLAIN.name}, "after": {"name": "地铁九号线一标"}}
        assert isinstance(verify_ledger(db, "project:p-9", {desk_key.public.key_id: desk_key.public}), ChainHead)
        assert db.scalar(select(devices.c.status)) == "ended"


BAD = (
    (Project("", "x", "44", "4401"), (422, "not_a_code", "project_code")),
    (Project("a b", "x", "44", "4401"), (422, "not_a_code", "project_code")),
    (Project("p", " ", "44", "4401"), (422, "missing", "name")),
    (Project("p", "字" * 201, "44", "4401"), (422, "too_long", "name")),
    (Project("p", "x\x00y", "44", "4401"), (422, "control_character", "name")),
    (Project("p", "x", "44", "4409"), (422, "no_such_city", "city_code")),
    (Project("p", "x", "44", "4401", "440303"), (422, "no_such_county", "county_code")),
    (Project("p", "x", "44", "4401", started_on="2026-02-30"), (422, "not_a_day", "started_on")),
    (Project("p", "x", "44", "4403"), (403, "outside_your_region", "city_code")),
)


def test_bad_projects_are_refused(desk: RegistryDesk) -> None:
    for project, expected in BAD:
        assert refused(desk, CITY_ADMIN, project) == expected


def test_who_may_not_and_what_is_taken(desk: RegistryDesk) -> None:
    for actor in (VIEWER, INSPECTOR, FIRM_PERSON):
        assert refused(desk, actor, PLAIN)[:2] == (403, "not_your_duty")
    desk.plant(1)
    assert refused(desk, ADMIN, Project("p-001", "x", "44", "4401")) == (409, "code_taken", "project_code")
    with pytest.raises(RefusedError, match="not_your_duty"), desk.act(CITY_ADMIN) as act:
        add_region(act, Region("4404", "丙市", RegionLevel.CITY, "44"))
    with pytest.raises(RefusedError, match="missing"), desk.act(ADMIN, " ") as act:
        register_project(act, PLAIN)
    with desk.database.reading() as db:
        assert db.scalar(select(projects.c.name).where(projects.c.project_code == "p-9")) is None


def test_markup_and_sql_stay_text(desk: RegistryDesk) -> None:
    name = "<script>alert(1)</script>'; DROP TABLE projects;--"
    with desk.act(ADMIN) as act:
        register_project(act, Project("p-9", name, "44", "4401"))
    with desk.database.reading() as db:
        assert db.scalar(select(projects.c.name)) == name


def test_a_firm_that_left_sees_the_project_no_more(desk: RegistryDesk) -> None:
    desk.plant(1)
    with desk.database.reading() as db:
        assert may_see(db, FIRM_PERSON, "p-001")
    with desk.act(ADMIN) as act:
        release_firm(act, "p-001", "f-1", FirmRole.CONTRACTOR)
    with desk.database.reading() as db:
        assert not may_see(db, FIRM_PERSON, "p-001")


def test_works_are_kept_with_their_watch(desk: RegistryDesk) -> None:
    desk.plant(1)
    desk.equip("p-001", "cam-1", kind=DeviceKind.CAMERA)
    desk.equip("p-001", "tc-1")
    pit = DangerousWork("p-001", "w-1", WorkType.PIT, "一号基坑", WorkStage.RUNNING, "2026-02-01", over_scale=True)
    with desk.act(INSPECTOR) as act:
        put_work(act, pit)
        watch_work(act, "p-001", "w-1", "cam-1", watches=True)
    with pytest.raises(RefusedError, match="no_camera"), desk.act(INSPECTOR) as act:
        watch_work(act, "p-001", "w-1", "tc-1", watches=True)
    with pytest.raises(RefusedError, match="wrong_days"), desk.act(INSPECTOR) as act:
        put_work(act, DangerousWork("p-001", "w-2", WorkType.PIT, "x", WorkStage.RUNNING))
    with desk.act(INSPECTOR) as act:
        put_work(act, DangerousWork("p-001", "w-1", WorkType.PIT, "一号基坑", WorkStage.FINISHED, "2026-02-01"))
    with desk.database.reading() as db:
        assert db.scalar(select(projects.c.dangerous_works)) == "[]"
        assert db.scalar(select(dangerous_works.c.stage)) == "finished"
