"""Check 12: round 1 with 1 of 400 devices unchecked has a coverage of 99.75 % and cannot be closed."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from regulator.base.kinds import Answer, ItemLevel
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_of
from regulator.base.records.tables.registry import devices
from regulator.base.records.tables.rounds import rounds
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.registry.rounds.coverage import coverage_of, not_inspected
from regulator.parts.registry.rounds.round_office import Check, Inspecting, ItemKey, check_item, close_round, open_round
from regulator.parts.registry.rounds.sheet_file import load_sheets
from regulator.parts.registry.rounds.sheets import REQUIRED
from tests.fakes.desk_database import (
    DeskClock,
    clock,
    database,
    desk_key,
    desk_url,
    ledger,
    migrated,
    migrated_file,
    postgresql,
)
from tests.fakes.registry_desk import ADMIN, APPROVER, INSPECTOR, PROVINCE, RegistryDesk, person

__all__ = ["clock", "database", "desk_key", "desk_url", "ledger", "migrated", "migrated_file", "postgresql"]
PROJECTS, DEVICES = 4, 100
BOOK = load_sheets()
INSPECTING = Inspecting(BOOK, open_hazard)


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    rows = [
        {"project_code": code, "device_code": f"d-{number:03}", "kind": "tower_crane", "name": "塔机"}
        for code in made.plant(PROJECTS)
        for number in range(DEVICES)
    ]
    with database.transaction() as db:
        db.execute(insert(devices), rows)
    return made


def items() -> list[ItemKey]:
    codes = [f"p-{number:03}" for number in range(1, PROJECTS + 1)]
    owned = [
        ItemKey(ItemLevel.DEVICE, project_code=code, device_code=f"d-{n:03}") for code in codes for n in range(DEVICES)
    ]
    return [ItemKey(ItemLevel.FIRM, "f-1"), *(ItemKey(ItemLevel.PROJECT, "", code) for code in codes), *owned]


def inspect(desk: RegistryDesk, round_id: str, *wanted: ItemKey) -> None:
    with desk.act(INSPECTOR, "第一轮检查") as act:
        for item in wanted:
            for sheet in REQUIRED[item.level]:
                answers = {question.key: Answer.FITS for question in BOOK.questions(sheet)}
                check_item(act, INSPECTING, round_id, Check(item, sheet, answers))


def test_one_device_of_400_is_left(desk: RegistryDesk) -> None:
    with desk.act(ADMIN, "2026 年第一轮") as act:
        round_id = open_round(act, "2026 年第一轮全覆盖检查", desk.today, desk.today + timedelta(days=121))
    *others, last = items()
    inspect(desk, round_id, *others)
    with desk.database.reading() as db:
        shares = {each.level: (each.checked, each.all, each.percent) for each in coverage_of(db, round_id, PROVINCE)}
        left = not_inspected(db, round_id, PROVINCE)
    assert shares == {
        ItemLevel.FIRM: (1, 1, "100.00"),
        ItemLevel.PROJECT: (4, 4, "100.00"),
        ItemLevel.DEVICE: (399, 400, "99.75"),
    }
    assert [(row.project_code, row.device_code) for row in left] == [("p-004", "d-099")]
    with pytest.raises(RefusedError, match=r"not_complete.*399/400 \(99.75 %\)"), desk.act(APPROVER) as act:
        close_round(act, round_id)
    assert state(desk, round_id) == "open"
    inspect(desk, round_id, last)
    with pytest.raises(RefusedError, match="not_your_duty"), desk.act(INSPECTOR) as act:
        close_round(act, round_id)
    opener = person("admin", PROVINCE, Duty.APPROVER)
    with pytest.raises(RefusedError, match="same_person"), desk.act(opener) as act:
        close_round(act, round_id)
    with desk.act(APPROVER, "全覆盖完成") as act:
        close_round(act, round_id)
    assert state(desk, round_id) == "closed"
    with desk.database.reading() as db:
        closed = entries_of(db, f"round:{round_id}")[-1].fields
    assert (closed["kind"], closed["content"]) == (
        "round_closed",
        {"reason": "全覆盖完成", "firm": 1, "project": 4, "device": 400},
    )


def state(desk: RegistryDesk, round_id: str) -> str | None:
    with desk.database.reading() as db:
        return db.scalar(select(rounds.c.state).where(rounds.c.round_id == round_id))
