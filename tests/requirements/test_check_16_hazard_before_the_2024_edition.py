"""Check 16: a hazard dated before the 2024 edition is judged under the 2022 catalogue; both codes are shown."""

from pathlib import Path

import pytest

from contract.messages import AlarmTransition
from gateway.model.hazard import day_of
from tests.fakes.loaded_site import IDLE_CRANE, LoadedSite, crane_asset, utc_ns

UNREGISTERED, STORM = "crane.papers.unregistered_use", "crane.wind.lifting_goes_on"
EXPIRED = {"registration": {"number": "粤A-T00001", "valid_until": "2024-01-31"}}
OLD = {"code": "MH22-8-1", "edition": "2022", "other_code": "MH24-8-1", "other_edition": "2024"}
NEW = {"code": "MH24-8-1", "edition": "2024", "other_code": "MH22-8-1", "other_edition": "2022"}


def site(folder: Path, start: str) -> LoadedSite:
    return LoadedSite(folder, [crane_asset(papers=EXPIRED)], start)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2024-06-01T08:00:00+08:00", OLD),
        ("2024-12-12T23:58:00+08:00", OLD),
        ("2024-12-13T00:00:00+08:00", NEW),
        ("2026-03-02T08:00:00+08:00", NEW),
    ],
)
async def test_the_edition_of_the_day_is_judged_and_both_codes_are_told(
    tmp_path: Path, start: str, expected: dict[str, str]
) -> None:
    async with site(tmp_path, start) as box:
        await box.goes_on(20, 1.0, **{**IDLE_CRANE, "motor": 1.0})
        (told,) = await box.told(UNREGISTERED)
        assert (told["hazard"], told["suspected"]) == (expected, True)
        (sealed,) = await box.sealed(UNREGISTERED)
        assert sealed["hazard"] == expected


async def test_a_hazard_stays_under_the_edition_of_its_day_when_it_returns_under_the_next(tmp_path: Path) -> None:
    async with site(tmp_path, "2024-12-12T23:59:00+08:00") as box:
        await box.goes_on(20, 1.0, **{**IDLE_CRANE, "motor": 1.0})
        await box.goes_on(200, 1.0, motor=0.0)
        (returned,) = await box.told(UNREGISTERED, "returned")
        assert day_of(returned["observed_at_ns"]) > day_of(returned["raised_at_ns"])
        assert returned["hazard"] == OLD


async def test_what_was_no_item_then_is_not_judged_as_one(tmp_path: Path) -> None:
    """Work in strong wind is 15(2) of the 2024 edition, and nothing in that of 2022."""
    async with site(tmp_path, "2024-06-01T08:00:00+08:00") as box:
        await box.goes_on(80, 1.0, **{**IDLE_CRANE, "wind_ms": 12.5, "load_t": 2.0})
        (told,) = await box.told(STORM)
        assert told["hazard"] == {
            "code": "",
            "edition": "2022",
            "other_code": "MH24-15-2",
            "other_edition": "2024",
        }
        assert told["suspected"]


async def test_an_alarm_that_names_no_hazard_has_none_in_either(tmp_path: Path) -> None:
    async with site(tmp_path, "2024-06-01T08:00:00+08:00") as box:
        await box.goes_on(10, 1.0, **{**IDLE_CRANE, "wind_ms": 12.5, "load_t": 2.0})
        (told,) = await box.told("crane.wind.lifting_stop")
        assert told["hazard"] is None


async def test_the_message_is_one_that_the_contract_knows(tmp_path: Path) -> None:
    async with site(tmp_path, "2024-06-01T08:00:00+08:00") as box:
        await box.goes_on(20, 1.0, **{**IDLE_CRANE, "motor": 1.0})
        (told,) = await box.told(UNREGISTERED)
        message = AlarmTransition.model_validate(told)
        assert message.hazard is not None
        assert (message.hazard.code, message.hazard.other_code) == ("MH22-8-1", "MH24-8-1")


async def test_every_hazard_that_a_rule_names_can_be_named_in_both_editions(tmp_path: Path) -> None:
    async with site(tmp_path, "2024-06-01T08:00:00+08:00") as box:
        hazards = box.settings.hazards
        named = {rule.info.hazard for rule in box.settings.rules if rule.info.hazard}
        assert named
        for code in named:
            before = hazards.reference(code, day_of(utc_ns("2024-12-12T12:00:00+08:00")))
            after = hazards.reference(code, day_of(utc_ns("2024-12-13T12:00:00+08:00")))
            assert (before.edition, before.other_edition, before.other_code) == ("2022", "2024", code)
            assert (after.edition, after.other_edition, after.code) == ("2024", "2022", code)
            assert before.code == after.other_code
