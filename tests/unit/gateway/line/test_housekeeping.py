import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.housekeeping import CHECKPOINT_EVERY_MIN, Housekeeping
from gateway.line.minute_summaries import CATCH_UP_MIN
from gateway.model.alert import Receipt, ReceiptKind
from gateway.model.errors import StoreError
from gateway.store.alert_store import SUMMARY_KIND
from kit.clock import SimulatedClock
from tests.fakes.dead_file import take_again, take_nothing
from tests.fakes.site import MINUTE_NS, NOW_NS, SECOND_NS, Site, layout, points, poll, threshold, until

START_NS = NOW_NS // (10 * MINUTE_NS) * (10 * MINUTE_NS)
LAYOUT = layout(2)


def _site(folder: Path, at_ns: int = START_NS) -> Site:
    return Site(folder, points(2), [threshold()], SimulatedClock(at_ns))


def _keeping(site: Site, uplinks: tuple[str, ...] = ("regulator",)) -> Housekeeping:
    return Housekeeping(site.alerts, site.history, site.reader, site.recorder, uplinks, site.clock)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = _site(tmp_path)
    yield site
    await site.stop()


def _fill(site: Site, seconds: int, first: int = 0) -> None:
    for n in range(first, first + seconds):
        site.history.append(poll(LAYOUT, [float(n), -float(n)], START_NS + n * SECOND_NS))
    site.history.flush(site.clock.now_ns()).done.result(5)


async def _sealed(site: Site, kind: RecordKind) -> dict[str, Canonical] | None:
    await site.recorder.drain()
    record = site.alerts.last_of(kind)
    return json.loads(record.body)["content"] if record else None


async def test_a_minute_is_summarised_for_each_uplink_that_takes_it(site: Site) -> None:
    _fill(site, 60)
    await site.clock.advance(65)
    await _keeping(site, ("regulator", "city")).tend()
    (item,) = site.alerts.pending("regulator", 10)
    assert (item.kind, item.key) == (SUMMARY_KIND, f"summary:crane-1:{START_NS}")
    body = json.loads(item.body)
    assert (body["minute_at_ns"], body["asset"]) == (START_NS, "crane-1")
    assert body["points"][0] == {
        "point_id": "crane-1.q0",
        "unit": "m",
        "min": "0.0",
        "max": "59.0",
        "mean": "29.5",
        "count": 60,
        "quality": 0,
    }
    assert site.alerts.pending_counts() == {"regulator": 1, "city": 1}
    await _keeping(site, ("regulator", "city")).tend()
    assert site.alerts.pending_counts() == {"regulator": 1, "city": 1}, "the same minute is one message"


async def test_a_minute_without_polls_is_no_summary(site: Site) -> None:
    await site.clock.advance(65)
    await _keeping(site).tend()
    assert site.alerts.pending_counts() == {}


def _minutes(site: Site, uplink: str = "regulator") -> list[int]:
    """The minutes that wait for the uplink, in the order in which they leave, counted from the start."""
    return [(int(item.key.rpartition(":")[2]) - START_NS) // MINUTE_NS for item in site.alerts.pending(uplink, 1000)]


async def _goes_on(site: Site, minutes: int) -> None:
    """Time passes; the clock then stands five seconds into a minute, if it did before."""
    await site.clock.advance(60 * minutes)


async def test_a_turn_that_was_missed_is_made_up_for_oldest_first(site: Site) -> None:
    keeping = _keeping(site)
    await site.clock.advance(65)
    _fill(site, 60)
    await keeping.tend()
    _fill(site, 120, first=60)
    await _goes_on(site, 2)
    await keeping.tend()
    assert _minutes(site) == [0, 1, 2]


async def test_nothing_is_summarised_again_once_the_uplink_has_it(site: Site) -> None:
    keeping = _keeping(site)
    _fill(site, 120)
    await site.clock.advance(65)
    await keeping.tend()
    accepted = Receipt(ReceiptKind.ACCEPTED, "")
    await asyncio.wrap_future(site.alerts.resolve([(site.alerts.pending("regulator", 1)[0], accepted)], NOW_NS))
    await keeping.tend()
    assert _minutes(site) == []
    await _goes_on(site, 1)
    await keeping.tend()
    assert _minutes(site) == [1]


async def test_a_turn_in_which_the_outbox_could_not_be_written_is_made_up_for(site: Site) -> None:
    keeping = _keeping(site)
    await site.clock.advance(65)
    await keeping.tend()
    _fill(site, 180, first=60)
    take_nothing(site.alerts)
    await _goes_on(site, 2)
    with pytest.raises(StoreError):
        await keeping.tend()
    take_again(site.alerts)
    await _goes_on(site, 1)
    await keeping.tend()
    assert _minutes(site) == [1, 2, 3]


async def test_a_minute_whose_polls_still_wait_for_the_disk_is_summarised_whole_later(site: Site) -> None:
    keeping = _keeping(site)
    _fill(site, 20)
    for n in range(20, 60):
        site.history.append(poll(LAYOUT, [float(n), -float(n)], START_NS + n * SECOND_NS))
    await site.clock.advance(65)
    await keeping.tend()
    assert _minutes(site) == [], "two thirds of the minute are not written yet"
    _fill(site, 60, first=60)
    await _goes_on(site, 1)
    await keeping.tend()
    assert _minutes(site) == [0, 1]
    assert json.loads(site.alerts.pending("regulator", 1)[0].body)["points"][0]["count"] == 60


async def test_a_restart_across_minutes_loses_none(tmp_path: Path) -> None:
    site = _site(tmp_path)
    _fill(site, 60)
    await site.clock.advance(65)
    await _keeping(site).tend()
    _fill(site, 90, first=60)
    await site.stop()
    again = _site(tmp_path, START_NS + 10 * MINUTE_NS + 5 * SECOND_NS)
    _fill(again, 60, first=540)
    await _keeping(again).tend()
    assert _minutes(again) == [0, 1, 2, 9]
    await again.stop()


async def test_after_a_kill_the_minute_is_not_lost(tmp_path: Path) -> None:
    site = _site(tmp_path / "box")
    _fill(site, 60)
    await site.clock.advance(65)
    await _keeping(site).tend()
    _fill(site, 60, first=60)
    shutil.copytree(tmp_path / "box", tmp_path / "killed")
    await site.stop()
    again = _site(tmp_path / "killed", START_NS + 5 * MINUTE_NS + 5 * SECOND_NS)
    await _keeping(again).tend()
    assert _minutes(again) == [0, 1]
    await again.stop()


async def test_a_minute_without_polls_between_others_is_passed_over(site: Site) -> None:
    keeping = _keeping(site)
    _fill(site, 60)
    await site.clock.advance(65)
    await keeping.tend()
    await _goes_on(site, 1)
    await keeping.tend()
    _fill(site, 60, first=120)
    await _goes_on(site, 1)
    await keeping.tend()
    assert _minutes(site) == [0, 2]


async def test_beyond_the_bound_the_oldest_are_counted_and_sealed(site: Site) -> None:
    keeping = _keeping(site)
    await site.clock.advance(5)
    await keeping.tend()
    for minute in range(CATCH_UP_MIN + 3):
        _fill(site, 1, first=60 * minute)
    await _goes_on(site, 2 * CATCH_UP_MIN)
    await keeping.tend()
    assert _minutes(site) == list(range(3, CATCH_UP_MIN + 3))
    gap = await _sealed(site, RecordKind.HISTORY_GAP)
    assert gap is not None
    assert (gap["from_ns"], gap["to_ns"]) == (START_NS, START_NS + 3 * MINUTE_NS)
    assert gap["summaries_left_out"] == 3


async def test_up_to_the_bound_nothing_is_left_out(site: Site) -> None:
    keeping = _keeping(site)
    await site.clock.advance(5)
    await keeping.tend()
    for minute in range(CATCH_UP_MIN):
        _fill(site, 1, first=60 * minute)
    await _goes_on(site, 100 * CATCH_UP_MIN)
    await keeping.tend()
    assert _minutes(site) == list(range(CATCH_UP_MIN))
    assert await _sealed(site, RecordKind.HISTORY_GAP) is None


async def test_an_uplink_that_comes_later_gets_nothing_of_the_time_before(tmp_path: Path) -> None:
    site = _site(tmp_path)
    _fill(site, 300)
    await site.clock.advance(245)
    await _keeping(site, ()).tend()
    await site.stop()
    again = _site(tmp_path, START_NS + 5 * MINUTE_NS + 5 * SECOND_NS)
    await _keeping(again).tend()
    assert _minutes(again) == [4]
    await again.stop()


async def test_a_clock_that_was_set_back_does_not_stop_the_summaries(site: Site) -> None:
    keeping = _keeping(site)
    site.clock.step_wall(86_400)
    await site.clock.advance(65)
    await keeping.tend()
    site.clock.step_wall(-86_400)
    _fill(site, 120)
    await keeping.tend()
    await _goes_on(site, 1)
    await keeping.tend()
    assert _minutes(site) == [0, 1]


async def test_it_runs_five_seconds_into_every_minute(site: Site) -> None:
    task = asyncio.create_task(_keeping(site).run())
    _fill(site, 60)
    await until(lambda: bool(site.clock._sleepers))
    await site.clock.advance(5)
    await until(lambda: bool(site.clock._sleepers))
    await site.clock.advance(59.9)
    assert len(site.clock._sleepers) == 1, "not yet"
    assert site.alerts.pending_counts() == {}
    await site.clock.advance(0.1)
    await until(lambda: site.alerts.pending_counts() == {"regulator": 1})
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_database_that_cannot_be_written_costs_only_the_turn(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    task = asyncio.create_task(_keeping(site).run())
    take_nothing(site.history)
    await until(lambda: bool(site.clock._sleepers))
    await site.clock.advance(65)
    await until(lambda: "event=housekeeping_failed" in caplog.text)
    take_again(site.history)
    _fill(site, 60, first=60)
    await until(lambda: bool(site.clock._sleepers))
    await site.clock.advance(60)
    await until(lambda: site.alerts.pending_counts() == {"regulator": 1})
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_checkpoint_seals_how_far_the_history_has_come(site: Site) -> None:
    _fill(site, 5)
    _fill(site, 5, first=5)
    await site.clock.advance(60 * CHECKPOINT_EVERY_MIN + 5)
    await _keeping(site).tend()
    assert await _sealed(site, RecordKind.CHECKPOINT) == {"block_id": 2}


async def test_between_checkpoints_none_is_sealed(site: Site) -> None:
    await site.clock.advance(65)
    await _keeping(site).tend()
    assert await _sealed(site, RecordKind.CHECKPOINT) is None


async def test_what_left_before_an_uplink_had_it_is_sealed_as_a_gap(site: Site) -> None:
    await asyncio.wrap_future(site.history.start_cursor("influx"))
    _fill(site, 60)
    site.clock.step_wall(61 * 86_400)
    await _keeping(site).tend()
    gap = await _sealed(site, RecordKind.HISTORY_GAP)
    assert gap is not None
    assert gap["untaken_polls"] == {"influx": 60}


async def test_after_a_clean_stop_there_is_nothing_to_report(tmp_path: Path) -> None:
    site = _site(tmp_path)
    _fill(site, 5)
    await site.stop()
    again = _site(tmp_path)
    await _keeping(again).report_unclean_stop()
    assert await _sealed(again, RecordKind.HISTORY_GAP) is None
    await again.stop()


async def test_after_a_kill_the_gap_is_sealed_with_its_beginning(tmp_path: Path) -> None:
    site = _site(tmp_path / "box")
    _fill(site, 5)
    shutil.copytree(tmp_path / "box", tmp_path / "killed")
    await site.stop()
    again = _site(tmp_path / "killed", START_NS + MINUTE_NS)
    await _keeping(again).report_unclean_stop()
    gap = await _sealed(again, RecordKind.HISTORY_GAP)
    assert gap is not None
    assert (gap["from_ns"], gap["to_ns"], gap["missing_blocks"]) == (START_NS, START_NS + MINUTE_NS, 0)
    await again.stop()


async def test_blocks_that_a_checkpoint_had_seen_and_that_are_gone_are_counted(tmp_path: Path) -> None:
    site = _site(tmp_path / "box")
    _fill(site, 1)
    shutil.copytree(tmp_path / "box", tmp_path / "old")
    for n in range(1, 4):
        _fill(site, 1, first=n)
    await _keeping(site).checkpoint()
    await site.stop()
    for part in (tmp_path / "box").glob("history.db*"):
        part.unlink()
    for part in (tmp_path / "old").glob("history.db*"):
        shutil.copy(part, tmp_path / "box")
    again = _site(tmp_path / "box", START_NS + MINUTE_NS)
    await _keeping(again).report_unclean_stop()
    gap = await _sealed(again, RecordKind.HISTORY_GAP)
    assert gap is not None
    assert gap["missing_blocks"] == 3
    await again.stop()


async def test_a_repair_is_sealed_with_what_was_saved(tmp_path: Path) -> None:
    site = _site(tmp_path)
    for n in range(300):
        _fill(site, 1, first=n)
    await site.stop()
    path = tmp_path / "history.db"
    path.write_bytes(path.read_bytes()[:-5000])
    again = _site(tmp_path)
    await _keeping(again).report_unclean_stop()
    repaired = await _sealed(again, RecordKind.STORE_REPAIRED)
    assert repaired is not None
    assert (repaired["file"], repaired["moved_to"]) == ("history.db", "history.db.damaged-1")
    rows = repaired["rows_saved"]
    assert isinstance(rows, dict)
    assert 250 <= int(str(rows["block"])) < 300
    assert await _sealed(again, RecordKind.HISTORY_GAP) is not None
    await again.stop()


async def test_the_reserve_comes_back_when_there_is_room(site: Site) -> None:
    site.alerts.reserve.release()
    await site.clock.advance(65)
    await _keeping(site).tend()
    assert not site.alerts.reserve.released
