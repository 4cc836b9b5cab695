"""The section `papers` of a crane: what is left out stays unknown, what is wrong is said."""

import json
import math
from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.model.errors import ConfigError
from gateway.model.papers import DriverStanding
from gateway.parts.crane.settings.papers import PapersSettings
from gateway.settings.schema import IdentitySettings
from tests.unit.gateway.model.test_papers import at
from tests.unit.gateway.settings.kinds import CONFIG, load_site

NOW_NS = at("2026-11-22T10:00:00")
WHOLE: dict[str, Any] = {
    "registration": {"number": "渝A-T00001", "valid_from": "2026-01-01", "valid_until": "2026-12-31"},
    "inspections": [{"document": "JC-2026-001", "by": "某检测公司", "valid_until": "2027-01-31"}],
    "climbing_checks": [{"on": "2026-11-22", "by": "某安装公司", "document": "DS-17"}],
    "maintenance": {"due": "2026-12-01"},
    "erection_limits": {"max_free_height_m": 40, "max_overhang_m": 28, "document": "QTZ80 manual p. 31"},
    "ties": [{"height_m": 20, "fitted_on": "2026-05-01"}],
}


def read(**given: object) -> PapersSettings:
    """As the site file is read: strict, in JSON mode."""
    return TypeAdapter(PapersSettings).validate_json(json.dumps(given), strict=True)


def test_a_whole_section_answers_everything() -> None:
    settings = read(**WHOLE)
    papers = settings.papers("crane-1", lambda _asset, _no: DriverStanding("p", True, date(2026, 11, 22)))
    asked = [papers.registered, papers.climb_checked, papers.inspected, papers.maintained]
    assert [question(NOW_NS) for question in asked] == [True] * 4
    assert papers.driver_certified("7", NOW_NS) is True
    registry = settings.tie_registry()
    assert registry.heights_m(NOW_NS) == (20.0,)
    assert (registry.limits.max_free_height_m, registry.limits.max_overhang_m) == (40.0, 28.0)
    assert math.isnan(registry.limits.max_tie_spacing_m)


def test_an_empty_section_knows_nothing() -> None:
    settings = read()
    papers = settings.papers("crane-1")
    asked = [papers.registered, papers.climb_checked, papers.inspected, papers.maintained]
    assert [question(NOW_NS) for question in asked] == [None] * 4
    assert papers.driver_certified("7", NOW_NS) is None
    assert math.isnan(settings.tie_registry().limits.max_free_height_m)


def test_an_empty_list_of_checks_says_that_none_was_made() -> None:
    assert read(climbing_checks=[]).papers("crane-1").climb_checked(NOW_NS) is False


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"registration": {"number": "A", "valid_from": "2026-02-01", "valid_until": "2026-01-31"}}, "papers.order"),
        ({"registration": {"number": "A", "valid_until": "2026-02-30"}}, "date_parsing"),
        ({"registration": {"number": "990000190001010000"}}, "papers.id_number"),
        (
            {"climbing_checks": [{"on": "2026-11-22", "by": "x 99000019000101000x", "document": "D"}]},
            "papers.id_number",
        ),
        ({"climbing_checks": [{"on": "2026-11-22", "by": "x"}]}, "missing"),
        ({"ties": [{"height_m": 0, "fitted_on": "2026-05-01"}]}, "greater_than"),
        ({"ties": [{"height_m": 9, "fitted_on": "2026-05-01", "removed_on": "2026-05-01"}]}, "papers.tie_order"),
        ({"erection_limits": {"max_overhang_m": 28}}, "missing"),
        ({"climbing_check_days": 0}, "greater_than_equal"),
    ],
)
def test_what_is_wrong_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(**given)
    assert [error["type"] for error in caught.value.errors()] == [said]


def test_the_identity_key_is_a_reference() -> None:
    assert IdentitySettings().key is None
    with pytest.raises(ValidationError):
        IdentitySettings.model_validate({"key": "c2VjcmV0"})


DEMO = CONFIG / "sites" / "demo.yaml"
CRANE = {"id": "crane-1", "kind": "tower-crane", "serial": "S-1", "title_zh": "1号塔机", "title_en": "Tower crane 1"}


def site_with(**papers: object) -> list[dict[str, object]]:
    """The demo site's assets, the first crane with papers."""
    others = [
        {"id": name, "kind": kind, "serial": name, "title_zh": name, "title_en": name}
        for name, kind in (("crane-2", "tower-crane"), ("pit-1", "deep-pit"), ("mast-1", "weather-mast"))
    ]
    return [{**CRANE, "papers": papers}, *others]


@pytest.mark.parametrize("number", [990000190001010000, "990000190001010000"])
def test_a_fault_of_the_site_file_repeats_no_id_number(number: object) -> None:
    checks = [{"on": "2026-11-22", "by": number, "document": "DS-17"}]
    with pytest.raises(ConfigError) as caught:
        load_site(DEMO, assets=site_with(climbing_checks=checks))
    assert [fault.key for fault in caught.value.faults] == ["assets[0].papers.climbing_checks[0].by"]
    assert str(number) not in str(caught.value)


def test_a_key_that_is_not_there_yet_is_warned_of() -> None:
    settings = load_site(DEMO, identity={"key": {"env": "NOT_SET_ANYWHERE"}})
    assert "identity.key" in [fault.key for fault in settings.warnings]
