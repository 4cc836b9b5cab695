"""A standing alarm reaches the guarantors of the work that it is about (notice A19), and nobody outside their scope."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from regulator.base.kinds import DeviceKind, WorkStage, WorkType
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.people import accounts
from regulator.parts.overview.mine import Work, waits_for
from regulator.parts.registry.guaranteed_alarms import guaranteed_alarms
from regulator.parts.registry.projects.device_office import DangerousWork, put_work, watch_work
from regulator.parts.registry.projects.guarantors import GuarantorRole, name_guarantor
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.registry_desk import ADMIN, PROVINCE, RegistryDesk, person

OFFICER, LEADER = person("u-1", PROVINCE, Duty.REVIEWER), person("u-2", PROVINCE, Duty.VIEWER)
ELSEWHERE = person("u-1", Scope(Level.CITY, "4403"), Duty.REVIEWER)


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(2)
    made.equip("p-001", "cam-1", kind=DeviceKind.CAMERA)
    works = {"pit": WorkType.PIT, "lift": WorkType.LIFTING, "form": WorkType.FORMWORK}
    with made.act(ADMIN) as act:
        for number in (1, 2):
            act.db.execute(
                insert(accounts).values(user_id=f"u-{number}", login=f"ju{number}", name="人", home_level="province")
            )
        for code, kind in works.items():
            put_work(act, DangerousWork("p-001", code, kind, f"工程 {code}", WorkStage.RUNNING, "2026-01-01"))
        watch_work(act, "p-001", "form", "cam-1", watches=True)
        name_guarantor(act, "p-001", "lift", GuarantorRole.OFFICER, "甲", "ju1")
        name_guarantor(act, "p-001", "form", GuarantorRole.LEADER, "乙", "ju2")
    return made


def stand(desk: RegistryDesk, alarm_id: str, asset: str, asset_kind: str, severity: str = "P1", **more: object) -> None:
    row = {"box_id": "b1", "alarm_id": alarm_id, "project_code": "p-001", "rule_id": "r", "raised_event": "e"}
    row |= {"asset": asset, "asset_kind": asset_kind, "severity": severity, "active": 1, "title_zh": f"报警 {alarm_id}"}
    with desk.database.transaction() as db:
        db.execute(insert(alarms).values(**row | {"raised_at_ns": desk.clock.move(seconds=1)} | more))


def of(desk: RegistryDesk, actor: Actor) -> list[str]:
    with desk.database.reading() as db:
        return [each.alarm_id for each in guaranteed_alarms(db, actor)]


def test_an_alarm_goes_to_the_guarantors_of_the_work_that_it_is_about(desk: RegistryDesk) -> None:
    stand(desk, "crane", "tc-1", "tower-crane", "P2")
    stand(desk, "camera", "cam-1", "camera-post")
    stand(desk, "pit", "pit-1", "deep-pit")
    stand(desk, "mast", "mast-1", "weather-mast")
    assert of(desk, OFFICER) == ["mast", "crane"], "what is about no work is about the project; the gravest first"
    assert of(desk, LEADER) == ["camera", "mast"]
    with desk.database.reading() as db:
        works = {each.alarm_id: each.works for each in guaranteed_alarms(db, OFFICER)}
        tasks = {task.work: task for task in waits_for(db, OFFICER, desk.clock())}
    assert works == {"mast": (), "crane": ("工程 lift",)}
    assert tasks[Work.GUARANTEED].count == 2


def test_what_is_over_slight_or_elsewhere_does_not(desk: RegistryDesk) -> None:
    stand(desk, "slight", "tc-1", "tower-crane", "P3")
    stand(desk, "over", "tc-1", "tower-crane", active=0)
    stand(desk, "unheard", "tc-1", "tower-crane", raised_event="")
    stand(desk, "other", "tc-1", "tower-crane", project_code="p-002")
    assert of(desk, OFFICER) == []
    stand(desk, "crane", "tc-1", "tower-crane")
    assert of(desk, OFFICER) == ["crane"]
    assert of(desk, ELSEWHERE) == [], "a guarantor sees within the scope of the seat"
    assert of(desk, person("u-9", PROVINCE, Duty.REVIEWER)) == []


def test_another_guarantor_takes_over_with_the_name(desk: RegistryDesk) -> None:
    stand(desk, "crane", "tc-1", "tower-crane")
    with desk.act(ADMIN, "调岗") as act:
        name_guarantor(act, "p-001", "lift", GuarantorRole.OFFICER, "乙", "ju2")
    assert (of(desk, OFFICER), of(desk, LEADER)) == ([], ["crane"])


def test_a_work_that_is_over_is_nobodys(desk: RegistryDesk) -> None:
    stand(desk, "crane", "tc-1", "tower-crane")
    with desk.act(ADMIN) as act:
        put_work(act, DangerousWork("p-001", "lift", WorkType.LIFTING, "工程 lift", WorkStage.FINISHED, "2026-01-01"))
    assert of(desk, OFFICER) == []
    assert of(desk, LEADER) == ["crane"], "no work is left that it is about: it is about the project"


@pytest.fixture
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("guaranteed"), DeskClock()) as made:
        yield made


def test_the_page_and_the_first_page_show_them(face: DeskFace) -> None:
    client, login = face.client(Duty.VIEWER), face.person(Duty.VIEWER).login
    assert isinstance(face.clock, DeskClock)
    desk = RegistryDesk(face.database, face.desk.ledger, face.clock)
    desk.plant(1)
    with desk.act(ADMIN) as act:
        put_work(act, DangerousWork("p-001", "lift", WorkType.LIFTING, "塔机安装", WorkStage.RUNNING, "2026-01-01"))
        name_guarantor(act, "p-001", "lift", GuarantorRole.OFFICER, "甲", login)
    assert "当前报警" not in client.get("/guarantors").text
    stand(desk, "crane", "tc-1", "tower-crane")
    page = client.get("/guarantors").text
    assert "您包保的危险源当前报警" in page
    assert "报警 crane" in page
    assert "无人确认" in page
    assert "所包保危险源的报警" in client.get("/").text
    assert "Active alarms where you are a guarantor" in client.get("/guarantors", params={"lang": "en"}).text
