"""What one crane must keep away from: zones it must not enter or carry a load over, and overhead power lines.

In: slew, radius, hook height, mast height and load of the crane. Out: the number of the zone it is in, and its margin
to the power lines. Knows no limit: what a zone means and how far to stay from a line comes with them.

    no_lift_zone     a load hangs in the zone (only while something is on the hook)       0 none, else the zone's number
    forbidden_zone   any moving part is in the zone                                       0 none, else the zone's number
    line_margin_m    smallest distance of any moving part to a line, less what its voltage needs

With `look_ahead` a zone counts as entered when the crane, going on as it does, would be in it before it could stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point
from gateway.parts.crane.group.bodies import Body, Part, Pose, place
from gateway.parts.crane.group.braking import BrakingTable
from gateway.parts.crane.group.members import GroupMember, MemberColumns, MemberReadings
from gateway.parts.crane.group.motion import BEARING, HOOK, RADIUS, MotionParameters, MotionTracker
from gateway.parts.crane.group.outline import Outline, outline
from gateway.parts.crane.group.points import OutputKey, points_of
from gateway.parts.crane.group.power_lines import LineTable, PowerLine
from gateway.parts.crane.group.situation import certain_m
from gateway.parts.crane.group.zones import Zone, ZoneKind, ZoneTable

Floats = NDArray[np.float64]

NO_LIFT = OutputKey("no_lift_zone", "", "禁吊区编号（0 无）", "No-lift zone entered (0 none)", 0.0, 99.0)
FORBIDDEN = OutputKey("forbidden_zone", "", "禁入区编号（0 无）", "Forbidden zone entered (0 none)", 0.0, 99.0)
LINE_MARGIN = OutputKey("line_margin_m", "m", "架空线安全裕量", "Margin to power lines", -500.0, 10_000.0)

_KEYS = ("slew_deg", "radius_m", "hook_m", "crane_h_m", "load_t")
_MOMENTS_AHEAD = 64
"""At 0.7 r/min the tip of a 60 m jib moves about 1 m from one to the next."""


@dataclass(frozen=True, slots=True)
class SurroundingsParameters:
    """How a crane's surroundings are watched. All product design (PD)."""

    loaded_above_t: float = 0.2
    """A hook with more than this is loaded, tonnes. PD"""
    look_ahead: bool = False
    """Whether the braking distance counts."""
    clear_margin_m: float = 20.0
    """While the crane's position is not known, its margin is when it cannot fall below this anyway, metres. PD"""
    motion: MotionParameters = field(default_factory=MotionParameters)
    stale_after_s: float = 30.0
    """Age at which what is derived counts as unknown, seconds. PD"""


class CraneSurroundings:
    """The zones and power lines around one crane; it delivers a point only for what there is on the site.

    Zones out of its reach are never entered. ValueError when two zones of one kind have one number.
    """

    period_s = 0.0

    def __init__(
        self, crane: GroupMember, zones: Sequence[Zone], lines: Sequence[PowerLine], parameters: SurroundingsParameters
    ) -> None:
        self.device = f"{crane.asset}:surroundings"
        crane = GroupMember(crane.asset, crane.geometry, tuple(k for k in crane.keys if k in _KEYS), crane.braking)
        self._crane, self._parameters = crane, parameters
        self._columns = MemberColumns.of([crane])
        self.inputs = self._columns.inputs
        self._body = Body.of([crane.geometry])
        self._braking = BrakingTable.of([crane.braking])
        self._motion = MotionTracker(1, parameters.motion)
        self._zones = {kind: self._reachable([z for z in zones if z.kind is kind]) for kind in ZoneKind}
        self._lines = LineTable(lines) if lines else None
        given = [(NO_LIFT, ZoneKind.NO_LIFT), (FORBIDDEN, ZoneKind.FORBIDDEN)]
        self._keys = [key for key, kind in given if any(zone.kind is kind for zone in zones)]
        self._keys += [LINE_MARGIN] if lines else []
        self.outputs: tuple[Point, ...] = points_of(self.device, [crane], self._keys, parameters.stale_after_s)

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        """The points there are, in the order no-lift zone, forbidden zone, margin to lines."""
        read = self._columns.read(value, observed_at_ns, now_ns)
        loaded = self._loaded(float(read.load_t[0]))
        pieces = self._pieces(read, now_ns)
        said = {
            NO_LIFT: self._no_lift(pieces, loaded),
            FORBIDDEN: self._number(ZoneKind.FORBIDDEN, _carried(pieces, loaded)),
            LINE_MARGIN: self._margin_m(_carried(pieces, loaded)),
        }
        return np.array([said[key] for key in self._keys])

    def take_events(self) -> Sequence[AssetEvent]:
        """None: alarms say what happened."""
        return ()

    def saved(self) -> Json:
        """No state is kept. Motion is learnt anew."""
        return None

    def restore(self, saved: Json) -> None:
        """No state to restore."""

    def _reachable(self, zones: Sequence[Zone]) -> ZoneTable | None:
        """The zones that the crane can get to, checked for their numbers; None when there are none."""
        numbers = [zone.number for zone in zones]
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"{self._crane.asset}: zones of one kind need numbers of their own, not {numbers}")
        geometry = self._crane.geometry
        base = (geometry.base_x_m, geometry.base_y_m)
        near = ZoneTable(zones).within(base, geometry.reach_m) if zones else []
        return ZoneTable(near) if near else None

    def _loaded(self, load_t: float) -> float:
        """1 when something is on the hook, 0 when nothing is, NaN when that is not known."""
        return np.nan if np.isnan(load_t) or np.isinf(load_t) else float(load_t > self._parameters.loaded_above_t)

    def _pieces(self, read: MemberReadings, now_ns: int) -> Outline:
        """The crane now and, if wished, until it could stop."""
        geometry = self._crane.geometry
        turned = read.slew_deg if geometry.slew_clockwise else -read.slew_deg
        channels = np.stack([geometry.slew_zero_deg + turned, read.radius_m, read.hook_m])
        motion = self._motion.follow(channels, read.observed_at_ns, now_ns)
        at = motion.position[:, :, None]
        if self._parameters.look_ahead:
            ahead_s = np.linspace(0.0, float(self._braking.stop_s(motion.speed)[0]), _MOMENTS_AHEAD)
            later = motion.position[:, :, None] + motion.speed[:, :, None] * ahead_s[1:]
            at = np.concatenate([at, later], axis=2)
        return outline(self._body, place(self._body, Pose(at[BEARING], at[RADIUS], at[HOOK], read.mast_m[:, None])))

    def _no_lift(self, pieces: Outline, loaded: float) -> float:
        """An empty hook is in no no-lift zone; a hook that may be empty is, at worst, not known to be in one."""
        if loaded == 0.0:
            return 0.0
        number = self._number(ZoneKind.NO_LIFT, pieces.only(pieces.part == Part.LOAD))
        return np.nan if np.isnan(loaded) and number != 0.0 else number

    def _number(self, kind: ZoneKind, pieces: Outline) -> float:
        """The smallest number of the zones that are entered, 0 when none is, NaN when that is not known."""
        table = self._zones[kind]
        if table is None:
            return 0.0
        entered = table.entered(pieces)
        if (entered == 1.0).any():
            return float(table.number[entered == 1.0].min())
        return np.nan if np.isnan(entered).any() else 0.0

    def _margin_m(self, pieces: Outline) -> float:
        """Certain when all is known, when what is known is too near already, and when no line is within reach."""
        if self._lines is None:
            return np.nan
        least_m = np.inf
        if not pieces.known.all():
            geometry = self._crane.geometry
            least_m = self._lines.at_least_m((geometry.base_x_m, geometry.base_y_m), geometry.reach_m)
        known_m = np.array([self._lines.margin_m(pieces)])
        return float(certain_m(known_m, np.array([least_m]), 0.0, self._parameters.clear_margin_m)[0])


def _carried(pieces: Outline, loaded: float) -> Outline:
    """Without the load's ball when the hook is known to be empty."""
    return pieces.only(pieces.part != Part.LOAD) if loaded == 0.0 else pieces
