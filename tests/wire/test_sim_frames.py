"""The twin that calls: what it shows is what the driver reads, in every shipped table; and what it can have wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

from drivers.frames.driver import FramesDriver
from drivers.sim.faults import FaultCommand, FaultKind
from drivers.sim.frame_caller import CallOptions, FrameCaller
from gateway.model.reading import Quality, Readings
from gateway.ports import Clock, LinkState
from kit.clock import SimulatedClock, SystemClock
from tests.fakes.frames_box import BINARY, DUST, TEXT, bound_link, running, shipped, until
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.mosquitto import free_port

SHOWN: Mapping[str, float] = {
    "load_t": 2.5, "rated_t": 6.0, "moment_pct": 41.67, "radius_m": 24.0, "hook_m": 31.5, "slew_deg": 271.5,
    "wind_ms": 4.2, "tilt_deg": -0.12, "multiple": 4, "crane_h_m": 48.0, "driver_no": 7, "motor": 1,
}  # fmt: skip
WEATHER: Mapping[str, float] = {"wind": 4.2, "wind_direction_deg": 270, "temp": 18.3, "rh": 55}
IDENTITY = {BINARY: "SIM-0004", TEXT: "SIM/4", DUST: "SIM0DUST000004"}
EVERY_S = 0.02


@dataclass
class Stage:
    """A twin that calls a driver."""

    twin: FrameCaller
    driver: FramesDriver
    sink: HoldingSink

    def order(self, fault: FaultKind, **more: float) -> None:
        """Let the twin have a fault from now on."""
        command = FaultCommand(twin="crane-4", fault=fault, for_s=3600, **more)
        self.twin.faults.begin(command, SystemClock().monotonic_ns())
        self.twin.settle()

    def end_faults(self) -> None:
        """Nothing is wrong any more."""
        self.twin.faults.settle(2**62)


@contextlib.asynccontextmanager
async def calling(model: str, clock: Clock | None = None) -> AsyncIterator[Stage]:
    port, sink, clock = free_port(), HoldingSink(), clock or SystemClock()
    options = CallOptions(port, model, IDENTITY[model], EVERY_S)
    twin = FrameCaller("crane-4", shipped(model), options, clock)
    twin.show(WEATHER if model == DUST else SHOWN)
    link = bound_link(port, [IDENTITY[model]], shipped(model), max_frames_per_s=1000)
    async with running(link, sink, clock) as driver:
        task = asyncio.create_task(twin.run())
        try:
            yield Stage(twin, driver, sink)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("model", [BINARY, TEXT, DUST])
async def test_what_it_shows_is_what_is_read_and_every_frame_is_acknowledged(model: str) -> None:
    async with calling(model) as stage:
        await stage.sink.until(lambda: len(stage.sink.readings) >= 12)
        await until(lambda: stage.twin.acknowledged >= 12, "replies")
    readings = stage.sink.readings[0]
    read = dict(zip((point.key for point in shipped(model).points), readings.value.tolist(), strict=True))
    shown = stage.twin.shown
    assert {key: read[key] for key in shown} == pytest.approx(dict(shown))
    assert len(shown) >= 4
    assert {int(q) for q, key in zip(readings.quality, read, strict=True) if key in shown} == {Quality.GOOD}
    assert stage.sink.aside == []


async def test_a_dropped_connection_is_unknown_at_once_and_comes_back() -> None:
    async with calling(BINARY) as stage:
        await stage.sink.until(lambda: len(stage.sink.readings) >= 1)
        stage.order(FaultKind.DROP)
        await stage.sink.until(lambda: len(stage.sink.offered) == 1)
        assert set(stage.sink.offered[0].quality.tolist()) == {Quality.BAD}
        assert stage.driver.health()[0].state is LinkState.DOWN
        stage.end_faults()
        before = len(stage.sink.readings)
        await stage.sink.until(lambda: len(stage.sink.readings) > before)
        assert stage.driver.health()[0].state is LinkState.UP


async def test_corrupt_frames_are_bad_or_refused_and_never_a_number() -> None:
    async with calling(BINARY) as stage:
        await stage.sink.until(lambda: len(stage.sink.readings) >= 1)
        stage.order(FaultKind.CORRUPT)
        stage.twin.show(SHOWN)
        before = len(stage.sink.readings)
        await stage.sink.until(lambda: len(stage.sink.readings) > before + 3 and len(stage.sink.aside) > 3)
        corrupt = stage.sink.readings[before + 1 :]
    guarded = [i for i, point in enumerate(shipped(BINARY).points) if point.sentinels]
    assert {int(q) for readings in corrupt for q in readings.quality[guarded]} == {Quality.BAD}
    assert any("checksum" in reason for _, _, reason in stage.sink.aside)


async def test_frozen_values_stand_still_while_their_time_goes_on() -> None:
    async with calling(BINARY) as stage:
        await stage.sink.until(lambda: len(stage.sink.readings) >= 1)
        stage.order(FaultKind.FREEZE)
        stage.twin.show({**SHOWN, "load_t": 5.0})
        before = len(stage.sink.readings)
        await stage.sink.until(lambda: len(stage.sink.readings) > before + 3)
    assert {float(readings.value[0]) for readings in stage.sink.readings} == {2.5}


async def test_a_delayed_frame_carries_its_own_time() -> None:
    async with calling(BINARY) as stage:
        await stage.sink.until(lambda: len(stage.sink.readings) >= 1)
        stage.order(FaultKind.DELAY, delay_s=30)
        late = await _late(stage)
    assert 29 <= (late.received_at_ns - late.observed_at_ns) / 1e9 <= 32
    assert int(late.quality[0]) == Quality.GOOD


async def _late(stage: Stage) -> Readings:
    sink = stage.sink
    await sink.until(lambda: sink.readings[-1].received_at_ns - sink.readings[-1].observed_at_ns > 20e9)
    return sink.readings[-1]


async def test_a_silent_twin_sends_nothing_and_keeps_its_connection() -> None:
    clock = SimulatedClock()
    async with calling(BINARY, clock) as stage:
        await stage.sink.until(lambda: len(stage.sink.readings) >= 1)
        stage.twin.faults.begin(FaultCommand(twin="crane-4", fault=FaultKind.SILENCE, for_s=3600), 0)
        stage.twin.settle()
        sent = stage.twin.sent
        await clock.advance(20 * EVERY_S)
        assert (stage.twin.sent, stage.twin.connected) == (sent, True)
        stage.end_faults()
        await clock.advance(2 * EVERY_S)
        assert stage.twin.sent > sent
