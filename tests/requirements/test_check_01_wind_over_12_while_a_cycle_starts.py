"""Check 1: a 3 s gust of 12.1 m/s while a cycle starts is an alarm by its clauses; lifting on is a suspected hazard."""

from pathlib import Path

import pytest

from gateway.model.verdict import Truth
from tests.fakes.loaded_site import IDLE_CRANE, LoadedSite, crane_asset

STOP, GOES_ON = "crane.wind.lifting_stop", "crane.wind.lifting_goes_on"
FORCE_6 = "crane.wind.lifting_force_6"
NAN = float("nan")


@pytest.fixture
async def box(tmp_path: Path):
    async with LoadedSite(tmp_path, [crane_asset()], "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(10, 0.5, **IDLE_CRANE)
        yield box


async def test_the_gust_is_an_alarm_that_names_its_clauses(box: LoadedSite) -> None:
    began_ns = box.clock.now_ns()
    await box.goes_on(5, 0.5, wind_ms=12.1, load_t=2.0, moment_pct=40.0, motor=1.0)
    (told,) = await box.told(STOP)
    for clause in ("JGJ 33-2012 4.1.15", "JGJ 196-2010 4.0.9"):
        assert clause in told["clause"]
    assert (told["severity"], told["limit_source"], told["certainty"]) == ("P2", "national_code", "V2")
    assert (told["limit"], told["unit"], told["suspected"], told["hazard"]) == ("12.0", "m/s", False, None)
    assert (told["raised_at_ns"] - began_ns) / 1e9 == 3.0, "once the 3 s mean is there"
    (sealed,) = await box.sealed(STOP)
    assert (sealed["alarm"]["clause"], sealed["alarm"]["limit_source"]) == (told["clause"], "national_code")
    assert await box.told(GOES_ON) == []


async def test_a_cycle_that_goes_on_is_suspected_and_stays_so(box: LoadedSite) -> None:
    storm = {"wind_ms": 12.1, "load_t": 2.0, "moment_pct": 40.0, "motor": 1.0}
    await box.goes_on(62, 1.0, **storm)
    assert await box.told(GOES_ON) == [], "the gust has lasted for less than a minute"
    await box.goes_on(2, 1.0, **storm)
    (told,) = await box.told(GOES_ON)
    assert told["hazard"] == {
        "code": "MH24-15-2",
        "edition": "2024",
        "other_code": "",
        "other_edition": "2022",
    }
    assert (told["severity"], told["suspected"]) == ("P1", True)
    assert "MH24-15-2" in told["clause"]
    await box.goes_on(900, 1.0, **storm)
    await box.goes_on(900, 1.0, wind_ms=3.0, load_t=0.0, moment_pct=0.0, motor=0.0)
    told_of_it = [body for kind in ("raised", "returned") for body in await box.told(GOES_ON, kind)]
    assert [body["transition"] for body in told_of_it] == ["raised", "returned"]
    assert all(body["suspected"] and body["hazard"]["code"] == "MH24-15-2" for body in told_of_it)
    assert all(sealed["alarm"]["suspected"] for sealed in await box.sealed(GOES_ON))


async def test_a_cycle_that_ends_in_time_is_no_hazard(box: LoadedSite) -> None:
    await box.goes_on(60, 1.0, wind_ms=12.1, load_t=2.0, motor=1.0)
    await box.goes_on(120, 1.0, load_t=0.0, motor=0.0)
    assert await box.raised("crane.wind.lifting") == [STOP]
    assert box.truth(GOES_ON) is Truth.FALSE


async def test_just_below_the_limit_lifting_stops_by_the_stricter_clause(box: LoadedSite) -> None:
    await box.goes_on(120, 1.0, wind_ms=11.99, load_t=2.0, motor=1.0)
    assert await box.raised("crane.wind") == [FORCE_6]
    assert box.truth(STOP) is Truth.FALSE
    (told,) = await box.told(FORCE_6)
    assert (told["severity"], told["limit"], told["certainty"]) == ("P2", "10.8", "V1")
    assert told["clause"].startswith("JGJ 276-2012 3.0.12")
    assert "3 s mean (PD" in told["clause"]


async def test_just_below_force_6_there_is_only_the_notice(box: LoadedSite) -> None:
    await box.goes_on(120, 1.0, wind_ms=10.7, load_t=2.0, motor=1.0)
    assert await box.raised("crane.wind") == ["crane.wind.notice"]


async def test_in_force_6_without_a_load_no_lift_may_begin(box: LoadedSite) -> None:
    await box.goes_on(120, 1.0, wind_ms=11.0)
    assert await box.raised("crane.wind") == ["crane.wind.prealarm"]


async def test_one_gust_shorter_than_three_seconds_is_not_the_three_second_gust(box: LoadedSite) -> None:
    await box.goes_on(10, 0.5, load_t=2.0, wind_ms=10.0)
    await box.goes_on(1, 0.5, wind_ms=12.1)
    await box.goes_on(10, 0.5, wind_ms=10.0)
    assert await box.raised("crane.wind") == ["crane.wind.notice"], "10 m/s is worth a notice, and no more"


async def test_in_that_wind_no_lift_may_begin(box: LoadedSite) -> None:
    await box.goes_on(20, 1.0, wind_ms=12.1)
    assert await box.raised("crane.wind.no") == ["crane.wind.no_lifting"]
    assert box.truth(STOP) is Truth.FALSE
    await box.goes_on(2, 1.0, load_t=2.0)
    assert STOP in await box.raised("crane.wind"), "the cycle starts, and the wind is known already"


async def test_a_silent_anemometer_is_unknown_and_clears_nothing(box: LoadedSite) -> None:
    await box.goes_on(5, 0.5, wind_ms=12.1, load_t=2.0, motor=1.0)
    await box.goes_on(700, 1.0, wind_ms=NAN)
    assert box.shown("crane-1.wind_3s_ms") == (None, "UNKNOWN")
    assert box.truth(STOP) is Truth.UNKNOWN
    assert box.shown_unknown(STOP)
    assert await box.told(STOP, "returned") == []
    assert (await box.alarms_shown())[STOP]["unknown"]
    assert "crane.sensor.silence" in await box.raised()


async def test_an_anemometer_in_fault_that_says_calm_clears_nothing(box: LoadedSite) -> None:
    await box.goes_on(5, 0.5, wind_ms=12.1, load_t=2.0, motor=1.0)
    await box.goes_on(700, 1.0, wind_ms=0.0, wind_error=1.0)
    assert box.truth(STOP) is Truth.UNKNOWN
    assert await box.told(STOP, "returned") == []
    assert "crane.sensor_fault" in await box.raised()


async def test_without_wind_from_the_start_a_cycle_is_never_shown_as_allowed(tmp_path: Path) -> None:
    async with LoadedSite(tmp_path, [crane_asset()], "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(120, 1.0, **{**IDLE_CRANE, "wind_ms": NAN, "load_t": 2.0})
        assert {box.truth(STOP), box.truth(GOES_ON)} == {Truth.UNKNOWN}
        assert await box.raised("crane.wind") == []
        assert box.shown_unknown(STOP)
        assert "crane.sensor.silence" in await box.raised()
