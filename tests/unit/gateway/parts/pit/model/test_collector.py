from collections.abc import Sequence

import numpy as np
import pytest

from gateway.parts.pit.model.collector import KEPT_SAMPLES, ReadingCollector
from gateway.parts.pit.model.inclinometer import InclinometerChain, InclinometerDepth, InclinometerNode
from gateway.parts.pit.model.instrument import Defect, DirectReading
from gateway.parts.pit.model.reading_quality import Reading
from gateway.parts.pit.model.strut_load import StrutLoad

T0_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
NAN = float("nan")
ONE = DirectReading("p")
TWO = StrutLoad((DirectReading("a"), DirectReading("b")), modulus_gpa=1.0, area_m2=1.0, minimum_gauges=1)
CHAIN = InclinometerDepth(InclinometerChain(tuple(InclinometerNode(f"n{i}", 0.5, 9.0 - i) for i in range(2))), 1)


class Stream:
    """Steps of one collector; an input that is not given keeps its value and its time."""

    def __init__(self, collector: ReadingCollector, inputs: int) -> None:
        self.collector = collector
        self.value = np.full(inputs, NAN)
        self.observed_at_ns = np.zeros(inputs, dtype=np.int64)

    def at(self, second: float, **inputs: float) -> Reading | None:
        now_ns = T0_NS + int(second * SECOND_NS)
        for name, value in inputs.items():
            column = int(name.removeprefix("i"))
            self.value[column] = value
            if np.isfinite(value):
                self.observed_at_ns[column] = now_ns
        return self.collector.offer(self.value.copy(), self.observed_at_ns.copy(), now_ns)


def one(interval_s: float) -> Stream:
    return Stream(ReadingCollector(ONE, interval_s, 300.0), 1)


def values(readings: Sequence[Reading | None]) -> list[float]:
    return [reading.value for reading in readings if reading is not None]


def test_a_stream_is_a_median_each_interval() -> None:
    stream = one(60.0)
    readings = [stream.at(second, i0=100.0 if second == 30 else second / 60) for second in range(125)]
    said = [reading for reading in readings if reading is not None]
    assert [(reading.at_ns - T0_NS) // SECOND_NS for reading in said] == [0, 55, 110]
    assert said[1].value == pytest.approx(28 / 60)
    assert [reading.samples for reading in said] == [1, 55, 55]


def test_a_slow_source_is_heard_at_each_of_its_samples() -> None:
    stream = one(3600.0)
    assert values([stream.at(3600.0 * i + (2.0 if i % 2 else 0.0), i0=float(i)) for i in range(5)]) == [0, 1, 2, 3, 4]


def test_readings_closer_than_the_interval_wait() -> None:
    stream = one(3600.0)
    assert stream.at(0, i0=1.0) is not None
    assert stream.at(1800, i0=2.0) is None
    assert values([stream.at(3600, i0=4.0)]) == [3.0]


def test_without_an_interval_each_sample_is_a_reading_once() -> None:
    stream = one(0.0)
    assert values([stream.at(0, i0=1.0), stream.at(1), stream.at(2), stream.at(3, i0=2.0)]) == [1.0, 2.0]


def test_a_dead_input_is_said_once_without_an_interval() -> None:
    stream = one(0.0)
    stream.at(0, i0=1.0)
    dead = stream.at(1, i0=NAN)
    assert dead is not None
    assert np.isnan(dead.value)
    assert dead.defect is Defect.NO_SIGNAL
    assert [stream.at(second, i0=NAN) for second in (2, 3, 4)] == [None] * 3
    assert values([stream.at(5, i0=2.0)]) == [2.0]


def test_a_dead_node_is_said_at_once_though_the_others_have_not_been_polled() -> None:
    stream = Stream(ReadingCollector(CHAIN, 0.0, 300.0), 2)
    stream.at(0, i0=1.0, i1=1.0)
    dead = stream.at(1, i0=NAN)
    assert dead is not None
    assert dead.defect is Defect.NO_SIGNAL
    assert stream.at(2, i1=1.0) is None
    assert stream.at(10, i0=1.0) is not None


def test_a_stream_that_dies_is_unknown_when_its_interval_has_passed() -> None:
    stream = one(60.0)
    stream.at(0, i0=1.0)
    said = [stream.at(second, i0=NAN) for second in range(1, 62)]
    assert [reading is not None for reading in said] == [*[False] * 59, True, False]
    assert said[59] is not None
    assert said[59].defect is Defect.NO_SIGNAL


def test_a_few_lost_samples_do_no_harm_and_many_do() -> None:
    few, many = one(60.0), one(60.0)
    for stream in (few, many):
        stream.at(0, i0=1.0)
    some = [few.at(second, i0=NAN if second % 3 == 0 else 5.0) for second in range(1, 60)]
    most = [many.at(second, i0=5.0 if second % 3 == 0 else NAN) for second in range(1, 61)]
    assert values(some) == [5.0]
    assert [np.isnan(reading.value) for reading in most if reading is not None] == [True]


@pytest.mark.parametrize("interval_s", [0.0, 60.0, 600.0])
def test_a_dead_input_from_the_start_is_said_after_a_while(interval_s: float) -> None:
    stream = one(interval_s)
    assert stream.at(0, i0=NAN) is None
    assert stream.at(599, i0=NAN) is None
    said = stream.at(600, i0=NAN)
    assert said is not None
    assert np.isnan(said.value)


def test_nodes_that_are_polled_one_by_one_are_one_sample() -> None:
    stream = Stream(ReadingCollector(CHAIN, 0.0, 300.0), 2)
    assert stream.at(0, i0=1.0) is None
    first = stream.at(1, i1=1.0)
    assert first is not None
    assert first.value == pytest.approx(1000.0 * np.sin(np.radians(1.0)))
    assert stream.at(10, i0=2.0) is None
    second = stream.at(11, i1=2.0)
    assert second is not None
    assert second.value == pytest.approx(1000.0 * np.sin(np.radians(2.0)))


def test_the_first_mean_waits_for_all_gauges() -> None:
    stream = Stream(ReadingCollector(TWO, 0.0, 300.0), 2)
    assert stream.at(0, i0=100.0) is None
    both = stream.at(1, i0=100.0, i1=200.0)
    assert both is not None
    assert (both.value, both.gauges) == (150.0, 2)


def test_a_gauge_that_is_dead_from_the_start_does_not_hold_the_others_up_for_ever() -> None:
    stream = Stream(ReadingCollector(TWO, 0.0, 300.0), 2)
    said = [stream.at(10 * i, i0=100.0) for i in range(62)]
    assert [reading.gauges for reading in said if reading is not None] == [1, 1]


def test_after_a_restart_the_mean_waits_for_all_gauges_again() -> None:
    before = Stream(ReadingCollector(TWO, 60.0, 300.0), 2)
    before.at(0, i0=100.0, i1=200.0)
    after = Stream(ReadingCollector(TWO, 60.0, 300.0), 2)
    after.collector.restore(before.collector.saved())
    assert [after.at(second, i0=100.0) for second in range(60, 90)] == [None] * 30
    both = after.at(90, i0=100.0, i1=200.0)
    assert both is not None
    assert (both.value, both.gauges) == (150.0, 2)


def test_a_gauge_that_dies_in_an_interval_takes_its_samples_with_it() -> None:
    stream = Stream(ReadingCollector(TWO, 60.0, 300.0), 2)
    stream.at(0, i0=100.0, i1=200.0)
    for second in range(1, 50):
        stream.at(second, i0=100.0, i1=200.0)
    said = [stream.at(second, i0=100.0, i1=NAN) for second in range(50, 60)]
    assert [(reading.value, reading.gauges) for reading in said if reading is not None] == [(100.0, 1)]


def test_a_time_ahead_of_the_box_is_no_reading_and_does_no_lasting_harm() -> None:
    collector = ReadingCollector(ONE, 0.0, 300.0)
    ahead = collector.offer(np.array([1.0]), np.array([T0_NS + 301 * SECOND_NS]), T0_NS)
    assert ahead is not None
    assert ahead.defect is Defect.BAD_TIME
    right = collector.offer(np.array([1.0]), np.array([T0_NS + SECOND_NS]), T0_NS + SECOND_NS)
    assert right is not None
    assert right.value == 1.0


def test_memory_is_bounded_over_a_long_interval() -> None:
    stream = one(86_400.0)
    stream.at(0, i0=0.0)
    said = [stream.at(10 * i, i0=float(i)) for i in range(1, 8641)]
    (reading,) = [each for each in said if each is not None]
    assert reading.value == pytest.approx(4320, rel=0.03)
    saved = stream.collector.saved()
    assert isinstance(saved, dict)
    assert len(saved["samples"]) <= KEPT_SAMPLES


def test_a_restored_collector_goes_on_as_if_nothing_had_happened() -> None:
    for cut in range(0, 130, 7):
        through, before = one(60.0), one(60.0)
        expected = [through.at(second, i0=NAN if second % 4 == 0 else second / 60) for second in range(130)]
        first = [before.at(second, i0=NAN if second % 4 == 0 else second / 60) for second in range(cut)]
        after = one(60.0)
        after.collector.restore(before.collector.saved())
        after.value, after.observed_at_ns = before.value, before.observed_at_ns
        rest = [after.at(second, i0=NAN if second % 4 == 0 else second / 60) for second in range(cut, 130)]
        assert first + rest == expected


def test_a_state_of_another_instrument_is_refused() -> None:
    with pytest.raises(ValueError, match="not the state"):
        ReadingCollector(TWO, 0.0, 300.0).restore(ReadingCollector(ONE, 0.0, 300.0).saved())
