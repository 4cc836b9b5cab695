"""The crane as one model: what it derives from what exists, its events, its papers, and its state."""

import json
import math
from math import isnan, nan
from typing import Any

import numpy as np
import pytest

from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.crane.model.description import Climb
from gateway.parts.crane.model.parameters import LoadParameters, TiltParameters, WindParameters
from gateway.parts.crane.model.points import CRANE_INPUTS, DERIVED
from tests.fakes.tower_crane import IDLE, SECOND_NS, START_NS, Bench, crane, same, tuned


class Filed:
    """Papers that say what they are told to."""

    def __init__(self, checked: bool | None = None, registered: bool | None = None, certified: bool | None = None):
        self.checked, self.valid, self.certified = checked, registered, certified
        self.asked_about: list[str] = []

    def climb_checked(self, now_ns: int) -> bool | None:
        return self.checked

    def registered(self, now_ns: int) -> bool | None:
        return self.valid

    def driver_certified(self, driver_no: str, now_ns: int) -> bool | None:
        self.asked_about.append(driver_no)
        return self.certified


def test_load_and_moment_are_shares_of_what_the_chart_says() -> None:
    said = Bench().step(load_t=3.0, radius_m=35.0, multiple=2.0)
    assert said["rated_load_t"] == pytest.approx(3.75)
    assert said["load_pct"] == pytest.approx(50.0)
    assert said["chart_moment_pct"] == pytest.approx(80.0)
    four = Bench().step(load_t=3.0, radius_m=10.0, multiple=4.0)
    assert (four["rated_load_t"], four["load_pct"], four["chart_moment_pct"]) == (12.0, 25.0, 25.0)


@pytest.mark.parametrize(
    "changes", [{"radius_m": 51.0}, {"radius_m": nan}, {"multiple": 3.0}, {"multiple": nan}, {"load_t": nan}]
)
def test_without_radius_or_line_in_the_chart_no_share_is_known(changes: dict[str, float]) -> None:
    assert isnan(Bench().step(**{"load_t": 3.0, **changes})["chart_moment_pct"])


def test_without_parts_of_line_from_the_device_the_described_ones_count() -> None:
    keys = [key for key in IDLE if key != "multiple"]
    assert isnan(Bench(keys=keys).step(load_t=3.0)["load_pct"])
    assert Bench(crane(parts_of_line=4), keys).step(load_t=3.0)["load_pct"] == 25.0


@pytest.mark.parametrize(
    ("slew_deg", "described", "x_m", "y_m"),
    [
        (0.0, {}, 100.0, 220.0),
        (90.0, {}, 120.0, 200.0),
        (90.0, {"slew_zero_deg": 90.0}, 100.0, 180.0),
        (90.0, {"slew_clockwise": False}, 80.0, 200.0),
    ],
)
def test_the_hook_is_where_radius_and_bearing_say(
    slew_deg: float, described: dict[str, Any], x_m: float, y_m: float
) -> None:
    said = Bench(crane(**described)).step(slew_deg=slew_deg, radius_m=20.0, hook_m=12.0)
    assert (said["hook_x_m"], said["hook_y_m"]) == pytest.approx((x_m, y_m))
    assert said["hook_z_m"] == pytest.approx(15.0)


def test_a_crane_on_rails_carries_its_hook_along_and_needs_its_travel() -> None:
    rails = crane(travel_min_m=0.0, travel_max_m=60.0, travel_bearing_deg=90.0)
    bench = Bench(rails, [*IDLE, "travel_m"])
    said = bench.step(travel_m=25.0, slew_deg=0.0)
    assert (said["hook_x_m"], said["hook_y_m"]) == pytest.approx((125.0, 220.0))
    assert said["travel_margin_m"] == 25.0
    assert isnan(bench.step(travel_m=nan)["hook_x_m"])


def test_margins_count_to_the_ends_of_hook_trolley_and_turn() -> None:
    bench = Bench(crane(slew_left_deg=-100.0, slew_right_deg=150.0))
    said = bench.step(hook_m=40.0, crane_h_m=56.0, radius_m=45.0, slew_deg=90.0)
    assert said["hook_top_clearance_m"] == pytest.approx(14.0)
    assert (said["radius_out_margin_m"], said["radius_in_margin_m"]) == (5.0, 43.0)
    assert (said["slew_turn_deg"], said["slew_left_margin_deg"], said["slew_right_margin_deg"]) == (90.0, 190.0, 60.0)


def test_without_a_height_from_the_device_the_climbing_history_counts() -> None:
    climbs = (Climb(START_NS + 10 * SECOND_NS, 62.0),)
    bench = Bench(crane(climbs=climbs), [key for key in IDLE if key != "crane_h_m"])
    assert bench.step(hook_m=40.0)["hook_top_clearance_m"] == pytest.approx(8.0)
    assert bench.step(10.0)["hook_top_clearance_m"] == pytest.approx(20.0)


def test_a_luffing_jib_rises_as_the_radius_shrinks() -> None:
    bench = Bench(crane(luffing=True))
    said = bench.step(radius_m=20.0, hook_m=40.0)
    assert said["hook_top_clearance_m"] == pytest.approx(math.sqrt(52**2 - 20**2) + 8.0)
    bench.run(5, load_t=1.0)
    bench.run(3, load_t=0.0)
    assert bench.of_kind("crane_cycle")[0].content["start_luff_deg"] == pytest.approx(math.degrees(math.acos(20 / 52)))


def test_only_what_can_be_known_becomes_a_point() -> None:
    bare = CraneDerivation(crane(), {"wind_ms": "mast-1.wind_ms"})
    assert [point.quantity for point in bare.outputs] == [
        "wind_1s_ms",
        "wind_3s_ms",
        "gust_3s_ms",
        "wind_2min_ms",
        "wind_10min_ms",
        "beaufort",
    ]
    assert bare.inputs[CRANE_INPUTS.index("wind_ms")] == "mast-1.wind_ms"
    nothing = CraneDerivation(crane(), {})
    assert nothing.outputs == ()
    assert (
        nothing.step(np.full(len(CRANE_INPUTS), nan), np.zeros(len(CRANE_INPUTS), dtype=np.int64), START_NS) is not None
    )


def test_a_crane_with_everything_says_everything_and_within_its_bounds() -> None:
    rails = crane(travel_min_m=0.0, travel_max_m=60.0, slew_left_deg=-170.0, slew_right_deg=170.0)
    keys = [key for key in CRANE_INPUTS if key != "tilt_deg"]
    bench = Bench(rails, keys, Filed(True, True, True))
    said = bench.run(700, 1.0)
    assert list(said) == [quantity.key for quantity in DERIVED]
    assert len({point.point_id for point in bench.model.outputs}) == len(DERIVED)
    for point in bench.model.outputs:
        value = said[point.quantity]
        assert isnan(value) or point.minimum <= value <= point.maximum, point.quantity
    unknown = {key for key, value in said.items() if isnan(value)}
    assert unknown == {"load_spectrum_factor", "tilt_drift_permille", "tilt_drift_bearing_deg", "tilt_drift_cause"}


@pytest.mark.parametrize("bit", [1.0, nan])
@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        ("weight_error", {"load_pct", "lifting", "operating_state"}),
        ("wind_error", {"wind_1s_ms", "wind_3s_ms"}),
        ("range_error", {"radius_out_margin_m", "hook_x_m", "chart_moment_pct"}),
        ("height_error", {"hook_top_clearance_m", "hook_z_m"}),
        ("angle_error", {"slew_turn_deg", "hook_x_m"}),
        ("tilt_error", {"tilt_permille"}),
    ],
)
def test_what_a_sensor_in_fault_says_is_not_believed(fault: str, unknown: set[str], bit: float) -> None:
    """A dead sensor often says 0, which would clear every alarm on it."""
    bench = Bench(keys=dict.fromkeys([*IDLE, fault]))
    before = bench.run(10, load_t=2.0)
    after = bench.step(**{fault: bit})
    assert not any(isnan(before[key]) for key in unknown)
    assert all(isnan(after[key]) for key in unknown)
    assert not isnan(bench.run(10, **{fault: 0.0})["wind_3s_ms"])


def test_a_bit_that_a_host_never_sends_casts_no_doubt() -> None:
    bench = Bench(keys=dict.fromkeys([*IDLE, "wind_error"]))
    assert not isnan(bench.run(10, load_t=2.0, wind_error=nan)["wind_3s_ms"])


def test_a_mast_with_an_anemometer_of_its_own_is_not_doubted_by_the_cranes_bit() -> None:
    points = {key: f"crane-1.{key}" for key in ("load_t", "wind_error")} | {"wind_ms": "mast-1.wind_ms"}
    model = CraneDerivation(crane(), points)
    row = np.full(len(CRANE_INPUTS), nan)
    row[CRANE_INPUTS.index("wind_ms")], row[CRANE_INPUTS.index("wind_error")] = 9.0, 1.0
    column = [point.quantity for point in model.outputs].index("wind_3s_ms")
    for i in range(50):
        now_ns = START_NS + i * SECOND_NS // 10
        said = model.step(row, np.full(len(row), now_ns, dtype=np.int64), now_ns)
    assert said is not None
    assert said[column] == 9.0


def test_nothing_known_in_nothing_known_out() -> None:
    bench = Bench(keys=[key for key in CRANE_INPUTS if key != "tilt_deg"], papers=Filed())
    bench.run(20, load_t=1.0)
    said = bench.step(**dict.fromkeys(bench.keys, nan))
    known = {key for key, value in said.items() if not isnan(value)}
    assert known <= {"cycle_count", "load_spectrum_factor", "fatigue_damage"}


@pytest.mark.parametrize(
    ("around", "alarm"),
    [
        ({"no_lift_zone": 0.0, "line_margin_m": 3.0}, False),
        ({"no_lift_zone": 2.0, "line_margin_m": nan}, True),
        ({"no_lift_zone": 0.0, "line_margin_m": -0.1}, True),
        ({"no_lift_zone": 0.0, "line_margin_m": nan}, None),
        ({}, None),
    ],
)
def test_a_cycle_remembers_zones_and_lines_that_there_are(around: dict[str, float], alarm: bool | None) -> None:
    bench = Bench(keys=[*IDLE, *around])
    bench.run(5, load_t=1.0, **around)
    bench.run(3, load_t=0.0)
    assert bench.of_kind("crane_cycle")[0].content["environment_alarm"] is alarm


def test_a_sample_of_the_wind_counts_once_however_many_polls_pass() -> None:
    """The crane is polled at 10 Hz; its anemometer, another device, at 1 Hz."""
    bench = Bench(tuned(wind=WindParameters(hold_s=1.5)))
    row = np.array([bench.reading.get(key, nan) for key in CRANE_INPUTS])
    observed = np.zeros(len(row), dtype=np.int64)
    heard = {}
    for i in range(300):
        now_ns = START_NS + i * SECOND_NS // 10
        observed[:] = now_ns
        observed[CRANE_INPUTS.index("wind_ms")] = START_NS + i // 10 * SECOND_NS
        row[CRANE_INPUTS.index("wind_ms")] = 4.0 if i < 100 else 10.0
        said = bench.model.step(row, observed, now_ns)
        assert said is not None
        heard = {point.quantity: value for point, value in zip(bench.model.outputs, said, strict=True)}
        if i == 111:
            assert heard["wind_3s_ms"] == pytest.approx((4.0 + 2 * 10.0) / 3)
    assert heard["wind_3s_ms"] == 10.0


@pytest.mark.parametrize(
    ("filed", "changes", "expected"),
    [
        (Filed(True, True, True), {"load_t": 1.0}, (0.0, 0.0, 0.0)),
        (Filed(False, False, False), {"load_t": 1.0, "work_status": 1.0}, (1.0, 1.0, 1.0)),
        (Filed(False, False, False), {}, (0.0, 0.0, 0.0)),
        (Filed(False, False, False), {"motor": 1.0}, (0.0, 1.0, 1.0)),
        (Filed(None, None, None), {"load_t": 1.0, "work_status": 1.0}, (nan, nan, nan)),
        (Filed(True, True, True), {"load_t": 1.0, "driver_no": nan}, (0.0, 0.0, nan)),
        (Filed(False, False, False), {"load_t": nan, "motor": nan, "work_status": nan}, (nan, nan, nan)),
    ],
)
def test_papers_matter_when_something_is_done(
    filed: Filed, changes: dict[str, float], expected: tuple[float, float, float]
) -> None:
    said = Bench(papers=filed).step(**changes)
    found = (said["climbing_unchecked"], said["unregistered_use"], said["driver_uncertified"])
    assert found == pytest.approx(expected, nan_ok=True)


def test_a_new_driver_is_asked_about_at_once_and_the_same_one_seldom() -> None:
    filed = Filed(True, True, True)
    bench = Bench(papers=filed)
    bench.run(5, load_t=1.0, driver_no=7.0)
    bench.step(driver_no=8.0)
    assert filed.asked_about == ["7", "8"]
    filed.certified = False
    bench.run(11)
    assert bench.step()["driver_uncertified"] == 1.0
    assert filed.asked_about == ["7", "8", "8"]


def test_a_cycle_is_counted_recorded_and_enters_the_spectrum() -> None:
    bench = Bench()
    bench.run(5)
    bench.run(30, load_t=3.0, moment_pct=60.0, motor=1.0, hook_m=20.0)
    said = bench.run(5, load_t=0.0, moment_pct=0.0)
    (event,) = bench.of_kind("crane_cycle")
    assert event.asset == "crane-1"
    assert event.at_ns == event.content["end_ns"]
    assert event.content["cycle_no"] == said["cycle_count"] == 1
    assert event.content["load_spectrum_factor"] == said["load_spectrum_factor"] == pytest.approx(0.25**3)
    assert (event.content["use_class"], event.content["load_spectrum_class"]) == ("U0", "Q1")
    assert json.loads(json.dumps(event.content, allow_nan=False)) == event.content
    assert said["fatigue_damage"] > 0
    assert bench.model.take_events() == []


def test_a_climb_and_a_learnt_baseline_are_events() -> None:
    bench = Bench(tuned(tilt=TiltParameters(baseline_samples=5, sample_every_s=1.0, settle_s=5.0)))
    bench.run(900, 1.0)
    (baseline,) = bench.of_kind("crane_tilt_baseline")
    assert (baseline.content["from_bearing_deg"], baseline.content["to_bearing_deg"]) == (90.0, 112.5)
    assert baseline.content["tilt_permille"] == pytest.approx(1.745, abs=0.001)
    bench.model.learn_tilt_baseline()
    bench.run(60, 1.0, crane_h_m=52.8)
    assert len(bench.of_kind("crane_tilt_baseline")) == 2
    (climb,) = bench.of_kind("crane_climb")
    assert (climb.content["from_height_m"], climb.content["to_height_m"]) == (50.0, 52.8)


def test_a_clock_that_is_set_back_loses_and_repeats_nothing() -> None:
    bench = Bench()
    bench.run(10, load_t=2.0)
    bench.now_ns -= 7200 * SECOND_NS
    said = bench.run(10)
    assert said["wind_3s_ms"] == 2.0
    bench.run(5, load_t=0.0)
    (event,) = bench.of_kind("crane_cycle")
    assert event.content["missing_s"] == 0


def test_a_clock_that_woke_up_in_1970_does_not_age_the_crane() -> None:
    bench = Bench(start_ns=0)
    bench.run(10, load_t=2.0)
    bench.now_ns = START_NS
    bench.run(10, load_t=2.0)
    bench.run(5, load_t=0.0)
    first, second = bench.of_kind("crane_cycle")
    assert (first.content["end_seen"], second.content["end_seen"]) == (False, True)
    assert second.content["start_ns"] == START_NS + SECOND_NS // 10


def test_a_late_sample_does_not_turn_time_back() -> None:
    bench = Bench()
    bench.run(10)
    said = bench.step(-2.0)
    assert not isnan(said["wind_3s_ms"])
    assert not isnan(bench.run(5)["wind_3s_ms"])


@pytest.mark.parametrize("kept", [None, [], {"parts": {}}, {"wind_observed_ns": 0, "parts": {"version": 0}}])
def test_a_state_that_is_none_is_refused_whole(kept: Any) -> None:
    bench = Bench()
    bench.run(60, load_t=2.0)
    before = bench.model.saved()
    with pytest.raises(ValueError, match="kept"):
        bench.model.restore(kept)
    assert bench.model.saved() == before


def test_a_changed_setting_costs_only_its_own_part() -> None:
    bench = Bench()
    bench.run(10, load_t=2.0)
    bench.run(5, load_t=0.0)
    kept = bench.model.saved()
    bench.described = tuned(tilt=TiltParameters(sectors=8))
    bench.restart(kept)
    said = bench.step()
    assert said["cycle_count"] == 1
    (refused,) = bench.of_kind("crane_state_refused")
    assert refused.content["part"] == "tilt"
    assert refused.at_ns > START_NS


def test_the_hold_of_a_cycle_is_a_setting() -> None:
    bench = Bench(tuned(load=LoadParameters(hold_s=20.0)))
    bench.run(15, load_t=2.0)
    bench.run(5, load_t=0.0)
    assert bench.of_kind("crane_cycle") == []


def test_two_rows_are_the_same_only_with_the_same_unknowns() -> None:
    assert same({"a": nan}, {"a": nan})
    assert not same({"a": nan}, {"a": 0.0})
