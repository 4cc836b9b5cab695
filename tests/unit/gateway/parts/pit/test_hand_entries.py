"""A surveyor's readings on their way into the box: kept, judged in order, never doubled, not lost by a kill."""

import asyncio
import hashlib
from datetime import datetime
from pathlib import Path

import pytest

from gateway.parts.pit.hand_entries import Bringer, NoSuchPitError, Table, TypedReading
from gateway.parts.pit.hand_entry import FaultCode
from gateway.parts.pit.hand_entry.parsing import SITE_ZONE
from gateway.store.asset_records import HandReading
from tests.fakes.pit_box import PitBox
from tests.fakes.site import NOW_NS, until

BY = Bringer("surveyor-1", "每日测量")
DAY_NS = 86_400_000_000_000
LINES = (
    "测点,时间,读数(mm)",
    "DJ-01,2023-11-14 09:00,5.0",
    "DJ-01,2023-11-13 09:00,3.5",
    "ZQ-01,2023-11-14 10:00,1.25",
)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text + "+08:00").timestamp()) * 1_000_000_000


def table(*lines: str, name: str = "读数.csv") -> Table:
    return Table("\r\n".join(lines or LINES).encode("gb18030"), name)


def reading(value: float, at_ns: int, point: str = "dj-01") -> HandReading:
    return HandReading("pit-1", f"pit-1.{point}_hand", at_ns, value, "mm", NOW_NS, "surveyor-1", "f" * 64)


async def test_a_table_is_in_the_history_in_order_of_time_and_in_the_chain_with_its_digest(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    outcome = await box.finish(box.entries.take("pit-1", table(), BY))
    assert (outcome.accepted, outcome.known, outcome.faults) == (3, 0, ())
    assert box.samples("pit-1.dj-01_hand") == [(ns("2023-11-13 09:00"), 3.5), (ns("2023-11-14 09:00"), 5.0)]
    assert box.samples("pit-1.dj-01") == box.samples("pit-1.dj-01_hand")
    kept = box.records.readings("pit-1.dj-01_hand", 0, 2**62, 10)
    assert [(each.value, each.unit, each.entered_by, each.note) for each in kept] == [
        (3.5, "mm", "surveyor-1", "每日测量"),
        (5.0, "mm", "surveyor-1", "每日测量"),
    ]
    (record,) = box.sealed("hand_readings")
    assert record == {
        "asset": "pit-1",
        "user": "surveyor-1",
        "reason": "每日测量",
        "file": "读数.csv",
        "file_sha256": hashlib.sha256(table().content).hexdigest(),
        "accepted": 3,
        "known": 0,
        "faults": 0,
    }
    await box.stop()


async def test_the_same_table_again_is_known_and_fed_to_nobody(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    await box.finish(box.entries.take("pit-1", table(), BY))
    again = await box.finish(box.entries.take("pit-1", table(*LINES, "DJ-01,2023-11-15 05:00,6.0"), BY))
    assert (again.accepted, again.known, again.faults) == (1, 3, ())
    third = await box.finish(box.entries.take("pit-1", table(), BY))
    assert (third.accepted, third.known, third.evidence_seq) == (0, 3, 0)
    assert [value for _, value in box.samples("pit-1.dj-01_hand")] == [3.5, 5.0, 6.0]
    assert len(box.sealed("hand_readings")) == 2
    await box.stop()


async def test_a_reading_that_is_not_later_than_the_points_last_is_a_fault_with_its_line(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    await box.finish(box.entries.take("pit-1", table(), BY))
    late = table(LINES[0], "DJ-01,2023-11-13 12:00,4.0", "DJ-01,2023-11-14 09:00,5.5", "ZQ-01,2023-11-14 11:00,2")
    outcome = await box.finish(box.entries.take("pit-1", late, BY))
    assert outcome.accepted == 1
    assert [(fault.line, fault.code) for fault in outcome.faults] == [
        (2, FaultCode.NOT_NEWER),
        (3, FaultCode.NOT_NEWER),
    ]
    assert outcome.faults[0].expected == "2023-11-14 09:00:00"
    await box.stop()


async def test_twenty_days_of_old_readings_are_judged_in_order_and_raise_what_they_must(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    first = ns("2023-10-26 09:00")
    rows = [f"DJ-01,{_local(first + day * DAY_NS)},{2.0 * day}" for day in range(20)]
    outcome = await box.finish(box.entries.take("pit-1", table(LINES[0], *rows), BY))
    assert outcome.accepted == 20
    assert [value for _, value in box.samples("pit-1.dj-01")] == [2.0 * day for day in range(20)]
    rates = [value for _, value in box.samples("pit-1.dj-01_rate")]
    assert rates[-1] == pytest.approx(2.0)
    await until(lambda: "pit.surface_settlement.cumulative.alarm" in _open_rules(box))
    raised = next(each for each in box.site.alerts.open_alarms() if each.rule.rule_id.endswith("cumulative.alarm"))
    assert raised.raised_at_ns >= first + 15 * DAY_NS
    await box.stop()


async def test_one_reading_beyond_the_limit_is_an_alarm_without_waiting_for_the_next(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    await box.finish(box.entries.take("pit-1", table(LINES[0], "DJ-01,2023-11-14 09:00,31.0"), BY))
    await until(lambda: "pit.surface_settlement.cumulative.alarm" in _open_rules(box))
    assert all(alarm.raised_at_ns == ns("2023-11-14 09:00") for alarm in box.site.alerts.open_alarms())
    await box.stop()


async def test_a_typed_reading_is_read_by_the_same_rules(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    good = TypedReading("DJ-01", "2023-11-14T09:00:00+08:00", 5.0, "mm")
    outcome = await box.finish(box.entries.take_one("pit-1", good, BY))
    assert (outcome.accepted, outcome.sha256) == (1, "")
    bad = TypedReading("DJ-01", "2023-11-14T10:00:00+08:00", 5.0, "kN")
    refused = await box.finish(box.entries.take_one("pit-1", bad, BY))
    assert [(fault.code, fault.line) for fault in refused.faults] == [(FaultCode.UNIT_MISMATCH, 0)]
    await box.stop()


async def test_a_point_that_an_instrument_reads_and_an_unknown_pit_take_nothing(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    outcome = await box.finish(box.entries.take("pit-1", table("测点,时间,读数", "ZL-01,2023-11-14 09:00,5"), BY))
    assert [fault.code for fault in outcome.faults] == [FaultCode.UNKNOWN_POINT]
    with pytest.raises(NoSuchPitError):
        await box.entries.take("crane-1", table(), BY)
    assert box.sealed("hand_readings") == []
    await box.stop()


async def test_a_kill_after_assets_db_and_before_the_history_loses_nothing(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.assets.add_readings([reading(3.5, NOW_NS - 2 * DAY_NS), reading(5.0, NOW_NS - DAY_NS)]).result()
    await box.kill()
    again = PitBox(tmp_path)
    again.site.start()
    assert await again.finish(again.entries.resume()) == 2
    assert [value for _, value in again.samples("pit-1.dj-01")] == [3.5, 5.0]
    assert again.sealed("hand_readings") == [{"resumed": 2, "assets": ["pit-1"]}]
    await again.stop()
    third = PitBox(tmp_path)
    third.site.start()
    assert await third.finish(third.entries.resume()) == 0
    assert [value for _, value in third.samples("pit-1.dj-01_hand")] == [3.5, 5.0]
    await third.stop()


async def test_a_kill_in_the_middle_of_feeding_feeds_only_the_rest(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    await box.finish(box.entries.take("pit-1", table(), BY))
    box.assets.add_readings([reading(7.0, NOW_NS - 1_000_000_000)]).result()
    await box.kill()
    again = PitBox(tmp_path)
    again.site.start()
    assert await again.finish(again.entries.resume()) == 1
    assert [value for _, value in again.samples("pit-1.dj-01_hand")] == [3.5, 5.0, 7.0]
    await again.stop()


async def test_a_model_whose_state_was_not_kept_is_shown_what_the_history_holds(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    await box.finish(box.entries.take("pit-1", table(), BY))
    before = box.deriving.saved()["pit-1:dj-01"]
    await box.kill()
    again = PitBox(tmp_path)
    fresh = next(model for model in again.models if model.device == "pit-1:dj-01")
    fresh.restore(_unknowing(tmp_path / "other")["pit-1:dj-01"])
    again.site.start()
    assert await again.finish(again.entries.resume()) == 0
    assert again.deriving.saved()["pit-1:dj-01"]["rate"] == before["rate"]  # type: ignore[call-overload, index]
    assert len(again.samples("pit-1.dj-01")) == 2
    await again.stop()


async def test_what_is_older_than_the_history_keeps_is_not_fed_again(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.assets.add_readings([reading(3.5, NOW_NS - 61 * DAY_NS), reading(5.0, NOW_NS - 59 * DAY_NS)]).result()
    box.site.start()
    assert await box.finish(box.entries.resume()) == 1
    await box.stop()


async def test_two_tables_at_once_enter_one_after_the_other(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()

    async def both() -> list[int]:
        outcomes = await asyncio.gather(*(box.entries.take("pit-1", table(), BY) for _ in range(2)))
        return [outcome.accepted for outcome in outcomes]

    assert await box.finish(both()) == [3, 0]
    assert len(box.samples("pit-1.dj-01_hand")) == 2
    await box.stop()


def _open_rules(box: PitBox) -> set[str]:
    return {alarm.rule.rule_id for alarm in box.site.alerts.open_alarms()}


def _local(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, SITE_ZONE).strftime("%Y-%m-%d %H:%M")


def _unknowing(folder: Path) -> dict[str, object]:
    """The states of models that have seen nothing."""
    folder.mkdir()
    box = PitBox(folder)
    states = dict(box.deriving.saved())
    box.site.close()
    box.close_assets()
    return states  # type: ignore[return-value]
