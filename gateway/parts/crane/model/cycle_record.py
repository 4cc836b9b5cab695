"""One working cycle (工作循环) while it goes on, and the record it leaves.

In: what is known at each step of the cycle. Out: the record's content, every field of the docking practice's working
cycle (standards reference 6.3, V1) under names that carry their units. What was never known is null, and flags are
true, false or null: nothing is invented. Knows nothing of where records go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf, isnan, nan
from typing import NamedTuple

from gateway.model.derivation import Json
from gateway.model.kept_state import items, kept, known, mapping, number, whole
from gateway.parts.crane.model.cycle_ledger import Tally
from gateway.parts.crane.model.parameters import CycleMarks

DOCKING_NAMES: tuple[tuple[str, str], ...] = (
    ("start_ns", "WorkStartDate, WorkStartTime"),
    ("end_ns", "WorkEndDate, WorkEndTime"),
    ("load_t", "WorkWeight"),
    ("max_moment_radius_m", "WorkMaxTorqueRange"),
    ("max_moment_rated_t", "WorkRatedWeight"),
    ("max_moment_pct", "WorkMaxTorque"),
    ("max_moment_t_m", "WorkMaxForce"),
    ("max_wind_ms", "WorkMaxWindSpeed"),
    ("wind_level", "WorkWindSpeedAlarm"),
    ("height_change_m", "WorkMaxHeight"),
    ("start_slew_deg", "WorkStartAngle"),
    ("end_slew_deg", "WorkEndAngle"),
    ("start_radius_m", "WorkStartRange"),
    ("end_radius_m", "WorkEndRange"),
    ("start_hook_m", "WorkStartHeight"),
    ("end_hook_m", "WorkEndHeight"),
    ("radius_out_alarm", "WorkMaxRangeAlarm"),
    ("radius_in_alarm", "WorkMinRangeAlarm"),
    ("height_alarm", "WorkHeightAlarm"),
    ("slew_right_alarm", "WorkPosAngleAlarm"),
    ("slew_left_alarm", "WorkNegAngleAlarm"),
    ("moment_alarm", "WorkMomentAlarm"),
    ("moment_prealarm", "WorkMomentPreAlarm"),
    ("tilt_alarm", "WorkObliguityAlarm"),
    ("environment_alarm", "WorkEnvironmentAlarm"),
    ("multi_crane_alarm", "WorkMultiAlarm"),
    ("wind_prealarm", "WorkWindSpeedPreAlarm"),
    ("start_luff_deg", "StartAngle"),
    ("end_luff_deg", "EndAngle"),
    ("driver_no", "OperaterNo"),
)
"""Our name of each field, and the docking practice's. The driver's name and ID are in no record of the box."""


class CycleSample(NamedTuple):
    """What is known of a crane at one step; NaN where it is not. `luff_deg`: angle of a luffing jib, else NaN.

    `environment` and `multi_crane` are 1 where a zone or another crane is in the way, 0 where not.
    """

    load_t: float
    rated_t: float
    moment_pct: float
    radius_m: float
    hook_m: float
    slew_deg: float
    luff_deg: float
    wind_3s_ms: float
    tilt_permille: float
    hook_top_clearance_m: float
    radius_out_margin_m: float
    radius_in_margin_m: float
    slew_left_margin_deg: float
    slew_right_margin_deg: float
    environment: float
    multi_crane: float
    driver_no: float


@dataclass(frozen=True, slots=True)
class FinishedCycle:
    """A cycle that is over: its record, and what the ledgers count of it. Times are UTC ns."""

    start_ns: int
    end_ns: int
    driver_no: str | None
    max_load_t: float
    tally: Tally
    content: Mapping[str, Json]


_CLOSEST = (9, 10, 11, 12, 13)
_LARGEST = (7, 8, 14, 15)
_WATCHED = (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
_NAMES = CycleSample._fields


class OpenCycle:
    """A cycle that has begun: its extremes so far. `begun_ns` is UTC."""

    def __init__(self, begun_ns: int, sample: CycleSample) -> None:
        self.begun_ns = begun_ns
        self.driver_no = nan
        self.max_load_t = nan
        self._start = sample
        self._at_max = sample
        self._lowest_m = self._highest_m = nan
        self._extreme: list[float] = [nan] * len(_NAMES)
        self._missing = 0
        self.missing_s = 0.0
        self.add(sample)

    def add(self, sample: CycleSample) -> None:
        """Take one more step of the cycle. Comparisons with NaN are false, so `not <` also takes the first value."""
        extreme = self._extreme
        for i in _LARGEST:
            if not sample[i] <= extreme[i] and not isnan(sample[i]):
                extreme[i] = sample[i]
        for i in _CLOSEST:
            if not sample[i] >= extreme[i] and not isnan(sample[i]):
                extreme[i] = sample[i]
        for i in _WATCHED:
            if sample[i] != sample[i]:
                self._missing |= 1 << i
        self._note_load(sample)
        self._note_height(sample.hook_m)
        if isnan(self.driver_no):
            self.driver_no = sample.driver_no

    def _note_load(self, sample: CycleSample) -> None:
        if not sample.load_t <= self.max_load_t and not isnan(sample.load_t):
            self.max_load_t = sample.load_t
            if isnan(self._at_max.moment_pct) and isnan(sample.moment_pct):
                self._at_max = sample
        if sample.moment_pct > self._at_max.moment_pct or (
            isnan(self._at_max.moment_pct) and not isnan(sample.moment_pct)
        ):
            self._at_max = sample

    def _note_height(self, hook_m: float) -> None:
        if isnan(hook_m):
            return
        self._lowest_m = hook_m if isnan(self._lowest_m) else min(self._lowest_m, hook_m)
        self._highest_m = hook_m if isnan(self._highest_m) else max(self._highest_m, hook_m)

    def flags(self, marks: CycleMarks) -> Mapping[str, bool | None]:
        """One flag a kind of alarm: whether its mark was reached; None without a mark, or if its quantity was never
        known."""
        extreme, moment_pct = self._extreme, self._at_max.moment_pct
        wind_m_s = extreme[7]
        return {
            "radius_out_alarm": _at_most(extreme[10], marks.radius_margin_m),
            "radius_in_alarm": _at_most(extreme[11], marks.radius_margin_m),
            "height_alarm": _at_most(extreme[9], marks.height_margin_m),
            "slew_right_alarm": _at_most(extreme[13], marks.slew_margin_deg),
            "slew_left_alarm": _at_most(extreme[12], marks.slew_margin_deg),
            "moment_alarm": _at_least(moment_pct, marks.moment_alarm_pct),
            "moment_prealarm": _at_least(moment_pct, marks.moment_prealarm_pct),
            "tilt_alarm": _at_least(extreme[8], marks.tilt_alarm_permille),
            "environment_alarm": _at_least(extreme[14], 1.0),
            "multi_crane_alarm": _at_least(extreme[15], 1.0),
            "wind_alarm": _at_least(wind_m_s, marks.wind_alarm_m_s),
            "wind_prealarm": _at_least(wind_m_s, marks.wind_prealarm_m_s),
        }

    def finish(self, end_ns: int, end: CycleSample | None, marks: CycleMarks) -> FinishedCycle:
        """The cycle as it ended at `end_ns` (UTC); `end` None: its end was not seen."""
        flags = self.flags(marks)
        driver = driver_text(self.driver_no)
        lifted_t_m = self.max_load_t * (self._highest_m - self._lowest_m)
        tally = Tally(
            1,
            0.0 if isnan(lifted_t_m) else lifted_t_m,
            int(flags["moment_prealarm"] is True),
            int(flags["moment_alarm"] is True),
            int(flags["wind_alarm"] is True),
        )
        content = self._record(end_ns, end, flags)
        return FinishedCycle(self.begun_ns, end_ns, driver, self.max_load_t, tally, content)

    def _record(self, end_ns: int, end: CycleSample | None, flags: Mapping[str, bool | None]) -> dict[str, Json]:
        start, at_max = self._start, self._at_max
        return {
            "start_ns": self.begun_ns,
            "end_ns": end_ns,
            "driver_no": driver_text(self.driver_no),
            "load_t": kept(at_max.load_t),
            "max_load_t": kept(self.max_load_t),
            "max_moment_radius_m": kept(at_max.radius_m),
            "max_moment_rated_t": kept(at_max.rated_t),
            "max_moment_pct": kept(at_max.moment_pct),
            "max_moment_t_m": kept(at_max.load_t * at_max.radius_m),
            "max_wind_ms": kept(self._extreme[7]),
            "wind_level": _wind_level(flags["wind_alarm"], flags["wind_prealarm"]),
            "height_change_m": kept(self._highest_m - self._lowest_m),
            "start_slew_deg": kept(start.slew_deg),
            "start_radius_m": kept(start.radius_m),
            "start_hook_m": kept(start.hook_m),
            "start_luff_deg": kept(start.luff_deg),
            **_end(end),
            **flags,
            "end_seen": end is not None,
            "missing_s": round(self.missing_s, 3),
            "not_always_known": [name for i, name in enumerate(_NAMES) if self._missing >> i & 1],
        }

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "begun_ns": self.begun_ns,
            "driver_no": kept(self.driver_no),
            "max_load_t": kept(self.max_load_t),
            "start": [kept(each) for each in self._start],
            "at_max": [kept(each) for each in self._at_max],
            "height_m": [kept(self._lowest_m), kept(self._highest_m)],
            "extreme": [kept(each) for each in self._extreme],
            "missing": self._missing,
            "missing_s": self.missing_s,
        }

    @classmethod
    def restored(cls, saved: Json) -> "OpenCycle":
        """A cycle from its kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        cycle = cls(whole(state.get("begun_ns")), sample_of(state.get("start")))
        cycle.driver_no, cycle.max_load_t = known(state.get("driver_no")), known(state.get("max_load_t"))
        cycle._at_max = sample_of(state.get("at_max"))
        cycle._lowest_m, cycle._highest_m = [known(each) for each in items(state.get("height_m"), 2)]
        cycle._extreme = [known(each) for each in items(state.get("extreme"), len(_NAMES))]
        cycle._missing, cycle.missing_s = whole(state.get("missing")), number(state.get("missing_s"))
        return cycle


def sample_of(saved: Json) -> CycleSample:
    """A sample from its kept state. Raises ValueError when it is none."""
    return CycleSample(*[known(each) for each in items(saved, len(_NAMES))])


def driver_text(driver_no: float) -> str | None:
    """The driver's number as text; None where not known."""
    return None if isnan(driver_no) else str(int(driver_no))


def _end(end: CycleSample | None) -> dict[str, Json]:
    if end is None:
        return dict.fromkeys(("end_slew_deg", "end_radius_m", "end_hook_m", "end_luff_deg"))
    return {
        "end_slew_deg": kept(end.slew_deg),
        "end_radius_m": kept(end.radius_m),
        "end_hook_m": kept(end.hook_m),
        "end_luff_deg": kept(end.luff_deg),
    }


def _at_least(value: float, mark: float) -> bool | None:
    return None if isnan(value) or isinf(mark) else value >= mark


def _at_most(value: float, mark: float) -> bool | None:
    return None if isnan(value) else value <= mark


def _wind_level(alarm: bool | None, prealarm: bool | None) -> int | None:
    """0 normal, 1 alarm, 2 pre-alarm, as in the docking practice."""
    if alarm is None:
        return None
    return 1 if alarm else 2 if prealarm else 0
