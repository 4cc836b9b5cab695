import json
from pathlib import Path

import numpy as np

from gateway.evidence.evidence import RecordKind
from gateway.line.clock_watch import ClockWatch
from tests.fakes.site import NOW_NS, SECOND_NS, Site, layout, points, poll, threshold, until

HOUR_S = 3600.0


async def test_a_clock_set_back_an_hour_is_sealed_kept_in_the_history_and_judging_goes_on(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), [threshold(limit=100.0)])
    site.start()
    watch = ClockWatch(site.recorder, site.clock)
    index = layout()
    site.intake.offer(poll(index, 50.0, site.clock.now_ns()))
    await until(lambda: site.pipeline.judged_polls == 1)

    site.clock.step_wall(-HOUR_S)
    watch.look()
    site.intake.offer(poll(index, 120.0, site.clock.now_ns()))
    await until(lambda: bool(site.alarms.open_alarms()))
    site.intake.offer(poll(index, 20.0, site.clock.now_ns() + SECOND_NS))
    await until(lambda: not site.alarms.open_alarms()[0].active)
    await site.stop()

    site = Site(tmp_path, points(), [threshold(limit=100.0)])
    (record,) = [r for r in site.alerts.evidence_after(0) if r.kind == RecordKind.CLOCK_JUMP]
    content = json.loads(record.body)["content"]
    assert (content["jump_s"], content["expected_at_ns"]) == ("-3600.0", NOW_NS)
    trace = site.reader.trace("crane-1.q0", NOW_NS - 2 * 3600 * SECOND_NS, NOW_NS + SECOND_NS, 100)
    assert sorted(np.asarray(trace.value).tolist()) == [20.0, 50.0, 120.0]
    site.close()


async def test_time_that_passes_and_small_corrections_are_no_jump(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), [])
    watch = ClockWatch(site.recorder, site.clock)
    for correction_s in (0.0, 1.9, -1.9, 2.0):
        await site.clock.advance(30.0)
        site.clock.step_wall(correction_s)
        watch.look()
    assert watch.jumps == 0
    assert site.recorder.last_in_line() is None
    await site.stop()


async def test_every_jump_counts_from_the_look_before(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), [])
    watch = ClockWatch(site.recorder, site.clock)
    for jump_s in (HOUR_S, -HOUR_S, 2.5):
        site.clock.step_wall(jump_s)
        watch.look()
        watch.look()
    assert watch.jumps == 3
    await site.stop()
