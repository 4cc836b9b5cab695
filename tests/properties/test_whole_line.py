"""A loaded site under any day: losing a point never makes UNKNOWN or TRUE a FALSE, and time has no origin.

The site has two described cranes of a group, one with papers, a zone, a power line, and a described pit; all rules of
the shipped pack are judged, from the poll through the models to the alarms. Nothing in it is bound to a date: editions,
expiry and the calendar are not asked.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isnan, nan
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.alarms import AlarmTable
from gateway.line.deriving import Deriving
from gateway.model.alarm import Transition
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.model.verdict import Truth, Verdicts
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings
from tests.fakes.loaded_site import IDLE_CRANE, TITLES, crane_asset, pit_asset, write_site
from tests.unit.gateway.settings.kinds import load_site

START_NS = 1_772_409_600_000_000_000
SECOND_NS = 1_000_000_000
CRANE, OTHER, PIT = "crane-1-host", "crane-2-host", "pit-1-host"
IDLE_PIT: Mapping[str, float] = {
    "wall_top_h": 4.0,
    "wall_top_v": 1.0,
    "deep_h": 6.0,
    "water_level_mm": 100.0,
    "strut_force_kn": 1000.0,
    "ground_settlement": 3.0,
    "building_settlement": 1.0,
    "column_v": 1.0,
    "building_tilt_permille": 0.1,
    "excavated_m": 6.0,
    "box_temp": 20.0,
    "sensor_fault": 0.0,
    "mains_lost": 0.0,
    "battery_level": 12.0,
}
CRANE_VALUES: Mapping[str, Sequence[float]] = {
    "load_t": [0.0, 0.15, 2.0, 6.4, nan],
    "moment_pct": [0.0, 92.0, 106.0, 112.0, nan],
    "radius_m": [2.4, 20.0, 49.5, 50.5, nan],
    "hook_m": [10.0, 41.5, 42.6, nan],
    "crane_h_m": [45.0, 47.8, nan],
    "slew_deg": [0.0, 90.0, 170.0, 350.0, nan],
    "wind_ms": [2.0, 8.5, 9.1, 11.0, 12.1, 21.0, nan],
    "tilt_deg": [0.05, 0.3, nan],
    "multiple": [2.0, 3.0, nan],
    "motor": [0.0, 1.0, nan],
    "work_status": [0.0, 1.0, nan],
    "driver_no": [0.0, 7.0, nan],
    "weight_error": [0.0, 1.0, nan],
    "wind_error": [0.0, 1.0, nan],
}
PIT_MOVES: Mapping[str, Sequence[float]] = {
    "wall_top_h": [0.0, 0.3, 1.5, 2.5, 30.0, nan],
    "deep_h": [0.0, 0.3, 2.2, 40.0, nan],
    "water_level_mm": [0.0, -50.0, 600.0, nan],
    "strut_force_kn": [0.0, 5.0, -250.0, 300.0, nan],
    "ground_settlement": [0.0, 0.5, 1.6, 25.0, nan],
}
SCENES: Sequence[Mapping[str, float]] = (
    {},
    {"load_t": 2.0, "motor": 1.0, "wind_ms": 12.1},
    {"load_t": 2.0, "motor": 1.0, "wind_ms": 21.0},
    {"work_status": 1.0, "motor": 1.0, "wind_ms": 9.1, "crane_h_m": 47.8},
    {"load_t": 6.4, "moment_pct": 112.0, "radius_m": 49.5, "hook_m": 42.6, "motor": 1.0},
    {"load_t": 2.0, "slew_deg": 90.0, "radius_m": 20.0},
    {"slew_deg": 270.0, "radius_m": 30.0, "hook_m": 10.0, "load_t": 2.0},
)
OTHER_VALUES: Mapping[str, Sequence[float]] = {
    "slew_deg": [0.0, 200.0, 270.0, 330.0, nan],
    "radius_m": [20.0, 45.0, nan],
    "hook_m": [5.0, 20.0, 41.0, nan],
    "crane_h_m": [45.0, 52.0, nan],
    "load_t": [0.0, 2.0, nan],
    "motor": [0.0, 1.0, nan],
    "multi_alarm": [0.0, 1.0, nan],
}
REMOVABLE = [
    (device, key)
    for device, keys in ((CRANE, (*CRANE_VALUES, "multi_alarm")), (OTHER, OTHER_VALUES), (PIT, PIT_MOVES))
    for key in keys
]


@dataclass(frozen=True)
class Poll:
    """One poll of one device, `after_s` after the one before; `values` change what the device says."""

    after_s: float
    device: str
    values: Mapping[str, float]


@lru_cache(maxsize=1)
def loaded() -> Settings:
    """The site, loaded once: the same plan builds fresh models for every run."""
    control = {"clause": "S-07", "preload_fy": 1000.0, "design_f2": 2000.0}
    points = [
        {"name": "zq-1", "item": "wall_top_horizontal_displacement", "input": "wall_top_h", "neighbours": ["cx-1"]},
        {"name": "cx-1", "item": "deep_horizontal_displacement", "input": "deep_h", "line": "A"},
        {"name": "dk-1", "item": "surface_settlement", "input": "ground_settlement", "line": "A"},
        {"name": "sw-1", "item": "groundwater_level", "input": "water_level_mm"},
        {"name": "zl-1", "item": "support_axial_force", "input": "strut_force_kn", "line": "A", "control": control},
    ]
    moving = {"structure": "diaphragm_wall", "already_cumulative": True}
    points = [point | ({} if point["name"] == "zl-1" else moving) for point in points]
    papers = {
        "registration": {"number": "T-1"},
        "climbing_checks": [],
        "erection_limits": {"max_free_height_m": 46.0, "document": "manual, page 7"},
    }
    assets = [
        crane_asset(crane={"slew_left_deg": 180.0, "slew_right_deg": 180.0}, papers=papers),
        crane_asset("crane-2", crane={"number": 1, "base_x_m": 60.0}),
        pit_asset(points, design_depth_m=12.0, excavated_point="excavated_m"),
    ]
    members = [{"crane": name, "head_height_m": 6.0} for name in ("crane-1", "crane-2")]
    square = [{"x_m": x_m, "y_m": y_m} for x_m, y_m in ((15.0, -5.0), (25.0, -5.0), (25.0, 5.0), (15.0, 5.0))]
    wires = [{"x_m": -30.0, "y_m": y_m, "low_m": 10.0, "high_m": 12.0} for y_m in (-60.0, 60.0)]
    sections = {
        "crane_groups": [{"name": "north", **TITLES, "members": members}],
        "zones": [{"number": 1, "kind": "no_lift", **TITLES, "polygon": square}],
        "power_lines": [{"name": "line-1", **TITLES, "voltage": "1-15kV", "wires": wires}],
    }
    with tempfile.TemporaryDirectory() as folder:
        return load_site(write_site(Path(folder), assets, **sections))


class Line:
    """The judging line without its stores. `lost`: a point of a device that never says anything."""

    def __init__(self, lost: tuple[str, str] = ("", ""), start_ns: int = START_NS) -> None:
        site = loaded()
        self._lost = lost
        self._start_ns = start_ns
        self._mono_ns = 0
        self._window = Window(site.points, 0)
        self._rules = RuleTable(site.rules)
        self._deriving = Deriving(site.plan.models(), site.points)
        self.alarms = AlarmTable("box-1", site.rules)
        self._devices = {device.settings.id: device for link in site.links for device in link.devices}
        self._said = {CRANE: dict(IDLE_CRANE), OTHER: {**IDLE_CRANE, "slew_deg": 270.0}, PIT: dict(IDLE_PIT)}
        self.transitions: list[Transition] = []
        self.truths: list[NDArray[np.uint8]] = []

    def live(self, polls: Sequence[Poll]) -> "Line":
        for poll in polls:
            self._mono_ns += round(poll.after_s * SECOND_NS)
            self._tick()
            self._said[poll.device].update(poll.values)
            self._take(self._readings(poll.device))
            self._tick()
            self.truths.append(self.alarms.truth.copy())
        return self

    @property
    def _now_ns(self) -> int:
        return self._start_ns + self._mono_ns

    def _readings(self, device: str) -> Readings:
        bound, said = self._devices[device], self._said[device]
        value = np.array([nan if (device, p.quantity) == self._lost else said[p.quantity] for p in bound.points])
        quality = np.where(np.isnan(value), Quality.BAD, Quality.GOOD).astype(np.uint8)
        return Readings(device, bound.point_index, value, quality, self._now_ns, self._now_ns, RawBlock(payload=b"1"))

    def _take(self, readings: Readings) -> None:
        if self._window.remember(readings, self._mono_ns):
            self._judge(self._rules.on_readings(readings))
            for derived in self._deriving.on_readings(readings, self._window, self._mono_ns):
                self._take_derived(derived)

    def _take_derived(self, readings: Readings) -> None:
        if self._window.remember(readings, self._mono_ns):
            self._judge(self._rules.on_readings(readings))

    def _tick(self) -> None:
        for derived in self._deriving.on_tick(self._window, self._mono_ns, self._now_ns):
            self._take_derived(derived)
        for verdicts in self._rules.on_tick(self._window, self._mono_ns, self._now_ns):
            self._judge(verdicts)

    def _judge(self, verdicts: Verdicts) -> None:
        self.transitions += self.alarms.step(verdicts)


@st.composite
def days(draw: st.DrawFn) -> list[Poll]:
    """Stretches at the cranes, some seconds each, and at the pit, where hours or a day lie between readings."""
    polls: list[Poll] = []
    level = dict(IDLE_PIT)
    for _ in range(draw(st.integers(2, 6))):
        if draw(st.booleans()):
            keys = draw(st.sets(st.sampled_from(sorted(CRANE_VALUES)), max_size=3))
            changes = {key: draw(st.sampled_from(CRANE_VALUES[key])) for key in sorted(keys)}
            changes = {**draw(st.sampled_from(SCENES)), **changes}
            every_s = draw(st.sampled_from([0.5, 1.0, 5.0]))
            others = draw(st.sets(st.sampled_from(sorted(OTHER_VALUES)), max_size=3))
            beside = {key: draw(st.sampled_from(OTHER_VALUES[key])) for key in sorted(others)}
            polls += [Poll(every_s, CRANE, changes), Poll(0.05, OTHER, beside)] * draw(st.integers(1, 20))
        else:
            keys = draw(st.sets(st.sampled_from(sorted(PIT_MOVES)), min_size=1, max_size=4))
            steps = {key: draw(st.sampled_from(PIT_MOVES[key])) for key in sorted(keys)}
            every_s = draw(st.sampled_from([3600.0, 86_400.0]))
            for i in range(draw(st.integers(1, 8))):
                level = {
                    key: level[key] + (0.0 if isnan(steps.get(key, 0.0)) else steps.get(key, 0.0)) for key in level
                }
                scatter = {key: level[key] * (1 + 0.001 * (i % 2)) for key in PIT_MOVES}
                polls.append(Poll(every_s, PIT, scatter | {key: nan for key, step in steps.items() if isnan(step)}))
    return polls


def names(rows: NDArray[np.intp]) -> list[str]:
    return [f"{loaded().rules[row].info.rule_id} on {loaded().rules[row].subject}" for row in rows]


@settings(max_examples=20, deadline=None)
@given(days(), st.sampled_from(REMOVABLE))
def test_losing_a_point_never_makes_unknown_or_true_a_false(polls: list[Poll], lost: tuple[str, str]) -> None:
    whole, without = Line().live(polls), Line(lost).live(polls)
    for i, (before, after) in enumerate(zip(whole.truths, without.truths, strict=True)):
        wrong = np.flatnonzero((before != Truth.FALSE) & (after == Truth.FALSE))
        assert names(wrong) == [], f"poll {i} without {lost}"


@settings(max_examples=20, deadline=None)
@given(days(), st.integers(-20_000, 20_000), st.integers(0, 86_399_999_999_999))
def test_shifted_time_changes_nothing(polls: list[Poll], shift_days: int, shift_ns: int) -> None:
    shift = shift_days * 86_400 * SECOND_NS + shift_ns
    one, other = Line().live(polls), Line(start_ns=START_NS + shift).live(polls)
    for i, (here, there) in enumerate(zip(one.truths, other.truths, strict=True)):
        assert names(np.flatnonzero(here != there)) == [], f"poll {i}"
    assert [told(each, 0) for each in one.transitions] == [told(each, shift) for each in other.transitions]


def told(transition: Transition, shift: int) -> tuple[object, ...]:
    """What a transition says, but for the names that carry a time; figures to nine digits, beyond which sums round."""
    alarm = transition.alarm
    figures = (f"{transition.measured:.9g}", f"{alarm.worst:.9g}", alarm.limit)
    return (transition.kind, alarm.rule, alarm.subject, transition.at_ns - shift, alarm.raised_at_ns - shift, *figures)


def test_the_days_are_not_empty_of_alarms() -> None:
    """What the properties walk through raises alarms of the crane and of the pit."""
    storm = {"wind_ms": 12.1, "load_t": 2.0, "motor": 1.0, "work_status": 1.0}
    polls = [Poll(1.0, CRANE, storm)] * 8 + [Poll(86_400.0, PIT, {"deep_h": 6.0 + 2.5 * i}) for i in range(12)]
    raised = {transition.alarm.rule.rule_id for transition in Line().live(polls).transitions}
    assert {"crane.wind.lifting_stop", "crane.papers.climbing_unchecked"} <= raised
    assert any(rule_id.startswith("pit.deep_horizontal_displacement.cumulative") for rule_id in raised)
