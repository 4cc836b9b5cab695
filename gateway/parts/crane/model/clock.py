"""Time of a crane's models. It starts at 0, never runs backwards, and is independent of the wall clock.

In: the UTC time of each step. Out: ns since the model first ran. A wall clock that is set back neither loses nor
repeats anything: time stands still for that one step. Time in which the box did not run counts, so a hole is seen, but
no more than 30 days of it: a box that wakes up in 1970 must not age its crane when its clock is set.
"""

from gateway.model.derivation import Json
from gateway.model.kept_state import mapping, optional_whole, whole

_LATE_NS = 5_000_000_000
_LONGEST_HOLE_NS = 30 * 86_400_000_000_000


class ModelClock:
    """Rising time from a wall clock that may be set."""

    def __init__(self) -> None:
        self._t_ns = 0
        self._last_ns: int | None = None

    def at(self, now_ns: int) -> int:
        """Model time (ns) of a step at `now_ns` (UTC). A sample up to 5 s late stands at the time of the last one;
        further back the wall clock was set."""
        if self._last_ns is None:
            self._last_ns = now_ns
        elif now_ns > self._last_ns:
            self._t_ns += min(now_ns - self._last_ns, _LONGEST_HOLE_NS)
            self._last_ns = now_ns
        elif self._last_ns - now_ns > _LATE_NS:
            self._last_ns = now_ns
        return self._t_ns

    @property
    def utc_ns(self) -> int:
        """UTC of the last step, 0 before the first."""
        return self._last_ns or 0

    def saved(self) -> Json:
        """The state to keep."""
        return {"t_ns": self._t_ns, "last_ns": self._last_ns}

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        self._t_ns, self._last_ns = whole(state.get("t_ns")), optional_whole(state.get("last_ns"))
