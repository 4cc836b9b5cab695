"""Check 18: a rainstorm warning asks for the site's acknowledgement, and for a check before work begins again."""

from pathlib import Path

import pytest

from contract.mailbox import WeatherWarning
from gateway.evidence.evidence import RecordKind
from gateway.model.verdict import Truth
from gateway.model.weather import WarningKind, WarningLevel
from gateway.parts.permits.desk import EntryRefusedError, NewWarning
from gateway.parts.permits.register import SCAFFOLD
from tests.fakes.loaded_site import IDLE_CRANE, crane_asset
from tests.fakes.permit_site import OFFICER, PermitSite

SEVERE, SLIGHT = "site.warning.unacknowledged_severe", "site.warning.unacknowledged"
CHECK, RESTART, LIFTING = "site.storm_check.open", "crane.weather.unchecked_restart", "crane.weather.lifting"
AT_WORK = {"load_t": 2.0, "motor": 1.0}
START = "2026-06-01T08:00:00+08:00"
SECOND_NS = 1_000_000_000
NAN = float("nan")


@pytest.fixture
async def box(tmp_path: Path):
    async with PermitSite(tmp_path, [crane_asset()], START) as box:
        await box.goes_on(10, 1.0, **IDLE_CRANE)
        yield box


def rain(box: PermitSite, lasts_s: int = 1800, version: int = 1, **changes: object) -> WeatherWarning:
    now_ns = box.clock.now_ns()
    fields = {
        "warning_id": "w-1",
        "version": version,
        "kind": "rainstorm",
        "level": "orange",
        "source": "县气象台",
        "valid_from_ns": now_ns,
        "valid_until_ns": now_ns + lasts_s * SECOND_NS,
    }
    return WeatherWarning.model_validate(fields | changes)


def entered(box: PermitSite, level: WarningLevel, lasts_s: int = 1800) -> NewWarning:
    now_ns = box.clock.now_ns()
    return NewWarning(WarningKind.RAINSTORM, level, "县气象台", "", now_ns, now_ns + lasts_s * SECOND_NS)


async def test_an_orange_warning_that_nobody_acknowledges_is_an_alarm_after_five_minutes(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box))
    await box.goes_on(290, 2.0)
    assert await box.raised("site.warning") == []
    await box.goes_on(20, 2.0)
    (told,) = await box.told(SEVERE)
    assert (told["severity"], told["certainty"], told["asset"]) == ("P2", "PD", "site")
    assert "Hubei guidance V(10)" in told["clause"]
    assert SEVERE in await box.alarms_shown(), "it stands on S1"


async def test_a_yellow_one_is_a_lighter_alarm_after_ten(box: PermitSite) -> None:
    await box.done(box.desk.enter_warning(entered(box, WarningLevel.YELLOW), OFFICER))
    await box.goes_on(620, 2.0)
    assert await box.raised("site.warning") == [SLIGHT]


async def test_acknowledging_is_sealed_and_there_is_no_alarm(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box))
    await box.done(box.desk.acknowledge("w-1", 1, OFFICER, "已停止吊装"))
    await box.goes_on(620, 2.0)
    assert await box.raised("site.warning") == []
    (sealed,) = box.sealed_office(RecordKind.WEATHER_WARNING)
    assert (sealed["event"], sealed["warning_id"], sealed["version"]) == ("acknowledged", "w-1", 1)
    assert sealed["user"] == OFFICER


async def test_a_warning_that_grows_is_to_be_acknowledged_again(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box, level="yellow"))
    await box.done(box.desk.acknowledge("w-1", 1, OFFICER, ""))
    await box.down("weather_warning", rain(box, version=2, level="red"))
    with pytest.raises(EntryRefusedError, match="warning_changed"):
        await box.done(box.desk.acknowledge("w-1", 1, OFFICER, ""))
    await box.goes_on(320, 2.0)
    assert await box.raised("site.warning") == [SEVERE]


async def test_after_the_storm_every_item_is_checked_before_the_list_is_closed(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box, lasts_s=60))
    await box.done(box.desk.acknowledge("w-1", 1, OFFICER, ""))
    with pytest.raises(EntryRefusedError, match="storm_goes_on"):
        await box.done(box.desk.check("crane-1", OFFICER, "", sound=True))
    await box.goes_on(130, 2.0)
    assert await box.raised(CHECK) == [CHECK]
    assert box.shown("site.checks_open") == (2.0, "GOOD")
    await box.done(box.desk.check("crane-1", OFFICER, "试吊合格", sound=True))
    await box.done(box.desk.check(SCAFFOLD, OFFICER, "连墙件松动", sound=False))
    await box.goes_on(10, 2.0)
    assert box.shown("site.checks_open") == (1.0, "GOOD")
    await box.done(box.desk.check(SCAFFOLD, OFFICER, "已紧固", sound=True))
    await box.goes_on(10, 2.0)
    assert box.shown("site.checks_open") == (0.0, "GOOD")
    assert len(await box.told(CHECK)) == 0, "a matter of the site alone"
    assert [each["event"] for each in box.sealed_office(RecordKind.WEATHER_WARNING)].count("checked") == 3


async def test_work_before_the_check_is_an_alarm_to_the_regulator(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box, lasts_s=30))
    await box.goes_on(40, 2.0)
    await box.goes_on(30, 1.0, **AT_WORK)
    (told,) = await box.told(RESTART)
    assert (told["severity"], told["certainty"]) == ("P2", "V1")
    assert "JGJ 276-2012 3.0.12" in told["clause"]


async def test_work_after_the_check_is_none(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box, lasts_s=30))
    await box.goes_on(40, 2.0)
    await box.done(box.desk.check("crane-1", OFFICER, "试吊合格", sound=True))
    await box.goes_on(60, 1.0, **AT_WORK)
    assert await box.raised("crane.weather") == []
    assert box.truth(RESTART) is Truth.FALSE


async def test_an_older_check_does_not_count_for_a_newer_storm(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box, lasts_s=30))
    await box.goes_on(40, 2.0)
    await box.done(box.desk.check("crane-1", OFFICER, "", sound=True))
    await box.down("weather_warning", rain(box, lasts_s=30, warning_id="w-2"))
    await box.goes_on(40, 2.0)
    await box.goes_on(30, 1.0, **AT_WORK)
    assert RESTART in await box.raised("crane.weather")


@pytest.mark.parametrize(("level", "alarms"), [("orange", [LIFTING]), ("yellow", [])])
async def test_lifting_under_a_grave_warning_is_an_alarm(box: PermitSite, level: str, alarms: list[str]) -> None:
    await box.down("weather_warning", rain(box, level=level))
    await box.goes_on(90, 1.0, **AT_WORK)
    assert await box.raised("crane.weather") == alarms


async def test_a_withdrawn_warning_is_over_and_the_check_is_due(box: PermitSite) -> None:
    await box.done(box.desk.enter_warning(entered(box, WarningLevel.RED), OFFICER))
    (known,) = box.register.warnings
    await box.goes_on(20, 2.0)
    await box.done(box.desk.withdraw_warning(known.warning_id, OFFICER, "气象台已解除"))
    await box.goes_on(70, 2.0)
    assert await box.raised("site") == [CHECK]


async def test_heat_needs_no_check_afterwards(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box, lasts_s=30, kind="heat"))
    await box.goes_on(120, 2.0)
    assert box.shown("site.checks_open") == (0.0, "GOOD")


async def test_without_word_from_the_regulator_no_warning_is_not_known_rather_than_clear(box: PermitSite) -> None:
    box.heard_at_ns = box.clock.now_ns()
    await box.goes_on(20, 2.0)
    assert box.truth(SEVERE) is Truth.FALSE
    box.heard_at_ns = box.clock.now_ns() - 3601 * SECOND_NS
    await box.goes_on(20, 2.0)
    assert box.truth(SEVERE) is Truth.UNKNOWN
    assert box.shown_unknown(SEVERE)
    assert box.shown("site.warning_level") == (None, "UNKNOWN")


async def test_a_warning_that_is_known_stays_one_when_the_link_dies(box: PermitSite) -> None:
    box.heard_at_ns = box.clock.now_ns() - 2 * 3600 * SECOND_NS
    await box.down("weather_warning", rain(box))
    await box.goes_on(320, 2.0)
    assert await box.raised("site.warning") == [SEVERE]


async def test_a_crane_that_says_nothing_is_not_taken_to_be_at_rest(box: PermitSite) -> None:
    await box.down("weather_warning", rain(box, lasts_s=30))
    await box.goes_on(40, 2.0)
    await box.goes_on(60, 1.0, load_t=NAN)
    assert box.truth(RESTART) is Truth.UNKNOWN
