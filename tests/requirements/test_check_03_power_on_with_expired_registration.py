"""Check 3: a crane that is powered on while its registration for use has expired is a suspected MH24-8-1."""

from pathlib import Path
from typing import Any

import pytest

from gateway.model.verdict import Truth
from tests.fakes.loaded_site import IDLE_CRANE, LoadedSite, crane_asset

RULE = "crane.papers.unregistered_use"
NAN = float("nan")


def registered(until: str | None = None, since: str | None = None) -> dict[str, Any]:
    """The `papers` section of a crane with a registration."""
    days = {"valid_from": since, "valid_until": until}
    return {"registration": {"number": "粤A-T00001", **{key: day for key, day in days.items() if day}}}


def site(folder: Path, papers: dict[str, Any] | None, start: str) -> LoadedSite:
    sections = {} if papers is None else {"papers": papers}
    return LoadedSite(folder, [crane_asset(**sections)], start)


async def test_power_on_after_the_last_day_is_suspected(tmp_path: Path) -> None:
    async with site(tmp_path, registered("2026-02-28"), "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(60, 1.0, **IDLE_CRANE)
        assert await box.raised() == [], "a crane that stands is not used"
        powered_ns = box.clock.now_ns()
        await box.goes_on(20, 1.0, motor=1.0)
        (told,) = await box.told(RULE)
        assert (told["raised_at_ns"] - powered_ns) / 1e9 <= 10.0
        assert told["suspected"]
        assert told["hazard"] == {
            "code": "MH24-8-1",
            "edition": "2024",
            "other_code": "MH22-8-1",
            "other_edition": "2022",
        }
        assert "8(1)" in told["clause"]
        assert (told["limit_source"], told["certainty"]) == ("national_code", "V1")
        (sealed,) = await box.sealed(RULE)
        assert sealed["hazard"] == told["hazard"]


@pytest.mark.parametrize("used", [{"motor": 1.0}, {"load_t": 2.0}])
async def test_with_a_valid_registration_there_is_nothing(tmp_path: Path, used: dict[str, float]) -> None:
    async with site(tmp_path, registered("2027-03-01"), "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(60, 1.0, **{**IDLE_CRANE, **used})
        assert await box.raised("crane.papers") == []
        assert box.truth(RULE) is Truth.FALSE


async def test_the_last_day_counts_to_its_end(tmp_path: Path) -> None:
    """Midnight is the site's, not UTC's."""
    async with site(tmp_path, registered("2026-03-01"), "2026-03-01T23:58:00+08:00") as box:
        await box.goes_on(119, 1.0, **{**IDLE_CRANE, "motor": 1.0})
        assert box.truth(RULE) is Truth.FALSE
        midnight_ns = box.clock.now_ns() + 1_000_000_000
        await box.goes_on(30, 1.0)
        (told,) = await box.told(RULE)
        assert 0 <= (told["raised_at_ns"] - midnight_ns) / 1e9 <= 20


async def test_before_its_first_day_it_does_not_count(tmp_path: Path) -> None:
    async with site(tmp_path, registered(since="2026-03-03"), "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(20, 1.0, **{**IDLE_CRANE, "motor": 1.0})
        assert await box.raised("crane.papers") == [RULE]


async def test_an_unknown_registration_is_unknown(tmp_path: Path) -> None:
    papers = {"maintenance": {"due": "2027-01-01"}}
    async with site(tmp_path, papers, "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(60, 1.0, **{**IDLE_CRANE, "motor": 1.0})
        assert box.truth(RULE) is Truth.UNKNOWN
        assert box.shown_unknown(RULE)
        assert box.shown("crane-1.unregistered_use") == (None, "UNKNOWN")
        assert await box.raised("crane.papers") == []


async def test_without_any_papers_nothing_says_that_they_are_in_order(tmp_path: Path) -> None:
    async with site(tmp_path, None, "2026-03-02T08:00:00+08:00") as box:
        assert [rule.subject for rule in box.settings.rules if rule.info.rule_id == RULE] == []
        assert "crane-1.unregistered_use" not in box.settings.points.index_of


async def test_a_crane_that_falls_silent_stays_suspected(tmp_path: Path) -> None:
    async with site(tmp_path, registered("2026-02-28"), "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(20, 1.0, **{**IDLE_CRANE, "motor": 1.0})
        await box.goes_on(120, 1.0, **dict.fromkeys(IDLE_CRANE, NAN))
        assert await box.told(RULE, "returned") == []
        assert (await box.alarms_shown())[RULE]["unknown"]
