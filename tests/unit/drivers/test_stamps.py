"""One device, one moment, two values: the second is in doubt."""

from collections.abc import Sequence
from math import nan

import numpy as np

from drivers.stamps import STAMPS_KEPT, StampMemory
from gateway.model.reading import Quality, Readings

GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD


def told(at_ns: int, values: Sequence[float], points: Sequence[int] = (0, 1), quality: int = GOOD) -> Readings:
    value = np.array(values)
    marks = np.where(np.isnan(value), np.uint8(BAD), np.uint8(quality))
    return Readings("mast-1", np.array(points, dtype=np.int32), value, marks, at_ns, at_ns + 100)


def marks_of(memory: StampMemory, *messages: Readings) -> list[list[int]]:
    return [memory.checked(message).quality.tolist() for message in messages]


def test_only_what_differs_is_in_doubt_and_the_first_value_counts() -> None:
    first, second, third = marks_of(StampMemory(), told(7, [1, 2]), told(7, [1, 3]), told(7, [1, 2]))
    assert (first, second, third) == ([GOOD, GOOD], [GOOD, SUSPECT], [GOOD, GOOD])


def test_the_value_in_doubt_is_still_shown() -> None:
    memory = StampMemory()
    memory.checked(told(7, [1, 2]))
    assert memory.checked(told(7, [1, 3])).value.tolist() == [1, 3]


def test_a_repeated_message_and_another_moment_are_as_they_are() -> None:
    assert marks_of(StampMemory(), told(7, [1, 2]), told(7, [1, 2]), told(8, [4, 5])) == [[GOOD, GOOD]] * 3


def test_a_message_in_between_does_not_hide_the_contradiction() -> None:
    assert marks_of(StampMemory(), told(7, [1, 2]), told(8, [5, 5]), told(7, [9, 2]))[2] == [SUSPECT, GOOD]


def test_one_moment_may_be_told_in_several_messages() -> None:
    memory = StampMemory()
    assert marks_of(memory, told(7, [1], [0]), told(7, [2], [1]), told(7, [3], [1])) == [[GOOD], [GOOD], [SUSPECT]]


def test_a_missing_value_contradicts_nothing_and_stays_bad() -> None:
    memory = StampMemory()
    assert marks_of(memory, told(7, [nan, 2]), told(7, [1, nan]), told(7, [4, 2])) == [
        [BAD, GOOD],
        [GOOD, BAD],
        [SUSPECT, GOOD],
    ]


def test_it_remembers_a_bounded_number_of_moments() -> None:
    memory = StampMemory()
    for at_ns in range(STAMPS_KEPT + 1):
        memory.checked(told(at_ns, [1, 2]))
    assert marks_of(memory, told(1, [9, 2]), told(0, [9, 2])) == [[SUSPECT, GOOD], [GOOD, GOOD]]
