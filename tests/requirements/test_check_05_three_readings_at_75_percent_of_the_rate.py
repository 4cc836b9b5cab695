"""Check 5: three readings in a row at 75 % of the rate limit warn on the third, not before.

GB 50497-2019 Table 8.0.4 for a wall top of a diaphragm wall, grade 1: 2 mm a day, so that 75 % are 1.5 mm a day.
"""

from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest

from gateway.model.verdict import Truth
from tests.fakes.loaded_site import LoadedSite, pit_asset

ROW = "pit.wall_top_horizontal_displacement.rate.three_in_a_row"
ALARM = "pit.wall_top_horizontal_displacement.rate.alarm"
LIMIT_MM_D = 2.0
WALL_TOP = {
    "name": "zq-1",
    "item": "wall_top_horizontal_displacement",
    "structure": "diaphragm_wall",
    "input": "wall_top_h",
    "already_cumulative": True,
    "rate": {"window_h": 30, "min_readings": 2, "min_span_h": 20},
    "control": {"cumulative": 200.0, "clause": "S-03: no limit that is in the way here"},
}
"""Read once a day, with the rate from one day to the next."""


def site(folder: Path, *packs: str, **changes: Any) -> LoadedSite:
    return LoadedSite(
        folder,
        [pit_asset([WALL_TOP | changes], design_depth_m=15.0)],
        "2026-03-02T08:00:00+08:00",
        packs or ["national"],
    )


class Surveyor:
    """Reads the wall top once a day."""

    def __init__(self, box: LoadedSite) -> None:
        self._box = box
        self._at_mm = 0.0
        self.warned_on: list[int] = []
        self.said: list[Truth] = []

    async def reads(self, *shares: float) -> None:
        """A reading a day later for each share of the rate limit that the wall has moved by; NaN: no usable value."""
        for share in shares:
            await self._box.passes(86_390.0, 3599.58333)
            self._at_mm += 0.0 if isnan(share) else share * LIMIT_MM_D
            await self._box.says(9.0, "pit-1-host", wall_top_h=nan if isnan(share) else self._at_mm)
            await self._box.passes(1.0)
            self.said.append(self._box.truth(ROW))
            if len(await self._box.sealed(ROW)) > len(self.warned_on):
                self.warned_on.append(len(self.said) - 1)


@pytest.fixture
async def box(tmp_path: Path):
    async with site(tmp_path) as box:
        yield box


async def test_the_third_reading_warns_and_none_before(box: LoadedSite) -> None:
    surveyor = Surveyor(box)
    await surveyor.reads(0.0, 0.2, 0.75, 0.75, 0.75)
    assert surveyor.warned_on == [4]
    assert surveyor.said[1:] == [Truth.FALSE, Truth.FALSE, Truth.FALSE, Truth.TRUE]
    (sealed,) = await box.sealed(ROW)
    alarm = sealed["alarm"]
    assert (alarm["severity"], alarm["limit"], alarm["unit"], alarm["suspected"]) == ("P3", "1.4", "mm/d", False)
    assert "three times in a row, GB 50497-2019 ch. 8" in alarm["clause"]
    assert (alarm["limit_source"], alarm["certainty"]) == ("national_code", "V2")
    assert await box.raised(ALARM) == []


async def test_a_reading_below_in_between_begins_anew(box: LoadedSite) -> None:
    surveyor = Surveyor(box)
    await surveyor.reads(0.0, 0.2, 0.75, 0.75, 0.6, 0.75, 0.75)
    assert surveyor.warned_on == []
    await surveyor.reads(0.75)
    assert surveyor.warned_on == [7]


async def test_just_below_seventy_percent_never_warns(box: LoadedSite) -> None:
    surveyor = Surveyor(box)
    await surveyor.reads(0.0, *[0.69] * 6)
    assert surveyor.warned_on == []


async def test_movement_the_other_way_counts_as_well(box: LoadedSite) -> None:
    surveyor = Surveyor(box)
    await surveyor.reads(0.0, 0.2, -0.75, -0.75, -0.75)
    assert surveyor.warned_on == [4]


async def test_a_rate_at_the_limit_does_not_wait_for_three(box: LoadedSite) -> None:
    surveyor = Surveyor(box)
    await surveyor.reads(0.0, 0.2, 1.01)
    assert await box.raised(ALARM) == [ALARM]
    assert surveyor.warned_on == []


async def test_a_lost_reading_does_not_count_and_is_not_taken_for_a_low_one(box: LoadedSite) -> None:
    surveyor = Surveyor(box)
    await surveyor.reads(0.0, 0.2, 0.75, 0.75, nan)
    assert (surveyor.warned_on, surveyor.said[-1]) == ([], Truth.UNKNOWN)


async def test_a_warning_is_not_cleared_by_a_lost_reading(box: LoadedSite) -> None:
    surveyor = Surveyor(box)
    await surveyor.reads(0.0, 0.2, 0.75, 0.75, 0.75, nan)
    assert ROW in await box.alarms_shown()
    assert await box.sealed(ROW, "returned") == []


async def test_samples_of_a_stream_are_not_readings(tmp_path: Path) -> None:
    """An instrument that says the same three times within a minute has been read once."""
    async with site(tmp_path) as box:
        surveyor = Surveyor(box)
        await surveyor.reads(0.0, 0.2, 0.75)
        for _ in range(5):
            await box.says(10, "pit-1-host", wall_top_h=1.9 + 0.001)
        assert await box.raised(ROW) == []


async def test_guangdongs_pack_names_its_own_clause(tmp_path: Path) -> None:
    async with site(tmp_path, "national", "pack-gd-2023") as box:
        surveyor = Surveyor(box)
        await surveyor.reads(0.0, 0.2, 0.75, 0.75, 0.75)
        (sealed,) = await box.sealed(ROW)
        assert "DBJ/T 15-162-2019 3.7.3" in sealed["alarm"]["clause"]
        assert surveyor.warned_on == [4]
