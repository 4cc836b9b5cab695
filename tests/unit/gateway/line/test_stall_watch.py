import json
from pathlib import Path

import numpy as np

from gateway.evidence.evidence import RecordKind
from gateway.line.clock_watch import ClockWatch
from gateway.line.stall_watch import HOLE_NS, LOOK_EVERY_S, AskedDevice, StallWatch
from gateway.model.reading import BAD, Readings
from tests.fakes.site import NOW_NS, SECOND_NS, Site, layout, points, poll, threshold, until

LOOK_NS = int(LOOK_EVERY_S * 1e9)


class Sleeping:
    """A clock that also runs while the simulated machine sleeps."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.slept_ns = 0

    def __call__(self) -> int:
        return self._site.clock.monotonic_ns() + self.slept_ns

    def suspend(self, seconds: float) -> None:
        """As the machine does: the monotonic clock stands, the wall clock is right afterwards."""
        self.slept_ns += int(seconds * 1e9)
        self._site.clock.step_wall(seconds)


def watch_of(site: Site, elapsed: Sleeping, period_s: float = 1.0) -> StallWatch:
    asked = [AskedDevice("host-1", layout(), int(period_s * 1e9))]
    return StallWatch(site.recorder, site.clock, elapsed, lambda: asked, site.pipeline.note_hole)


def gaps(site: Site) -> list[dict[str, object]]:
    records = [each for each in site.alerts.evidence_after(0) if each.kind == RecordKind.HISTORY_GAP]
    return [json.loads(each.body)["content"] for each in records]


async def test_a_second_beyond_the_sleep_is_no_hole_and_more_is_one(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), [])
    watch = watch_of(site, Sleeping(site))
    site.clock.move_to(site.clock.now_ns() + LOOK_NS + HOLE_NS)
    watch.look()
    assert watch.holes == 0
    site.clock.move_to(site.clock.now_ns() + LOOK_NS + HOLE_NS + 1)
    watch.look()
    assert watch.holes == 1
    await site.stop()


async def test_a_hole_is_sealed_with_its_devices_and_is_unknown_in_the_history_and_on_the_screens(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, points(), [threshold(limit=100.0, on_delay_s=5.0)])
    site.start()
    watch = watch_of(site, Sleeping(site))
    site.intake.offer(poll(layout(), 120.0, site.clock.now_ns()))
    await until(lambda: site.pipeline.judged_polls == 1)

    site.clock.move_to(NOW_NS + 6 * SECOND_NS)
    watch.look()
    assert site.window.quality.tolist() == [BAD] * 4
    assert not np.isfinite(site.window.value).any()
    site.intake.offer(poll(layout(), 121.0, site.clock.now_ns()))
    await until(lambda: bool(site.alarms.open_alarms()))
    assert site.window.value.tolist() == [121.0] * 4, "read again, known again; the pending alarm went on pending"
    await site.stop()

    site = Site(tmp_path, points(), [threshold(limit=100.0)])
    (gap,) = gaps(site)
    assert (gap["from_ns"], gap["to_ns"], gap["devices"]) == (NOW_NS, NOW_NS + 6 * SECOND_NS, ["host-1"])
    assert gap["suspended_ns"] == 0
    blocks = site.reader.blocks_after(0, 100)
    assert np.isnan(np.concatenate([block.value[:, 0] for block in blocks])).tolist() == [False, True, True, False]
    assert np.concatenate([block.quality[:, 0] for block in blocks]).tolist() == [0, BAD, BAD, 0]
    site.close()


async def test_a_suspended_machine_has_a_hole_and_no_jump_of_its_clock(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), [])
    elapsed = Sleeping(site)
    watch, clock_watch = watch_of(site, elapsed, period_s=3600.0), ClockWatch(site.recorder, site.clock, elapsed)
    site.start()
    elapsed.suspend(600.0)
    watch.look()
    clock_watch.look()
    assert (watch.holes, clock_watch.jumps) == (1, 0)
    await until(lambda: bool(gaps(site)))
    (gap,) = gaps(site)
    assert gap["suspended_ns"] == 600 * SECOND_NS
    assert gap["devices"] == [], "a device that is asked once an hour missed nothing"
    await site.stop()


async def test_what_was_read_after_the_hole_stays_known(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), [])
    site.start()
    site.clock.move_to(NOW_NS + 6 * SECOND_NS)
    site.intake.offer(poll(layout(), 50.0, site.clock.now_ns()))
    await until(lambda: site.pipeline.judged_polls == 1)
    site.pipeline.note_hole([Readings.unreadable("host-1", layout(), site.clock.now_ns())])
    assert site.window.value.tolist() == [50.0] * 4
    await site.stop()
