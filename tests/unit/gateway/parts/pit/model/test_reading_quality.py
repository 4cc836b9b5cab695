from itertools import pairwise

import numpy as np
import pytest

from gateway.parts.pit.model.instrument import Defect
from gateway.parts.pit.model.reading_quality import NS_A_DAY, QualityGates, Reading, ReadingQuality

T0_NS = 1_700_000_000_000_000_000
NOISE = np.random.default_rng(3).normal(0.0, 0.2, 200)


def judged(quality: ReadingQuality, values: list[float], start: int = 0, samples: int = 1) -> list[Defect]:
    """One reading a day, from day `start` on."""
    return [
        quality.judge(Reading(T0_NS + (start + i) * NS_A_DAY, value, samples=samples)) for i, value in enumerate(values)
    ]


def steady(count: int = 12, rate: float = 0.5, level: float = 20.0) -> list[float]:
    return [level + rate * i + float(NOISE[i]) for i in range(count)]


def usual() -> ReadingQuality:
    quality = ReadingQuality(QualityGates())
    assert set(judged(quality, steady())) == {Defect.NONE}
    return quality


def test_an_isolated_spike_is_blocked_and_what_follows_is_not() -> None:
    assert judged(usual(), [60.0, 26.5, 27.0], start=12) == [Defect.OUTLIER, Defect.NONE, Defect.NONE]


def test_a_real_jump_is_unknown_for_one_reading_only() -> None:
    assert judged(usual(), [60.0, 60.4, 61.0, 61.5], start=12) == [Defect.OUTLIER, *[Defect.NONE] * 3]


def test_two_spikes_to_different_sides_are_both_blocked() -> None:
    assert judged(usual(), [60.0, -20.0], start=12) == [Defect.OUTLIER, Defect.OUTLIER]


def test_a_pit_that_moves_faster_and_faster_is_not_blocked_at_every_reading() -> None:
    values = [26.0 + 8.0 * 1.6**i for i in range(8)]
    blocked = [defect is not Defect.NONE for defect in judged(usual(), values, start=12)]
    assert sum(blocked) <= 2
    assert not any(one and two for one, two in pairwise(blocked))


def test_a_median_of_many_samples_is_no_spike() -> None:
    assert judged(usual(), [60.0], start=12, samples=5) == [Defect.NONE]
    assert judged(usual(), [60.0], start=12, samples=4) == [Defect.OUTLIER]


def test_before_there_are_forerunners_nothing_is_called_a_spike() -> None:
    assert judged(ReadingQuality(QualityGates()), [20.0, 20.5, 90.0, 21.0, 21.5]) == [Defect.NONE] * 5


def test_a_move_that_goes_on_through_a_gap_is_no_spike() -> None:
    assert judged(usual(), [26.0 + 0.5 * 30], start=42) == [Defect.NONE]


@pytest.mark.parametrize("factor", [1000.0, 0.001, 0.01, 0.1])
def test_another_unit_is_blocked_for_as_long_as_it_lasts(factor: float) -> None:
    values = [26.0 * factor, 26.5 * factor, 27.0 * factor]
    assert judged(usual(), values, start=12) == [Defect.WRONG_UNIT] * 3


def test_a_load_that_falls_to_a_tenth_is_a_lost_load_and_no_unit() -> None:
    quality = ReadingQuality(QualityGates(noise=5.0), shrinkable=True)
    judged(quality, [1000.0 + 10 * float(NOISE[i]) for i in range(12)])
    assert judged(quality, [100.0, 100.5], start=12) == [Defect.OUTLIER, Defect.NONE]


def test_close_to_zero_no_ratio_tells_a_unit() -> None:
    quality = ReadingQuality(QualityGates())
    judged(quality, [0.4 + 0.1 * float(NOISE[i]) for i in range(12)])
    assert judged(quality, [4.0], start=12) == [Defect.NONE]


def test_a_flat_line_is_blocked_until_it_moves() -> None:
    quality = ReadingQuality(QualityGates(flat_after_s=3 * 86_400.0))
    values = [20.0] * 7 + [20.1]
    assert judged(quality, values) == [*[Defect.NONE] * 4, *[Defect.FLAT_LINE] * 3, Defect.NONE]


def test_unchanged_within_the_band_is_flat() -> None:
    quality = ReadingQuality(QualityGates(flat_after_s=86_400.0, flat_band=0.1))
    assert judged(quality, [20.0, 20.05, 19.95, 20.0, 20.08])[-1] is Defect.FLAT_LINE


def test_a_surveyor_may_write_the_same_number_for_ever() -> None:
    assert judged(ReadingQuality(QualityGates(flat_after_s=0.0)), [20.0] * 50) == [Defect.NONE] * 50


def test_a_reading_that_is_not_later_than_the_last_has_a_bad_time() -> None:
    quality = usual()
    assert quality.judge(Reading(T0_NS + 11 * NS_A_DAY, 25.5)) is Defect.BAD_TIME
    assert quality.judge(Reading(T0_NS + 11 * NS_A_DAY + 1, 25.5)) is Defect.NONE


def test_a_dead_instruments_own_reason_is_passed_on() -> None:
    reading = Reading(T0_NS, float("nan"), Defect.TOO_FEW_GAUGES)
    assert ReadingQuality(QualityGates()).judge(reading) is Defect.TOO_FEW_GAUGES


def test_another_sensor_starts_anew() -> None:
    quality = usual()
    quality.reset()
    assert judged(quality, [5000.0, 5000.5], start=12) == [Defect.NONE] * 2


def test_a_restored_gate_judges_as_if_nothing_had_happened() -> None:
    for cut in range(1, 17):
        values = [*steady(), 60.0, 60.5, 26.0, 27.0, 27.0]
        through = ReadingQuality(QualityGates())
        expected = judged(through, values)
        before = ReadingQuality(QualityGates())
        first = judged(before, values[:cut])
        after = ReadingQuality(QualityGates())
        after.restore(before.saved())
        assert first + judged(after, values[cut:], start=cut) == expected
        assert after.saved() == through.saved()


@pytest.mark.parametrize("saved", [None, [], {"before": []}])
def test_what_is_no_kept_state_is_refused(saved: object) -> None:
    with pytest.raises(ValueError, match="not the state"):
        ReadingQuality(QualityGates()).restore(saved)  # type: ignore[arg-type]
