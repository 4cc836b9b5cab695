import json
from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from gateway.model.derivation import Json
from gateway.parts.pit.model.description import Baseline, BaselineKind, ControlValue, PitDescription, PitPoint
from gateway.parts.pit.model.instrument import Defect, DirectReading
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.model.point import NO_FAILURE_AHEAD_H, PitPointDerivation
from gateway.parts.pit.model.reading_quality import QualityGates
from gateway.parts.pit.model.strut_load import StrutLoad

T0_NS = 1_700_000_000_000_000_000
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
NAN = float("nan")
ZERO = Baseline(BaselineKind.INITIAL, 0, "第三方监测", "初始值", zero=10.0, carried=0.0)
WALL_TOP = PitPoint(
    "zq-1", PitItem.WALL_TOP_HORIZONTAL, DirectReading("pit-1.ts1"), "墙顶 ZQ-1", "Wall top ZQ-1", baselines=(ZERO,)
)
DESIGN = ControlValue("design", "S-03", "SITE", design_f2=4000.0, preload_fy=1000.0)
STRUT = PitPoint(
    "zl-1",
    PitItem.STRUT_FORCE,
    StrutLoad(tuple(DirectReading(f"pit-1.g{i}") for i in range(4)), modulus_gpa=200.0, area_m2=0.03),
    "轴力 ZL-1",
    "Strut ZL-1",
    control=DESIGN,
    gates=QualityGates(noise=5.0),
)
NOISE = np.random.default_rng(5).normal(0.0, 0.1, 1000)


class Site:
    """Steps of one point's model; says what came out by the names of the outputs."""

    def __init__(self, point: PitPoint = WALL_TOP, limit: float = NAN, shift_ns: int = 0) -> None:
        self.model = PitPointDerivation(PitDescription("pit-1", (point,)), point, limit)
        self.shift_ns = shift_ns
        self.value = np.full(len(self.model.inputs), NAN)
        self.observed_at_ns = np.zeros(len(self.model.inputs), dtype=np.int64)

    def at(self, day: float, *values: float) -> dict[str, float] | None:
        now_ns = T0_NS + self.shift_ns + int(day * DAY_NS)
        self.value[: len(values)] = values
        alive = np.isfinite(self.value) & (np.arange(len(self.value)) < len(values))
        self.observed_at_ns[alive] = now_ns
        row = self.model.step(self.value.copy(), self.observed_at_ns.copy(), now_ns)
        if row is None:
            return None
        return {point.role: float(value) for point, value in zip(self.model.outputs, row, strict=True)}

    def moving(self, days: int, per_day: float) -> dict[str, float]:
        said = None
        for day in range(days):
            said = self.at(day, 10.0 + per_day * day + float(NOISE[day]))
        assert said is not None
        return said

    def restored(self) -> "Site":
        after = Site(self.model.point, self.model._limit, self.shift_ns)
        after.model.restore(json.loads(json.dumps(self.model.saved())))
        after.value, after.observed_at_ns = self.value.copy(), self.observed_at_ns.copy()
        return after


def test_the_names_that_rules_use() -> None:
    outputs = {point.point_id: point for point in Site().model.outputs}
    assert outputs["pit-1.zq-1"].role == "wall_top_horizontal_displacement"
    assert outputs["pit-1.zq-1_rate"].role == "wall_top_horizontal_displacement_rate"
    assert outputs["pit-1.zq-1_rate"].unit == "mm/d"
    assert outputs["pit-1.zq-1_tangent_deg"].role == "pit_tangent_deg"
    assert outputs["pit-1.zq-1_failure_low_h"].role == "pit_failure_low_h"
    assert outputs["pit-1.zq-1_failure_high_h"].role == "pit_failure_high_h"
    assert outputs["pit-1.zq-1_days_to_limit"].role == "pit_days_to_limit"
    assert {point.device for point in outputs.values()} == {"pit-1:zq-1"}
    assert outputs["pit-1.zq-1"].title_zh == "墙顶 ZQ-1"


def test_a_moving_wall_top_has_its_cumulative_value_and_its_rate() -> None:
    said = Site(limit=40.0).moving(10, 2.0)
    assert said["wall_top_horizontal_displacement"] == pytest.approx(18.0, abs=0.3)
    assert said["wall_top_horizontal_displacement_rate"] == pytest.approx(2.0, abs=0.2)
    assert said["wall_top_horizontal_displacement_day_rate"] == pytest.approx(2.0, abs=0.3)
    assert said["pit_days_to_limit"] == pytest.approx(11.0, rel=0.2)
    assert said["pit_reading_quality"] == Defect.NONE


def test_between_readings_nothing_is_said() -> None:
    site = Site()
    assert site.at(0, 10.0) is not None
    assert site.at(0.5) is None
    assert site.at(1, 11.0) is not None


def test_without_a_baseline_only_the_reason_is_known() -> None:
    said = Site(replace(WALL_TOP, baselines=())).moving(5, 2.0)
    assert said.pop("pit_reading_quality") == Defect.NO_BASELINE
    assert all(isnan(value) for value in said.values())


def test_a_dead_input_makes_everything_unknown_at_once() -> None:
    site = Site(limit=40.0)
    site.moving(10, 2.0)
    said = site.at(10, NAN)
    assert said is not None
    assert said.pop("pit_reading_quality") == Defect.NO_SIGNAL
    assert all(isnan(value) for value in said.values())


def test_a_spike_is_unknown_and_never_the_last_good_value() -> None:
    site = Site()
    site.moving(10, 2.0)
    said = site.at(10, 80.0)
    assert said is not None
    assert isnan(said["wall_top_horizontal_displacement"])
    assert isnan(said["wall_top_horizontal_displacement_rate"])
    assert said["pit_reading_quality"] == Defect.OUTLIER
    after = site.at(11, 32.0)
    assert after is not None
    assert after["wall_top_horizontal_displacement_rate"] == pytest.approx(2.0, abs=0.3)


def test_a_collapse_is_confirmed_by_the_next_reading() -> None:
    site = Site()
    site.moving(10, 2.0)
    site.at(10, 80.0)
    said = site.at(10 + 1 / 24, 82.0)
    assert said is not None
    assert said["wall_top_horizontal_displacement"] == pytest.approx(72.0)
    assert said["wall_top_horizontal_displacement_day_rate"] > 40


def test_trouble_is_a_task_once_and_says_when_it_is_over() -> None:
    site = Site()
    site.at(0, 10.0)
    site.model.take_events()
    site.at(1, NAN)
    site.at(2, NAN)
    site.at(3, 11.0)
    site.at(4, 11.2)
    began, over = site.model.take_events()
    assert (began.kind, began.asset) == ("data_quality", "pit-1")
    assert (began.content["point"], began.content["reason"], began.content["over"]) == ("zq-1", "no_signal", False)
    assert (over.content["reason"], over.content["over"]) == ("no_signal", True)
    assert site.model.take_events() == []


def test_a_re_zero_is_recorded_and_does_not_change_the_rate() -> None:
    site = Site()
    before = site.moving(10, 2.0)
    site.model.take_events()
    assert site.model.order_baseline(
        Baseline(BaselineKind.RE_ZERO, T0_NS + 10 * DAY_NS, "测量员", "重新归零", zero=30.0)
    )
    said = site.at(10, 30.5)
    assert said is not None
    assert said["wall_top_horizontal_displacement"] == pytest.approx(0.5)
    assert said["wall_top_horizontal_displacement_rate"] == pytest.approx(
        before["wall_top_horizontal_displacement_rate"], abs=0.3
    )
    (event,) = site.model.take_events()
    assert (event.kind, event.content["by"], event.content["reason"]) == ("pit_baseline", "测量员", "重新归零")


def test_a_changed_sensor_goes_on_counting_and_is_no_spike() -> None:
    changed = Baseline(BaselineKind.REPLACED, T0_NS + 10 * DAY_NS, "测量员", "更换棱镜", readings=1)
    site = Site(replace(WALL_TOP, baselines=(ZERO, changed)))
    before = site.moving(10, 2.0)
    said = site.at(10, 5000.0)
    assert said is not None
    assert said["pit_reading_quality"] == Defect.NONE
    assert said["wall_top_horizontal_displacement"] == before["wall_top_horizontal_displacement"]
    later = site.at(11, 5002.0)
    assert later is not None
    assert later["wall_top_horizontal_displacement"] == pytest.approx(before["wall_top_horizontal_displacement"] + 2.0)


def test_a_strut_is_compared_with_both_designs() -> None:
    said = Site(STRUT).at(0, 100.0, 110.0, 90.0, 100.0)
    assert said is not None
    assert said["support_axial_force"] == pytest.approx(600.0)
    assert said["support_axial_force_pct_f2"] == pytest.approx(15.0)
    assert said["support_axial_force_pct_fy"] == pytest.approx(60.0)
    assert said["pit_gauge_count"] == 4


def test_a_strut_without_designs_is_only_a_force() -> None:
    site = Site(replace(STRUT, control=None))
    roles = {point.role for point in site.model.outputs}
    assert "support_axial_force" in roles
    assert not any("_pct_" in role for role in roles)
    assert "pit_failure_low_h" not in roles


def test_a_design_that_is_known_alone_is_compared_alone() -> None:
    site = Site(replace(STRUT, control=replace(DESIGN, preload_fy=None)))
    assert [point.role for point in site.model.outputs if "_pct_" in point.role] == ["support_axial_force_pct_f2"]


def test_a_gauge_that_breaks_is_no_movement_of_the_strut() -> None:
    site = Site(STRUT)
    for day in range(4):
        said = site.at(day, 100.0 + day, 110.0 + day, 90.0 + day, 60.0 + day)
    assert said is not None
    assert said["support_axial_force_rate"] == pytest.approx(6.0)
    said = site.at(4, 104.0, 114.0, 94.0, NAN)
    assert said is not None
    assert said["pit_gauge_count"] == 3
    assert said["support_axial_force"] == pytest.approx(624.0)
    assert isnan(said["support_axial_force_rate"])
    event = site.model.take_events()[-1]
    assert (event.kind, event.content["gauges"]) == ("data_quality", 3)


def test_too_few_gauges_are_unknown_with_the_reason() -> None:
    site = Site(STRUT)
    site.at(0, 100.0, 110.0, 90.0, 100.0)
    said = site.at(1, 100.0, NAN, NAN, NAN)
    assert said is not None
    assert said["pit_reading_quality"] == Defect.TOO_FEW_GAUGES
    assert isnan(said["support_axial_force_pct_fy"])


def test_an_input_that_two_gauges_share_is_asked_for_once() -> None:
    shared = StrutLoad((DirectReading("pit-1.g"), DirectReading("pit-1.g")), modulus_gpa=200.0, area_m2=0.03)
    site = Site(replace(STRUT, source=shared))
    assert site.model.inputs == ("pit-1.g",)
    said = site.at(0, 100.0)
    assert said is not None
    assert said["support_axial_force"] == pytest.approx(600.0)


def series(day: int) -> float:
    if day in (7, 15):
        return NAN
    return 90.0 if day == 11 else 10.0 + 1.5 * day + float(NOISE[day])


def test_a_restored_model_goes_on_as_if_nothing_had_happened() -> None:
    point = replace(WALL_TOP, baselines=(replace(ZERO, zero=None), replace(ZERO, at_ns=T0_NS + 13 * DAY_NS)))
    for cut in range(1, 20, 3):
        through, before = Site(point, 40.0), Site(point, 40.0)
        expected = [through.at(day, series(day)) for day in range(20)]
        for day in range(cut):
            before.at(day, series(day))
        after = before.restored()
        rest = [after.at(day, series(day)) for day in range(cut, 20)]
        assert all(
            np.array_equal(list(one.values()), list(other.values()), equal_nan=True)
            for one, other in zip(rest, expected[cut:], strict=True)
            if one is not None and other is not None
        )
        assert [one is None for one in rest] == [one is None for one in expected[cut:]]
        assert after.model.saved() == through.model.saved()


def test_the_same_readings_a_year_later_say_the_same() -> None:
    now, later = Site(limit=40.0), Site(limit=40.0, shift_ns=365 * DAY_NS)
    for day in range(20):
        one, other = now.at(day, series(day)), later.at(day, series(day))
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert list(one.values()) == pytest.approx(list(other.values()), nan_ok=True)


def test_what_was_said_last_is_known_over_a_restart() -> None:
    site = Site(limit=40.0)
    assert site.model.last_said() is None
    said = site.moving(3, 2.0)
    last = site.restored().model.last_said()
    assert last is not None
    assert last[0] == T0_NS + 2 * DAY_NS
    assert list(last[1]) == pytest.approx(list(said.values()), nan_ok=True)


@pytest.mark.parametrize("saved", [None, [], {"version": 0}])
def test_what_is_no_kept_state_is_refused(saved: Json) -> None:
    with pytest.raises(ValueError, match="not the state"):
        Site().model.restore(saved)


def test_a_design_value_that_is_added_costs_no_cumulative_value() -> None:
    before, after = Site(replace(STRUT, control=None)), Site(STRUT)
    before.at(0, 100.0, 110.0, 90.0, 100.0)
    after.model.restore(before.model.saved())
    said = after.at(1, 100.0, 110.0, 90.0, 100.0)
    assert said is not None
    assert said["support_axial_force_pct_fy"] == pytest.approx(60.0)


def test_a_point_that_is_read_from_another_input_goes_on_counting() -> None:
    counting = replace(WALL_TOP, baselines=(replace(ZERO, zero=None, readings=1),))
    before = Site(counting)
    before.at(0, 50.0)
    after = Site(replace(counting, source=DirectReading("pit-1.ts2")))
    after.model.restore(before.model.saved())
    said = after.at(1, 53.0)
    assert said is not None
    assert said["wall_top_horizontal_displacement"] == pytest.approx(3.0)


def test_a_part_that_does_not_fit_any_more_costs_no_cumulative_value() -> None:
    before = Site(replace(WALL_TOP, baselines=(replace(ZERO, zero=None, readings=1),)))
    before.at(0, 50.0)
    saved = before.model.saved()
    assert isinstance(saved, dict)
    after = Site(before.model.point)
    after.model.restore(saved | {"forecast": {"version": 0}, "rate": "gone", "quality": [], "said": 7})
    said = after.at(1, 53.0)
    assert said is not None
    assert said["wall_top_horizontal_displacement"] == pytest.approx(3.0)
    assert isnan(said["wall_top_horizontal_displacement_rate"])


def test_the_state_of_another_item_is_refused() -> None:
    with pytest.raises(ValueError, match="not the state"):
        Site().model.restore(Site(STRUT).model.saved())


def test_a_point_that_is_known_to_be_steady_has_no_failure_ahead_and_one_that_is_not_known_says_nothing() -> None:
    site = Site()
    first = site.at(0, 10.0)
    assert first is not None
    assert isnan(first["pit_failure_low_h"])
    steady = Site().moving(30, 0.8)
    assert steady["pit_failure_low_h"] == steady["pit_failure_high_h"] == NO_FAILURE_AHEAD_H


def test_a_point_that_creeps_towards_failure_says_when_and_returns_once_it_has_come_to_rest() -> None:
    site, said = Site(), None
    for hour in range(0, 19 * 24, 6):
        day = hour / 24
        said = site.at(day, 10.0 + 0.3 * day + 12.0 * -np.log(1 - day / 20.0) + float(NOISE[hour // 6]) / 4)
    assert said is not None
    assert said["pit_failure_low_h"] < 24.0 < said["pit_failure_high_h"] < 24 * 5
    reached = 10.0 + 0.3 * 18.75 + 12.0 * -np.log(1 - 18.75 / 20.0)
    for hour in range(19 * 24, 60 * 24, 6):
        said = site.at(hour / 24, float(reached) + float(NOISE[hour // 6]) / 4)
    assert said["pit_failure_low_h"] == NO_FAILURE_AHEAD_H


def test_water_that_falls_to_a_tenth_of_its_level_is_no_wrong_unit() -> None:
    """The level is an elevation: where its zero lies says nothing of how far the water has gone."""
    well = PitPoint(
        "sw-1",
        PitItem.GROUNDWATER,
        DirectReading("pit-1.level"),
        "水位 SW-1",
        "Well SW-1",
        baselines=(replace(ZERO, zero=2000.0),),
        gates=QualityGates(noise=10.0),
    )
    site = Site(well)
    for hour in range(8):
        site.at(hour / 24, 2000.0 + hour % 2)
    site.at(8 / 24, 201.0)
    said = site.at(9 / 24, 200.0)
    assert said is not None
    assert said["groundwater_level"] == pytest.approx(-1800.0)
    assert said["pit_reading_quality"] == Defect.NONE
    metres = Site(well)
    for hour in range(8):
        metres.at(hour / 24, 2000.0 + hour % 2)
    unit = metres.at(8 / 24, 2.0)
    assert unit is not None
    assert unit["pit_reading_quality"] == Defect.WRONG_UNIT
