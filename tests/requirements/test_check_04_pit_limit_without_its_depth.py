"""Check 4: a pit point at u = 1.02 whose pit's depth is missing is unknown or an alarm by the absolute bound, never
normal.

GB 50497-2019 Table 8.0.4 for a wall top of a diaphragm wall, grade 1: the smaller of 20 mm and 0.2 % of H.
"""

from pathlib import Path
from typing import Any

import pytest

from gateway.model.verdict import Truth
from tests.fakes.loaded_site import LoadedSite, pit_asset

ITEM = "pit.wall_top_horizontal_displacement"
ALARM = f"{ITEM}.cumulative.alarm"
LADDER = tuple(f"{ITEM}.cumulative.{step}" for step in ("attention", "warn", "alarm", "danger"))
WALL_TOP = {
    "name": "zq-1",
    "item": "wall_top_horizontal_displacement",
    "structure": "diaphragm_wall",
    "input": "wall_top_h",
    "already_cumulative": True,
}
SHALLOW_M = 5.0
OF_DEPTH_MM, ABSOLUTE_MM = 0.2 / 100 * SHALLOW_M * 1000, 20.0


def site(folder: Path, depth_m: float | None, **changes: Any) -> LoadedSite:
    pit = pit_asset([WALL_TOP | changes], design_depth_m=depth_m)
    return LoadedSite(folder, [pit], "2026-03-02T08:00:00+08:00")


async def hourly(box: LoadedSite, values_mm: list[float]) -> list[Truth]:
    """A reading every hour; what the alarm's row says after each."""
    said = []
    for value_mm in values_mm:
        await box.passes(3300, 300.0)
        await box.says(300, "pit-1-host", wall_top_h=value_mm)
        said.append(box.truth(ALARM))
    return said


def creeping(to_mm: float) -> list[float]:
    """Readings that come up to the value, and scatter as an instrument does."""
    return [to_mm - 2.0 + 0.1 * i + (0.02 if i % 2 else -0.02) for i in range(20)] + [to_mm, to_mm + 0.01]


async def test_beyond_the_absolute_value_it_is_an_alarm(tmp_path: Path) -> None:
    async with site(tmp_path, None) as box:
        said = await hourly(box, creeping(1.02 * ABSOLUTE_MM))
        (told,) = await box.told(ALARM)
        assert Truth.FALSE not in said
        assert (said[-1], told["severity"], told["suspected"]) == (Truth.TRUE, "P2", True)
        assert (told["limit"], told["unit"], told["limit_source"]) == ("20.0", "mm", "national_code")
        assert "GB 50497-2019 Table 8.0.4" in told["clause"]
        assert "upper bound only" in told["clause"]
        assert told["certainty"] == "V2"


async def test_the_alarm_comes_with_the_reading_itself_not_with_the_next_one(tmp_path: Path) -> None:
    async with site(tmp_path, None) as box:
        await hourly(box, [*creeping(19.0), 1.02 * ABSOLUTE_MM])
        await box.passes(60, 1.0)
        assert [told["measured"] for told in await box.told(ALARM)] == ["20.4"]


async def test_below_it_the_point_is_unknown_where_the_depth_would_make_it_an_alarm(tmp_path: Path) -> None:
    at_mm = 1.02 * OF_DEPTH_MM
    async with site(tmp_path / "without", None) as box:
        assert set(await hourly(box, creeping(at_mm))) == {Truth.UNKNOWN}
        assert box.shown_unknown(ALARM)
        assert box.shown("pit-1.zq-1")[0] == pytest.approx(at_mm, abs=0.1), "what was measured is shown all the same"
        assert await box.told(ALARM) == []
    async with site(tmp_path / "with", SHALLOW_M) as box:
        assert (await hourly(box, creeping(at_mm)))[-1] is Truth.TRUE
        (told,) = await box.told(ALARM)
        assert (told["limit"], "% of H = 5 m" in told["clause"]) == ("10.0", True)


async def test_nothing_of_the_ladder_is_ever_normal_without_the_depth(tmp_path: Path) -> None:
    async with site(tmp_path, None) as box:
        for value_mm in creeping(3.0):
            await hourly(box, [value_mm])
            assert {box.truth(rule_id) for rule_id in LADDER} == {Truth.UNKNOWN}


async def test_an_alarm_by_the_absolute_value_does_not_clear_below_it(tmp_path: Path) -> None:
    async with site(tmp_path, None) as box:
        await hourly(box, [*creeping(1.02 * ABSOLUTE_MM), *reversed(creeping(16.0))])
        assert len(await box.told(ALARM)) == 1
        assert await box.told(ALARM, "returned") == []
        assert (await box.alarms_shown())[ALARM]["unknown"]


async def test_the_missing_depth_is_said_when_the_site_is_checked(tmp_path: Path) -> None:
    async with site(tmp_path, None) as box:
        said = [str(warning) for warning in box.settings.warnings if "pit-1.zq-1" in str(warning)]
        assert ["depth" in words for words in said] == [True], said


async def test_a_designers_value_needs_no_depth(tmp_path: Path) -> None:
    control = {"cumulative": 30.0, "limit_source": "design", "clause": "S-03, page 2"}
    async with site(tmp_path, None, control=control) as box:
        said = await hourly(box, creeping(1.02 * ABSOLUTE_MM))
        assert set(said) == {Truth.FALSE}
        assert (await hourly(box, creeping(1.02 * 30.0)))[-1] is Truth.TRUE
        (told,) = await box.told(ALARM)
        assert (told["limit_source"], told["clause"], told["certainty"]) == ("design", "S-03, page 2", "SITE")
