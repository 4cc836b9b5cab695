"""The early warning of one point: what it says, when it is silent, and that a restart changes nothing."""

import json
from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from gateway.parts.pit.forecast.forecast import Forecast, Forecaster, ForecastSettings, Stage
from tests.fakes.creep import Creep, Disturbance, Floats, measured_mm, times_d

DAY_NS = 86_400_000_000_000
START_NS = 20_000 * DAY_NS


def fed(forecaster: Forecaster, t_d: Floats, x_mm: Floats, limit_mm: float = nan) -> list[Forecast]:
    pairs = zip(t_d, x_mm, strict=True)
    return [forecaster.add(START_NS + int(t * DAY_NS), float(x), limit_mm) for t, x in pairs]


def creeping(until_d: float = 28.0, noise_mm: float = 0.1, spacing_h: float = 6.0) -> tuple[Floats, Floats]:
    """Steady for 15 days at 0.8 mm/d, then alpha 2; it fails on day 30."""
    rng = np.random.default_rng(4)
    disturbance = Disturbance(noise_mm=noise_mm)
    t_d = times_d(until_d, spacing_h, disturbance, rng)
    return t_d, measured_mm(t_d, Creep(2.0, 0.8, 15.0, 15.0).displacement_mm(t_d), disturbance, rng)


def straight(rate_mm_d: float, days: int = 12, noise_mm: float = 0.02) -> tuple[Floats, Floats]:
    t_d = np.arange(0.0, days, 0.25)
    return t_d, rate_mm_d * t_d + np.random.default_rng(5).normal(0, noise_mm, len(t_d))


def same(one: Forecast, other: Forecast) -> bool:
    return repr(one) == repr(other)


def test_accelerating_creep_gives_an_interval_around_the_failure() -> None:
    t_d, x_mm = creeping()
    said = fed(Forecaster(), t_d, x_mm)[-1]
    left_h = (30.0 - t_d[-1]) * 24
    assert said.failure_low_h < left_h < said.failure_high_h
    assert said.failure_high_h < 3 * said.failure_low_h
    assert said.stage in (Stage.INITIAL_ACCELERATION, Stage.MEDIUM_ACCELERATION)


def test_settlement_is_forecast_like_rise() -> None:
    t_d, x_mm = creeping()
    up, down = fed(Forecaster(), t_d, x_mm), fed(Forecaster(), t_d, -x_mm)
    assert all(a.failure_low_h == pytest.approx(b.failure_low_h, nan_ok=True) for a, b in zip(up, down, strict=True))
    assert [a.stage for a in up] == [b.stage for b in down]


@pytest.mark.parametrize("shift_ns", [1, 7, 1000, 5 * DAY_NS // 24 + 13, 400 * DAY_NS + 999])
def test_readings_a_day_apart_to_the_nanosecond_are_forecast_alike_at_any_hour(shift_ns: int) -> None:
    """They lie on the very edges of the windows, where rounding decides."""

    def said(start_ns: int) -> list[str]:
        forecaster = Forecaster()
        steps_ns = [DAY_NS // 24 * i for i in range(7)] + [DAY_NS * i for i in range(1, 8)]
        return [repr(forecaster.add(start_ns + at, 4.0 * (1 + 0.001 * (i % 2)))) for i, at in enumerate(steps_ns)]

    assert said(START_NS + shift_ns) == said(START_NS)


def test_slow_movement_stays_silent_however_clearly_it_accelerates() -> None:
    """The floor of standards 7.1: 0.5 mm/d."""
    t_d, x_mm = creeping()
    assert not any(np.isfinite(said.failure_low_h) for said in fed(Forecaster(), t_d, 0.05 * x_mm))


def test_a_floor_that_is_lowered_lets_slow_movement_speak() -> None:
    t_d, x_mm = creeping()
    settings = ForecastSettings()
    low = replace(settings, gates=replace(settings.gates, floor_mm_d=0.05))
    assert np.isfinite(fed(Forecaster(low), t_d, 0.05 * x_mm)[-1].failure_low_h)


def test_a_jump_of_the_last_reading_is_no_creep() -> None:
    t_d, x_mm = straight(1.0)
    x_mm[-1] += 15.0
    assert isnan(fed(Forecaster(), t_d, x_mm)[-1].failure_low_h)


def test_constant_acceleration_has_no_time_of_failure_but_is_no_steady_movement() -> None:
    t_d = np.arange(0.0, 20.0, 0.25)
    x_mm = 0.4 * t_d + 0.06 * t_d**2 + np.random.default_rng(6).normal(0, 0.05, len(t_d))
    said = fed(Forecaster(), t_d, x_mm)
    assert all(isnan(one.failure_low_h) for one in said)
    assert said[-1].stage >= Stage.INITIAL_ACCELERATION


def test_two_stages_of_digging_are_no_creep() -> None:
    t_d = np.arange(0.0, 20.0, 0.25)
    x_mm = 0.3 * t_d + 0.7 * np.maximum(t_d - 8, 0) + 1.0 * np.maximum(t_d - 14, 0)
    x_mm = x_mm + np.random.default_rng(7).normal(0, 0.1, len(t_d))
    assert all(isnan(one.failure_low_h) for one in fed(Forecaster(), t_d, x_mm))


def test_rounded_readings_are_not_taken_for_exact_ones() -> None:
    t_d = np.arange(0.0, 20.0, 0.25)
    said = fed(Forecaster(), t_d, np.round(0.9 * t_d + 0.3 * (t_d > 12), 0))
    assert all(isnan(one.failure_low_h) for one in said)
    assert all(one.stage < Stage.MEDIUM_ACCELERATION for one in said)


def test_movement_that_slows_after_creep_is_silent_and_decelerating() -> None:
    t_d, x_mm = creeping(27.0)
    after_d = t_d[-1] + np.arange(0.25, 8.0, 0.25)
    slowing_mm = x_mm[-1] + 6.0 * (1 - np.exp(-(after_d - t_d[-1]) / 1.5))
    forecaster = Forecaster()
    fed(forecaster, t_d, x_mm)
    said = fed(forecaster, after_d, slowing_mm)
    assert all(isnan(one.failure_low_h) for one in said[8:])
    assert Stage.DECELERATING in [one.stage for one in said]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_few_readings_say_nothing(count: int) -> None:
    t_d, x_mm = straight(2.0)
    said = fed(Forecaster(), t_d[:count], x_mm[:count], 30.0)[-1]
    assert same(said, Forecast())


def test_a_missing_value_says_nothing_and_leaves_no_trace() -> None:
    t_d, x_mm = creeping()
    whole, holed = Forecaster(), Forecaster()
    fed(whole, t_d, x_mm)
    fed(holed, t_d[:-3], x_mm[:-3])
    assert same(holed.add(START_NS + int((t_d[-3] - 0.01) * DAY_NS), nan, 30.0), Forecast())
    fed(holed, t_d[-3:], x_mm[-3:])
    assert holed.saved() == whole.saved()


def test_a_reading_that_is_not_later_is_skipped() -> None:
    t_d, x_mm = creeping()
    forecaster = Forecaster()
    fed(forecaster, t_d, x_mm)
    before = forecaster.saved()
    assert same(forecaster.add(START_NS + int(t_d[-1] * DAY_NS), 999.0), Forecast())
    assert same(forecaster.add(START_NS + int(t_d[-4] * DAY_NS), 999.0), Forecast())
    assert forecaster.saved() == before


def test_days_to_the_limit_at_the_present_rate() -> None:
    t_d, x_mm = straight(-2.0)
    said = fed(Forecaster(), t_d, x_mm, 30.0)[-1]
    assert said.days_to_limit == pytest.approx((30.0 + x_mm[-1]) / 2.0, rel=0.05)


def test_at_the_limit_no_days_are_left() -> None:
    t_d, x_mm = straight(2.0)
    assert fed(Forecaster(), t_d, x_mm, float(x_mm[-1]))[-1].days_to_limit == 0.0


def test_a_point_at_rest_is_far_from_its_limit_and_without_a_limit_nothing_is_known() -> None:
    t_d, x_mm = straight(0.0)
    assert fed(Forecaster(), t_d, x_mm, 30.0)[-1].days_to_limit > 365
    assert isnan(fed(Forecaster(), t_d, x_mm)[-1].days_to_limit)


def test_steady_movement_has_a_tangent_of_45_degrees() -> None:
    t_d, x_mm = straight(1.0, days=20)
    said = fed(Forecaster(), t_d, x_mm)[-1]
    assert said.tangent_deg == pytest.approx(45, abs=3)
    assert said.stage is Stage.STEADY


def test_the_first_movement_of_a_point_at_rest_is_not_called_imminent() -> None:
    """Against its own noise 0.6 mm/d would be 89 degrees."""
    t_d, x_mm = straight(0.0, days=20)
    x_mm = x_mm + 0.6 * np.maximum(t_d - 15, 0)
    assert all(said.stage < Stage.MEDIUM_ACCELERATION for said in fed(Forecaster(), t_d, x_mm))


def test_the_end_of_creep_is_imminent() -> None:
    t_d, x_mm = creeping(29.8)
    assert fed(Forecaster(), t_d, x_mm)[-1].stage is Stage.IMMINENT


def test_a_restart_changes_nothing() -> None:
    t_d, x_mm = creeping()
    through, before, after = Forecaster(), Forecaster(), Forecaster()
    expected = fed(through, t_d, x_mm, 30.0)
    said = fed(before, t_d[:70], x_mm[:70], 30.0)
    after.restore(json.loads(json.dumps(before.saved())))
    said += fed(after, t_d[70:], x_mm[70:], 30.0)
    assert [repr(one) for one in said] == [repr(one) for one in expected]


def test_a_forecaster_that_has_seen_nothing_can_be_kept() -> None:
    kept = Forecaster()
    kept.restore(json.loads(json.dumps(Forecaster().saved())))
    t_d, x_mm = straight(1.0)
    assert repr(fed(kept, t_d, x_mm)) == repr(fed(Forecaster(), t_d, x_mm))


def test_a_reset_forgets_everything() -> None:
    t_d, x_mm = creeping()
    forecaster = Forecaster()
    fed(forecaster, t_d, x_mm)
    forecaster.reset()
    assert forecaster.saved() == Forecaster().saved()


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 99},
        {"track": "none"},
        {"track": {"bins": "none"}},
        {"track": {"bins": [[1, 2, 3]]}},
        {"track": {"bins": [[2.0, 2.0, 1, 2.0, 0, 0, 0], [1.0, 1.0, 1, 1.0, 0, 0, 0]]}},
        {"track": {"bins": [[2.0, 1.0, 1, 2.0, 0, 0, 0]]}},
        {"track": {"bins": [[2.0, 2.0, 1, "2", 0, 0, 0]]}},
        {"track": {"bins": [[2.0, 2.0, 1, 2.0, 0, 0, 0]], "thinned_d": "x"}},
        {"track": {"bins": []}},
        {"epoch_ns": "yesterday"},
        {"peak_mm_d": None},
        {"from_d": "x"},
    ],
)
def test_a_damaged_state_is_refused(damage: dict[str, object]) -> None:
    forecaster = Forecaster()
    fed(forecaster, *straight(1.0))
    saved = json.loads(json.dumps(forecaster.saved()))
    with pytest.raises(ValueError, match=r"state|bin|epoch"):
        Forecaster().restore({**saved, **damage})


def test_memory_is_bounded_however_often_a_point_is_read() -> None:
    forecaster = Forecaster(ForecastSettings(curved_sigmas=np.inf))
    t_d = np.arange(0.0, 12.0, 1 / 96)
    fed(forecaster, t_d, 0.5 * t_d)
    later_d = 12.0 + np.arange(0.0, 90.0, 0.5)
    fed(forecaster, later_d, 0.5 * later_d)
    saved = forecaster.saved()
    assert isinstance(saved, dict)
    assert len(saved["track"]["bins"]) < 150
    assert len(json.dumps(saved)) < 30_000
