"""Check 2: 9.1 m/s while the crane's work status says climbing is an order to stop, by GB 55034 3.4.7."""

from pathlib import Path

import pytest

from gateway.model.verdict import Truth
from tests.fakes.loaded_site import IDLE_CRANE, LoadedSite, crane_asset

PREALARM, STOP, GOES_ON = (f"crane.wind.climbing_{step}" for step in ("prealarm", "stop", "goes_on"))
CLIMBING = {"work_status": 1.0, "motor": 1.0}
NAN = float("nan")


@pytest.fixture
async def box(tmp_path: Path):
    async with LoadedSite(tmp_path, [crane_asset()], "2026-03-02T08:00:00+08:00") as box:
        await box.goes_on(10, 0.5, **IDLE_CRANE)
        yield box


async def test_climbing_in_that_wind_is_to_be_stopped(box: LoadedSite) -> None:
    await box.goes_on(5, 0.5, wind_ms=9.1, **CLIMBING)
    (told,) = await box.told(STOP)
    assert "GB 55034-2022 3.4.7" in told["clause"]
    assert (told["severity"], told["limit_source"], told["certainty"]) == ("P2", "national_code", "V2")
    assert (told["limit"], told["unit"], told["suspected"]) == ("9.0", "m/s", False)
    assert (told["title_zh"], told["title_en"]) == (
        "大风停止安装、顶升、拆卸",
        "Wind: stop climbing, erecting, dismantling",
    )
    (sealed,) = await box.sealed(STOP)
    assert sealed["alarm"]["clause"] == told["clause"]
    assert [sample["device"] for sample in sealed["samples"]][-1] == "crane-1:derived"


async def test_climbing_on_in_that_wind_is_suspected(box: LoadedSite) -> None:
    await box.goes_on(62, 1.0, wind_ms=9.1, **CLIMBING)
    assert await box.told(GOES_ON) == []
    await box.goes_on(2, 1.0)
    (told,) = await box.told(GOES_ON)
    assert (told["severity"], told["suspected"], told["hazard"]["code"]) == ("P1", True, "MH24-15-2")


@pytest.mark.parametrize("doing", [{"work_status": 0.0}, {"work_status": 0.0, "load_t": 2.0, "motor": 1.0}])
async def test_a_crane_that_does_not_climb_may_stand_and_lift_in_it(box: LoadedSite, doing: dict[str, float]) -> None:
    await box.goes_on(120, 1.0, wind_ms=9.1, **doing)
    assert await box.raised("crane.wind") == ["crane.wind.notice"]
    assert {box.truth(STOP), box.truth(PREALARM)} == {Truth.FALSE}


async def test_just_below_there_is_only_the_pre_alarm(box: LoadedSite) -> None:
    await box.goes_on(120, 1.0, wind_ms=8.9, **CLIMBING)
    assert await box.raised("crane.wind") == [PREALARM]


async def test_the_limit_itself_stops(box: LoadedSite) -> None:
    await box.goes_on(10, 1.0, wind_ms=9.0, **CLIMBING)
    assert STOP in await box.raised("crane.wind")


async def test_a_mast_that_grows_is_climbing_too_whatever_the_work_status_says(box: LoadedSite) -> None:
    await box.goes_on(40, 1.0, wind_ms=9.1, crane_h_m=47.8, work_status=0.0)
    assert STOP in await box.raised("crane.wind")


@pytest.mark.parametrize(
    "says",
    [
        {"wind_ms": NAN, "work_status": 1.0},
        {"wind_ms": 9.1, "work_status": NAN},
        {"wind_ms": 9.1, "crane_h_m": NAN},
    ],
)
async def test_what_is_not_known_is_never_clear(box: LoadedSite, says: dict[str, float]) -> None:
    await box.goes_on(60, 1.0, **says)
    assert box.truth(STOP) is Truth.UNKNOWN
    assert box.shown_unknown(STOP)
    assert await box.raised("crane.wind.climbing") == []


@pytest.mark.parametrize("lost", ["wind_ms", "work_status"])
async def test_a_lost_reading_clears_no_order_to_stop(box: LoadedSite, lost: str) -> None:
    await box.goes_on(10, 1.0, wind_ms=9.1, **CLIMBING)
    await box.goes_on(700, 1.0, **{lost: NAN})
    assert await box.told(STOP, "returned") == []
    assert (await box.alarms_shown())[STOP]["unknown"]
