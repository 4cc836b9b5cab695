"""The moments between two samples at which a replay looks: after each age that a rule names, and not at all others."""

from collections.abc import Sequence

import numpy as np

from gateway.model.derivation import Ahead, AssetEvent, Json, Times, Values
from gateway.model.quantity import Point, PointTable
from gateway.rules.window import Window
from sitewarden.replay.moments import LONGEST_PAUSE_NS, NEVER, PERIODS_UP_TO_NS, Moments, Now, Plan
from tests.fakes.site import SECOND_NS, points, silence, threshold

TICK_NS = SECOND_NS // 4
HOUR_NS = 3600 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS
ZERO_NS = 1_700_000_000_000_000_000
POINTS = points(stale_after_s=3.0)


class Minutely:
    """A model with a period that foresees nothing."""

    device = "host-1:minutely"
    inputs: tuple[str, ...] = ("crane-1.q0",)

    def __init__(self, outputs: Sequence[Point] = (), period_s: float = 60.0) -> None:
        self.outputs = tuple(outputs)
        self.period_s = period_s

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        return np.zeros(len(self.outputs))

    def take_events(self) -> Sequence[AssetEvent]:
        return ()

    def saved(self) -> Json:
        return None

    def restore(self, saved: Json) -> None:
        raise ValueError("nothing is kept")


class Growing(Minutely):
    """One whose last point grows by one an hour, and which turns after 1000 s."""

    def ahead(self, now_ns: int) -> Ahead:
        return Ahead(np.array([ZERO_NS + 1000 * SECOND_NS]), np.array([1.0]))


def planned(moments: Moments, from_ns: int, to_ns: int, heard_ns: int = 0, table: PointTable = POINTS) -> Plan:
    window = Window(table, 0)
    window.good_mono_ns[:] = heard_ns
    window.seen_mono_ns[:] = heard_ns
    window.value[:] = 0.0
    return moments.plan(Now(window, ZERO_NS, from_ns, np.empty(0, dtype=np.int64)), from_ns, to_ns)


def between(moments: Moments, from_ns: int, to_ns: int, heard_ns: int = 0) -> list[int]:
    return planned(moments, from_ns, to_ns, heard_ns).moments


def test_every_tick_of_a_short_gap() -> None:
    moments = Moments([], POINTS, [], TICK_NS)
    assert between(moments, 0, SECOND_NS) == [TICK_NS, 2 * TICK_NS, 3 * TICK_NS]
    assert between(moments, TICK_NS + 1, 2 * TICK_NS) == []
    assert between(moments, TICK_NS - 1, 2 * TICK_NS) == [TICK_NS]


def test_a_long_gap_is_looked_at_where_an_age_is_reached_and_where_it_is_passed() -> None:
    found = between(Moments([threshold(), silence(limit_s=10.0)], POINTS, [], TICK_NS), 0, HOUR_NS)
    for age_s in (3, 10):
        assert {age_s * SECOND_NS, age_s * SECOND_NS + TICK_NS} <= set(found)
    assert found == sorted(set(found))
    assert len(found) <= 7
    assert all(each % TICK_NS == 0 and 0 < each < HOUR_NS for each in found)


def test_the_tick_before_the_next_sample_was_one_that_found_nothing() -> None:
    plan = planned(Moments([], POINTS, [], TICK_NS), 0, HOUR_NS)
    assert plan.ticked_ns == HOUR_NS - TICK_NS
    assert plan.ticked_ns not in plan.moments


def test_the_end_of_a_delay_that_runs_is_looked_at() -> None:
    now = Now(Window(POINTS, 0), ZERO_NS, 0, np.array([100 * SECOND_NS + 1, -5, 2 * HOUR_NS]))
    found = Moments([], POINTS, [], TICK_NS).plan(now, 0, HOUR_NS).moments
    assert [each for each in found if each > 4 * SECOND_NS] == [100 * SECOND_NS + TICK_NS]


def test_models_that_foresee_nothing_are_asked_for_a_while_and_then_once_a_minute() -> None:
    found = between(Moments([], POINTS, [Minutely(period_s=1.0)], TICK_NS), 0, HOUR_NS)
    early = [each for each in found if each < PERIODS_UP_TO_NS]
    assert max(np.diff(early)) <= SECOND_NS
    assert max(np.diff(found)) <= LONGEST_PAUSE_NS
    assert len(found) - len(early) < 60
    assert found[-1] == HOUR_NS - TICK_NS
    faster = between(Moments([], POINTS, [Minutely(period_s=0.01)], TICK_NS), 0, 20 * SECOND_NS)
    assert faster == list(range(TICK_NS, 20 * SECOND_NS, TICK_NS))


def test_a_model_that_foresees_steps_where_it_turns_and_where_it_grows_over_a_limit() -> None:
    model = Growing(POINTS.points[3:4])
    plan = planned(Moments([threshold(3, limit=0.75)], POINTS, [model], TICK_NS), 0, 2 * HOUR_NS)
    steps = {each // MINUTE_NS for each in plan.moments if each % MINUTE_NS == 0}
    assert {1, 17, 18, 45, 119} <= steps, "after the sample, the turn twice, the limit, before the next sample"
    assert len(steps) < 12
    assert plan.again_ns == MINUTE_NS
    later = Moments([threshold(3, limit=0.75)], POINTS, [model], TICK_NS)
    window = Window(POINTS, 0)
    assert later.plan(Now(window, ZERO_NS, 0, np.empty(0, dtype=np.int64)), MINUTE_NS, HOUR_NS).again_ns < NEVER


def test_a_model_that_another_one_reads_is_asked_at_its_period() -> None:
    class Reader(Minutely):
        inputs = ("crane-1.q3",)

    models = [Growing(POINTS.points[3:4]), Reader()]
    found = between(Moments([], POINTS, models, TICK_NS), 0, HOUR_NS)
    assert {i * MINUTE_NS for i in range(1, 60)} <= set(found)


def test_every_tick_when_asked() -> None:
    moments = Moments([], POINTS, [], TICK_NS, every_tick=True)
    assert between(moments, 0, HOUR_NS) == list(range(TICK_NS, HOUR_NS, TICK_NS))
