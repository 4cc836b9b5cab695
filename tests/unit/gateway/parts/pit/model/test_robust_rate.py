from math import isnan

import numpy as np
import pytest

from gateway.parts.pit.model.robust_rate import KEPT_READINGS, NS_A_DAY, RateWindow, RobustRate, median_slope

T0_NS = 1_700_000_000_000_000_000
HOUR_NS = NS_A_DAY // 24


def fed(days: list[float], values: list[float]) -> RobustRate:
    rate = RobustRate(RateWindow())
    for day, value in zip(days, values, strict=True):
        rate.add(T0_NS + int(day * NS_A_DAY), value)
    return rate


def test_a_steady_movement_has_its_rate() -> None:
    rate = fed([0, 1, 2, 3], [0.0, 2.0, 4.0, 6.0])
    assert rate.per_day() == pytest.approx(2.0)
    assert rate.change_per_day() == pytest.approx(2.0)


def test_one_bad_reading_does_not_turn_the_slope() -> None:
    steady = [0.25 * i for i in range(12)]
    bad = list(steady)
    bad[5] += 50.0
    days = [0.25 * i for i in range(12)]
    assert fed(days, bad).per_day() == pytest.approx(fed(days, steady).per_day(), abs=0.05)


def test_with_too_few_readings_nothing_is_known() -> None:
    assert isnan(fed([0, 1], [0.0, 2.0]).per_day())
    assert isnan(fed([], []).per_day())
    assert isnan(fed([], []).change_per_day())


@pytest.mark.parametrize(("span_h", "known"), [(19.9, False), (20.0, True)])
def test_noise_of_minutes_is_no_rate_a_day(span_h: float, known: bool) -> None:
    rate = fed([0, span_h / 48, span_h / 24], [0.0, 0.5, 0.0])
    assert isnan(rate.per_day()) is not known


def test_what_is_older_than_the_window_is_forgotten() -> None:
    rate = fed([0, 1, 2, 3, 4, 5, 6], [0.0, 10.0, 20.0, 30.0, 30.0, 30.0, 30.0])
    assert rate.per_day() == pytest.approx(0.0)


def test_after_a_gap_longer_than_the_window_the_rate_is_unknown() -> None:
    assert isnan(fed([0, 1, 2, 9], [0.0, 1.0, 2.0, 3.0]).per_day())


@pytest.mark.parametrize("every_d", [2.0, 3.0, 7.0, 10.0])
def test_a_pit_that_is_read_once_in_days_has_a_rate(every_d: float) -> None:
    """The intervals of GB 50497-2019 7.0.3 are up to ten days: longer than the window."""
    days = [i * every_d for i in range(5)]
    rate = fed(days, [4.0 * day for day in days])
    assert rate.per_day() == pytest.approx(4.0)
    assert isnan(fed(days[:2], [0.0, 4.0 * every_d]).per_day()), "two readings are too few"


def test_readings_of_two_or_three_days_come_evenly_enough_and_faster_ones_replace_them() -> None:
    rate = fed([0, 2, 5, 7, 10], [0.0, 2.0, 5.0, 7.0, 10.0])
    assert rate.per_day() == pytest.approx(1.0)
    for day in (11.0, 12.0, 13.0):
        rate.add(T0_NS + int(day * NS_A_DAY), 10.0 + 5.0 * (day - 10.0))
    assert rate.per_day() == pytest.approx(5.0), "the window is full again: only what is in it counts"


def test_the_first_readings_after_a_hole_say_nothing_of_the_time_before() -> None:
    hourly = [i / 24 for i in range(72)]
    rate = fed([*hourly, 20.0, 20.5], [0.0] * 72 + [60.0, 60.0])
    assert isnan(rate.per_day())


def test_a_restored_rare_rate_goes_on() -> None:
    rate = fed([0, 3, 6], [0.0, 3.0, 6.0])
    other = RobustRate(RateWindow())
    other.restore(rate.saved())
    other.add(T0_NS + 9 * NS_A_DAY, 9.0)
    assert other.per_day() == pytest.approx(1.0)


def test_a_jump_shows_in_the_plain_difference_at_once() -> None:
    days = [i / 24 for i in range(48)]
    rate = fed(days, [0.0] * 47 + [6.0])
    assert rate.change_per_day() == pytest.approx(6.0, rel=0.1)
    assert abs(rate.per_day()) < 0.5


def test_a_change_within_less_than_half_a_day_is_not_said() -> None:
    assert isnan(fed([0, 0.4], [0.0, 1.0]).change_per_day())


@pytest.mark.parametrize("age_d", [0.5, 1.0, 2.1, 7.0])
def test_the_change_since_the_last_reading_is_said_at_once(age_d: float) -> None:
    rate = fed([0, 7.0, 7.0 + age_d], [0.0, 5.6, 5.6 + 3.5 * age_d])
    assert rate.change_per_day() == pytest.approx(3.5)


def test_twelve_hourly_readings_are_compared_with_the_last_too() -> None:
    assert fed([0, 0.5, 1.0, 1.5], [0.0, 0.4, 0.8, 2.3]).change_per_day() == pytest.approx(3.0)


def test_one_misreading_a_day_ago_does_not_make_a_change_of_a_dense_stream() -> None:
    hourly = [i / 24 for i in range(72)]
    values = [0.0] * 72
    values[47] = 3.9
    assert abs(fed(hourly, values).change_per_day()) < 0.1


@pytest.mark.parametrize("again_h", [1, 4, 11])
def test_a_misreading_that_is_measured_again_is_withdrawn_for_good(again_h: int) -> None:
    days, values = [0, 1, 2, 3], [0.0, 0.8, 1.6, 5.5]
    assert fed(days, values).change_per_day() == pytest.approx(3.9)
    days, values = [*days, 3 + again_h / 24], [*values, 2.4 + 0.8 * again_h / 24]
    assert abs(fed(days, values).change_per_day()) < 1.0
    assert fed([*days, 4], [*values, 3.2]).change_per_day() == pytest.approx(0.8, abs=0.1)
    assert fed([*days, 4], [*values, 3.2]).per_day() == pytest.approx(0.8, abs=0.1)


def test_a_jump_that_is_measured_again_stands() -> None:
    days, values = [0, 1, 2, 3, 3.1], [0.0, 0.8, 1.6, 5.5, 5.6]
    assert fed(days, values).change_per_day() == pytest.approx(3.6, abs=0.1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_left_out(value: float) -> None:
    assert fed([0, 1, 2, 2.5], [0.0, 1.0, 2.0, value]).per_day() == pytest.approx(1.0)


def test_what_is_not_later_is_left_out() -> None:
    assert fed([0, 1, 2, 2, 1.5], [0.0, 1.0, 2.0, 99.0, 99.0]).per_day() == pytest.approx(1.0)


def test_memory_is_bounded_for_a_dense_stream() -> None:
    window = RateWindow(window_s=86_400.0)
    rate = RobustRate(window)
    for second in range(0, 3 * 86_400, 20):
        rate.add(T0_NS + second * 1_000_000_000, second / 86_400 * 2.0)
    saved = rate.saved()
    assert isinstance(saved, dict)
    kept = saved["kept"]
    assert isinstance(kept, list)
    assert KEPT_READINGS // 2 < len(kept) <= KEPT_READINGS + 2
    assert rate.per_day() == pytest.approx(2.0)


def test_the_newest_reading_of_a_dense_stream_counts() -> None:
    rate = fed([0, 0.5, 1.0, 1.001, 1.002], [0.0, 0.0, 0.0, 0.0, 9.0])
    assert rate.change_per_day() == pytest.approx(9.0, rel=0.01)


def test_another_zero_does_not_change_a_rate() -> None:
    rate = fed([0, 1, 2], [10.0, 11.0, 12.0])
    rate.shift(-10.0)
    rate.add(T0_NS + 3 * NS_A_DAY, 3.0)
    assert rate.per_day() == pytest.approx(1.0)


def test_after_clearing_nothing_is_known() -> None:
    rate = fed([0, 1, 2], [0.0, 1.0, 2.0])
    rate.clear()
    assert isnan(rate.per_day())


def test_a_restored_rate_goes_on_as_if_nothing_had_happened() -> None:
    rate = fed([0, 1, 2], [0.0, 1.0, 3.0])
    other = RobustRate(RateWindow())
    other.restore(rate.saved())
    for each in (rate, other):
        each.add(T0_NS + 3 * NS_A_DAY, 4.0)
    assert other.per_day() == rate.per_day()
    assert other.saved() == rate.saved()


@pytest.mark.parametrize("saved", [None, {"a": 1}, [1, 2], [["x", 1.0]], [[1.5, 1.0]]])
def test_what_is_no_kept_state_is_refused(saved: object) -> None:
    with pytest.raises(ValueError, match="kept reading"):
        RobustRate(RateWindow()).restore(saved)  # type: ignore[arg-type]


def test_the_median_slope_is_the_median_of_all_pairs() -> None:
    random = np.random.default_rng(1)
    for n in (2, 3, 8, 31):
        x, y = np.cumsum(random.random(n) + 0.1), random.random(n)
        slopes = [(y[j] - y[i]) / (x[j] - x[i]) for i in range(n) for j in range(i + 1, n)]
        assert median_slope(x, y) == pytest.approx(float(np.median(slopes)))


def test_a_jump_out_of_readings_that_were_seen_and_not_believed_is_the_jump_of_one_reading() -> None:
    rate = fed([0, 1, 2], [5.0, 5.0, 5.0])
    for day in range(3, 10):
        rate.see(T0_NS + day * NS_A_DAY, 5.0)
    assert rate.change_to_per_day(T0_NS + 10 * NS_A_DAY, 8.5) == pytest.approx(3.5)
    restored = RobustRate(RateWindow())
    restored.restore(rate.saved())
    for each in (rate, restored):
        each.add(T0_NS + 10 * NS_A_DAY, 8.5)
        assert each.change_per_day() == pytest.approx(3.5)
        each.add(T0_NS + 11 * NS_A_DAY, 9.0)
        assert each.change_per_day() == pytest.approx(0.5), "only the reading after them is compared with them"


def test_what_was_seen_moves_with_another_zero_and_goes_with_the_rest() -> None:
    rate = fed([0, 1], [5.0, 5.0])
    rate.see(T0_NS + 2 * NS_A_DAY, 5.0)
    rate.shift(-5.0)
    assert rate.change_to_per_day(T0_NS + 3 * NS_A_DAY, 2.0) == pytest.approx(2.0)
    rate.clear()
    assert isnan(rate.change_to_per_day(T0_NS + 3 * NS_A_DAY, 2.0))


def test_a_spike_of_a_dense_stream_says_no_change() -> None:
    rate = fed([i / 24 for i in range(48)], [0.0] * 48)
    assert isnan(rate.change_to_per_day(T0_NS + 2 * NS_A_DAY, 6.0))


def test_readings_that_a_version_before_kept_are_taken_over() -> None:
    rate = RobustRate(RateWindow())
    rate.restore([[0, 0.0], [NS_A_DAY, 0.8]])
    rate.add(2 * NS_A_DAY, 4.3)
    assert rate.change_per_day() == pytest.approx(3.5)
