"""On PostgreSQL: lists that are taken over at once, whatever order their lines stand in, do not wait in a ring."""

import pytest
from sqlalchemy import Connection, func, insert, select

from regulator.base.act import Act
from regulator.base.intake.admission import lock_box
from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.project_set import set_proposals
from regulator.base.records.tables.registry import devices, firms, projects
from regulator.parts.registry.importing.columns import ImportKind
from regulator.parts.registry.importing.office import ImportFile, commit, preview
from regulator.parts.registry.projects.region_office import Firm, add_firm
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, RegistryDesk
from tests.fakes.rival import MeetingLedger, Rival

DEVICES = "项目编码,设备编号,设备类型,设备名称", "{code},{by}-{code},tower_crane,塔机"
PROJECTS = "项目编码,项目名称,市区划代码,施工单位代码,施工单位名称", "n-{code},工程,4401,f-{by}-{code},公司"
SET = "项目编码,名单类别,类别理由,生效日期,列入理由", "{code},市政隧道,,2026-03-01,年度更新"
CODES = ("p-001", "p-002")


pytestmark = pytest.mark.parametrize("desk_url", ["postgresql"], indirect=True)


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(2)
    with database.transaction() as db:
        for code in CODES:
            box = {"box_id": f"box-{code}", "project_code": code, "verified_sha256": "0" * 64}
            db.execute(insert(boxes).values(**box))
    return made


def hand_in(desk: RegistryDesk, kind: ImportKind, form: tuple[str, str], by: str, codes: tuple[str, ...]) -> str:
    header, line = form
    text = "\n".join([header, *(line.format(code=code, by=by) for code in codes)])
    with desk.act(ADMIN) as act:
        return preview(act, desk.rules, ImportFile(kind, f"{by}.csv", text.encode()))


def take_over(desk: RegistryDesk, import_id: str, ledger: Ledger | None = None) -> tuple[int, int]:
    with desk.database.transaction() as db:
        return commit(Act(db, ledger or desk.ledger, ADMIN, desk.clock(), "导入"), desk.rules, import_id)


@pytest.mark.parametrize(
    ("kind", "form", "entry", "table", "more"),
    [
        (ImportKind.DEVICES, DEVICES, "device_added", devices, 4),
        (ImportKind.PROJECTS, PROJECTS, "project_registered", projects, 2),
        (ImportKind.SET, SET, "set_proposed", set_proposals, 2),
    ],
)
def test_two_lists_with_the_same_projects_in_other_orders(desk, desk_key, kind, form, entry, table, more):
    def count() -> int:
        with desk.database.reading() as db:
            return db.scalar(select(func.count()).select_from(table)) or 0

    before = count()
    ours = hand_in(desk, kind, form, "a", CODES)
    theirs = hand_in(desk, kind, form, "b", CODES[::-1])
    rival = Rival(desk.database, lambda: take_over(desk, theirs))
    assert take_over(desk, ours, MeetingLedger(desk_key, entry, rival.begin)) == (2, 0)
    rival.end()
    assert count() - before == more, "what both would enter is entered once, by the first"


def test_a_preview_while_another_list_is_taken_over(desk, desk_key):
    ours = hand_in(desk, ImportKind.DEVICES, DEVICES, "a", CODES)
    rival = Rival(desk.database, lambda: hand_in(desk, ImportKind.DEVICES, DEVICES, "b", CODES[::-1]))
    assert take_over(desk, ours, MeetingLedger(desk_key, "device_added", rival.begin)) == (2, 0)
    rival.end()


def test_a_list_and_what_arrives_from_the_boxes_of_its_projects(desk, desk_key):
    """An intake of several boxes writes into their projects' chains in the order in which its items came."""

    def intake(db: Connection) -> None:
        for code in CODES:
            lock_box(db, f"box-{code}")
        for code in CODES[::-1]:
            desk.ledger.append(db, Deed("noted", code, {}, code), SYSTEM, desk.clock())

    ours = hand_in(desk, ImportKind.DEVICES, DEVICES, "a", CODES)
    rival = Rival.transaction(desk.database, intake)
    assert take_over(desk, ours, MeetingLedger(desk_key, "device_added", rival.begin)) == (2, 0)
    rival.end()


def test_a_firm_of_the_list_that_somebody_enters_at_the_same_moment(desk, desk_key):
    """Two new firms in the list: the second is entered by a form after the first has gone on."""

    def form() -> None:
        with desk.act(ADMIN) as act:
            add_firm(act, Firm("f-a-p-002", "表单公司"))

    ours = hand_in(desk, ImportKind.PROJECTS, PROJECTS, "a", CODES)
    rival = Rival(desk.database, form)
    assert take_over(desk, ours, MeetingLedger(desk_key, "firm_added", rival.begin)) == (2, 0)
    with pytest.raises(AssertionError, match="code_taken"):
        rival.end()
    with desk.database.reading() as db:
        assert db.scalar(select(firms.c.name).where(firms.c.firm_code == "f-a-p-002")) == "公司"
