"""Check 6: a strut at 78 % of its preload is an alarm because it is too low; too high is one as well.

GB 50497-2019 Table 8.0.4, grade 1: at least 80 % of the preload fy, at most 60 % of the capacity f2.
"""

from math import nan
from pathlib import Path
from typing import Any

import pytest

from gateway.model.verdict import Truth
from tests.fakes.loaded_site import LoadedSite, pit_asset

LOW, HIGH = "pit.support_axial_force.load_low", "pit.support_axial_force.load_high"
PRELOAD_KN, CAPACITY_KN = 1000.0, 2000.0
STRUT = {
    "name": "zl-1",
    "item": "support_axial_force",
    "input": "strut_force_kn",
    "control": {"preload_fy": PRELOAD_KN, "design_f2": CAPACITY_KN, "clause": "S-07, strut schedule"},
}


def site(folder: Path, *packs: str, **changes: Any) -> LoadedSite:
    pit = pit_asset([STRUT | changes], design_depth_m=15.0)
    return LoadedSite(folder, [pit], "2026-03-02T08:00:00+08:00", packs or ["national"])


async def hourly(box: LoadedSite, *forces_kn: float) -> None:
    """A reading every hour; each scatters by a little, as an instrument does."""
    for i, force_kn in enumerate(forces_kn):
        await box.passes(3300, 300.0)
        await box.says(300, "pit-1-host", strut_force_kn=force_kn + (0.1 if i % 2 else 0.0))


@pytest.fixture
async def box(tmp_path: Path):
    async with site(tmp_path) as box:
        await hourly(box, *[PRELOAD_KN] * 6)
        yield box


async def test_too_little_force_is_an_alarm(box: LoadedSite) -> None:
    assert await box.raised("pit.support") == [], "at its preload the strut is in order"
    await hourly(box, *[0.78 * PRELOAD_KN] * 3)
    (told,) = await box.told(f"{LOW}.alarm")
    assert (told["limit"], told["unit"], told["severity"]) == ("80.0", "%", "P2")
    assert float(told["measured"]) == pytest.approx(78.0, abs=0.1)
    assert told["suspected"], "a person looks whether it has come loose"
    assert "GB 50497-2019 Table 8.0.4" in told["clause"]
    assert (told["limit_source"], told["certainty"]) == ("national_code", "V2")
    assert "低于预加力" in told["title_zh"]
    assert await box.raised(HIGH) == []
    (sealed,) = await box.sealed(f"{LOW}.alarm")
    assert (sealed["rule"]["direction"], sealed["alarm"]["subject"]) == ("low", "pit-1.zl-1_pct_fy")


async def test_too_much_force_is_an_alarm_as_well(box: LoadedSite) -> None:
    await hourly(box, *[0.61 * CAPACITY_KN] * 3)
    (told,) = await box.told(f"{HIGH}.alarm")
    assert (told["limit"], told["unit"], told["severity"]) == ("60.0", "%", "P2")
    assert float(told["measured"]) == pytest.approx(61.0, abs=0.1)
    assert told["subject"] == "pit-1.zl-1_pct_f2"
    assert await box.raised(LOW) == []


async def test_between_the_bounds_there_is_nothing(box: LoadedSite) -> None:
    await hourly(box, 0.81 * PRELOAD_KN, 0.82 * PRELOAD_KN, 0.81 * PRELOAD_KN)
    await hourly(box, *[0.53 * CAPACITY_KN] * 3)
    assert await box.raised("pit.support_axial_force.load") == []


async def test_the_bound_itself_is_too_low(box: LoadedSite) -> None:
    await hourly(box, 799.95, 799.85, 799.95)
    assert await box.raised(LOW) == [f"{LOW}.alarm"]


async def test_a_strut_that_is_lost_is_a_danger(box: LoadedSite) -> None:
    await hourly(box, *[0.3 * PRELOAD_KN] * 4)
    (told,) = await box.told(f"{LOW}.danger")
    assert told["severity"] == "P1"
    assert "danger-alarm condition, GB 50497-2019 8.0.9(2)" in told["clause"]


async def test_a_dead_gauge_is_neither_loose_nor_in_order(box: LoadedSite) -> None:
    await hourly(box, nan, nan)
    assert {box.truth(f"{LOW}.alarm"), box.truth(f"{HIGH}.alarm")} == {Truth.UNKNOWN}
    assert box.shown("pit-1.zl-1_pct_fy") == (None, "UNKNOWN")
    assert await box.raised("pit.support") == []


async def test_a_dead_gauge_clears_no_loose_strut(box: LoadedSite) -> None:
    await hourly(box, *[0.78 * PRELOAD_KN] * 3, nan, nan)
    assert await box.told(f"{LOW}.alarm", "returned") == []
    assert (await box.alarms_shown())[f"{LOW}.alarm"]["unknown"]


async def test_without_a_preload_on_file_nothing_says_that_it_is_kept(tmp_path: Path) -> None:
    async with site(tmp_path, control={"design_f2": CAPACITY_KN, "clause": "S-07"}) as box:
        rules = {rule.info.rule_id for rule in box.settings.rules}
        assert f"{HIGH}.alarm" in rules
        assert f"{LOW}.alarm" not in rules


async def test_in_guangdong_too_the_stricter_of_both_codes_counts(tmp_path: Path) -> None:
    """DBJ/T 15-162-2019 3.7.3 allows 70 % of the capacity, the national table 60 %."""
    async with site(tmp_path, "national", "pack-gd-2023") as box:
        limits = {rule.info.rule_id: rule.limit for rule in box.settings.rules}
        assert (limits[f"{LOW}.alarm"], limits[f"{HIGH}.alarm"]) == (80.0, 60.0)
