"""Signs of a safety device that does not work: a limit that does not cut, a sensor in fault, a box gone silent.

Limiters cut hoisting up and moving out between 100 and 110 % of the rated moment or load (GB 5144-2006 6.1.2 V1, 6.2.2
M-H), and any motion at the end of its way. A motion that goes on beyond is what this sees. It cannot be seen without
the motion in question: then it is not known.

In: moment, load, margins, motion, motor and fault bits, NaN where not known. Out: how long a motion has gone on beyond
its limit, whether a sensor is in fault, for how long a crane whose motor ran has been silent. Knows nothing of clauses
that call any of this a hazard: those are in rule packs.
"""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import NamedTuple

import numpy as np

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.kept_state import known, mapping, optional_whole, whole, wholes
from gateway.model.quantity import Point
from gateway.parts.crane.model.parameters import SafetyParameters

SECOND_NS = 1_000_000_000
_FORGET_AFTER_NS = 600 * SECOND_NS
_HOLE_NS = 30 * SECOND_NS
"""Steps further apart than this: nobody saw whether the motion went on between them. PD"""
SENSOR_FAULT_KEYS = (
    "weight_error",
    "wind_error",
    "range_error",
    "height_error",
    "angle_error",
    "tilt_error",
    "id_error",
)
SAFETY_FAULT_KEYS = tuple(key for key in SENSOR_FAULT_KEYS if key != "id_error")
"""Those of sensors that a safety device works by: a reader of driver's cards is none."""
MEASURED_BY: Mapping[str, Sequence[str]] = {
    "weight_error": ("load_t", "moment_pct"),
    "wind_error": ("wind_ms",),
    "range_error": ("radius_m", "moment_pct"),
    "height_error": ("hook_m",),
    "angle_error": ("slew_deg",),
    "tilt_error": ("tilt_deg", "tilt_x_deg", "tilt_y_deg"),
    "id_error": ("driver_no",),
}
"""Fault bit -> what that sensor measures, and what the crane's host computes from it. PD"""


class Loading(NamedTuple):
    """What the limiters watch; NaN where not known. Not fitted: a percentage 0, a margin infinite."""

    moment_pct: float
    load_pct: float
    hook_top_clearance_m: float
    radius_out_margin_m: float
    radius_in_margin_m: float


class LimitUncut:
    """How long a motion has gone on beyond its limit. Feed it with rising times (ns, same origin)."""

    def __init__(self, parameters: SafetyParameters) -> None:
        self._parameters = parameters
        self._since_ns: int | None = None
        self._stepped_ns = 0

    def step(self, t_ns: int, loading: Loading, hoist_m_s: float, trolley_m_s: float, motor: float) -> float:
        """Seconds, 0 while nothing goes on; NaN while it cannot be told. `motor` 1 on, 0 off, NaN not known.

        Upwards and outwards are positive. A speed that the crane has no instrument for is 0.
        """
        if t_ns - self._stepped_ns > _HOLE_NS:
            self._since_ns = None
        self._stepped_ns = t_ns
        uncut = self._uncut(loading, hoist_m_s, trolley_m_s) if motor != 0 else False
        if uncut is None:
            self._since_ns = None
            return nan
        if not uncut:
            self._since_ns = None
            return 0.0
        if self._since_ns is None:
            self._since_ns = t_ns
        return (t_ns - self._since_ns) / SECOND_NS

    def _uncut(self, loading: Loading, hoist_m_s: float, trolley_m_s: float) -> bool | None:
        """Every pair of a limit and a motion that it should have cut: one is enough; else one unknown leaves it open.

        A limit that was not passed needs no motion, and the other way round.
        """
        least, unknown = self._parameters.moving_m_s, False
        if abs(hoist_m_s) < least and abs(trolley_m_s) < least:
            return False
        over_moment = _above(loading.moment_pct, self._parameters.limit_moment_pct)
        overloaded = _either(over_moment, _above(loading.load_pct, self._parameters.limit_load_pct))
        for beyond, speed_m_s in (
            (overloaded, hoist_m_s),
            (over_moment, trolley_m_s),
            (_above(-loading.hook_top_clearance_m, 0.0), hoist_m_s),
            (_above(-loading.radius_out_margin_m, 0.0), trolley_m_s),
            (_above(-loading.radius_in_margin_m, 0.0), -trolley_m_s),
        ):
            if beyond is False or speed_m_s < least:
                continue
            if beyond and speed_m_s >= least:
                return True
            unknown = True
        return None if unknown else False

    def saved(self) -> Json:
        """The state to keep."""
        return {"since_ns": self._since_ns, "stepped_ns": self._stepped_ns}

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        self._since_ns = optional_whole(state.get("since_ns"))
        self._stepped_ns = optional_whole(state.get("stepped_ns")) or 0


def sensor_fault(bits: Sequence[float]) -> float:
    """1 if any fault bit is set, 0 if all are clear, NaN if none is set and one is not known."""
    unknown = False
    for bit in bits:
        if bit > 0:
            return 1.0
        unknown = unknown or isnan(bit)
    return nan if unknown or not bits else 0.0


class CraneSilence:
    """For how long a crane has said nothing since its motor ran: a box switched off or cut (a `Derivation`).

    Steps once a second. Time in which the box itself did not run counts for nothing: it did not listen, and after ten
    minutes of it the motor is no longer known. A motor that was off when last heard makes 0, one not known NaN.
    """

    def __init__(self, asset: str, motor: str, others: Sequence[str], stale_after_s: float = 10.0) -> None:
        """`motor` and `others`: ids of the points that the crane's own devices deliver."""
        self.device = f"{asset}:silence"
        self.inputs = (motor, *others)
        self.period_s = 1.0
        self.outputs: tuple[Point, ...] = (
            Point(
                f"{asset}.silent_running_s",
                asset,
                "silent_running_s",
                "s",
                self.device,
                "电机运行中失联时长",
                "Silent since the motor ran",
                minimum=0.0,
                stale_after_s=stale_after_s,
                source="product design (standards reference 9A offline_while_motor_on_s, PD)",
            ),
        )
        self._motor = nan
        self._observed_ns = [0] * len(self.inputs)
        self._silent_ns = 0
        self._stepped_ns: int | None = None
        self._restored = False

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        """Silence in seconds (1,)."""
        passed_ns = 0 if self._stepped_ns is None else now_ns - self._stepped_ns
        self._stepped_ns = now_ns
        if self._restored and passed_ns > _FORGET_AFTER_NS:
            self._motor = nan
        self._restored = False
        if self._heard(observed_at_ns.tolist()):
            self._silent_ns = 0
        else:
            self._silent_ns += min(max(passed_ns, 0), int(2 * self.period_s * SECOND_NS))
        motor = float(value[0])
        if not isnan(motor):
            self._motor = motor
        if isnan(self._motor):
            return np.array([nan])
        return np.array([self._silent_ns / SECOND_NS if self._motor > 0 else 0.0])

    def _heard(self, observed_ns: list[int]) -> bool:
        """Whether any point was observed since the last step; 0 is: not since the box started."""
        heard = False
        for i, at_ns in enumerate(observed_ns):
            if at_ns not in (0, self._observed_ns[i]):
                self._observed_ns[i], heard = at_ns, True
        return heard

    def take_events(self) -> Sequence[AssetEvent]:
        """None: its rule tells."""
        return ()

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "inputs": list(self.inputs),
            "motor": None if isnan(self._motor) else self._motor,
            "observed_ns": list(self._observed_ns),
            "silent_ns": self._silent_ns,
            "stepped_ns": self._stepped_ns,
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none, or of other points."""
        state = mapping(saved)
        if state.get("inputs") != list(self.inputs):
            raise ValueError("kept silence is of other points")
        observed = wholes(state.get("observed_ns"), len(self.inputs))
        self._motor, self._silent_ns = known(state.get("motor")), whole(state.get("silent_ns"))
        self._observed_ns, self._stepped_ns = observed, optional_whole(state.get("stepped_ns"))
        self._restored = True


def _above(value: float, limit: float) -> bool | None:
    return None if isnan(value) else value > limit


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False
