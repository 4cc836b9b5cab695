"""Load swing (吊重摆动) and side pull (斜拉斜吊), from the motion of the crane: no instrument measures either.

Swing: a load on a rope of length L is a pendulum. When its suspension changes speed by dv within a time t, it is left
swinging by

    theta = 2a/g |sin(w t / 2)| <= min(2a/g, dv / sqrt(g L)),    a = dv / t,  w = sqrt(g / L)

radially for the trolley, along the tangent for the slew (small angles, no damping while it speeds up). What is said is
the larger of that bound and of what is left of earlier swings, which die down exponentially: an estimate on the safe
side, not a measurement. Source: standards reference 7.4.

Side pull: the load rises while the hook's height stands still and its suspension moves sideways: the rope leans by
atan(way / L). A load that is merely lifted off rises without sideways motion. PD.

In: motion, load, hook, rope length. Out: two angles in degrees. Knows nothing of limits.
"""

from collections import deque
from math import atan2, cos, degrees, exp, hypot, isnan, nan, radians, sin, sqrt
from typing import NamedTuple

from gateway.model.derivation import Json
from gateway.model.kept_state import items, kept, known, mapping, number, whole
from gateway.parts.crane.model.motion import Motion
from gateway.parts.crane.model.parameters import SwingParameters

GRAVITY_M_S2 = 9.80665
SECOND_NS = 1_000_000_000
_SHORTEST_ROPE_M = 1.0
_PULL_SAMPLES = 16


def swing_bound_deg(speed_change_m_s: float, span_s: float, rope_m: float) -> float:
    """The largest swing (degrees) that a change of the suspension's speed leaves. Without a known rope length the
    bound for the longest rope holds, 2a/g."""
    change = abs(speed_change_m_s)
    slow = 2.0 * change / span_s / GRAVITY_M_S2
    if isnan(rope_m):
        return degrees(slow)
    return degrees(min(slow, change / sqrt(GRAVITY_M_S2 * max(rope_m, _SHORTEST_ROPE_M))))


class LoadSwing:
    """The swing of one crane's load. Feed it with rising times (ns, any origin that stays the same)."""

    def __init__(self, parameters: SwingParameters) -> None:
        self._decay_s = parameters.decay_s
        self._amplitude_deg = 0.0
        self._at_ns = 0

    def step(self, t_ns: int, motion: Motion, loaded: bool | None, rope_m: float) -> float:
        """The swing (degrees) at `t_ns`; 0 with an empty hook, NaN while load or motion is not known."""
        if loaded is False:
            self._amplitude_deg, self._at_ns = 0.0, t_ns
            return 0.0
        change = hypot(motion.trolley_change_m_s, motion.tangent_change_m_s)
        if loaded is None or isnan(change):
            return nan
        left = self._amplitude_deg * exp(-(t_ns - self._at_ns) / SECOND_NS / self._decay_s)
        self._amplitude_deg = max(left, swing_bound_deg(change, motion.span_s, rope_m))
        self._at_ns = t_ns
        return self._amplitude_deg

    def saved(self) -> Json:
        """The state to keep."""
        return {"amplitude_deg": self._amplitude_deg, "at_ns": self._at_ns}

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        self._amplitude_deg, self._at_ns = number(state.get("amplitude_deg")), whole(state.get("at_ns"))


class _Pull(NamedTuple):
    t_ns: int
    load_t: float
    hook_m: float
    x_m: float
    y_m: float


class SidePull:
    """Side pull of one crane over the last `pull_span_s`; what was before a hole is forgotten."""

    def __init__(self, parameters: SwingParameters) -> None:
        self._span_ns = int(parameters.pull_span_s * SECOND_NS)
        self._rise_t = parameters.pull_rise_t
        self._hook_still_m = parameters.hook_still_m
        self._kept: deque[_Pull] = deque(maxlen=_PULL_SAMPLES)
        self._said = nan

    def step(self, t_ns: int, load_t: float, place: tuple[float, float, float], rope_m: float) -> float:
        """The rope's lean (degrees), 0 without side pull, NaN while not known.

        `place`: radius (m), bearing (deg) and hook height (m). A sample is kept every twelfth of the span.
        """
        radius_m, bearing_deg, hook_m = place
        if isnan(load_t + radius_m + bearing_deg + hook_m + rope_m):
            self._kept.clear()
            self._said = nan
            return nan
        if self._kept and t_ns - self._kept[-1].t_ns < self._span_ns // 12:
            return self._said
        while self._kept and t_ns - self._kept[0].t_ns > self._span_ns:
            self._kept.popleft()
        bearing_rad = radians(bearing_deg)
        now = _Pull(t_ns, load_t, hook_m, radius_m * sin(bearing_rad), radius_m * cos(bearing_rad))
        self._said = self._lean(now, rope_m)
        self._kept.append(now)
        return self._said

    def _lean(self, now: _Pull, rope_m: float) -> float:
        if not self._kept:
            return nan
        way_m = 0.0
        for then in self._kept:
            if now.load_t - then.load_t >= self._rise_t and abs(now.hook_m - then.hook_m) < self._hook_still_m:
                way_m = max(way_m, hypot(now.x_m - then.x_m, now.y_m - then.y_m))
        return degrees(atan2(way_m, max(rope_m, _SHORTEST_ROPE_M)))

    def saved(self) -> Json:
        """The state to keep."""
        return {"kept": [list(each) for each in self._kept], "said": kept(self._said)}

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        rows = [items(row, 5) for row in items(state.get("kept"))]
        self._kept = deque((_Pull(whole(row[0]), *map(number, row[1:])) for row in rows), maxlen=_PULL_SAMPLES)
        self._said = known(state.get("said"))
