"""How fast a crane's parts move: trolley, slew and hoist, as differences over a span.

In: radius, slew bearing and hook height as they are read. Out: `Motion`. A sample is kept every eighth of the span, so
the step is cheap and memory bounded; between kept samples the last answer stays, unless a value is lost. A hole of more
than three spans, or a value that is not known, makes the speeds that need it unknown until the span is full again.

    kept     x---x---x---x---x---x---x---x---x         now    t
                             |<-- span --->|                speed now    v1
                 |<-- span -->|                             speed before v0         acceleration (v1 - v0) / span
"""

from collections import deque
from math import isnan, nan, radians
from typing import NamedTuple

from gateway.model.derivation import Json
from gateway.model.kept_state import items, kept, known, mapping, number, whole

SECOND_NS = 1_000_000_000
_PARTS = 8


class Motion(NamedTuple):
    """Speeds and what they changed by within the last span; NaN where not known.

    Trolley: outwards is positive. Slew: clockwise. Hoist: upwards. `..._change` is the last span's mean speed less
    that of the span before it, `span_s` the time between the two means.
    """

    trolley_m_s: float
    slew_deg_s: float
    hoist_m_s: float
    trolley_change_m_s: float
    tangent_change_m_s: float
    span_s: float


UNKNOWN = Motion(nan, nan, nan, nan, nan, nan)


class _Kept(NamedTuple):
    t_ns: int
    radius_m: float
    slew_path_deg: float
    hook_m: float


class Motions:
    """The motion of one crane. Feed it with rising times (ns, any origin that stays the same)."""

    def __init__(self, span_s: float) -> None:
        self._span_ns = int(span_s * SECOND_NS)
        self._every_ns = self._span_ns // _PARTS
        self._kept: deque[_Kept] = deque(maxlen=4 * _PARTS)
        self._path_deg = 0.0
        self._bearing_deg = nan
        self._said = UNKNOWN

    def step(self, t_ns: int, radius_m: float, bearing_deg: float, hook_m: float) -> Motion:
        """The motion at `t_ns`."""
        if self._kept:
            since_ns = t_ns - self._kept[-1].t_ns
            if since_ns < self._every_ns and not self._lost(radius_m, bearing_deg, hook_m):
                return self._said
            if since_ns > 3 * self._span_ns:
                self._kept.clear()
        self._follow(bearing_deg)
        path_deg = nan if isnan(bearing_deg) else self._path_deg
        self._kept.append(_Kept(t_ns, radius_m, path_deg, hook_m))
        self._said = self._now()
        return self._said

    def _lost(self, radius_m: float, bearing_deg: float, hook_m: float) -> bool:
        """Whether something that was known at the last kept sample no longer is: that is said at once."""
        last = self._kept[-1]
        return (
            (isnan(radius_m) and not isnan(last.radius_m))
            or (isnan(bearing_deg) and not isnan(last.slew_path_deg))
            or (isnan(hook_m) and not isnan(last.hook_m))
        )

    def _follow(self, bearing_deg: float) -> None:
        """Turn by the shorter way; between two kept samples no crane turns half a circle."""
        if not isnan(bearing_deg) and not isnan(self._bearing_deg):
            self._path_deg += (bearing_deg - self._bearing_deg + 180.0) % 360.0 - 180.0
        self._bearing_deg = bearing_deg

    def _now(self) -> Motion:
        now = self._kept[-1]
        middle = self._before(now.t_ns - self._span_ns)
        if middle is None:
            return UNKNOWN
        late_s = (now.t_ns - middle.t_ns) / SECOND_NS
        trolley_m_s = (now.radius_m - middle.radius_m) / late_s
        slew_deg_s = (now.slew_path_deg - middle.slew_path_deg) / late_s
        hoist_m_s = (now.hook_m - middle.hook_m) / late_s
        first = self._before(middle.t_ns - self._span_ns)
        if first is None:
            return Motion(trolley_m_s, slew_deg_s, hoist_m_s, nan, nan, nan)
        early_s = (middle.t_ns - first.t_ns) / SECOND_NS
        trolley_change = trolley_m_s - (middle.radius_m - first.radius_m) / early_s
        slew_change = slew_deg_s - (middle.slew_path_deg - first.slew_path_deg) / early_s
        tangent_change = radians(slew_change) * now.radius_m
        span_s = (late_s + early_s) / 2
        return Motion(trolley_m_s, slew_deg_s, hoist_m_s, trolley_change, tangent_change, span_s)

    def _before(self, t_ns: int) -> _Kept | None:
        """The last kept sample at or before `t_ns`."""
        for each in reversed(self._kept):
            if each.t_ns <= t_ns:
                return each
        return None

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "kept": [[each.t_ns, *(kept(value) for value in each[1:])] for each in self._kept],
            "path_deg": self._path_deg,
            "bearing_deg": kept(self._bearing_deg),
            "said": [kept(each) for each in self._said],
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        rows = [items(row, 4) for row in items(state.get("kept"))]
        self._kept = deque((_Kept(whole(row[0]), *map(known, row[1:])) for row in rows), maxlen=4 * _PARTS)
        self._path_deg, self._bearing_deg = number(state.get("path_deg")), known(state.get("bearing_deg"))
        self._said = Motion(*[known(each) for each in items(state.get("said"), 6)])
