"""Whether a time server keeps the clock: what the kernel says, and what it does not."""

import pytest

from gateway.line.clock_state import (
    STA_NANO,
    STA_UNSYNC,
    TIME_ERROR,
    ClockState,
    KernelWord,
    Sync,
    ask_kernel,
    clock_state,
)


def said(state: int = 0, status: int = 1, offset: int = 0, max_error_us: int = 5_000) -> ClockState:
    return clock_state(lambda: KernelWord(state, status, offset, max_error_us))


def refused() -> KernelWord:
    raise OSError(1, "not permitted")


def test_a_kept_clock_says_how_far_it_may_be_off() -> None:
    assert said(offset=-250) == ClockState(Sync.KEPT, -0.00025, 0.005, "adjtimex")
    assert said(status=1 | STA_NANO, offset=250_000).offset_s == 0.00025


@pytest.mark.parametrize(
    "word",
    [{"status": STA_UNSYNC}, {"state": TIME_ERROR}, {"max_error_us": 16_000_000}],
    ids=lambda each: next(iter(each)),
)
def test_a_clock_that_nobody_keeps_has_no_offset_to_show(word: dict[str, int]) -> None:
    assert said(**word) == ClockState(Sync.FREE, source="adjtimex")


def test_a_kernel_that_does_not_answer_leaves_it_unknown_and_not_in_order() -> None:
    assert clock_state(refused) == ClockState(Sync.UNKNOWN)


def test_this_machines_kernel_gives_one_of_the_three_answers() -> None:
    found = clock_state(ask_kernel)
    assert (found.offset_s is not None) == (found.sync is Sync.KEPT)
    assert (found.source == "") == (found.sync is Sync.UNKNOWN)
