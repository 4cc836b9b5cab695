"""A share of requests without an answer: over how many, what an outage is, what a restart and a clock do."""

from dataclasses import replace
from math import comb
from random import Random

import pytest

from gateway.model.reading import RawBlock, Readings
from gateway.model.verdict import Truth
from gateway.rules.loss import BUCKETS, LossRules
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from tests.fakes.site import NOW_NS, SECOND_NS, layout, points, poll
from tests.fakes.windowed_rules import ANSWERED, loss

LAYOUT = layout(2)


class Bench:
    """One device, polled by hand; `said` is the last verdict."""

    def __init__(self) -> None:
        self.rules = LossRules([(0, loss(min_requests=100, device_points=2))])
        self.said = Truth.UNKNOWN
        self.share = float("nan")

    def poll(self, at_s: float, *, answered: bool = True, device: str = "host-1") -> None:
        now_ns = NOW_NS + round(at_s * SECOND_NS)
        readings = poll(LAYOUT, 1.0, now_ns) if answered else Readings.unreadable(device, LAYOUT, now_ns)
        verdicts = self.rules.evaluate(replace(readings, device=device, raw=ANSWERED if answered else RawBlock()))
        if len(verdicts.row):
            self.said, self.share = Truth(int(verdicts.truth[0])), float(verdicts.measured[0])


def lossy(bench: Bench, share: float, count: int, begin_s: float = 0.0, seed: int = 7) -> set[Truth]:
    """Requests a second apart, lost by chance; everything that was said."""
    random, said = Random(seed), set()
    for i in range(count):
        bench.poll(begin_s + i, answered=random.random() >= share)
        said.add(bench.said)
    return said


@pytest.mark.parametrize("seed", range(20))
def test_a_fourth_is_told_and_a_tenth_is_not(seed: int) -> None:
    assert Truth.TRUE in lossy(Bench(), 0.25, 1800, seed=seed)
    assert Truth.TRUE not in lossy(Bench(), 0.1, 1800, seed=seed)


def test_a_hundred_requests_are_enough_to_be_sure() -> None:
    """The figure of the pack: of 100 requests of which a tenth is lost in truth, 20 are lost once in 500 times."""
    by_chance = sum(comb(100, k) * 0.1**k * 0.9 ** (100 - k) for k in range(20, 101))
    assert 1 / by_chance == pytest.approx(500, rel=0.02)


def test_without_a_loss_fewer_are_enough() -> None:
    """At 20 % none of 21 is lost once in a hundred times."""
    assert 0.8**21 < 0.01 < 0.8**20
    bench = Bench()
    for i in range(21):
        assert bench.said is Truth.UNKNOWN
        bench.poll(i)
    assert (bench.said, bench.share) == (Truth.FALSE, 0.0)
    bench.poll(21, answered=False)
    bench.poll(22)
    assert bench.said is Truth.UNKNOWN, "one was lost: now a hundred are needed"


def test_the_share_that_is_told_is_that_of_the_window() -> None:
    bench = Bench()
    for i in range(4000):
        bench.poll(i / 2, answered=i % 4 != 1)
    assert bench.share == pytest.approx(25.0, abs=0.2)


def test_what_is_counted_is_bounded() -> None:
    bench = Bench()
    for i in range(30_000):
        bench.poll(i / 20, answered=i % 5 != 1)
    (counter,) = bench.rules._counters
    assert len(counter._buckets) <= BUCKETS + 1
    for i in range(1000):
        bench.poll(1500 + i * 60.0)
    assert len(counter._buckets) <= BUCKETS + 101


def test_an_outage_is_unknown_and_leaves_the_share_alone() -> None:
    bench = Bench()
    lossy(bench, 0.0, 200)
    for i in range(60):
        bench.poll(200 + i, answered=False)
    assert bench.said is Truth.UNKNOWN
    bench.poll(261)
    assert (bench.said, bench.share) == (Truth.FALSE, 0.0)


def test_another_devices_polls_are_not_counted() -> None:
    bench = Bench()
    for i in range(300):
        bench.poll(i, device="host-2")
    assert bench.said is Truth.UNKNOWN


def test_an_alarm_of_the_last_run_ends_behind_the_deadband_too() -> None:
    fresh, held = Bench(), Bench()
    held.rules.hold({0})
    for bench in (fresh, held):
        for i in range(200):
            bench.poll(i, answered=i % 6 != 1)
    assert (fresh.said, held.said) == (Truth.FALSE, Truth.TRUE)
    assert fresh.share == pytest.approx(100 / 6, abs=1)


def test_a_clock_that_was_set_back_begins_anew() -> None:
    bench = Bench()
    lossy(bench, 0.5, 300, begin_s=10_000)
    assert bench.said is Truth.TRUE
    bench.poll(0)
    assert bench.said is Truth.UNKNOWN


def test_without_any_poll_it_is_unknown() -> None:
    table, window = RuleTable([loss(device_points=2)]), Window(points(2, stale_after_s=30.0), 0)
    window.remember(replace(poll(LAYOUT, 1.0), raw=ANSWERED), 0)
    said = [
        [list(verdicts.truth) for verdicts in table.on_tick(window, round(at_s * SECOND_NS), NOW_NS)][-1]
        for at_s in (30, 30.1)
    ]
    assert said == [[], [Truth.UNKNOWN]]
