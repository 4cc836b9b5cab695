"""Random draws: frozen before the value is known, reproducible by the documented ten lines, secret until the day."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.packs import PackError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_of
from regulator.base.records.tables.people import accounts, grants
from regulator.base.records.tables.rounds import round_items
from regulator.base.records.tables.supervision import draws, risk_latest
from regulator.parts.registry.rounds.coverage import coverage_of
from regulator.parts.registry.rounds.round_office import follow_registry
from regulator.parts.supervision.draw_file import load_draw
from regulator.parts.supervision.draw_method import Pool, PoolInspector, PoolProject, digest, drawn
from regulator.parts.supervision.draw_office import NewDraw, PublicValue, begin, draw, freeze, redraw, reveal_due
from regulator.parts.supervision.draw_pool import Conflict, conflicts_of, declare_conflict, end_conflict
from regulator.parts.supervision.draw_view import draw_of, draws_of, pool_text, result_text
from regulator.parts.supervision.risk import Band
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, APPROVER, INSPECTOR, PROVINCE, VIEWER, RegistryDesk, person

FILE = load_draw()
SHANGHAI = "彩票 2026-03-01 第 001 期"
CITY_VIEWER = person("city-viewer", Scope(Level.CITY, "4403"), Duty.VIEWER)


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    codes = [*made.plant(6), *made.plant(4, city="4403", county="440303", first=7)]
    with made.database.transaction() as db:
        for number in range(4):
            _inspector(db, f"i-{number}", f"检查员{number}")
        for number, code in enumerate(codes):
            band = (Band.HIGH, Band.MEDIUM, Band.LOW)[number % 3]
            row = {"project_code": code, "scored_at_ns": 1, "score": 20 * (3 - number % 3), "band": band.value}
            db.execute(insert(risk_latest).values(**row, version="t", day="2026-03-01"))
    return made


def _inspector(db: object, user_id: str, name: str) -> None:
    account = {"user_id": user_id, "login": user_id, "name": name, "home_level": "province"}
    db.execute(insert(accounts).values(**account))  # type: ignore[attr-defined]
    grant = {"grant_id": f"g-{user_id}", "user_id": user_id, "level": "province", "scope_code": "44"}
    rest = {"duties": '["inspector"]', "proposed_by": "[]", "approved_at_ns": 1}
    db.execute(insert(grants).values(**grant, **rest))  # type: ignore[attr-defined]


def frozen(desk: RegistryDesk, days: int = 2, actor: Actor = ADMIN) -> str:
    with desk.act(actor, "年度第一次") as act:
        return freeze(act, FILE, NewDraw("第一次双随机", desk.today + timedelta(days=days)))


def taken(desk: RegistryDesk, draw_id: str, actor: Actor = APPROVER) -> None:
    """Drawn an hour after it was frozen, with a value that was published half an hour before."""
    desk.clock.move(hours=1)
    with desk.act(actor, SHANGHAI) as act:
        draw(act, draw_id, PublicValue("07 11 19 23 30", SHANGHAI, desk.clock() - 1_800_000_000_000))


def public(desk: RegistryDesk, draw_id: str) -> None:
    desk.clock.move(days=2)
    assert reveal_due(desk.database, desk.ledger, desk.clock()) == 1


def documented() -> str:
    """The script of the page."""
    page = (Path(__file__).parents[3] / "docs" / "supervision.md").read_text("utf-8")
    scripts = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(scripts) == 1
    assert len([line for line in scripts[0].splitlines() if line]) == 10
    return str(scripts[0])


def test_the_ten_lines_of_the_page_give_the_same_targets(desk: RegistryDesk, tmp_path: Path) -> None:
    with desk.act(ADMIN, "亲属在该项目任职") as act:
        declare_conflict(act, Conflict("i-0", project_code="p-001"))
    draw_id = frozen(desk)
    taken(desk, draw_id)
    public(desk, draw_id)
    with desk.database.reading() as db:
        found = draw_of(db, VIEWER, draw_id, desk.today)
        pool = pool_text(db, VIEWER, draw_id, desk.today)
        result = result_text(db, VIEWER, draw_id, desk.today)
    (tmp_path / "pool.json").write_text(pool, "utf-8")
    (tmp_path / "draw.py").write_text(documented(), "utf-8")
    command = [sys.executable, "-I", "draw.py", "pool.json", found.seed]
    told = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert found.targets is not None
    assert told.splitlines() == [" ".join([target.code, *target.inspectors]) for target in found.targets]
    # 4 high, 3 medium, 3 low: 50 %, 20 %, 5 %, each rounded up
    assert [target.band for target in found.targets] == [Band.HIGH, Band.HIGH, Band.MEDIUM, Band.LOW]
    assert all(len(set(target.inspectors)) == 2 for target in found.targets)
    assert digest(pool.encode()) == found.row.pool_sha256
    assert digest(result.encode()) == found.row.result_sha256
    assert digest(found.nonce.encode()) == found.row.nonce_sha256
    assert digest(f"{found.row.pool_sha256}|07 11 19 23 30|{found.nonce}".encode()) == found.seed


def test_every_step_is_in_the_ledger_and_no_secret_before_its_day(desk: RegistryDesk) -> None:
    draw_id = frozen(desk)
    taken(desk, draw_id)
    with desk.database.reading() as db:
        row = db.execute(select(draws)).one()
        entries = entries_of(db, f"draw:{draw_id}")
        found = draw_of(db, VIEWER, draw_id, desk.today)
        with pytest.raises(RefusedError, match="not_public"):
            result_text(db, VIEWER, draw_id, desk.today)
    assert [entry.fields["kind"] for entry in entries] == ["draw_frozen", "draw_drawn"]
    told = "".join(entry.body for entry in entries)
    assert row.pool_sha256 in told
    assert row.nonce_sha256 in told
    assert row.result_sha256 in told
    assert row.nonce not in told
    assert row.seed not in told
    assert (found.targets, found.nonce, found.seed) == (None, "", "")
    assert reveal_due(desk.database, desk.ledger, desk.clock()) == 0
    public(desk, draw_id)
    with desk.database.reading() as db:
        last = entries_of(db, f"draw:{draw_id}")[-1].fields
    assert isinstance(last["content"], dict)
    assert last["content"]["targets"] == json.loads(row.result)["targets"]


def test_the_targets_become_a_round_over_nothing_else(desk: RegistryDesk) -> None:
    draw_id = frozen(desk)
    taken(desk, draw_id)
    with pytest.raises(RefusedError, match="wrong_state"), desk.act(ADMIN, "开始") as act:
        begin(act, draw_id, desk.today)
    public(desk, draw_id)
    with desk.act(ADMIN, "开始") as act:
        round_id = begin(act, draw_id, desk.today + timedelta(days=10))
    with desk.act(ADMIN, "更新") as act:
        assert follow_registry(act, round_id) == 0, "projects that were not drawn do not slip in"
    with desk.database.reading() as db:
        at = round_items.c
        checked = set(db.scalars(select(at.project_code).where(at.round_id == round_id, at.project_code != "")))
        targets = draw_of(db, VIEWER, draw_id, desk.today).targets
        assert targets is not None
        assert checked == {target.code for target in targets}
        assert [level.all for level in coverage_of(db, round_id, PROVINCE)] == [1, 4, 0]
    with pytest.raises(RefusedError, match="begun"), desk.act(ADMIN, "再开始") as act:
        begin(act, draw_id, desk.today + timedelta(days=10))


def test_the_value_must_be_younger_than_the_freeze_and_is_drawn_once(desk: RegistryDesk) -> None:
    draw_id = frozen(desk)
    at_freeze, later = desk.clock(), desk.clock.move(hours=2)
    for wrong in (at_freeze, at_freeze - 1, later + 1):
        with pytest.raises(RefusedError, match="wrong_time"), desk.act(ADMIN, SHANGHAI) as act:
            draw(act, draw_id, PublicValue("1", SHANGHAI, wrong))
    with pytest.raises(RefusedError, match="missing"), desk.act(ADMIN, SHANGHAI) as act:
        draw(act, draw_id, PublicValue(" ", SHANGHAI, later))
    taken(desk, draw_id)
    with pytest.raises(RefusedError, match="wrong_state"):
        taken(desk, draw_id)


def test_drawn_again_only_with_a_reason_by_another_person_and_before_it_is_public(desk: RegistryDesk) -> None:
    draw_id = frozen(desk)
    with pytest.raises(RefusedError, match="draw_exists"):
        frozen(desk)
    taken(desk, draw_id, APPROVER)
    with pytest.raises(RefusedError, match="missing"), desk.act(ADMIN, " ") as act:
        redraw(act, FILE, draw_id)
    with pytest.raises(RefusedError, match="same_person"), desk.act(APPROVER, "想换") as act:
        redraw(act, FILE, draw_id)
    with desk.act(ADMIN, "名录误含已竣工项目") as act:
        again = redraw(act, FILE, draw_id)
    with desk.database.reading() as db:
        new, old = (db.execute(select(draws).where(draws.c.draw_id == each)).one() for each in (again, draw_id))
    assert (old.state, new.state, new.redraw_of) == ("void", "frozen", draw_id)
    assert new.redraw_reason == "名录误含已竣工项目"
    assert new.nonce != old.nonce
    taken(desk, again)
    public(desk, again)
    with pytest.raises(RefusedError, match="wrong_state"), desk.act(ADMIN, "不满意结果") as act:
        redraw(act, FILE, again)


def test_conflicts_keep_people_away_and_too_few_refuse_the_freeze(desk: RegistryDesk) -> None:
    with desk.act(ADMIN, "曾任职于该企业") as act:
        first = declare_conflict(act, Conflict("i-0", firm_code="f-1"))
        declare_conflict(act, Conflict("i-1", project_code="p-003"))
        declare_conflict(act, Conflict("i-2", project_code="p-003"))
    with pytest.raises(RefusedError, match="p-003"):
        frozen(desk)
    with desk.act(ADMIN, "已满三年") as act:
        end_conflict(act, first)
    draw_id = frozen(desk)
    with desk.database.reading() as db:
        pool = json.loads(pool_text(db, VIEWER, draw_id, desk.today))
        assert [row.user_id for row in conflicts_of(db, ADMIN)] == ["i-1", "i-2"]
    assert {each["id"]: each["excluded"] for each in pool["inspectors"]} == {
        "i-0": [], "i-1": ["p-003"], "i-2": ["p-003"], "i-3": [],
    }  # fmt: skip
    for wrong in (
        Conflict("i-0"),
        Conflict("i-0", "p-001", "f-1"),
        Conflict("nobody", "p-001"),
        Conflict("i-0", "p-9"),
    ):
        with pytest.raises(RefusedError), desk.act(ADMIN, "x") as act:
            declare_conflict(act, wrong)


def test_who_may_and_who_sees(desk: RegistryDesk) -> None:
    with pytest.raises(RefusedError, match="not_your_duty"):
        frozen(desk, actor=INSPECTOR)
    with pytest.raises(RefusedError, match="wrong_days"):
        frozen(desk, days=-1)
    draw_id = frozen(desk)
    foreign = person("other-admin", Scope(Level.CITY, "4403"), Duty.ADMINISTRATOR)
    with pytest.raises(RefusedError, match="no_such_draw"):
        taken(desk, draw_id, foreign)
    taken(desk, draw_id)
    public(desk, draw_id)
    outsider = person("outsider", Scope(Level.CITY, "4499"), Duty.VIEWER)
    with desk.database.reading() as db:
        assert [row.draw_id for row, _ in draws_of(db, CITY_VIEWER)] == [draw_id]
        assert draws_of(db, outsider) == []
        with pytest.raises(RefusedError, match="no_such_draw"):
            draw_of(db, outsider, draw_id, desk.today)
        seen, whole = draw_of(db, CITY_VIEWER, draw_id, desk.today), draw_of(db, VIEWER, draw_id, desk.today)
        assert seen.targets is not None
        assert whole.targets is not None
        assert seen.targets == tuple(target for target in whole.targets if target.code > "p-006")
        with pytest.raises(RefusedError, match="not_your_scope"):
            pool_text(db, CITY_VIEWER, draw_id, desk.today)


def test_a_project_without_a_score_counts_as_high(desk: RegistryDesk) -> None:
    with desk.database.transaction() as db:
        db.execute(update(risk_latest).where(risk_latest.c.project_code == "p-003").values(project_code="p-x"))
    draw_id = frozen(desk)
    with desk.database.reading() as db:
        projects = json.loads(pool_text(db, VIEWER, draw_id, desk.today))["projects"]
    assert {"code": "p-003", "band": "high", "weight": 101} in projects


@pytest.fixture(scope="module")
def pool() -> Pool:
    projects = tuple(PoolProject(f"p-{n}", tuple(Band)[n % 3], 1 + 20 * (n % 5)) for n in range(30))
    people = tuple(PoolInspector(f"i-{n}", (f"p-{n}",)) for n in range(5))
    return Pool("d", "e", projects, people, tuple((band, 3) for band in Band), 2)


@settings(max_examples=50)
@given(seed=st.text("0123456789abcdef", min_size=64, max_size=64))
def test_whatever_the_seed_no_project_and_no_person_twice_and_no_conflict(pool: Pool, seed: str) -> None:
    targets = drawn(pool.body, seed)
    assert len({target.code for target in targets}) == len(targets) == 9
    assert [target.band for target in targets] == ["high"] * 3 + ["medium"] * 3 + ["low"] * 3
    for target in targets:
        assert len(set(target.inspectors)) == 2
        assert f"i-{target.code[2:]}" not in target.inspectors
    assert drawn(pool.body, seed) == targets


def test_the_heavier_is_drawn_more_often() -> None:
    two = (PoolProject("light", Band.HIGH, 10), PoolProject("heavy", Band.HIGH, 90))
    people = (PoolInspector("a"), PoolInspector("b"))
    pool = Pool("d", "e", two, people, ((Band.HIGH, 1),), 2)
    first = [drawn(pool.body, f"{number:064x}")[0].code for number in range(500)]
    assert 420 <= first.count("heavy") <= 480, "90 % of 500, within four and a half standard deviations"


def test_a_file_with_one_inspector_for_each_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "draw.yaml"
    path.write_text("version: 1\nedition: x\npercent: {high: 50, medium: 20, low: 101}\ninspectors_each: 1\n", "utf-8")
    with pytest.raises(PackError) as refused:
        load_draw(path)
    assert len(refused.value.faults) == 2
