"""Dwell: a truth counts once it has held for a while, on the way in and on the way out.

    raw    F F T F T T T T T T F F T F F F F F      on after 3, off after 4
    said   F F F F F F T T T T T T T T T T F F

UNKNOWN is said at once: what cannot be judged now is neither wrong nor right. Pure; time is an argument.
"""

from dataclasses import dataclass

from gateway.model.verdict import Truth


@dataclass(frozen=True, slots=True)
class DwellTimes:
    """How long a truth must hold before it is said, in seconds."""

    on_s: float
    off_s: float


class Dwell:
    """One truth. The first FALSE is said at once: there is nothing that it would have to outlast."""

    def __init__(self, times: DwellTimes) -> None:
        self._times = times
        self._held: Truth = Truth.UNKNOWN
        self._raw: Truth = Truth.UNKNOWN
        self._since_ns = 0

    def step(self, raw: Truth, now_mono_ns: int) -> Truth:
        """What is said after this look."""
        if raw is not self._raw:
            self._raw, self._since_ns = raw, now_mono_ns
        if raw is Truth.UNKNOWN:
            return raw
        lasted_s = (now_mono_ns - self._since_ns) / 1e9
        needed_s = self._times.on_s if raw is Truth.TRUE else self._times.off_s
        if lasted_s >= needed_s or (raw is Truth.FALSE and self._held is Truth.UNKNOWN):
            self._held = raw
        return self._held if self._held is not Truth.UNKNOWN else Truth.UNKNOWN
