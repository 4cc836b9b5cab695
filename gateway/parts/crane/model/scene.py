"""What one step of a crane's model knows of the crane, under names.

In: filled by `gateway.parts.crane.model.crane`. Out: read by it. Numbers are NaN where not known. Knows nothing.
"""

from typing import NamedTuple

from gateway.parts.crane.model.mast_tilt import Tilt
from gateway.parts.crane.model.motion import Motion
from gateway.parts.crane.model.operating_state import Operation
from gateway.parts.crane.model.pose import Pose
from gateway.parts.crane.model.slew import Turn
from gateway.parts.crane.model.wind import Wind


class CraneReadings(NamedTuple):
    """The inputs by name, in the order of `CRANE_INPUTS` without the fault bits at its end."""

    load_t: float
    rated_t: float
    moment_pct: float
    radius_m: float
    hook_m: float
    crane_h_m: float
    slew_deg: float
    wind_ms: float
    tilt_deg: float
    tilt_x_deg: float
    tilt_y_deg: float
    multiple: float
    motor: float
    work_status: float
    driver_no: float
    multi_alarm: float
    travel_m: float
    no_lift_zone: float
    forbidden_zone: float
    line_margin_m: float


class ChartShares(NamedTuple):
    """What the maker's chart says now: rated load t, load and moment %."""

    rated_t: float
    load_pct: float
    moment_pct: float


class Margins(NamedTuple):
    """What is left to the ends of hook, trolley and rails, m."""

    hook_top_m: float
    radius_out_m: float
    radius_in_m: float
    travel_m: float


class Scene(NamedTuple):
    """All that one step knows of the crane."""

    t_ns: int
    now_ns: int
    read: CraneReadings
    pose: Pose
    chart: ChartShares
    moment_pct: float
    margins: Margins
    turn: Turn
    operation: Operation
    motion: Motion
    wind: Wind
    tilt: Tilt
