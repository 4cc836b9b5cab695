"""First-out: of the alarms that one event sets off on one asset, which came first.

In: raises, in the order in which they were judged. Out: the id of the alarm that opened the group, or nothing when the
new alarm opens one itself. Times are those of the samples; the window is measured from the first of the group.
"""


class FirstOut:
    """The newest group of every asset."""

    def __init__(self, window_s: float) -> None:
        self._window_ns = int(window_s * 1e9)
        self._first: dict[str, tuple[str, int]] = {}

    def join(self, asset: str, alarm_id: str, at_ns: int) -> str:
        """The id of the alarm that this one follows; empty when it is the first."""
        first_id, first_ns = self._first.get(asset, ("", 0))
        if first_id and abs(at_ns - first_ns) <= self._window_ns:
            return first_id
        self._first[asset] = (alarm_id, at_ns)
        return ""
