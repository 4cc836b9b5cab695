"""How well a point has been watched: since when its good samples come without a hole.

    theory of operation

    |--x--x--x--x-----------------x--x--x--|   now
                   longer than    ^
                   gap_s          since

A window is known only when it lies wholly after `since`. A sample that is older than the newest one is passed over,
unless it is so much older that the clock that stamps it was set back: then the watch starts again.

In: times of good samples. Out: which of them count, and which begin a new watch. Arrays of one entry a rule. Two
int64 and one bool a rule, whatever the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.rules.columns import Positions
from gateway.rules.window import Window

SET_BACK_NS = 5_000_000_000
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Of the samples noted: `taken` count; of those, `begins` follow a hole, and `set_back` a clock that was set."""

    taken: Flags
    begins: Flags
    set_back: Flags


class Coverage:
    """The watch over every point of a family. `gap_s` (n,) is the longest time between good samples that is no hole."""

    def __init__(self, gap_s: Sequence[float]) -> None:
        n = len(gap_s)
        self.gap_s = np.array(gap_s, dtype=np.float64)
        self._gap_ns = (self.gap_s * 1e9).astype(np.int64)
        self._last_ns = np.zeros(n, dtype=np.int64)
        self._since_ns = np.zeros(n, dtype=np.int64)
        self._heard = np.zeros(n, dtype=np.bool_)

    def note(self, position: Positions, now_ns: int) -> Step:
        """Good samples of these positions, observed at `now_ns`."""
        ahead_ns = now_ns - self._last_ns[position]
        heard = self._heard[position]
        set_back = heard & (ahead_ns < -SET_BACK_NS)
        begins = ~heard | set_back | (ahead_ns > self._gap_ns[position])
        taken = begins | (ahead_ns > 0)
        fresh = position[taken]
        self._last_ns[fresh] = now_ns
        self._heard[fresh] = True
        self._since_ns[position[begins]] = now_ns
        return Step(taken, begins, set_back)

    def goes_on(self, position: int, now_ns: int) -> bool:
        """Whether a good sample at `now_ns` would simply follow this position's last one, without a hole. Of those that
        do, only the time is to be noted."""
        ahead_ns = now_ns - self._last_ns.item(position)
        return 0 < ahead_ns <= self._gap_ns.item(position) and bool(self._heard.item(position))

    def note_time(self, position: int, now_ns: int) -> None:
        """A good sample of a position of which `goes_on` is true."""
        self._last_ns[position] = now_ns

    def broken(self, position: Positions, now_ns: int) -> Flags:
        """Whether the last good sample is further back than the longest gap, or there never was one."""
        return ~self._heard[position] | (now_ns - self._last_ns[position] > self._gap_ns[position])

    def watched_ns(self, position: Positions, now_ns: int) -> NDArray[np.int64]:
        """For how long these have been watched without a hole."""
        return np.asarray(now_ns - self._since_ns[position], dtype=np.int64)

    def silent(self, points: NDArray[np.int32], window: Window, mono_ns: int) -> Flags:
        """By the passing of time alone: which points have had no usable value for longer than their gap."""
        return np.asarray((window.age_of_s(points, mono_ns) > self.gap_s) | ~window.heard[points])
