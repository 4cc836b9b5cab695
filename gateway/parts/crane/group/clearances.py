"""The clearances that a group of cranes keeps by how it is put up, whatever it does.

In: the heights of the masts (they change when a crane climbs). Out: two points for each crane with a neighbour whose
circle meets its own, once a minute. Knows no limit: GB 5144-2006 10.5 (V1) asks for 2 m of both, the rules judge.

    jib_mast_clearance_m   lower crane's jib tip to the mast of the other, horizontally: below 0 the jib can meet it
    vertical_clearance_m   lowest part of the upper crane (its hook at its highest, its counterweight) to the highest
                           part of the lower one: below 0 the upper crane cannot turn over the lower one
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point
from gateway.parts.crane.group.members import GroupMember
from gateway.parts.crane.group.points import CLEARANCES, points_of
from gateway.parts.crane.group.situation import certain_m
from gateway.parts.crane.model.geometry import CraneGeometry

Floats = NDArray[np.float64]


def jib_mast_clearance_m(lower: CraneGeometry, upper: CraneGeometry) -> float:
    """Lower crane's jib tip to the upper one's mast, horizontally, when the jib points at it."""
    return lower.base_distance_m(upper) - lower.jib_length_m - upper.mast_half_m


def vertical_clearance_m(lower: CraneGeometry, upper: CraneGeometry, lower_mast_m: float, upper_mast_m: float) -> float:
    """Lowest part of the upper crane to the highest of the lower one, vertically, masts as high as given.

    The lower crane's head counts when the upper one's circle covers its mast.
    """
    over_mast = lower.base_distance_m(upper) < upper.reach_m + lower.mast_half_m
    jib_m = _rise_m(lower, lower.radius_min_m) if lower.luffing else 2 * lower.jib_half_m
    highest_m = lower.base_z_m + lower_mast_m + max(jib_m, lower.head_height_m if over_mast else 0.0)
    hook_m = (_rise_m(upper, upper.radius_max_m) if upper.luffing else 0.0) - upper.hook_gap_m - upper.hook_half_m
    return upper.base_z_m + upper_mast_m + min(hook_m, -upper.counter_jib_half_m) - highest_m


def _rise_m(crane: CraneGeometry, radius_m: float) -> float:
    """How far a luffing jib's tip is above its pivot."""
    return float(np.sqrt(crane.jib_length_m**2 - min(radius_m, crane.jib_length_m) ** 2))


class CraneGroupClearances:
    """The clearances of one group. `danger_below_m`: a smaller clearance is certainly too small, also when the height
    of another neighbour is not known."""

    period_s = 60.0

    def __init__(self, name: str, members: Sequence[GroupMember], danger_below_m: float = 2.0) -> None:
        self.device = f"group:{name}:clearances"
        self._members = tuple(members)
        self._danger_below_m = danger_below_m
        shapes = [member.geometry for member in members]
        self._pairs = [
            (i, j) for i in range(len(shapes)) for j in range(i + 1, len(shapes)) if shapes[i].can_reach(shapes[j])
        ]
        self._concerned = sorted({crane for pair in self._pairs for crane in pair})
        measured = [i for i in self._concerned if "crane_h_m" in members[i].keys]
        self._column = {crane: column for column, crane in enumerate(measured)}
        self.inputs = tuple(f"{members[i].asset}.crane_h_m" for i in measured)
        concerned = [members[i] for i in self._concerned]
        self.outputs: tuple[Point, ...] = points_of(self.device, concerned, CLEARANCES, 3 * self.period_s)

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:  # noqa: ARG002
        """Both clearances of every crane concerned, crane by crane."""
        mast_m = [self._mast_m(i, value, now_ns) for i in range(len(self._members))]
        between = np.full((2, len(self._members), len(self._members)), np.inf)
        for i, j in self._pairs:
            between[:, i, j] = between[:, j, i] = self._clearances(i, j, mast_m)
        between = between[:, self._concerned]
        known = np.nanmin(np.where(np.isnan(between), np.inf, between), axis=2)
        least = np.where(np.isnan(between).any(axis=2), -np.inf, np.inf)
        return certain_m(known, least, self._danger_below_m, np.inf).T.ravel()

    def take_events(self) -> Sequence[AssetEvent]:
        """None."""
        return ()

    def saved(self) -> Json:
        """No state is kept. The clearances follow from the heights."""
        return None

    def restore(self, saved: Json) -> None:
        """No state to restore."""

    def _mast_m(self, crane: int, value: Values, now_ns: int) -> float:
        column = self._column.get(crane)
        return self._members[crane].geometry.mast_height_at(now_ns) if column is None else float(value[column])

    def _clearances(self, i: int, j: int, mast_m: Sequence[float]) -> tuple[float, float]:
        """Of one pair; NaN when a height is not known: then nobody knows which crane is the lower one."""
        shapes = (self._members[i].geometry, self._members[j].geometry)
        jib_m = (shapes[0].base_z_m + mast_m[i], shapes[1].base_z_m + mast_m[j])
        if np.isnan(jib_m[0] + jib_m[1]):
            return np.nan, np.nan
        low, high = (0, 1) if jib_m[0] <= jib_m[1] else (1, 0)
        masts = (mast_m[i], mast_m[j])
        vertical = vertical_clearance_m(shapes[low], shapes[high], masts[low], masts[high])
        return jib_mast_clearance_m(shapes[low], shapes[high]), vertical
