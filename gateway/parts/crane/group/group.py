"""The distances between the cranes of a group, ten times a second: how near, how soon, with whom, and who goes first.

In: slew, radius, hook height, mast height, load, motor and the device's own collision flag of every crane. Out: seven
points for each crane. Knows no limit: the clearances that rules judge by live in rule packs (GB 5144-2006 10.5, V1).

    min_distance_m        NaN as soon as a silent neighbour within reach might be nearer - unless it is below
                          `danger_below_m` already, which no silence can make better
    known_distance_m      the same with `alert_below_m`: so a warning is raised while a neighbour is silent, and the
                          sharper rule still says UNKNOWN
    predicted_distance_m  smallest until both cranes of a pair could have stopped, if all go on as they do
    conflict_in_s         until the distance falls below `alert_below_m`; `clear_s` when it does not within the horizon
    conflict_with         number of the other crane, -1 none       right_of_way   see
    `gateway.parts.crane.group.right_of_way` collision_flag_disagrees   1: the device's own flag has said the opposite
    of the geometry for `flag_hold_s`
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point
from gateway.parts.crane.group.braking import BrakingTable
from gateway.parts.crane.group.members import CraneGroupParameters, GroupMember, MemberColumns, MemberReadings
from gateway.parts.crane.group.motion import Motion, MotionTracker
from gateway.parts.crane.group.points import OUTPUTS, points_of
from gateway.parts.crane.group.right_of_way import RightOfWay, Standing, right_of_way
from gateway.parts.crane.group.situation import GroupField, Situation, certain_m

Floats = NDArray[np.float64]

STATE_VERSION = 1
NOBODY = -1.0


class CraneGroupDerivation:
    """One group of 2 to 16 cranes. Raises ValueError when numbers or assets repeat."""

    period_s = 0.1

    def __init__(self, name: str, members: Sequence[GroupMember], parameters: CraneGroupParameters) -> None:
        numbers = [member.geometry.number for member in members]
        if not 2 <= len(set(numbers)) == len(members) <= 16:
            raise ValueError(f"group {name}: 2 to 16 cranes with numbers of their own, not {numbers}")
        self.device = f"group:{name}"
        self._columns = MemberColumns.of(members)
        self.inputs = self._columns.inputs
        self.outputs: tuple[Point, ...] = points_of(self.device, members, OUTPUTS, parameters.stale_after_s)
        self._parameters = parameters
        cranes = [member.geometry for member in members]
        braking = BrakingTable.of([member.braking for member in members])
        self._field = GroupField(cranes, braking, parameters.horizon_s)
        self._number = np.array(numbers, dtype=np.float64)
        self._zero_deg = np.array([crane.slew_zero_deg for crane in cranes])
        self._sense = np.array([1.0 if crane.slew_clockwise else -1.0 for crane in cranes])
        self._motion = MotionTracker(len(cranes), parameters.motion)
        self._entered_ns = np.zeros((len(cranes), len(cranes)), dtype=np.int64)
        self._disagrees_since_ns = np.zeros(len(cranes), dtype=np.int64)

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        """The seven points of every crane, crane by crane."""
        read = self._columns.read(value, observed_at_ns, now_ns)
        bearing = self._zero_deg + self._sense * read.slew_deg
        channels = np.stack([bearing, read.radius_m, read.hook_m])
        motion = self._motion.follow(channels, read.observed_at_ns, now_ns)
        situation = self._assess(motion, read)
        self._enter(situation, now_ns)
        return self._said(read, situation, now_ns).T.ravel()

    def take_events(self) -> Sequence[AssetEvent]:
        """None: alarms say what happened."""
        return ()

    def saved(self) -> Json:
        """Kept state: start times of overlaps and of disagreeing flags. Motion is learnt anew."""
        return {
            "version": STATE_VERSION,
            "assets": [member.asset for member in self._columns.members],
            "entered_ns": self._entered_ns.tolist(),
            "disagrees_since_ns": self._disagrees_since_ns.tolist(),
        }

    def restore(self, saved: Json) -> None:
        """Go on from what was kept. ValueError when it is of another version or of other cranes."""
        assets = [member.asset for member in self._columns.members]
        if not isinstance(saved, Mapping) or saved.get("version") != STATE_VERSION or saved.get("assets") != assets:
            raise ValueError("kept by another version or for other cranes")
        entered, disagrees = _times(saved.get("entered_ns")), _times(saved.get("disagrees_since_ns"))
        if entered.shape != self._entered_ns.shape or disagrees.shape != self._disagrees_since_ns.shape:
            raise ValueError("kept for another number of cranes")
        self._entered_ns, self._disagrees_since_ns = entered, disagrees

    def _assess(self, motion: Motion, read: MemberReadings) -> Situation:
        parameters = self._parameters
        loaded = ~(read.load_t <= parameters.loaded_above_t)
        warn = (parameters.alert_below_m, parameters.exact_below_m)
        return self._field.assess(motion, read.mast_m, loaded, warn)

    def _said(self, read: MemberReadings, situation: Situation, now_ns: int) -> Floats:
        """(7, k) in the order of OUTPUTS."""
        danger_m, alert_m = self._parameters.danger_below_m, self._parameters.alert_below_m
        now_m, ahead_m = situation.now_m.min(axis=1), situation.ahead_m.min(axis=1)
        least_m = situation.now_least_m
        distance = certain_m(now_m, least_m, danger_m, alert_m)
        warned = certain_m(now_m, least_m, alert_m, alert_m)
        predicted = certain_m(ahead_m, situation.ahead_least_m, danger_m, alert_m)
        first_s = situation.first_s.min(axis=1)
        unforeseen = np.where(situation.ahead_least_m < alert_m, np.nan, self._parameters.clear_s)
        soon = np.where(np.isfinite(first_s), first_s, unforeseen)
        partner = self._partners(situation)
        number = np.where(partner < 0, np.where(np.isnan(soon), np.nan, NOBODY), self._number[partner])
        goes = self._right_of_way(read, partner, soon)
        clear = self._clear(distance, predicted, soon)
        flag = self._flag(read.multi_alarm, now_m <= danger_m, clear, now_ns)
        return np.stack([distance, warned, predicted, soon, number, goes, flag])

    def _partners(self, situation: Situation) -> NDArray[np.intp]:
        """With whom each crane (k,) gets into conflict first, the nearest of several; -1 with nobody."""
        count = len(self._number)
        partner = np.full(count, -1, dtype=np.intp)
        for crane in np.flatnonzero(np.isfinite(situation.first_s).any(axis=1)):
            order = np.lexsort((situation.ahead_m[crane], situation.first_s[crane]))
            partner[crane] = order[0]
        return partner

    def _right_of_way(self, read: MemberReadings, partner: NDArray[np.intp], soon: Floats) -> Floats:
        jib_m = self._field.body.base_m[2] + read.mast_m
        load_t = np.where(np.isinf(read.load_t), np.nan, read.load_t)
        loaded = np.where(np.isnan(load_t), np.nan, load_t > self._parameters.loaded_above_t)
        standing = Standing(jib_m, loaded, read.motor, self._entered_ns)
        goes = np.where(np.isnan(soon), np.nan, float(RightOfWay.NOT_NEEDED))
        for crane in np.flatnonzero(partner >= 0):
            other = int(partner[crane])
            goes[crane] = right_of_way(self._parameters.right_of_way, standing, int(crane), other)
        return goes

    def _enter(self, situation: Situation, now_ns: int) -> None:
        """Note since when each crane is within reach of each other; what is not known stays as it was."""
        entered = np.where(self._entered_ns == 0, now_ns, self._entered_ns)
        self._entered_ns = np.where(situation.within_reach > 0, entered, self._entered_ns)
        self._entered_ns[situation.within_reach == 0] = 0

    def _clear(self, distance: Floats, predicted: Floats, soon: Floats) -> Floats:
        """1 where nothing is near, 0 where something is, NaN where that is not known."""
        clear_m = self._parameters.flag_clear_m
        near = (distance <= clear_m) | (predicted <= clear_m) | (soon < self._parameters.clear_s)
        unknown = np.isnan(distance) | np.isnan(predicted) | np.isnan(soon)
        return np.where(near, 0.0, np.where(unknown, np.nan, 1.0))

    def _flag(self, flag: Floats, touching: NDArray[np.bool_], clear: Floats, now_ns: int) -> Floats:
        """Whether the device's flag has disagreed for long enough (k,). Touching is certain whoever else is silent."""
        alarmed = flag > 0
        disagrees = (alarmed & (clear == 1.0)) | ((flag == 0) & touching)
        unknown = np.isnan(flag) | (np.isnan(clear) & ~disagrees)
        since = np.where(disagrees & (self._disagrees_since_ns == 0), now_ns, self._disagrees_since_ns)
        self._disagrees_since_ns = np.where(unknown | disagrees, since, 0)
        held = disagrees & (now_ns - self._disagrees_since_ns >= self._parameters.flag_hold_s * 1e9)
        return np.where(unknown, np.nan, held.astype(np.float64))


def _times(saved: Json) -> NDArray[np.int64]:
    try:
        return np.array(saved, dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("times that are no whole numbers") from error
