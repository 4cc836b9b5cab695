"""The story's own twins over real sockets: a bus with many units, and a crane that publishes its record."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from pymodbus.client import AsyncModbusTcpClient

from drivers.modbus.decode import compile_table
from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder
from drivers.mqtt.settings import MqttDevice, MqttTable
from drivers.sim.afternoon import Story
from drivers.sim.crane_record import ID_NUMBER, NAME
from drivers.sim.faults import FaultCommand, FaultKind
from drivers.sim.field import SimField, SimOptions
from drivers.sim.registers import load_table, shipped_tables
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice
from kit.clock import SimulatedClock
from tests.unit.gateway.settings.kinds import CONFIG
from tests.wire.test_sim_mqtt import Subscriber


class Bench:
    """A field with a story, a Modbus client of its bus, and a subscriber."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock()
        self.field = SimField(SimOptions(folder, story=Story()), self.clock)

    async def open(self) -> None:
        await self.field.start()
        self.client = AsyncModbusTcpClient(
            "127.0.0.1", port=self.field.bus_port, timeout=0.5, retries=0, reconnect_delay=0
        )
        assert await self.client.connect()
        self.subscriber = Subscriber(self.field.broker_port)
        await self.subscriber.open()

    async def close(self) -> None:
        self.client.close()
        await asyncio.to_thread(self.subscriber.close)
        await self.field.stop()

    async def read(self, unit: int, model: str) -> dict[str, tuple[float, int]]:
        table = load_table(shipped_tables(), model)
        decoder = compile_table(table)
        blocks = [
            (await self.client.read_holding_registers(r.address, count=r.count, device_id=unit)).registers
            for r in decoder.requests
        ]
        value, quality = decoder.decode([np.array(block, np.uint16) for block in blocks])
        return dict(zip((p.key for p in table.points), zip(value.tolist(), quality.tolist(), strict=True), strict=True))

    async def crane_message(self) -> bytes:
        while True:
            message = await self.subscriber.next()
            if message.topic.endswith("crane-3/realtime"):
                return bytes(message.payload)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    await bench.open()
    yield bench
    await bench.close()


def decoded(payload: bytes, now_ns: int) -> tuple[list[str], Readings]:
    raw = yaml.safe_load((CONFIG / "devices" / "crane-host-mqtt.yaml").read_text(encoding="utf-8"))
    table = MqttTable.model_validate(raw)
    device = MqttDevice(id="crane-3-host", link="l", asset="crane-3", table=table.model, topic="t")
    bound = BoundDevice(device, table, (), np.arange(len(table.points), dtype=np.int32))
    message = FieldMessage("t", payload, False, now_ns)
    said = MessageDecoder(bound).decode(message)
    assert isinstance(said, Decoded)
    return [point.key for point in table.points], said.readings


async def test_each_unit_of_the_bus_answers_with_its_own_registers(bench: Bench) -> None:
    await bench.clock.advance(1.1)
    top = (await bench.read(51, "survey-point-modbus"))["horizontal_mm"][0]
    other = (await bench.read(53, "survey-point-modbus"))["horizontal_mm"][0]
    assert top == pytest.approx(2 * other, rel=0.01)
    assert top == pytest.approx(6.0, abs=2)
    wind = [
        (await bench.read(61 + i, model))["wind_ms"][0]
        for i, model in enumerate(("wind-pr3000-fsjt", "wind-dfrobot-sen0483"))
    ]
    assert wind == [pytest.approx(6.0, abs=2)] * 2
    assert (await bench.read(1, "vw-logger-vtn416"))["ch16_hz"][1] == Quality.BAD


async def test_a_fault_befalls_the_whole_bus_and_nobody_else(bench: Bench) -> None:
    bench.field.command(FaultCommand(twin="bus-1", fault=FaultKind.CORRUPT, for_s=5))
    await bench.clock.advance(1.1)
    assert [(await bench.read(unit, "inclinometer-node"))["tilt_x_deg"][1] for unit in (11, 18)] == [Quality.BAD] * 2
    assert bench.field.pit.station.shown
    await bench.clock.advance(6)
    assert (await bench.read(11, "inclinometer-node"))["tilt_x_deg"][1] == Quality.GOOD
    bench.field.command(FaultCommand(twin="bus-1", fault=FaultKind.FREEZE, for_s=30))
    await bench.clock.advance(0.6)
    before = await bench.read(51, "survey-point-modbus")
    await bench.clock.advance(20)
    assert await bench.read(51, "survey-point-modbus") == before


async def test_the_bus_hangs_up_when_connections_are_dropped(bench: Bench) -> None:
    bench.field.command(FaultCommand(twin="bus-1", fault=FaultKind.DROP, for_s=5))
    await bench.clock.advance(0.2)
    async with asyncio.timeout(5):
        while bench.client.connected:
            await asyncio.sleep(0.01)


async def test_the_third_cranes_record_is_read_by_the_shipped_table_and_names_nobody(bench: Bench) -> None:
    await bench.clock.advance(0.6)
    payload = await bench.crane_message()
    assert NAME in json.loads(payload).values()
    keys, readings = decoded(payload, bench.clock.now_ns())
    assert set(readings.quality.tolist()) == {Quality.GOOD}
    shown = dict(zip(keys, readings.value.tolist(), strict=True))
    assert (shown["crane_h_m"], shown["driver_no"], shown["work_status"]) == (48.0, 1003.0, 0.0)
    assert readings.observed_at_ns // 1_000_000 == json.loads(payload)["DataTimeStamp"]
    assert NAME.encode() not in readings.raw.payload
    assert ID_NUMBER.encode() not in readings.raw.payload


async def test_the_third_crane_is_silent_when_told_and_corrupt_by_turns(bench: Bench) -> None:
    bench.field.command(FaultCommand(twin="crane-3", fault=FaultKind.SILENCE, for_s=2))
    await bench.clock.advance(1.1)
    assert bench.field.stage is not None
    publisher = bench.field.stage.publisher
    assert publisher is not None
    assert (publisher.sent, publisher.skipped) == (0, 2)
    bench.field.command(FaultCommand(twin="crane-3", fault=FaultKind.CORRUPT, for_s=3))
    await bench.clock.advance(1.1)
    keys, readings = decoded(await bench.crane_message(), bench.clock.now_ns())
    bad = {key for key, judged in zip(keys, readings.quality, strict=True) if judged == Quality.BAD}
    assert bad == {"load_t", "moment_pct", "wind_ms", "slew_deg"}


async def test_twins_of_a_story_are_not_there_without_one(tmp_path: Path) -> None:
    field = SimField(SimOptions(tmp_path), SimulatedClock())
    assert field.bus_port == 0
    with pytest.raises(ValueError, match="expected one of crane-1, crane-2, pit-1, mast-1"):
        field.command(FaultCommand(twin="bus-1", fault=FaultKind.DROP))
