"""The `crane:` section of a site file: what it makes of a crane, and how it refuses what cannot be one."""

from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime
from math import isnan
from typing import Any

import pytest

from gateway.parts.crane.model.parameters import CraneParameters
from gateway.parts.crane.settings.crane import CraneSettings
from gateway.parts.crane.settings.tuning import CraneTuning
from gateway.settings.checking import check
from gateway.settings.document import Document
from gateway.settings.wording import fault_text

SECTION: dict[str, Any] = {
    "number": 3,
    "load_chart": [
        {
            "parts_of_line": 2,
            "points": [
                {"radius_m": 2.5, "rated_t": 6.0},
                {"radius_m": 20, "rated_t": 6.0},
                {"radius_m": 50, "rated_t": 1.5},
            ],
        },
        {"parts_of_line": 4, "points": [{"radius_m": 2.5, "rated_t": 12}, {"radius_m": 50, "rated_t": 1.2}]},
    ],
    "parts_of_line": 2,
    "jib_m": 52,
    "counter_jib_m": 14,
    "base_x_m": 10,
    "base_y_m": -5,
    "base_z_m": 3.2,
    "mast_height_m": 42,
    "hook_height_max_m": 40,
    "radius_min_m": 2.5,
    "radius_max_m": 50,
}


def read(**changes: Any) -> tuple[CraneSettings | None, list[str]]:
    section = {**deepcopy(SECTION), **changes}
    document = Document("site.yaml", {"crane": section})
    found = check(CraneSettings, document, ("crane",), section)
    return found, [fault_text(fault) for fault in document.faults]


def test_a_section_describes_a_crane() -> None:
    climbs = [{"at": "2026-03-01T08:00:00+08:00", "mast_height_m": 60.5}]
    settings, faults = read(
        climbs=climbs, ties_m=[30], slew_left_deg=540, slew_right_deg=500, tuning={"load": {"hold_s": 5}}
    )
    assert (faults, settings is not None) == ([], True)
    assert settings is not None
    crane = settings.describe("crane-1")
    assert (crane.asset, crane.number, crane.parts_of_line) == ("crane-1", 3, 2)
    assert crane.chart.rated_at(2, 35.0) == pytest.approx(3.75)
    assert crane.chart.parts_of_line == (2, 4)
    assert (crane.slew_left_deg, crane.slew_right_deg) == (-540, 500)
    assert isnan(crane.travel_min_m)
    assert not crane.travels
    assert crane.parameters.load.hold_s == 5.0
    climbed_ns = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 10**9
    assert crane.mast_height_at(climbed_ns - 1) == 42
    assert crane.mast_height_at(climbed_ns) == 60.5


def test_rails_make_it_travel() -> None:
    settings, faults = read(rails={"min_m": 0, "max_m": 80, "bearing_deg": 90})
    assert (faults, settings is not None) == ([], True)
    assert settings is not None
    crane = settings.describe("c")
    assert crane.travels
    assert crane.axis_at(10.0) == pytest.approx((20.0, -5.0))


def test_without_tuning_the_parameters_are_the_models_own() -> None:
    assert asdict(CraneTuning().parameters()) == asdict(CraneParameters())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {
                "load_chart": [
                    {"parts_of_line": 2, "points": [{"radius_m": 9, "rated_t": 6}, {"radius_m": 3, "rated_t": 6}]}
                ]
            },
            "radius 3.0 after 9.0",
        ),
        (
            {
                "load_chart": [
                    {"parts_of_line": 2, "points": [{"radius_m": 9, "rated_t": 6}, {"radius_m": 9, "rated_t": 5}]}
                ]
            },
            "radius 9.0 twice",
        ),
        ({"load_chart": [{"parts_of_line": 2, "points": []}]}, "at least 2"),
        ({"load_chart": []}, "at least 1"),
        (
            {
                "load_chart": [
                    {"parts_of_line": 2, "points": [{"radius_m": 1, "rated_t": -6}, {"radius_m": 9, "rated_t": 5}]}
                ]
            },
            "more than 0",
        ),
        ({"load_chart": [SECTION["load_chart"][0]] * 2}, "parts of line 2 twice"),
        ({"parts_of_line": 6}, "expected one of: 2, 4"),
        ({"radius_min_m": 50}, "radius_min_m below radius_max_m"),
        ({"radius_max_m": 60}, "radius_max_m below jib_m"),
        ({"hook_height_max_m": 43}, "hook_height_max_m below mast_height_m"),
        ({"ties_m": [30, 30]}, "ties_m with entry 2 not above"),
        ({"climbs": [{"at": "2026-03-01T08:00:00", "mast_height_m": 50}]}, "a time with its offset"),
        ({"climbs": [{"at": "soon", "mast_height_m": 50}]}, "a time with its offset"),
        ({"rails": {"min_m": 5, "max_m": 5, "bearing_deg": 0}}, "min_m below max_m"),
        ({"tuning": {"load": {"load_delta_t": 0.1, "unload_delta_t": 0.3}}}, "at most load_delta_t"),
        ({"slew_left_deg": 540}, "both, or neither"),
        ({"tuning": {"shifts": {"starts_h": [19, 7]}}}, "starts_h with entry 2"),
        ({"number": 16}, "at most 15"),
        ({"jib_lenght_m": 50}, "an unknown key"),
        ({"jib_m": "52"}, "a number"),
    ],
)
def test_what_is_no_crane_is_refused_in_both_languages(changes: dict[str, Any], said: str) -> None:
    settings, faults = read(**changes)
    assert settings is None
    assert len(faults) == 1
    assert said in faults[0]
    document = Document("site.yaml", {})
    check(CraneSettings, document, ("crane",), {**deepcopy(SECTION), **changes})
    assert fault_text(document.faults[0], "zh") != faults[0]
    assert "发现" in fault_text(document.faults[0], "zh")


def test_climbs_out_of_order_are_refused() -> None:
    when = ["2026-03-02T08:00:00+08:00", "2026-03-02T00:00:00+00:00"]
    settings, faults = read(climbs=[{"at": at, "mast_height_m": 50} for at in when])
    assert settings is None
    assert "climbs with entry 2 not above" in faults[0]
