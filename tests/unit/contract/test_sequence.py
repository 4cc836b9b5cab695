"""The window of sequence numbers, against a model that simply remembers them all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.faults import SequenceTooFar, StaleSequence
from contract.sequence import MOST_AHEAD, WINDOW, SequenceWindow, window_from

near = st.integers(1, 40)
far = st.sampled_from([1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 10 * WINDOW, 2**31, 2**62])


@given(st.lists(near | far | st.integers(WINDOW - 20, 2 * WINDOW), max_size=60))
def test_no_number_is_admitted_twice_and_none_in_the_window_is_lost(numbers: list[int]) -> None:
    window, seen = SequenceWindow(), set[int]()
    for number in numbers:
        highest = max(seen, default=0)
        expected = number not in seen and highest - WINDOW < number <= highest + MOST_AHEAD
        if expected:
            window = window.admit(number)
            seen.add(number)
        else:
            with pytest.raises(StaleSequence, match=str(highest)):
                window.admit(number)
        assert window.highest == max(seen, default=0)
        assert window.bits < 1 << WINDOW


@pytest.mark.parametrize("number", [0, -1])
def test_numbers_begin_at_one(number: int) -> None:
    with pytest.raises(StaleSequence):
        SequenceWindow().admit(number)


@pytest.mark.parametrize("highest", [0, 7, 2**40])
def test_one_number_cannot_use_up_those_that_are_to_come(highest: int) -> None:
    window = SequenceWindow(highest, 1)
    with pytest.raises(SequenceTooFar, match=str(highest)):
        window.admit(2**63 - 1)
    with pytest.raises(SequenceTooFar):
        window.admit(highest + MOST_AHEAD + 1)
    assert window.admit(highest + MOST_AHEAD).highest == highest + MOST_AHEAD


def test_a_box_that_begins_anew_uses_no_number_twice() -> None:
    window = window_from(5000)
    for number in (5000, 4999, 4001, 1):
        with pytest.raises(StaleSequence, match="5000"):
            window.admit(number)
    assert window.admit(5001).highest == 5001


def test_a_new_beginning_cannot_be_spoilt() -> None:
    assert window_from(2**63 - 1) == SequenceWindow()
    assert window_from(MOST_AHEAD).highest == MOST_AHEAD
