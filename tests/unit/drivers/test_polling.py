"""The polling loop on a simulated clock: schedule, back-off, what is offered, what is counted and logged."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from drivers.polling import Pace, Poller, UnreadableReplyError, full_jitter
from gateway.model.errors import DecodeError, LinkError
from gateway.model.reading import Quality, Readings
from gateway.ports import LinkState
from kit.clock import SimulatedClock

PACE = Pace(period_s=1.0, backoff_min_s=0.5, backoff_max_s=8.0)


class ScriptedDevice:
    """Answers what the script says; an exception is raised. Reading takes `read_s` of the simulated time."""

    device_id = "unit-1"
    point_index = np.array([4, 5], dtype=np.int32)

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.read_s = 0.0
        self.fault: Exception | None = None
        self.read_at_s: list[float] = []

    async def read(self) -> Readings:
        self.read_at_s.append(self._clock.monotonic_ns() / 1e9)
        if self.read_s:
            await self._clock.sleep(self.read_s)
        if self.fault is not None:
            raise self.fault
        now_ns = self._clock.now_ns()
        value = np.array([float(len(self.read_at_s)), 2.0])
        return Readings("unit-1", self.point_index, value, np.zeros(2, dtype=np.uint8), now_ns, now_ns)


class CountingSink:
    """Keeps what is offered; refuses while `full`."""

    def __init__(self) -> None:
        self.offered: list[Readings] = []
        self.aside: list[tuple[str, bytes, str]] = []
        self.full = False

    def offer(self, readings: Readings) -> bool:
        if not self.full:
            self.offered.append(readings)
        return not self.full

    async def put(self, readings: Readings) -> Awaitable[None]:
        raise AssertionError("polling never waits for room")

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        self.aside.append((device, payload, reason))


class Rig:
    def __init__(self, pace: Pace = PACE, jitter: float = 1.0) -> None:
        self.clock = SimulatedClock()
        self.device = ScriptedDevice(self.clock)
        self.sink = CountingSink()
        self.bounds_s: list[float] = []
        self.poller = Poller(self.device, pace, self.clock, self._jitter)
        self._part = jitter

    def _jitter(self, bound_s: float) -> float:
        self.bounds_s.append(bound_s)
        return bound_s * self._part

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.poller.run(self.sink))
        try:
            await self.clock.advance(0)
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture(autouse=True)
def _all_log_levels(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, logger="drivers.polling"):
        yield


async def test_polls_lie_on_a_fixed_grid_however_long_a_read_takes(rig: Rig) -> None:
    rig.device.read_s = 0.3
    async with rig.running():
        await rig.clock.advance(5.5)
    assert rig.device.read_at_s == pytest.approx([0, 1, 2, 3, 4, 5])
    assert rig.poller.health().polls == 6
    assert rig.poller.health().skipped == 0


async def test_ticks_missed_in_a_stall_are_counted_and_not_made_up_for(rig: Rig) -> None:
    async with rig.running():
        await rig.clock.advance(0.5)
        rig.device.read_s = 3.4
        await rig.clock.advance(1.0)  # the poll of second 1 will last until 4.4
        rig.device.read_s = 0.0
        await rig.clock.advance(5.0)
    assert rig.device.read_at_s == pytest.approx([0, 1, 5, 6])
    assert rig.poller.health().skipped == 3


async def test_period_zero_polls_as_fast_as_the_device_answers() -> None:
    rig = Rig(Pace(0.0, 0.5, 8.0))
    rig.device.read_s = 0.01
    async with rig.running():
        await rig.clock.advance(0.995)
    assert len(rig.sink.offered) == 99


async def test_every_poll_carries_the_same_index_object(rig: Rig) -> None:
    async with rig.running():
        await rig.clock.advance(1.5)
        rig.device.fault = LinkError("gone")
        await rig.clock.advance(2)
    assert len(rig.sink.offered) >= 4
    assert all(readings.point_index is rig.device.point_index for readings in rig.sink.offered)


async def test_a_failed_poll_is_offered_as_unreadable_at_once(rig: Rig) -> None:
    async with rig.running():
        rig.device.fault = LinkError("no reply within 500 ms")
        await rig.clock.advance(1.0)
        last = rig.sink.offered[-1]
    assert len(rig.sink.offered) == 2
    assert np.isnan(last.value).all()
    assert last.quality.tolist() == [Quality.BAD, Quality.BAD]
    assert last.observed_at_ns == rig.clock.now_ns()


async def test_the_bound_of_the_back_off_doubles_up_to_its_maximum(rig: Rig) -> None:
    rig.device.fault = LinkError("gone")
    async with rig.running():
        await rig.clock.advance(39)
    assert rig.bounds_s == [0.5, 0.5, 1, 2, 4, 8, 8, 8, 8]
    assert rig.device.read_at_s == pytest.approx([0, 0.5, 1, 2, 4, 8, 16, 24, 32])
    assert len(rig.sink.offered) == 9


async def test_a_device_is_never_left_alone_for_longer_than_it_has_been_down() -> None:
    rig = Rig(jitter=0.1)
    rig.device.fault = LinkError("noise")
    async with rig.running():
        await rig.clock.advance(5)
    assert len(rig.bounds_s) > 8
    waited_s = np.cumsum([0.0, *(0.1 * bound_s for bound_s in rig.bounds_s)])[:-1]
    assert (rig.bounds_s <= np.maximum(0.5, waited_s) + 1e-9).all()
    assert rig.bounds_s[-1] == pytest.approx(min(8.0, waited_s[-1]))


async def test_polling_never_gives_up_and_resumes_on_a_new_grid(rig: Rig) -> None:
    async with rig.running():
        rig.device.fault = LinkError("gone")
        await rig.clock.advance(3600)
        down = rig.poller.health()
        rig.device.fault = None
        await rig.clock.advance(8)
        read_before = len(rig.device.read_at_s)
        await rig.clock.advance(3)
    assert down.state is LinkState.DOWN
    assert rig.poller.health().state is LinkState.UP
    assert np.diff(rig.device.read_at_s[read_before - 1 :]) == pytest.approx([1, 1, 1])
    assert rig.poller.health().skipped == 0


async def test_after_a_good_poll_the_back_off_starts_small_again(rig: Rig) -> None:
    rig.device.fault = LinkError("gone")
    async with rig.running():
        await rig.clock.advance(10)
        rig.device.fault = None
        await rig.clock.advance(10)
        rig.bounds_s.clear()
        rig.device.fault = LinkError("gone again")
        await rig.clock.advance(1)
    assert rig.bounds_s[0] == 0.5


async def test_one_line_when_down_and_one_when_back(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    async with rig.running():
        rig.device.fault = LinkError("no reply")
        await rig.clock.advance(60)
        rig.device.fault = None
        await rig.clock.advance(60)
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "device down device=unit-1 error='no reply'"
    assert messages[1].startswith("device back device=unit-1 down_s=")
    assert len(messages) == 2


async def test_health_counts_from_the_start(rig: Rig) -> None:
    assert rig.poller.health().state is LinkState.STARTING
    async with rig.running():
        await rig.clock.advance(2.5)
        rig.device.fault = DecodeError("nonsense")
        await rig.clock.advance(0.6)
        health = rig.poller.health()
    assert (health.device, health.polls, health.failures, health.last_error) == ("unit-1", 3, 1, "nonsense")


async def test_a_full_queue_is_counted_and_polling_goes_on(rig: Rig) -> None:
    rig.sink.full = True
    async with rig.running():
        await rig.clock.advance(2.5)
        rig.sink.full = False
        await rig.clock.advance(1)
    assert rig.poller.health().skipped == 3
    assert rig.poller.health().state is LinkState.UP
    assert len(rig.sink.offered) == 1


async def test_a_reply_that_is_none_is_put_aside_with_the_reason(rig: Rig) -> None:
    rig.device.fault = UnreadableReplyError("not an answer", b"\x01\x02")
    async with rig.running():
        await rig.clock.advance(0.1)
    assert rig.sink.aside == [("unit-1", b"\x01\x02", "not an answer")]
    assert rig.poller.health().failures == 1


async def test_a_bug_is_not_taken_for_a_dead_device(rig: Rig) -> None:
    rig.device.fault = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        await rig.poller.run(rig.sink)


def test_full_jitter_uses_the_whole_range() -> None:
    waits_s = [full_jitter(2.0) for _ in range(300)]
    assert all(0 <= wait_s <= 2 for wait_s in waits_s)
    assert min(waits_s) < 0.5
    assert max(waits_s) > 1.5
