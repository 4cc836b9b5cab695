"""A list is shown before it is taken over; good lines go on, the others are kept aside with what was wrong."""

import json

import pytest
from sqlalchemy import func, select

from regulator.base.coverage.set_membership import members_on
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.imports import import_lines
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.project_set import set_proposals
from regulator.base.records.tables.registry import project_firms, projects
from regulator.parts.registry.importing.columns import ImportKind
from regulator.parts.registry.importing.office import ImportFile, commit, preview
from regulator.parts.registry.importing.table import UnreadableError
from regulator.parts.registry.projects.project_office import Project, register_project
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, CITY_ADMIN, VIEWER, RegistryDesk

HTML = "<img src=x onerror=alert(1)>'); DELETE FROM projects;--"
PROJECTS = f"""项目编码,项目名称,市区划代码,开工日期,施工单位代码,施工单位名称
a-1,甲项目,4401,2026年2月1日,f-9,新公司
a-2,{HTML},4401,2026/3/1,f-1,
a-3,无此市,4499,,,
a-1,同码,4401,,,
,无码,4401,,,
a-4,坏日期,4401,2026-02-31,,
a-5,无企业,4401,,f-77,
a-6,后来被占,4401,,,
""".encode("gb18030")


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    return RegistryDesk(database, ledger, clock)


def told(desk: RegistryDesk, import_id: str) -> list[tuple[int, str, int, str]]:
    """(row, state, column of the first fault, its English words)."""
    at = import_lines.c
    with desk.database.reading() as db:
        rows = db.execute(select(import_lines).where(at.import_id == import_id).order_by(at.number)).all()
    faults = [json.loads(row.faults)[:1] for row in rows]
    return [
        (row.row, row.state, fault[0]["column"] if fault else 0, fault[0]["expected_en"] if fault else "")
        for row, fault in zip(rows, faults, strict=True)
    ]


def count(desk: RegistryDesk) -> int:
    with desk.database.reading() as db:
        return db.scalar(select(func.count()).select_from(projects)) or 0


def test_a_list_of_projects_line_by_line(desk: RegistryDesk) -> None:
    with desk.act(ADMIN, "导入清单") as act:
        import_id = preview(act, desk.rules, ImportFile(ImportKind.PROJECTS, "项目.csv", PROJECTS))
    assert told(desk, import_id) == [
        (2, "good", 0, ""),
        (3, "good", 0, ""),
        (4, "bad", 3, "no city 4499"),
        (5, "bad", 1, "the code a-1 is taken"),
        (6, "bad", 1, "must not be empty"),
        (7, "bad", 4, "'2026-02-31': a day as YYYY-MM-DD"),
        (8, "bad", 5, "no firm f-77: give its name, too"),
        (9, "good", 0, ""),
    ]
    assert count(desk) == 0
    with desk.database.reading() as db:
        trial = select(ledger_entries.c.seq).where(ledger_entries.c.kind == "project_registered")
        assert db.execute(trial).all() == []
    with desk.act(ADMIN) as act:
        register_project(act, Project("a-6", "抢先", "44", "4401"))
    with desk.act(ADMIN, "导入清单") as act:
        assert commit(act, desk.rules, import_id) == (2, 1)
    assert [state for _, state, _, _ in told(desk, import_id)] == ["taken"] * 2 + ["bad"] * 5 + ["refused"]
    with desk.database.reading() as db:
        names = {row[0]: row[1] for row in db.execute(select(projects.c.project_code, projects.c.name))}
        assert names == {"a-1": "甲项目", "a-2": HTML, "a-6": "抢先"}
        assert sorted(db.scalars(select(project_firms.c.firm_code))) == ["f-1", "f-9"]
    with pytest.raises(RefusedError, match="already_committed"), desk.act(ADMIN, "再来") as act:
        commit(act, desk.rules, import_id)


def test_a_list_for_the_set_only_proposes(desk: RegistryDesk) -> None:
    desk.plant(2)
    rows = "项目编码,名单类别,类别理由,生效日期,列入理由\n"
    rows += "p-001,城市轨道交通,,2026-03-01,年度更新\np-002,其他,,2026-03-01,年度更新\np-002,urban_rail,,2026-02-01,x\n"
    with desk.act(ADMIN, "年度名单") as act:
        import_id = preview(act, desk.rules, ImportFile(ImportKind.SET, "set.csv", rows.encode()))
    states = [(state, column) for _, state, column, _ in told(desk, import_id)]
    assert states == [("good", 0), ("bad", 3), ("bad", 4)]
    with desk.act(ADMIN, "年度名单") as act:
        assert commit(act, desk.rules, import_id) == (1, 0)
    with desk.database.reading() as db:
        assert members_on(db, "44", desk.today) == []
        assert [tuple(row) for row in db.execute(select(set_proposals.c.batch, set_proposals.c.state))] == [
            (import_id, "proposed")
        ]


def test_who_may_import_and_whose_import_it_is(desk: RegistryDesk) -> None:
    file = ImportFile(ImportKind.PROJECTS, "项目.csv", PROJECTS)
    with pytest.raises(RefusedError, match="not_your_duty"), desk.act(VIEWER) as act:
        preview(act, desk.rules, file)
    with desk.act(ADMIN) as act:
        import_id = preview(act, desk.rules, file)
    with pytest.raises(RefusedError, match="no_such_import"), desk.act(CITY_ADMIN) as act:
        commit(act, desk.rules, import_id)
    for content in (b"", b" \n ", "项目编码,项目名称,市区划代码\n".encode(), b"x" * (10 * 1024 * 1024 + 1)):
        with pytest.raises(UnreadableError), desk.act(ADMIN) as act:
            preview(act, desk.rules, ImportFile(ImportKind.PROJECTS, "f.csv", content))
