"""Check 7: a sensor whose value no longer moves is blocked and shown as unknown, and is a task for somebody."""

import json
from math import nan
from pathlib import Path
from typing import Any

import pytest

from gateway.model.verdict import Truth
from gateway.parts.pit.model.instrument import Defect
from tests.fakes.loaded_site import IDLE_CRANE, LoadedSite, crane_asset, pit_asset, utc_ns

START = "2026-03-02T08:00:00+08:00"
ITEM = "pit.wall_top_horizontal_displacement"
ALARM, UNUSABLE = f"{ITEM}.cumulative.alarm", "pit.reading.unusable"
WALL_TOP = {
    "name": "zq-1",
    "item": "wall_top_horizontal_displacement",
    "structure": "diaphragm_wall",
    "input": "wall_top_h",
    "already_cumulative": True,
}


def site(folder: Path, **changes: Any) -> LoadedSite:
    return LoadedSite(folder, [pit_asset([WALL_TOP | changes], design_depth_m=15.0)], START)


async def hourly(box: LoadedSite, *values_mm: float) -> None:
    for value_mm in values_mm:
        await box.passes(3300, 300.0)
        await box.says(300, "pit-1-host", wall_top_h=value_mm)


def moving(count: int, from_mm: float = 5.0) -> list[float]:
    return [from_mm + 0.05 * i for i in range(count)]


@pytest.fixture
async def box(tmp_path: Path):
    async with site(tmp_path) as box:
        await hourly(box, *moving(8))
        yield box


async def test_a_value_that_no_longer_moves_is_blocked_and_shown_as_unknown(box: LoadedSite) -> None:
    await hourly(box, *[5.4] * 24)
    assert box.truth(ALARM) is Truth.FALSE, "not yet a day"
    await hourly(box, 5.4)
    assert box.shown("pit-1.zq-1") == (None, "UNKNOWN")
    assert box.shown("pit-1.zq-1_rate") == (None, "UNKNOWN")
    assert box.shown("pit-1.zq-1_quality")[0] == Defect.FLAT_LINE
    judged = [rule.info.rule_id for rule in box.settings.rules if rule.subject.startswith("pit-1.zq-1")]
    of_the_value = {rule_id for rule_id in judged if rule_id.startswith(ITEM)}
    assert {box.truth(rule_id) for rule_id in of_the_value} == {Truth.UNKNOWN}
    assert all(box.shown_unknown(rule_id) for rule_id in of_the_value)


async def test_a_task_is_kept_in_the_asset_records_and_closed_when_it_moves_again(box: LoadedSite) -> None:
    await hourly(box, *[5.4] * 30)
    (task,) = await box.kept_events("pit-1", "data_quality")
    assert UNUSABLE in await box.alarms_shown()
    assert task.content == {
        "point": "zq-1",
        "reason": "flat_line",
        "since_ns": utc_ns("2026-03-03T17:00:00+08:00"),
        "readings": 1,
        "over": False,
    }
    await hourly(box, 5.5, 5.6)
    begun, over = await box.kept_events("pit-1", "data_quality")
    assert (begun, over.content["over"], over.content["readings"]) == (task, True, 6)
    assert box.truth(ALARM) is Truth.FALSE
    assert box.shown("pit-1.zq-1") == (5.6, "GOOD")
    assert len(await box.sealed(UNUSABLE, "returned")) == 1


async def test_the_tasks_are_records_and_fill_no_chain(box: LoadedSite) -> None:
    await hourly(box, *[5.4] * 30)
    await box.kept_events("pit-1", "data_quality")
    await box.site.recorder.drain()
    about = {json.loads(record.body)["content"].get("event") for record in box.site.alerts.all_evidence()}
    assert "data_quality" not in about


async def test_a_flat_line_clears_no_alarm(tmp_path: Path) -> None:
    async with site(tmp_path) as box:
        await hourly(box, *moving(30, from_mm=19.0))
        assert len(await box.told(ALARM)) == 1
        await hourly(box, *[20.45] * 60)
        assert await box.told(ALARM, "returned") == []
        assert (await box.alarms_shown())[ALARM]["unknown"]


async def test_a_value_that_scatters_by_a_hair_is_alive(box: LoadedSite) -> None:
    await hourly(box, *[5.4, 5.41] * 20)
    assert box.truth(ALARM) is Truth.FALSE
    assert await box.kept_events("pit-1", "data_quality") == []


async def test_a_band_says_what_still_counts_as_unmoved(tmp_path: Path) -> None:
    async with site(tmp_path, quality={"flat_band": 0.05}) as box:
        await hourly(box, *moving(8), *[5.4, 5.41] * 20)
        assert box.truth(ALARM) is Truth.UNKNOWN
        (task,) = await box.kept_events("pit-1", "data_quality")
        assert task.content["reason"] == "flat_line"


async def test_a_lone_spike_and_a_dead_wire_are_blocked_and_tasks_too(box: LoadedSite) -> None:
    await hourly(box, 60.0)
    assert (box.shown("pit-1.zq-1"), box.truth(ALARM)) == ((None, "UNKNOWN"), Truth.UNKNOWN)
    await hourly(box, 5.45, nan)
    assert box.truth(ALARM) is Truth.UNKNOWN
    tasks = await box.kept_events("pit-1", "data_quality")
    assert [(task.content["reason"], task.content["over"]) for task in tasks] == [
        ("outlier", False),
        ("outlier", True),
        ("no_signal", False),
    ]


async def test_an_anemometer_that_says_the_same_for_half_a_day_is_told_of(tmp_path: Path) -> None:
    """Of a crane's instruments the value stays shown, and the alarm says that it is not to be believed: calm nights."""
    async with LoadedSite(tmp_path, [crane_asset()], START) as box:
        await box.says(1.0, **IDLE_CRANE)
        await box.goes_on(12 * 3600, 300.0, wind_ms=3.3)
        assert "crane.wind.flat" not in await box.raised()
        await box.goes_on(600, 300.0)
        (sealed,) = await box.sealed("crane.wind.flat")
        assert (sealed["alarm"]["severity"], sealed["alarm"]["suspected"]) == ("P3", True)
