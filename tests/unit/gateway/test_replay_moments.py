"""The moments between two samples at which a replay looks: after each age that a rule names, and not at all others."""

import numpy as np

from gateway.replay_moments import LONGEST_PAUSE_NS, PERIODS_UP_TO_NS, Moments
from gateway.window import Window
from tests.fakes.site import SECOND_NS, points, silence, threshold

TICK_NS = SECOND_NS // 4
HOUR_NS = 3600 * SECOND_NS
POINTS = points(stale_after_s=3.0)


def between(moments: Moments, from_ns: int, to_ns: int, heard_ns: int = 0) -> list[int]:
    window = Window(POINTS, 0)
    window.good_mono_ns[:] = heard_ns
    window.seen_mono_ns[:] = heard_ns
    return moments.between(window, from_ns, to_ns)


def test_every_tick_of_a_short_gap() -> None:
    moments = Moments([], POINTS, TICK_NS)
    assert between(moments, 0, SECOND_NS) == [TICK_NS, 2 * TICK_NS, 3 * TICK_NS]
    assert between(moments, TICK_NS + 1, 2 * TICK_NS) == []
    assert between(moments, TICK_NS - 1, 2 * TICK_NS) == [TICK_NS]


def test_a_long_gap_is_looked_at_where_an_age_is_reached_and_where_it_is_passed() -> None:
    found = between(Moments([threshold(), silence(limit_s=10.0)], POINTS, TICK_NS), 0, HOUR_NS)
    for age_s in (3, 10):
        assert {age_s * SECOND_NS, age_s * SECOND_NS + TICK_NS} <= set(found)
    assert found == sorted(set(found))
    assert len(found) < 80
    assert found[-1] == HOUR_NS - TICK_NS, "the tick before the next sample"
    assert max(np.diff(found)) <= LONGEST_PAUSE_NS
    assert all(each % TICK_NS == 0 and 0 < each < HOUR_NS for each in found)


def test_models_with_a_period_are_asked_for_a_while_and_then_once_a_minute() -> None:
    found = between(Moments([], POINTS, TICK_NS, pause_s=1.0), 0, HOUR_NS)
    early = [each for each in found if each < PERIODS_UP_TO_NS]
    assert max(np.diff(early)) <= SECOND_NS
    assert len(found) - len(early) < 60
    faster = between(Moments([], POINTS, TICK_NS, pause_s=0.01), 0, 20 * SECOND_NS)
    assert faster == list(range(TICK_NS, 20 * SECOND_NS, TICK_NS))


def test_every_tick_when_asked() -> None:
    moments = Moments([], POINTS, TICK_NS, every_tick=True)
    assert between(moments, 0, HOUR_NS) == list(range(TICK_NS, HOUR_NS, TICK_NS))
