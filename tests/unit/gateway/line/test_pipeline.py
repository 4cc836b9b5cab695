import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from gateway.evidence.evidence import RecordKind
from gateway.model.errors import StoreError
from gateway.model.reading import Quality, Readings
from gateway.model.verdict import Truth
from gateway.store.alert_store import AlertStore
from gateway.store.history_store import HistoryStore
from tests.fakes.dead_file import take_again, take_nothing
from tests.fakes.site import NOW_NS, SECOND_NS, Site, advance_until, layout, points, poll, silence, threshold, until

LAYOUT = layout()
RULES = [threshold(0), threshold(1, on_delay_s=1.0), silence((0, 1, 2, 3), limit_s=10.0)]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path, points(stale_after_s=3.0), RULES)
    site.start()
    yield site
    await site.stop()


def _kinds(site: Site) -> list[tuple[str, str]]:
    records = [json.loads(record.body) for record in site.alerts.all_evidence()]
    return [(r["content"]["alarm"]["rule_id"], r["content"]["transition"]) for r in records if "alarm" in r["content"]]


async def _pass(site: Site, seconds: float) -> None:
    """Let simulated time pass, and wait until the pipeline has ticked in it."""
    await site.clock.advance(seconds)
    await until(lambda: site.pipeline.ticked_mono_ns == site.clock.monotonic_ns())


async def _offer(site: Site, value: float, at_s: float = 0.0, **more: object) -> None:
    taken = site.pipeline.judged_polls + site.pipeline.late_polls
    assert site.intake.offer(poll(LAYOUT, value, NOW_NS + round(at_s * SECOND_NS), **more))  # type: ignore[arg-type]
    await until(lambda: site.pipeline.judged_polls + site.pipeline.late_polls > taken)


async def _put(site: Site, value: float, at_s: float = 0.0) -> "asyncio.Future[None]":
    kept: Awaitable[None] = await site.intake.put(poll(LAYOUT, value, NOW_NS + round(at_s * SECOND_NS)))
    assert isinstance(kept, asyncio.Future)
    return kept


def _refuse_writes(store: AlertStore | HistoryStore, refuse: bool) -> None:
    """The file can be read and not written, as on a disk that was remounted read-only."""
    (take_nothing if refuse else take_again)(store)


async def test_a_sample_becomes_history_alarm_evidence_and_message(site: Site) -> None:
    await _offer(site, 120.0)
    await until(lambda: site.alerts.head().seq == 1)
    assert _kinds(site) == [("rule-0", "raised")]
    assert [item.kind for item in site.alerts.pending("regulator", 9)] == ["alarm_transition", "evidence_record"]
    await site.clock.advance(0.2)
    await until(lambda: site.flushed == 1)
    assert site.reader.trace("crane-1.q0", 0, 2**62, 10).value.tolist() == [120.0]
    samples = json.loads(site.alerts.evidence_of(site.alarms.open_alarms()[0].alarm_id)[0].body)["content"]["samples"]
    assert [sample["observed_at_ns"] for sample in samples] == [NOW_NS]


async def test_the_last_polls_are_in_the_evidence(site: Site) -> None:
    for n in range(7):
        await _offer(site, float(n), at_s=n * 0.1)
    await _offer(site, 150.0, at_s=0.7)
    await until(lambda: site.alerts.head().seq == 1)
    samples = json.loads(next(site.alerts.all_evidence()).body)["content"]["samples"]
    assert [sample["value"][0] for sample in samples] == ["3.0", "4.0", "5.0", "6.0", "150.0"]


async def test_delays_run_in_sample_time(site: Site) -> None:
    for at_s in (0.0, 0.999):
        await _offer(site, 120.0, at_s)
    await until(lambda: site.alerts.head().seq == 1)
    await _offer(site, 120.0, 1.0)
    await until(lambda: site.alerts.head().seq == 2)
    assert _kinds(site) == [("rule-0", "raised"), ("rule-1", "raised")]


async def test_a_message_is_acknowledged_after_its_history_and_its_transitions(site: Site) -> None:
    kept = await _put(site, 120.0)
    await until(lambda: site.history.buffered_polls == 1)
    assert not kept.done()
    await site.clock.advance(0.02)
    await kept
    assert site.reader.rows() == (1, 4)
    assert site.alerts.head().seq == 1, "the transition before it is committed too"


async def test_a_message_waits_while_evidence_cannot_be_kept_and_history_goes_on(site: Site) -> None:
    _refuse_writes(site.alerts, True)
    kept = await _put(site, 120.0)
    await until(lambda: site.history.buffered_polls == 1)
    await site.clock.advance(0.02)
    await until(lambda: bool(site.recorder.failing_since_ns) and site.flushed == 1)
    for n in range(1, 6):
        await _offer(site, 50.0, at_s=n * 0.3)
        await site.clock.advance(0.3)
    await until(lambda: site.history.buffered_polls == 0)
    assert not kept.done()
    _refuse_writes(site.alerts, False)
    await advance_until(site.clock, kept.done)
    assert _kinds(site)[0] == ("rule-0", "raised")


async def test_a_full_intake_makes_points_unknown_and_is_counted(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), RULES, capacity=1)
    site.intake.offer(poll(LAYOUT, 120.0))
    assert not site.intake.offer(poll(layout(2), 50.0, NOW_NS + 1))
    site.start()
    await until(lambda: site.pipeline.judged_polls == 1)
    await _pass(site, 0.25)
    assert site.window.quality.tolist() == [Quality.BAD, Quality.BAD, Quality.GOOD, Quality.GOOD]
    assert site.intake.skipped == {"host-1": 1}
    assert site.alarms.truth[0] == Truth.UNKNOWN
    assert [alarm.active for alarm in site.alarms.open_alarms()] == [True], "unknown clears nothing"
    await site.stop()


async def test_a_failed_poll_makes_its_rules_unknown_at_once_and_clears_nothing(site: Site) -> None:
    await _offer(site, 120.0)
    site.intake.offer(Readings.unreadable("host-1", LAYOUT, NOW_NS + SECOND_NS))
    await until(lambda: site.pipeline.judged_polls == 2)
    assert list(site.alarms.truth[:2]) == [Truth.UNKNOWN] * 2
    assert [(alarm.active, alarm.unknown) for alarm in site.alarms.open_alarms()] == [(True, True)]


async def test_a_late_sample_is_kept_and_not_judged(site: Site) -> None:
    await _offer(site, 50.0, at_s=60)
    await _offer(site, 500.0, at_s=1, received_at_ns=NOW_NS + 61 * SECOND_NS)
    assert site.pipeline.late_polls == 1
    await site.clock.advance(0.2)
    await until(lambda: site.flushed == 1)
    assert site.reader.trace("crane-1.q0", 0, 2**62, 10).value.tolist() == [500.0, 50.0]
    assert site.alarms.open_alarms() == []


async def test_a_wall_clock_that_jumps_back_neither_silences_nor_clears(site: Site) -> None:
    await _offer(site, 120.0)
    await until(lambda: site.alerts.head().seq == 1)
    site.clock.step_wall(-3600)
    await _pass(site, 0.25)
    assert [alarm.active for alarm in site.alarms.open_alarms()] == [True]
    await _offer(site, 130.0, at_s=-3599)
    assert site.alarms.open_alarms()[0].worst == 130.0
    await _offer(site, 50.0, at_s=-3598)
    await until(lambda: site.alerts.head().seq == 2)
    assert _kinds(site) == [("rule-0", "raised"), ("rule-0", "returned")]


async def test_silence_is_raised_by_time_alone_and_ends_with_a_word(site: Site) -> None:
    await _offer(site, 1.0)
    await _pass(site, 9.75)
    assert site.alarms.open_alarms() == []
    await _pass(site, 0.25)
    await until(lambda: _kinds(site) == [("silence", "raised")])
    await _offer(site, 1.0, at_s=10)
    await _pass(site, 0.25)
    await until(lambda: _kinds(site) == [("silence", "raised"), ("silence", "returned")])


async def test_a_point_that_grows_stale_is_unknown(site: Site) -> None:
    await _offer(site, 50.0)
    await _pass(site, 3.0)
    assert site.alarms.truth[0] == Truth.FALSE
    await _pass(site, 0.25)
    assert site.alarms.truth[0] == Truth.UNKNOWN


async def test_a_restart_with_a_dead_device_does_not_clear_its_silence(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), RULES)
    site.start()
    await _pass(site, 10.0)
    await until(lambda: _kinds(site) == [("silence", "raised")])
    await site.stop()
    again = Site(tmp_path, points(), RULES, clock=site.clock)
    again.start()
    for _ in range(3):
        await _pass(again, 3.0)
    await again.stop()
    reopened = Site(tmp_path, points(), RULES)
    assert _kinds(reopened) == [("silence", "raised")]
    assert [alarm.active for alarm in reopened.alarms.open_alarms()] == [True]
    reopened.close()


async def test_refused_history_waits_in_memory_and_is_written_when_allowed_again(site: Site) -> None:
    site.history_allowed = False
    for n in range(5):
        await _offer(site, float(n), at_s=n)
    await site.clock.advance(1.0)
    await until(lambda: bool(site.pipeline._gap_since_ns))
    assert (site.flushed, site.history.buffered_polls, site.pipeline.history_lost_polls) == (0, 5, 0)
    site.history_allowed = True
    await site.clock.advance(0.2)
    await until(lambda: site.flushed == 1)
    assert site.reader.trace("crane-1.q0", 0, 2**62, 10).value.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    await until(lambda: site.alerts.last_of(RecordKind.HISTORY_GAP) is not None)


async def test_beyond_the_bound_polls_are_given_up_counted_and_sealed_as_a_gap(site: Site) -> None:
    site.history_allowed = False
    await _offer(site, 1.0)
    await site.clock.advance(0.2)
    await until(lambda: bool(site.pipeline._gap_since_ns))
    for n in range(60):
        await _offer(site, 1.0, at_s=n * 0.01)
    await site.clock.advance(0.2)
    await until(lambda: site.pipeline.history_lost_polls > 0)
    lost = site.pipeline.history_lost_polls
    assert lost == 61
    assert site.history.buffered_polls == 0
    for _ in range(2):
        site.history_allowed = True
        await _offer(site, 2.0, at_s=10)
        await site.clock.advance(0.2)
        await until(lambda: not site.pipeline._gap_since_ns)
        await until(lambda: site.recorder.last_in_line() is None)
        gap = site.alerts.last_of(RecordKind.HISTORY_GAP)
        assert gap is not None
        assert json.loads(gap.body)["content"]["lost_polls"] == lost
        lost = 0
        site.history_allowed = False
        await _offer(site, 2.0, at_s=11)
        await site.clock.advance(0.2)
        await until(lambda: bool(site.pipeline._gap_since_ns))
    site.history_allowed = True


async def test_a_message_that_is_given_up_is_not_acknowledged(site: Site) -> None:
    site.history_allowed = False
    kept = [await _put(site, float(n), at_s=n) for n in range(51)]
    await until(lambda: site.history.buffered_polls == 51)
    await site.clock.advance(0.2)
    await until(lambda: site.pipeline.history_lost_polls == 51)
    outcomes = await asyncio.gather(*kept, return_exceptions=True)
    assert all(isinstance(outcome, StoreError) for outcome in outcomes)


async def test_a_flush_that_fails_is_tried_again_with_everything(site: Site) -> None:
    _refuse_writes(site.history, True)
    kept = [await _put(site, float(value)) for value in range(40)]
    await until(lambda: site.history.buffered_polls == 40)
    await site.clock.advance(0.2)
    await until(lambda: bool(site.pipeline._gap_since_ns))
    assert not any(ack.done() for ack in kept)
    _refuse_writes(site.history, False)
    await site.clock.advance(0.2)
    await asyncio.gather(*kept)
    assert site.reader.rows() == (40, 160)
    assert site.pipeline.history_lost_polls == 0


async def test_stop_judges_what_is_queued_and_writes_what_is_buffered(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), RULES)
    for n in range(20):
        site.intake.offer(poll(LAYOUT, 120.0 if n == 19 else 1.0, NOW_NS + n))
    await site.pipeline.stop()
    await site.recorder.drain()
    site.close()
    again = Site(tmp_path, points(), RULES)
    assert again.reader.rows() == (20, 80)
    assert _kinds(again) == [("rule-0", "raised")]
    assert again.history.lost_since_ns == 0
    again.close()


async def test_an_active_alarm_goes_through_a_restart_without_being_raised_again(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), RULES)
    site.start()
    await _offer(site, 120.0)
    await until(lambda: site.alerts.head().seq == 1)
    await site.stop()
    again = Site(tmp_path, points(), RULES, clock=site.clock)
    again.start()
    await _offer(again, 130.0, at_s=1)
    await _offer(again, 50.0, at_s=2)
    await until(lambda: again.alerts.head().seq == 2)
    assert _kinds(again) == [("rule-0", "raised"), ("rule-0", "returned")]
    await again.stop()
