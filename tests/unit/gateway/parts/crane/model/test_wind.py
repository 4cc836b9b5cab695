"""Means of the wind against means taken the long way round; holes, slow anemometers, restarts."""

import json
import random
from math import isnan, nan

import pytest

from gateway.parts.crane.model.parameters import WindParameters
from gateway.parts.crane.model.wind import UNKNOWN, Wind, WindMeans, beaufort

S = 1_000_000_000


def fed(means: WindMeans, seconds: float, speed: float, start_s: float = 0.0, every_s: float = 0.1) -> Wind:
    said = UNKNOWN
    for i in range(round(seconds / every_s)):
        said = means.add(round((start_s + i * every_s) * S), speed)
    return said


def test_a_steady_wind_is_its_own_mean_once_the_span_is_covered() -> None:
    means = WindMeans(WindParameters())
    assert isnan(means.add(0, 7.5).mean_1s_m_s)
    early = fed(means, 2.0, 7.5, 0.1)
    assert early.mean_1s_m_s == 7.5
    assert isnan(early.mean_3s_m_s)
    assert fed(means, 1.0, 7.5, 2.1).mean_3s_m_s == 7.5
    late = fed(means, 600.0, 7.5, 3.1)
    assert late == (7.5, 7.5, 7.5, 7.5, 7.5)


def test_the_three_second_mean_is_the_time_weighted_mean() -> None:
    noise = random.Random(3)
    means, samples, t_ns = WindMeans(WindParameters()), [], 0
    for _ in range(400):
        since_ns = noise.randrange(25_000_000, 900_000_000)
        t_ns += since_ns
        speed = round(noise.uniform(0, 20), 2)
        said = means.add(t_ns, speed)
        samples.append((t_ns - since_ns, t_ns, speed))
        begin = t_ns - 3 * S
        parts = [(min(b, t_ns) - max(a, begin), v) for a, b, v in samples[1:] if b > begin]
        covered = sum(weight for weight, _ in parts)
        if covered >= 0.8 * 3 * S:
            assert said.mean_3s_m_s == pytest.approx(sum(w * v for w, v in parts) / covered, abs=1e-6)
        else:
            assert isnan(said.mean_3s_m_s)


def test_the_gust_is_the_largest_three_second_mean_of_ten_minutes_and_then_leaves() -> None:
    means = WindMeans(WindParameters())
    fed(means, 600.0, 5.0)
    assert fed(means, 3.0, 15.0, 600.0).gust_3s_m_s == pytest.approx(15.0, abs=0.4)
    assert fed(means, 590.0, 5.0, 603.0).gust_3s_m_s > 14.5
    assert fed(means, 15.0, 5.0, 1193.0).gust_3s_m_s == 5.0


def test_two_and_ten_minute_means_forget_what_is_older() -> None:
    means = WindMeans(WindParameters())
    fed(means, 600.0, 10.0)
    said = fed(means, 60.0, 4.0, 600.0)
    assert said.mean_2min_m_s == pytest.approx(7.0, abs=0.1)
    assert said.mean_10min_m_s == pytest.approx(9.4, abs=0.05)
    assert fed(means, 60.0, 4.0, 660.0).mean_2min_m_s == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("every_s", [3.0, 20.0, 30.0])
def test_an_anemometer_that_is_read_seldom_but_regularly_says_its_single_samples(every_s: float) -> None:
    means = WindMeans(WindParameters())
    assert isnan(means.add(0, 6.0).mean_3s_m_s)
    assert isnan(means.add(round(every_s * S), 6.0).mean_3s_m_s), "one interval is no habit"
    assert means.add(round(2 * every_s * S), 13.0).mean_3s_m_s == 13.0
    assert means.silent(round(3.4 * every_s * S)).mean_3s_m_s == 13.0
    assert isnan(means.silent(round(3.6 * every_s * S)).mean_3s_m_s)


def test_a_hole_in_a_fast_stream_is_no_habit_and_a_minute_is_too_seldom() -> None:
    means = WindMeans(WindParameters())
    fed(means, 30.0, 6.0)
    assert isnan(means.add(40 * S, 13.0).mean_3s_m_s)
    slow = WindMeans(WindParameters())
    assert all(isnan(slow.add(i * 60 * S, 13.0).mean_3s_m_s) for i in range(5))


def test_the_habit_survives_a_restart() -> None:
    means = WindMeans(WindParameters())
    fed(means, 60.0, 6.0, every_s=20.0)
    after = WindMeans(WindParameters())
    after.restore(json.loads(json.dumps(means.saved())))
    assert after.add(60 * S, 13.0).mean_3s_m_s == 13.0


@pytest.mark.parametrize("lost", ["nan", "silence"])
def test_a_hole_makes_short_means_unknown_at_once_and_long_ones_when_it_is_long(lost: str) -> None:
    means = WindMeans(WindParameters())
    fed(means, 700.0, 8.0)
    if lost == "nan":
        said = means.add(701 * S, nan)
        later = means.add(900 * S, nan)
    else:
        assert means.silent(700 * S + S // 2).mean_3s_m_s == 8.0
        said = means.silent(702 * S)
        later = means.silent(900 * S)
    assert isnan(said.mean_1s_m_s)
    assert isnan(said.mean_3s_m_s)
    assert said.mean_10min_m_s == 8.0
    assert isnan(later.mean_2min_m_s)
    assert isnan(later.mean_10min_m_s)
    again = means.add(901 * S, 8.0)
    assert isnan(again.mean_3s_m_s)


def test_after_hours_of_silence_nothing_old_is_left() -> None:
    means = WindMeans(WindParameters())
    fed(means, 700.0, 20.0)
    said = fed(means, 600.0, 3.0, 10_000.0)
    assert (said.gust_3s_m_s, said.mean_2min_m_s, said.mean_10min_m_s) == (3.0, 3.0, 3.0)


def test_faster_than_fifty_times_a_second_is_thinned_and_memory_is_bounded() -> None:
    means = WindMeans(WindParameters())
    said = fed(means, 20.0, 9.0, every_s=0.001)
    assert said.mean_3s_m_s == 9.0
    assert len(json.dumps(means.saved())) < 20_000


def test_a_restart_changes_nothing() -> None:
    noise = random.Random(1)
    one, other = WindMeans(WindParameters()), WindMeans(WindParameters())
    for i in range(9000):
        speed = nan if noise.random() < 0.02 else round(noise.uniform(0, 15), 2)
        said, again = one.add(i * S // 10, speed), other.add(i * S // 10, speed)
        assert [repr(each) for each in said] == [repr(each) for each in again]
        if i % 1777 == 5:
            kept = json.loads(json.dumps(other.saved()))
            other = WindMeans(WindParameters())
            other.restore(kept)


@pytest.mark.parametrize("kept", [None, {}, {"short": []}, {"short": [[], []], "long": {"now": 1}}, "what"])
def test_a_state_that_is_none_is_refused(kept: object) -> None:
    with pytest.raises(ValueError, match="kept state"):
        WindMeans(WindParameters()).restore(kept)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("speed", "force"), [(0.0, 0), (0.2, 0), (5.5, 4), (7.9, 4), (8.0, 5), (10.8, 6), (13.8, 6), (20.8, 9), (40.0, 12)]
)
def test_wind_force_by_its_lower_bounds(speed: float, force: int) -> None:
    assert beaufort(speed) == force
    assert isnan(beaufort(nan))
