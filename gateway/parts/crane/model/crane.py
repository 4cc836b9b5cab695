"""The tower crane: everything that is derived from one crane's readings, one step a poll.

    readings (n,) --> clock --> operating state --> working cycles --> ledger, load spectrum    --> events
       |    |                        |      \\
       |    +--> pose, margins ------+       +--> papers
       |    +--> motion --> swing, side pull, limits that do not cut
       |    +--> wind means, mast tilt, moment damage                                           --> points (m,)

In: values of the crane's points, NaN where not known or not fitted. Out: derived points, events `crane_cycle`,
`crane_climb`, `crane_tilt_baseline` and `crane_state_refused`, and a state that survives a restart in the middle of
anything. Each part is a module of its own and knows nothing of the others; this one only hands values on. Knows neither
rules nor limits.
"""

from collections.abc import Mapping, Sequence
from math import acos, degrees, hypot, inf, isinf, isnan, nan

import numpy as np

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.kept_state import kept, mapping, whole
from gateway.model.papers import Papers
from gateway.model.quantity import Point
from gateway.parts.crane.model.crane_papers import PaperWatch
from gateway.parts.crane.model.crane_parts import CraneParts, restored_parts
from gateway.parts.crane.model.cycle_ledger import CycleLedger
from gateway.parts.crane.model.cycle_record import CycleSample, FinishedCycle
from gateway.parts.crane.model.description import CraneDescription
from gateway.parts.crane.model.fatigue import spectrum_class, use_class
from gateway.parts.crane.model.mast_tilt import Baseline, Circumstances, Tilt
from gateway.parts.crane.model.operating_state import Fitted
from gateway.parts.crane.model.points import (
    CRANE_INPUTS,
    DERIVED,
    DESCRIPTION,
    PAPERS,
    RAILS,
    SLEW_LIMITS,
    SURROUNDINGS,
    derivable,
    derived_point,
)
from gateway.parts.crane.model.pose import pose_of
from gateway.parts.crane.model.safety_device import MEASURED_BY, SAFETY_FAULT_KEYS, Loading, sensor_fault
from gateway.parts.crane.model.scene import ChartShares, CraneReadings, Margins, Scene
from gateway.parts.crane.model.wind import UNKNOWN as NO_WIND
from gateway.parts.crane.model.wind import Wind, beaufort

_WIND = CRANE_INPUTS.index("wind_ms")


class CraneDerivation:
    """One tower crane (a `Derivation`)."""

    period_s = 0.0

    def __init__(
        self,
        crane: CraneDescription,
        points: Mapping[str, str],
        papers: Papers | None = None,
    ) -> None:
        """`points`: key of `CRANE_INPUTS` -> id of the point that brings it, for those that exist; the wind may come
        from another asset. Without papers nothing is derived from them."""
        self.device = f"{crane.asset}:derived"
        self.inputs = tuple(points.get(key, f"{crane.asset}.{key}") for key in CRANE_INPUTS)
        present = frozenset(points) & frozenset(CRANE_INPUTS)
        said = derivable(present | _features(crane, papers))
        self._said = np.array(said, dtype=np.intp)
        self.outputs: tuple[Point, ...] = tuple(derived_point(crane, DERIVED[i], self.device) for i in said)
        self._crane = crane
        self._present = present
        self._fitted = Fitted("motor" in present, "work_status" in present, "crane_h_m" in present)
        self._two_tilt_axes = {"tilt_x_deg", "tilt_y_deg"} <= present
        self._fault_columns = [i for i, key in enumerate(CRANE_INPUTS) if key in SAFETY_FAULT_KEYS and key in present]
        self._doubted = _doubted(crane.asset, points)
        self._has_wind, self._has_moment = "wind_ms" in present, "moment_pct" in present
        self._has_hook, self._has_radius = "hook_m" in present, "radius_m" in present
        self._has_rated, self._has_multiple = "rated_t" in present, "multiple" in present
        self._parts_of_line = _usual_parts_of_line(crane)
        self._watches_load = "load_t" in present and (self._has_multiple or not isnan(self._parts_of_line))
        self._watches_moment = self._has_moment or (self._watches_load and self._has_radius)
        self._papers = PaperWatch(papers)
        self._zones = [i for i, key in enumerate(CRANE_INPUTS) if key in SURROUNDINGS and key in present]
        self._parts = CraneParts(crane, self._fitted, self._two_tilt_axes)
        self._wind_observed_ns = 0
        self._events: list[AssetEvent] = []

    @property
    def ledger(self) -> CycleLedger:
        """Counts of working cycles by driver and shift."""
        return self._parts.ledger

    def learn_tilt_baseline(self) -> None:
        """From now on the tilt is compared with what it is now: after erection, or when the base was corrected."""
        self._parts.tilt.learn_anew()

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        """The derived points from the inputs, both in the order of the attributes of these names."""
        row: list[float] = value.tolist()
        for bit, measured in self._doubted:
            if row[bit] != 0 and (row[bit] == 1 or observed_at_ns[bit]):  # a host that never sends a bit has none
                row[measured] = nan
        scene = self._look(CraneReadings._make(row[: len(CraneReadings._fields)]), observed_at_ns.item(_WIND), now_ns)
        parts = self._parts
        parts.damage.add(scene.moment_pct)
        swing_deg, pull_deg = self._swing(scene)
        uncut_s = self._uncut(scene)
        if scene.operation.loaded or parts.cycles.open is not None:
            self._step_cycle(scene)
        if parts.states.climbed is not None or parts.tilt.baseline is not None:
            self._note_climb_and_baseline(now_ns)
        used = self._used(scene)
        faults = self._papers.step(now_ns, scene.operation.climbing, used, scene.read.driver_no)
        fault = sensor_fault([row[i] for i in self._fault_columns])
        every = (
            *self._placed(scene),
            uncut_s,
            fault,
            *faults,
            swing_deg,
            pull_deg,
            *_to_the_ends(scene),
        )
        return np.array(every)[self._said]

    def take_events(self) -> Sequence[AssetEvent]:
        """Cycles, climbs, baselines and refused states since it was last asked."""
        events, self._events = self._events, []
        return events

    def saved(self) -> Json:
        """The state to keep."""
        return {"wind_observed_ns": self._wind_observed_ns, "parts": self._parts.saved()}

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. A part that does not fit starts anew, which is an event `crane_state_refused`.

        Raises ValueError when the whole does not fit.
        """
        state = mapping(saved)
        observed_ns = whole(state.get("wind_observed_ns"))
        parts, refused = restored_parts(self._crane, self._fitted, self._two_tilt_axes, state.get("parts"))
        self._parts, self._wind_observed_ns = parts, observed_ns
        for name, reason in refused.items():
            self._note("crane_state_refused", parts.clock.utc_ns, {"part": name, "reason": reason})

    def _look(self, read: CraneReadings, wind_observed_ns: int, now_ns: int) -> Scene:
        """Feed the parts that only read, in the order in which they need each other."""
        parts, crane = self._parts, self._crane
        t_ns = parts.clock.at(now_ns)
        mast_m = read.crane_h_m if self._fitted.crane_height else crane.mast_height_at(now_ns)
        pose = pose_of(crane, read.radius_m, read.slew_deg, read.hook_m, mast_m, read.travel_m)
        operation = parts.states.step(t_ns, read.load_t, read.motor, read.work_status, read.crane_h_m)
        motion = parts.motions.step(t_ns, read.radius_m, pose.bearing_deg, read.hook_m)
        wind = self._wind(t_ns, read.wind_ms, wind_observed_ns)
        chart = self._by_chart(read)
        return Scene(
            t_ns,
            now_ns,
            read,
            pose,
            chart,
            read.moment_pct if self._has_moment else chart.moment_pct,
            self._margins(read, mast_m),
            parts.turns.step(t_ns, read.slew_deg),
            operation,
            motion,
            wind,
            self._tilt(
                t_ns, read, Circumstances(pose.bearing_deg, motion.slew_deg_s, wind.mean_10min_m_s, operation.loaded)
            ),
        )

    def _by_chart(self, read: CraneReadings) -> ChartShares:
        """Load against the largest rated load of these parts of line, moment against the rated one at this radius."""
        curve = self._crane.chart.curve_of(read.multiple if self._has_multiple else self._parts_of_line)
        if curve is None:
            return ChartShares(nan, nan, nan)
        rated_t = curve.rated_at(read.radius_m)
        return ChartShares(rated_t, 100.0 * read.load_t / curve.max_rated_t, 100.0 * read.load_t / rated_t)

    def _margins(self, read: CraneReadings, mast_m: float) -> Margins:
        crane = self._crane
        travel_m = nan
        if crane.travels and not isnan(read.travel_m):
            travel_m = min(read.travel_m - crane.travel_min_m, crane.travel_max_m - read.travel_m)
        hook_top_m = crane.hook_top_m(mast_m, read.radius_m) - read.hook_m
        return Margins(hook_top_m, crane.radius_max_m - read.radius_m, read.radius_m - crane.radius_min_m, travel_m)

    def _wind(self, t_ns: int, wind_m_s: float, observed_ns: int) -> Wind:
        if not self._has_wind:
            return NO_WIND
        if not isnan(wind_m_s) and observed_ns == self._wind_observed_ns:
            return self._parts.wind.silent(t_ns)
        self._wind_observed_ns = observed_ns
        return self._parts.wind.add(t_ns, wind_m_s)

    def _tilt(self, t_ns: int, read: CraneReadings, around: Circumstances) -> Tilt:
        if self._two_tilt_axes:
            return self._parts.tilt.step(t_ns, read.tilt_x_deg, read.tilt_y_deg, around)
        return self._parts.tilt.step(t_ns, read.tilt_deg, 0.0, around)

    def _swing(self, scene: Scene) -> tuple[float, float]:
        parts, read, loaded = self._parts, scene.read, scene.operation.loaded
        rope_m = scene.margins.hook_top_m + self._crane.parameters.swing.drop_offset_m
        swing_deg = parts.swing.step(scene.t_ns, scene.motion, loaded, rope_m)
        place = (read.radius_m, scene.pose.bearing_deg, read.hook_m)
        return swing_deg, parts.pull.step(scene.t_ns, read.load_t, place, rope_m)

    def _uncut(self, scene: Scene) -> float:
        """A quantity without an instrument passes no limit and does not move."""
        margins, motion = scene.margins, scene.motion
        loading = Loading(
            scene.moment_pct if self._watches_moment else 0.0,
            scene.chart.load_pct if self._watches_load else 0.0,
            margins.hook_top_m if self._has_hook else inf,
            margins.radius_out_m if self._has_radius else inf,
            margins.radius_in_m if self._has_radius else inf,
        )
        hoist_m_s = motion.hoist_m_s if self._has_hook else 0.0
        trolley_m_s = motion.trolley_m_s if self._has_radius else 0.0
        return self._parts.uncut.step(scene.t_ns, loading, hoist_m_s, trolley_m_s, scene.read.motor)

    def _used(self, scene: Scene) -> bool | None:
        """Whether the crane is at work: a load on the hook or a motor that runs."""
        loaded, motor = scene.operation.loaded, scene.read.motor
        if loaded or motor == 1:
            return True
        still = motor == 0 or not self._fitted.motor
        return False if loaded is False and still else None

    def _step_cycle(self, scene: Scene) -> None:
        record = self._parts.cycles.step(scene.t_ns, scene.now_ns, scene.operation.loaded, self._cycle_sample(scene))
        if record is not None:
            self._finish_cycle(record)

    def _cycle_sample(self, scene: Scene) -> CycleSample:
        read, margins, turn = scene.read, scene.margins, scene.turn
        return CycleSample(
            read.load_t,
            read.rated_t if self._has_rated else scene.chart.rated_t,
            scene.moment_pct,
            read.radius_m,
            read.hook_m,
            scene.pose.bearing_deg,
            self._luff_deg(read.radius_m),
            scene.wind.mean_3s_m_s,
            scene.tilt.permille,
            margins.hook_top_m,
            margins.radius_out_m,
            margins.radius_in_m,
            turn.left_margin_deg,
            turn.right_margin_deg,
            self._in_the_way(read),
            read.multi_alarm,
            read.driver_no,
        )

    def _in_the_way(self, read: CraneReadings) -> float:
        """1 in a zone or too near to a line, 0 clear of all that there are, NaN not known."""
        if read.no_lift_zone > 0 or read.forbidden_zone > 0 or read.line_margin_m < 0:
            return 1.0
        return nan if not self._zones or any(isnan(read[i]) for i in self._zones) else 0.0

    def _luff_deg(self, radius_m: float) -> float:
        """Angle of a luffing jib above the horizontal; NaN for a level jib."""
        if not self._crane.luffing or not 0 <= radius_m <= self._crane.jib_m:
            return nan
        return degrees(acos(radius_m / self._crane.jib_m))

    def _finish_cycle(self, record: FinishedCycle) -> None:
        parts = self._parts
        parts.ledger.add(record.driver_no or "", record.start_ns, record.tally)
        parts.spectrum.add(record.max_load_t)
        content: dict[str, Json] = {
            **record.content,
            "cycle_no": parts.ledger.total.cycles,
            "shift": parts.ledger.shift_of(record.start_ns),
            "load_spectrum_factor": kept(parts.spectrum.factor),
            "load_spectrum_class": spectrum_class(parts.spectrum.factor),
            "use_class": use_class(parts.ledger.total.cycles),
        }
        self._note("crane_cycle", record.end_ns, content)

    def _note_climb_and_baseline(self, now_ns: int) -> None:
        climbed, baseline = self._parts.states.climbed, self._parts.tilt.baseline
        if climbed is not None:
            self._note("crane_climb", now_ns, {"from_height_m": climbed.from_m, "to_height_m": climbed.to_m})
        if baseline is not None:
            self._note("crane_tilt_baseline", now_ns, self._baseline(baseline))

    def _baseline(self, baseline: Baseline) -> dict[str, Json]:
        width_deg = 360.0 / self._crane.parameters.tilt.sectors
        return {
            "sector": baseline.sector,
            "from_bearing_deg": baseline.sector * width_deg,
            "to_bearing_deg": (baseline.sector + 1) * width_deg,
            "east_permille": baseline.lean.x_permille if self._two_tilt_axes else None,
            "north_permille": baseline.lean.y_permille if self._two_tilt_axes else None,
            "tilt_permille": hypot(*baseline.lean),
            "samples": baseline.samples,
            "scatter_permille": baseline.scatter_permille,
        }

    def _note(self, kind: str, at_ns: int, content: Mapping[str, Json]) -> None:
        self._events.append(AssetEvent(self._crane.asset, kind, at_ns, content))

    def _placed(self, scene: Scene) -> tuple[float, ...]:
        """The first points of `DERIVED`, up to the tilt."""
        operation, parts = scene.operation, self._parts
        pose, wind = scene.pose, scene.wind
        return (
            *scene.chart,
            pose.hook_x_m,
            pose.hook_y_m,
            pose.hook_z_m,
            *wind,
            beaufort(wind.mean_2min_m_s),
            nan if operation.state is None else float(operation.state),
            _bit(operation.loaded),
            _bit(operation.climbing),
            float(parts.ledger.total.cycles),
            parts.spectrum.factor,
            parts.damage.share,
            *scene.tilt,
        )


def _features(crane: CraneDescription, papers: Papers | None) -> frozenset[str]:
    given = {
        DESCRIPTION: crane.described,
        PAPERS: papers is not None,
        SLEW_LIMITS: not (isinf(crane.slew_left_deg) or isinf(crane.slew_right_deg)),
        RAILS: crane.travels,
    }
    return frozenset(name for name, is_given in given.items() if is_given)


def _doubted(asset: str, points: Mapping[str, str]) -> list[tuple[int, int]]:
    """Inputs of this crane's own sensors, each behind the bit by which its host says that the sensor is in fault."""
    return [
        (CRANE_INPUTS.index(bit), CRANE_INPUTS.index(key))
        for bit, measured in MEASURED_BY.items()
        for key in measured
        if bit in points and points.get(key, "").startswith(f"{asset}.")
    ]


def _usual_parts_of_line(crane: CraneDescription) -> float:
    """Parts of line when the device does not say: the described ones, or the only ones that the chart knows."""
    known_parts = crane.chart.parts_of_line
    if crane.parts_of_line is not None:
        return float(crane.parts_of_line)
    return float(known_parts[0]) if len(known_parts) == 1 else nan


def _to_the_ends(scene: Scene) -> tuple[float, ...]:
    margins, turn = scene.margins, scene.turn
    return (margins.hook_top_m, margins.radius_out_m, margins.radius_in_m, *turn, margins.travel_m)


def _bit(known: bool | None) -> float:
    return nan if known is None else float(known)
