"""Lag of decoding behind the stream: how late pictures come on their own timeline. Pure."""

_BEHIND_S = 1.0
_CAUGHT_UP_S = 0.3
_FORGET_PER_S = 0.001
"""How fast the best delay is forgotten: a camera's clock that is slow by 100 ppm would else look like a backlog of
eight seconds after a day."""


class LagMeter:
    """The delay of pictures against the smallest delay seen: `now - timeline` is smallest when nothing waits.

    behind: more than 1 s       caught up: under 0.3 s; between the two it stays what it was
    """

    def __init__(self) -> None:
        self._best_s: float | None = None
        self._at_s = 0.0
        self.behind = False

    def note(self, timeline_s: float, now_s: float) -> bool:
        """A packet of this place on the stream's timeline is taken now (monotonic). Whether decoding is behind."""
        delay_s = now_s - timeline_s
        if self._best_s is None:
            self._best_s = delay_s
        self._best_s = min(delay_s, self._best_s + _FORGET_PER_S * (now_s - self._at_s) if self._at_s else delay_s)
        self._at_s = now_s
        lag_s = delay_s - self._best_s
        self.behind = lag_s > (_CAUGHT_UP_S if self.behind else _BEHIND_S)
        return self.behind
