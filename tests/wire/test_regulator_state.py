"""The box tells the test regulator what it is, over a real connection: once, again when it changed, and each day."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from contract.chain import ChainHead
from contract.messages import BoxState
from gateway.ports import UplinkContext
from gateway.uplinks.regulator_session import RegulatorSession, SessionLimits
from gateway.uplinks.regulator_state import StateTelling
from regulator.base.records.tables.fleet import box_state_changes, box_states
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import BOX, regulator_uplink, simulated, stop, until

DAY_S = 86_400.0


class Teller:
    """Stands where the box knows itself."""

    def __init__(self) -> None:
        self.known = {"waiting": 7, "disk_days_left": 40}
        self.now = BoxState(
            software="0.1.0", started_at_ns=1, settings_sha256="a" * 64, rule_packs=(), models=(), clock="kept"
        )

    def figures(self, uplink: str) -> dict[str, int]:
        assert uplink == "regulator"
        return self.known

    def state(self) -> BoxState:
        return self.now


@pytest.fixture
def regulator(tmp_path: Path):
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def said(regulator: FakeRegulator, table) -> list:
    with regulator.store.database.reading() as db:
        return db.execute(select(table)).all()


async def test_it_is_said_once_and_again_when_it_changed_and_each_day(regulator: FakeRegulator, folder: Path) -> None:
    clock, teller = simulated(), Teller()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        uplink.about = teller
        running = asyncio.create_task(uplink.run())
        await until(lambda: uplink.health().heartbeats >= 3, clock)
        assert len(said(regulator, box_states)) == len(said(regulator, box_state_changes)) == 1
        (box,) = regulator.store.boxes()
        assert json.loads(box["counters"]) == {"accepted": 0, "rejected": 0, "retried": 0} | teller.known
        teller.now = teller.now.model_copy(update={"software": "0.2.0"})
        await until(lambda: len(said(regulator, box_state_changes)) == 2, clock)
        (before,) = said(regulator, box_states)
        await clock.advance(DAY_S)
        await until(lambda: said(regulator, box_states)[0].heard_at_ns > before.heard_at_ns, clock)
        assert len(said(regulator, box_state_changes)) == 2
        await stop(running)


@asynccontextmanager
async def enrolled(folder: Path, regulator: FakeRegulator) -> AsyncIterator[RegulatorSession]:
    context = UplinkContext(BOX, "P-1", folder, simulated(), ChainHead)
    session = RegulatorSession("regulator", regulator.url, context, SessionLimits(3, 5, 4))
    await session.enrol(regulator.code_for(BOX), "test")
    try:
        yield session
    finally:
        await session.close()


@pytest.mark.parametrize("code", ["unknown_kind", "invalid_body"])
async def test_a_regulator_that_does_not_take_it_is_not_told_again(
    regulator: FakeRegulator, folder: Path, code: str
) -> None:
    async with enrolled(folder, regulator) as session:
        telling = StateTelling(session, simulated())
        regulator.fail_next(Fault.SIGNED_ERROR, code=code)
        await telling.tell(Teller().now)
        await telling.tell(Teller().now)
        assert said(regulator, box_states) == []


@pytest.mark.parametrize(
    "fault", [Fault.BARE_STATUS, Fault.GARBAGE, Fault.CLOSED, Fault.LOST_REPLY, Fault.BAD_SIGNATURE]
)
async def test_what_did_not_arrive_is_said_again(regulator: FakeRegulator, folder: Path, fault: Fault) -> None:
    async with enrolled(folder, regulator) as session:
        telling = StateTelling(session, simulated())
        regulator.fail_next(fault)
        await telling.tell(Teller().now)
        await telling.tell(Teller().now)
        assert len(said(regulator, box_states)) == len(said(regulator, box_state_changes)) == 1
