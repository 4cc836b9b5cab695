"""What is known beside a point: neighbours make its forecast earlier; rain, digging, water that explain it, silent."""

from collections.abc import Sequence
from math import isfinite

import numpy as np
import pytest

from gateway.parts.pit.forecast.creep_drivers import Driver, DriverKind
from gateway.parts.pit.forecast.forecast import Forecast, Forecaster, ForecastSettings
from tests.fakes.creep import Creep, Floats
from tests.fakes.creep_series import Case, Kind, case

DAY_NS = 86_400_000_000_000
START_NS = 20_000 * DAY_NS
CREEP = Creep(2.0, 0.7, 0.0, 20.0)
DAYS = np.arange(0.0, 19.0)


class Known:
    """Neighbours and drivers whose days count from the start."""

    def __init__(self, others: Sequence[Forecaster] = (), drivers: Sequence[Driver] = ()) -> None:
        self.others, self.known = others, drivers

    def neighbours(self) -> Sequence[Forecaster]:
        return self.others

    def drivers(self, epoch_ns: int) -> Sequence[Driver]:
        by_d = (START_NS - epoch_ns) / DAY_NS
        return [Driver(each.kind, each.t_d + by_d, each.value) for each in self.known]


def told(t_d: Floats, x_mm: Floats, beside: Sequence[Floats] = (), drivers: Sequence[Driver] = ()) -> list[Forecast]:
    forecaster, others, said = Forecaster(), [Forecaster() for _ in beside], []
    for i, t in enumerate(t_d):
        at_ns = START_NS + int(t * DAY_NS)
        for other, readings in zip(others, beside, strict=True):
            other.add(at_ns, float(readings[i]))
        said.append(forecaster.add(at_ns, float(x_mm[i]), evidence=Known(others, drivers)))
    return said


def in_time(series: Case, said: list[Forecast]) -> bool:
    early = series.failure_d - series.t_d >= 2.0
    return any(isfinite(one.failure_high_h) for one, soon in zip(said, early, strict=True) if soon)


def noisy(seed: int, noise_mm: float = 0.3) -> Floats:
    readings: Floats = CREEP.displacement_mm(DAYS) + np.random.default_rng(seed).normal(0.0, noise_mm, len(DAYS))
    return readings


def speaks(said: list[Forecast]) -> bool:
    return any(isfinite(one.failure_high_h) for one in said)


def test_neighbours_that_creep_too_make_the_word_come_two_days_before_the_failure() -> None:
    """Hand-read, alpha 2, 20 days, 0.5 mm: the narrow case of standards 7.1."""
    cases = [case(Kind.HAND_READ, seed) for seed in range(7200, 7210)]
    alone = sum(in_time(each, told(each.t_d, each.x_mm)) for each in cases)
    together = sum(in_time(each, told(each.t_d, each.x_mm, each.neighbours(3))) for each in cases)
    assert together >= 9
    assert together > alone


def test_a_neighbour_that_stands_still_takes_nothing_from_the_word() -> None:
    still = np.random.default_rng(3).normal(0.0, 0.3, len(DAYS))
    assert [repr(one) for one in told(DAYS, noisy(1), [still])] == [repr(one) for one in told(DAYS, noisy(1))]


def test_a_neighbour_that_was_not_read_of_late_does_not_count() -> None:
    other, lead = Forecaster(), Forecaster()
    for t, x, y in zip(DAYS, noisy(1), noisy(2), strict=True):
        if t < 14:
            other.add(START_NS + int(t * DAY_NS), float(y))
        said = lead.add(START_NS + int(t * DAY_NS), float(x), evidence=Known([other]))
    assert repr(said) == repr(told(DAYS, noisy(1))[-1])


def test_old_readings_brought_after_a_neighbours_new_ones_are_forecast_by_what_was_known_then() -> None:
    ahead, lead = Forecaster(), Forecaster()
    for t, x in zip(DAYS, noisy(2), strict=True):
        ahead.add(START_NS + int(t * DAY_NS), float(x))
    said = [
        lead.add(START_NS + int(t * DAY_NS), float(x), evidence=Known([ahead]))
        for t, x in zip(DAYS, noisy(1), strict=True)
    ]
    assert said[-1].failure_low_h < 48 < said[-1].failure_high_h


def test_days_of_neighbours_may_count_from_another_reading() -> None:
    """The second was read first: its own days begin earlier."""
    later, earlier = Forecaster(), Forecaster()
    earlier.add(START_NS - 3 * DAY_NS, -2.0)
    for t, x, y in zip(DAYS, noisy(1), noisy(2), strict=True):
        earlier.add(START_NS + int(t * DAY_NS), float(y))
        later.add(START_NS + int(t * DAY_NS), float(x))
    growing, own = earlier.growing(START_NS), later.growing(START_NS)
    assert growing is not None
    assert own is not None
    assert growing.series.t_d[-1] == own.series.t_d[-1] == 18.0


@pytest.mark.parametrize("kind", list(DriverKind))
def test_what_explains_the_movement_silences_the_forecast(kind: DriverKind) -> None:
    assert speaks(told(DAYS, noisy(1)))
    explains = Driver(kind, DAYS, 40.0 * CREEP.displacement_mm(DAYS))
    assert not speaks(told(DAYS, noisy(1), drivers=[explains]))


def test_rain_that_explains_nothing_leaves_the_word() -> None:
    showers = Driver(DriverKind.PUT_IN, DAYS, np.cumsum(np.where(DAYS % 5 == 0, 8.0, 0.0)))
    assert speaks(told(DAYS, noisy(1), drivers=[showers]))


def test_rain_known_of_half_a_movement_explains_none() -> None:
    half = Driver(DriverKind.PUT_IN, DAYS[9:], 40.0 * CREEP.displacement_mm(DAYS[9:]))
    assert [repr(one) for one in told(DAYS, noisy(1), drivers=[half])] == [repr(one) for one in told(DAYS, noisy(1))]


def test_ground_that_holds_rain_moves_after_it_fell() -> None:
    columns = Driver(DriverKind.PUT_IN, DAYS, np.where(DAYS >= 3, 30.0, 0.0)).columns(DAYS)
    assert (columns[:, :3] == 0).all()
    assert (np.diff(columns, axis=1) >= 0).all()
    fast, slow = columns[0], columns[5]
    assert slow[4] / slow[-1] < fast[4] / fast[-1]


def test_a_level_that_does_not_change_and_a_dry_gauge_move_nothing() -> None:
    for kind in DriverKind:
        assert (Driver(kind, DAYS, np.full(len(DAYS), 7.0)).columns(DAYS) == 0).all()


def test_a_movement_that_stops_is_never_clearly_called_a_failure_within_a_day() -> None:
    """S-curves read daily; some are spoken of before they slow down."""
    for seed in range(7300, 7306):
        series = case(Kind.S_CURVE, seed, spacing_h=24.0)
        assert not [one for one in told(series.t_d, series.x_mm) if one.clear and one.failure_low_h < 24]


def test_two_days_before_a_failure_it_is_clear_where_neighbours_creep_too() -> None:
    said = told(DAYS, noisy(1), [noisy(2), noisy(3)])[-1]
    assert said.clear
    assert said.failure_low_h < 48 < said.failure_high_h


def test_neighbours_that_step_when_the_point_does_say_nothing_of_creep() -> None:
    """Stages of digging that grow: at 0.66 mm of noise four points follow creep for some days, to within hours."""
    series = case(Kind.DIGGING, 3195, spacing_h=24.0)
    said = told(series.t_d, series.x_mm, series.neighbours(3))
    assert not [one for one in said if one.clear and one.failure_low_h < 24]


def test_a_restart_forgets_no_step_that_all_points_made() -> None:
    """Four points creep as one after a stage of digging; what is kept says for how long they do not count."""
    dug_mm = -4.0 * np.expm1(-np.maximum(DAYS - 9.5, 0.0))
    others, lead = [Forecaster() for _ in range(3)], Forecaster()
    for i, t in enumerate(DAYS):
        at_ns = START_NS + int(t * DAY_NS)
        for seed, other in enumerate(others):
            other.add(at_ns, float(noisy(seed + 2)[i] + dug_mm[i]))
        lead.add(at_ns, float(noisy(1)[i] + dug_mm[i]), evidence=Known(others))
    kept, anew = lead.saved(), Forecaster()
    anew.restore(kept)
    assert anew.saved() == kept
    assert isinstance(kept, dict)
    assert isinstance(kept["stepped_d"], float)
    anew.restore({key: value for key, value in kept.items() if key != "stepped_d"})  # of a version before
    lead.reset()
    assert lead.saved() == Forecaster().saved()


def test_a_step_in_all_points_leaves_the_point_to_stand_alone() -> None:
    dug_mm = -2.2 * np.expm1(-np.maximum(DAYS - 9.5, 0.0))
    beside = [noisy(seed) + dug_mm for seed in (2, 3, 4)]
    together, alone = told(DAYS, noisy(1) + dug_mm, beside), told(DAYS, noisy(1) + dug_mm)
    assert [repr(one) for one in together[-4:]] == [repr(one) for one in alone[-4:]]


def test_the_interval_of_seldom_readings_has_a_probability_of_its_own() -> None:
    narrow = Forecaster(ForecastSettings(seldom_level=0.5))
    said = [narrow.add(START_NS + int(t * DAY_NS), float(x)) for t, x in zip(DAYS, noisy(1), strict=True)][-1]
    usual = told(DAYS, noisy(1))[-1]
    assert usual.failure_low_h < said.failure_low_h < said.failure_high_h < usual.failure_high_h
