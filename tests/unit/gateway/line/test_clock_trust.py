"""A box that starts in the past: what it read before the time came is where it belongs afterwards."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from gateway.evidence.evidence import RecordKind
from gateway.line.clock_state import ClockState, Sync
from gateway.line.clock_trust import ClockTrust
from gateway.line.clock_watch import ClockWatch
from gateway.store.blocks import MINUTE_NS
from tests.fakes.site import NOW_NS, SECOND_NS, Site, advance_until, layout, points, poll, until

YEAR_S = 365 * 86_400.0
POINT = "crane-1.q0"


class Box:
    """A site whose kernel does not keep the clock until `keep`."""

    def __init__(self, site: Site, sync: Sync = Sync.FREE) -> None:
        self.site = site
        self.sync = sync
        self.watch = ClockWatch(site.recorder, site.clock)
        self.trust = ClockTrust(site.recorder, site.clock, lambda: ClockState(self.sync), site.history)
        self.watch.on_jump = self.trust.jumped
        site.start()
        self.running = asyncio.create_task(self.trust.run(self.watch.look))

    async def read(self, *values: float) -> None:
        """One poll a value, a second apart."""
        for value in values:
            judged = self.site.pipeline.judged_polls
            self.site.intake.offer(poll(layout(), value, self.site.clock.now_ns()))
            await until(lambda judged=judged: self.site.pipeline.judged_polls > judged)
            await self.site.clock.advance(1.0)

    def step(self, seconds: float) -> None:
        self.watch.look()
        self.site.clock.step_wall(seconds)
        self.watch.look()

    async def keep(self) -> dict[str, object]:
        """The time server has been heard: the record of it."""
        self.sync = Sync.KEPT
        await advance_until(self.site.clock, lambda: bool(self.records()))
        return self.records()[0]

    def records(self) -> list[dict[str, object]]:
        kept = [each for each in self.site.alerts.evidence_after(0) if each.kind == RecordKind.CLOCK_TRUSTED]
        return [json.loads(each.body)["content"] for each in kept]

    async def times(self, from_ns: int, to_ns: int) -> list[float]:
        """Seconds since `NOW_NS` of what the history has in a span."""
        await self.written()
        trace = self.site.reader.trace(POINT, from_ns, to_ns, 1000)
        return sorted(((np.asarray(trace.t_ns) - NOW_NS) / SECOND_NS).round(3).tolist())

    async def written(self) -> None:
        """All that was read is in the history."""
        await advance_until(self.site.clock, lambda: not self.site.history.buffered_polls)
        await asyncio.wrap_future(self.site.history.last_block_id())

    def minutes(self, from_ns: int, to_ns: int) -> dict[int, tuple[int, float]]:
        """Of each minute how many values, and the mean."""
        found = self.site.reader.minutes(POINT, from_ns, to_ns, 1000)
        rows = zip(found.minute_ns.tolist(), found.count[:, 0].tolist(), found.mean[:, 0].tolist(), strict=True)
        return {minute: (count, mean) for minute, count, mean in rows if count}

    async def stop(self) -> None:
        self.running.cancel()
        await self.site.stop()


@pytest.mark.parametrize("step_s", [YEAR_S, 3600.0, 5.0])
async def test_readings_before_the_time_came_move_to_the_time_at_which_they_were_taken(
    tmp_path: Path, step_s: float
) -> None:
    box = Box(Site(tmp_path, points(), []))
    assert box.trust.waits
    await box.read(1.0, 2.0, 3.0)
    box.step(step_s)
    await box.read(4.0)
    said = await box.keep()
    assert said["polls_moved"] == 3
    assert [span["offset_ns"] for span in said["corrections"]] == [int(step_s * SECOND_NS)]
    end_ns = NOW_NS + int((step_s + 60) * SECOND_NS)
    assert await box.times(NOW_NS - MINUTE_NS, end_ns) == [step_s, step_s + 1, step_s + 2, step_s + 3]
    await asyncio.wrap_future(box.site.history.tend(box.site.clock.now_ns()))
    minutes = box.minutes(NOW_NS - MINUTE_NS, end_ns)
    assert sum(count for count, _ in minutes.values()) == 4
    assert sum(count * mean for count, mean in minutes.values()) == pytest.approx(10.0)
    assert min(minutes) == (NOW_NS + int(step_s * SECOND_NS)) // MINUTE_NS * MINUTE_NS
    await box.stop()


async def test_minutes_that_were_rolled_up_before_the_time_came_are_rolled_up_again(tmp_path: Path) -> None:
    box = Box(Site(tmp_path, points(), []))
    await box.read(1.0, 2.0)
    await box.written()
    await asyncio.wrap_future(box.site.history.tend(box.site.clock.now_ns()))
    assert sum(count for count, _ in box.minutes(NOW_NS - MINUTE_NS, NOW_NS + MINUTE_NS).values()) == 2
    box.step(YEAR_S)
    await box.keep()
    await asyncio.wrap_future(box.site.history.tend(box.site.clock.now_ns()))
    assert box.minutes(NOW_NS - MINUTE_NS, NOW_NS + 10 * MINUTE_NS) == {}
    year_ns = NOW_NS + int(YEAR_S * SECOND_NS)
    assert sum(count for count, _ in box.minutes(year_ns - MINUTE_NS, year_ns + MINUTE_NS).values()) == 2
    await box.stop()


async def test_two_steps_move_each_span_by_what_was_still_missing(tmp_path: Path) -> None:
    box = Box(Site(tmp_path, points(), []))
    await box.read(1.0)
    box.step(YEAR_S)
    await box.read(2.0)
    box.step(30.0)
    await box.read(3.0)
    said = await box.keep()
    assert [span["offset_ns"] / SECOND_NS for span in said["corrections"]] == [YEAR_S + 30.0, 30.0]
    assert await box.times(NOW_NS - MINUTE_NS, NOW_NS + int(2 * YEAR_S * SECOND_NS)) == [
        YEAR_S + 30.0,
        YEAR_S + 31.0,
        YEAR_S + 32.0,
    ]
    await box.stop()


async def test_what_an_earlier_run_read_stays_where_it_is(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), [])
    site.start()
    site.intake.offer(poll(layout(), 7.0, NOW_NS))
    await until(lambda: site.pipeline.judged_polls == 1)
    await site.stop()
    box = Box(Site(tmp_path, points(), []))
    await box.read(1.0)
    box.step(3600.0)
    await box.keep()
    assert await box.times(NOW_NS - MINUTE_NS, NOW_NS + 2 * 60 * MINUTE_NS) == [0.0, 3600.0]
    await box.stop()


async def test_a_clock_that_was_ahead_is_told_and_its_readings_stay(tmp_path: Path) -> None:
    box = Box(Site(tmp_path, points(), []))
    await box.read(1.0)
    box.step(-60.0)
    said = await box.keep()
    assert (said["polls_moved"], len(said["corrections"])) == (0, 1)
    assert await box.times(NOW_NS - 2 * MINUTE_NS, NOW_NS + MINUTE_NS) == [0.0]
    await box.stop()


@pytest.mark.parametrize("sync", [Sync.KEPT, Sync.UNKNOWN])
async def test_a_clock_that_is_kept_from_the_start_or_cannot_be_asked_corrects_nothing(
    tmp_path: Path, sync: Sync
) -> None:
    box = Box(Site(tmp_path, points(), []), sync)
    assert not box.trust.waits
    await box.read(1.0)
    box.step(3600.0)
    await box.site.clock.advance(30.0)
    assert box.records() == []
    assert await box.times(NOW_NS - MINUTE_NS, NOW_NS + 2 * 60 * MINUTE_NS) == [0.0]
    await box.stop()
