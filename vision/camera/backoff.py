"""Waiting time after a camera's failure: a random share of a ceiling that doubles."""

from collections.abc import Callable
from random import SystemRandom

_DOUBLINGS = 20


def _share() -> float:
    return SystemRandom().random()


class BackOff:
    """Waits between half of a ceiling and the ceiling, so that cameras that failed together (one switch) do not all
    come back in the same second. `reset` after a success."""

    def __init__(self, min_s: float, max_s: float, share: Callable[[], float] = _share) -> None:
        self._min_s = min_s
        self._max_s = max_s
        self._share = share
        self._failures = 0

    def next_s(self) -> float:
        """The next wait, in seconds: never under half of the minimum, never over the maximum."""
        ceiling_s = min(self._max_s, self._min_s * 2.0 ** min(self._failures, _DOUBLINGS))
        self._failures += 1
        return ceiling_s * (0.5 + 0.5 * self._share())

    def reset(self) -> None:
        """The next wait is a short one again."""
        self._failures = 0
