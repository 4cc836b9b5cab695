"""What a device said lately, so that the same frame, brought again, is not taken for a new measurement. Pure.

A node that got no acknowledgement sends its frame again with the same counter, and a server may pass both on. In: what
makes two messages the same (`SameAs` of a table), as bytes, and when they came. Out: whether it was heard before.
Bounded in time and in number. Time is counted from the first, so that a counter that stands still does not silence a
device for longer than `within_s`.
"""

MOST_KEPT = 256


class Repeats:
    """What one device has sent before, so that a repeat is known."""

    def __init__(self, within_s: float) -> None:
        self._within_ns = int(within_s * 1e9)
        self._heard_at_ns: dict[bytes, int] = {}

    def heard(self, sameness: bytes, now_ns: int) -> bool:
        """Whether this was heard within the time. What was not is remembered. A clock that was set back forgets."""
        at_ns = self._heard_at_ns.get(sameness)
        if at_ns is not None and 0 <= now_ns - at_ns < self._within_ns:
            return True
        self._heard_at_ns.pop(sameness, None)
        self._heard_at_ns[sameness] = now_ns
        if len(self._heard_at_ns) > MOST_KEPT:
            self.forget(next(iter(self._heard_at_ns)))
        return False

    def forget(self, sameness: bytes) -> None:
        """It is not in the history after all, and is new when it comes again."""
        self._heard_at_ns.pop(sameness, None)
