"""A theme a month: what it lets through, what was checked under it, county by county, and who may."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select

from regulator.base.kinds import Answer, ProjectStatus, WorkStage, WorkType
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.packs import PackError, config_root
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.supervision import risk_latest, theme_checks
from regulator.parts.registry.projects.device_office import DangerousWork, put_work
from regulator.parts.registry.projects.project_office import move_project
from regulator.parts.supervision.risk import Band
from regulator.parts.supervision.theme_file import load_themes
from regulator.parts.supervision.themes import (
    NewTheme,
    check_theme,
    left_over,
    progress,
    set_theme,
    theme_of,
    themes_of,
)
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, CITY_ADMIN, INSPECTOR, PROVINCE, VIEWER, RegistryDesk, person

OTHER_CITY = Scope(Level.CITY, "4403")
TEXT = (config_root() / "desk" / "supervision" / "themes.yaml").read_text("utf-8")


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(3)
    made.plant(2, city="4403", county="440303", first=4)
    return made


def _pit() -> DangerousWork:
    day = "2026-02-01"
    return DangerousWork("p-002", "w", WorkType.PIT, "基坑", over_scale=True, stage=WorkStage.RUNNING, from_day=day)


def chosen(desk: RegistryDesk, new: NewTheme, actor: object = ADMIN) -> str:
    with desk.act(actor, "年度计划") as act:  # type: ignore[arg-type]
        return set_theme(act, new)


def checked(desk: RegistryDesk, theme_id: str, code: str, outcome: Answer = Answer.FITS) -> None:
    with desk.act(INSPECTOR, "按主题检查") as act:
        check_theme(act, theme_id, code, outcome)


def test_progress_by_county_counts_a_project_once(desk: RegistryDesk) -> None:
    theme_id = chosen(desk, NewTheme("2026-03", "高处作业", 60))
    for code, outcome in (
        ("p-001", Answer.FITS),
        ("p-001", Answer.HAZARD),
        ("p-002", Answer.FITS),
        ("p-004", Answer.FITS),
    ):
        checked(desk, theme_id, code, outcome)
    with desk.act(ADMIN, "竣工") as act:
        move_project(act, "p-003", ProjectStatus.FINISHED, desk.today)
    with desk.database.reading() as db:
        theme = theme_of(db, VIEWER, theme_id)
        found = [
            (each.name, each.all, each.checked, each.hazards, each.reached) for each in progress(db, PROVINCE, theme)
        ]
        assert found == [("甲东县", 2, 2, 1, True), ("乙南县", 2, 1, 0, False)]
        assert left_over(db, PROVINCE, theme) == [("p-005", "项目p-005")]
        assert [each.code for each in progress(db, OTHER_CITY, theme)] == ["440303"]
        assert len(db.execute(select(theme_checks)).all()) == 4, "every check is kept"


def test_filters_by_works_and_band(desk: RegistryDesk) -> None:
    with desk.act(ADMIN, "登记") as act:
        put_work(act, _pit())
    with desk.database.transaction() as db:
        row = {"project_code": "p-004", "scored_at_ns": 1, "score": 80, "band": "high", "version": "t", "day": "d"}
        db.execute(insert(risk_latest).values(**row))
    wanted = {
        "2026-03": (NewTheme("2026-03", "汛期", 100, works_type=WorkType.PIT), ["p-002"]),
        "2026-04": (NewTheme("2026-04", "高风险", 100, band=Band.HIGH), ["p-004"]),
        "2026-05": (NewTheme("2026-05", "危大工程", 100, any_works=True), ["p-002"]),
    }
    for new, fitting in wanted.values():
        theme_id = chosen(desk, new)
        with desk.database.reading() as db:
            assert [code for code, _ in left_over(db, PROVINCE, theme_of(db, VIEWER, theme_id))] == fitting
    with pytest.raises(RefusedError, match="does_not_fit"):
        checked(desk, theme_id, "p-001")


def test_one_theme_a_month_and_body_and_nobody_elses(desk: RegistryDesk) -> None:
    theme_id = chosen(desk, NewTheme("2026-03", "消防", 100), CITY_ADMIN)
    chosen(desk, NewTheme("2026-03", "消防", 100))
    with pytest.raises(RefusedError, match="theme_set"):
        chosen(desk, NewTheme("2026-03", "另一主题", 100), CITY_ADMIN)
    for wrong, code in (
        (NewTheme("2026-02", "a", 100), "wrong_month"),
        (NewTheme("2026-13", "a", 100), "wrong_month"),
        (NewTheme("2026-04", "a", 0), "wrong_target"),
        (NewTheme("2026-04", " ", 50), "missing"),
    ):
        with pytest.raises(RefusedError, match=code):
            chosen(desk, wrong)
    with pytest.raises(RefusedError, match="not_your_duty"):
        chosen(desk, NewTheme("2026-04", "a", 50), INSPECTOR)
    other = person("other", OTHER_CITY, Duty.INSPECTOR)
    with desk.database.reading() as db:
        assert [row.level for row in themes_of(db, other)] == ["province"]
        assert len(themes_of(db, VIEWER)) == 2
        with pytest.raises(RefusedError, match="no_such_theme"):
            theme_of(db, other, theme_id)
    with pytest.raises(RefusedError, match="no_such_theme"), desk.act(other, "x") as act:
        check_theme(act, theme_id, "p-004", Answer.FITS)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("works_type: lifting", "works_type: juggling", "topics.2"),
        ("id: fire", "id: concrete", "twice are concrete"),
        ("target_percent: 100", "target_percent: 0", "target_percent"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in TEXT
    path = tmp_path / "themes.yaml"
    path.write_text(TEXT.replace(old, new, 1), "utf-8")
    with pytest.raises(PackError, match=told):
        load_themes(path)
