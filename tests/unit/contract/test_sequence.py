"""The window of sequence numbers, against a model that simply remembers them all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.faults import StaleSequence
from contract.sequence import WINDOW, SequenceWindow

near = st.integers(1, 40)
far = st.sampled_from([1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 10 * WINDOW, 2**62])


@given(st.lists(near | far | st.integers(WINDOW - 20, 2 * WINDOW), max_size=60))
def test_no_number_is_admitted_twice_and_none_in_the_window_is_lost(numbers: list[int]) -> None:
    window, seen = SequenceWindow(), set[int]()
    for number in numbers:
        expected = number not in seen and number > max(seen, default=0) - WINDOW
        if expected:
            window = window.admit(number)
            seen.add(number)
        else:
            with pytest.raises(StaleSequence, match=str(max(seen))):
                window.admit(number)
        assert window.highest == max(seen, default=0)
        assert window.bits < 1 << WINDOW


@pytest.mark.parametrize("number", [0, -1])
def test_numbers_begin_at_one(number: int) -> None:
    with pytest.raises(StaleSequence):
        SequenceWindow().admit(number)
