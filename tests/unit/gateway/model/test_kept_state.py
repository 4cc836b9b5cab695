"""Kept states: what is read back, and that nothing else is taken for it."""

from collections.abc import Callable
from math import inf, isnan, nan

import pytest

from gateway.model import kept_state
from gateway.model.derivation import Json


def test_what_was_kept_is_read_back() -> None:
    assert kept_state.number(3) == 3.0
    assert kept_state.whole(2**70) == 2**70
    assert kept_state.wholes([1, 2], 2) == [1, 2]
    assert kept_state.numbers([1, 2.5]) == [1.0, 2.5]
    assert kept_state.text("a") == "a"
    assert kept_state.optional_whole(None) is None
    assert isnan(kept_state.known(kept_state.kept(nan)))
    assert kept_state.known(kept_state.kept(2.5)) == 2.5
    assert kept_state.kept(inf) is None


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (kept_state.mapping, [1]),
        (kept_state.items, "text"),
        (kept_state.items, None),
        (kept_state.number, True),
        (kept_state.number, "3"),
        (kept_state.number, inf),
        (kept_state.whole, 1.0),
        (kept_state.whole, False),
        (kept_state.text, 3),
        (kept_state.numbers, [None]),
        (lambda saved: kept_state.wholes(saved, 3), [1, 2]),
    ],
)
def test_anything_else_is_refused(read: Callable[[Json], object], wrong: Json) -> None:
    with pytest.raises(ValueError, match="kept state"):
        read(wrong)
