"""From what instruments say to alarms, through the asset models: shipped rules on points that models derive."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.modbus.decode import compile_table
from drivers.modbus.encode import encode_table
from drivers.modbus.settings import ModbusTable
from gateway.alarms import AlarmTable
from gateway.line.deriving import Deriving
from gateway.model.alarm import Alarm, TransitionKind
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.model.verdict import Truth, Verdicts
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings
from tests.fakes.modbus_binding import shipped_table
from tests.unit.gateway.settings.kinds import load_site

START_NS = 1_700_000_000_000_000_000
CALM = {"load_t": 0.0, "rated_t": 6.0, "moment_pct": 10.0, "radius_m": 20.0, "hook_m": 15.0, "crane_h_m": 40.0}
CALM |= {"slew_deg": 90.0, "wind_ms": 2.0, "tilt_deg": 0.01, "multiple": 2.0, "motor": 1.0, "work_status": 0.0}
DESIGN = {"limit_source": "design", "clause": "Drawing", "certainty": "SITE", "design_f2": 2000, "preload_fy": 500}
BASELINE = {"at": "2023-01-01T08:00:00+08:00", "by": "monitoring unit", "reason": "zero survey", "zero": 0.0}
WALL_TOP = "wall_top_horizontal_displacement"
PIT: dict[str, Any] = {
    "safety_grade": 1,
    "points": [
        {"name": "zq-1", "item": WALL_TOP, "input": "wall_top_h", "structure": "diaphragm_wall"},
        {"name": "zl-1", "item": "support_axial_force", "input": "strut_force_kn", "control": DESIGN},
    ],
    "baselines": [{"point": "zq-1", **BASELINE}],
}


class Box:
    """Window, models, rules and alarms in a line, on simulated time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._window = Window(settings.points, 0)
        self._models = Deriving(settings.plan.models(), settings.points)
        self._rules = RuleTable(settings.rules)
        self._alarms = AlarmTable("box", settings.rules)
        devices = {point.device for point in settings.points.points}
        self._layouts = {each: np.array(settings.points.of_device(each), dtype=np.int32) for each in devices}
        self.raised: dict[tuple[str, str], Alarm] = {}

    def poll(self, at_s: float, device: str, levels: Mapping[str, float]) -> None:
        index = self._layouts[device]
        value = np.array([levels.get(self.settings.points[int(i)].quantity, np.nan) for i in index])
        quality = np.where(np.isnan(value), Quality.BAD, Quality.GOOD).astype(np.uint8)
        self._arrives(at_s, device, index, value, quality)

    def shows(self, at_s: float, device: str, table: ModbusTable, levels: Mapping[str, float]) -> None:
        """As `poll`, with the qualities that the device's table gives the words."""
        decoder, words = compile_table(table), encode_table(table, levels)
        blocks = [
            np.array([words[r.function].get(a, 0) for a in range(r.address, r.end)], np.uint16)
            for r in decoder.requests
        ]
        self._arrives(at_s, device, self._layouts[device], *decoder.decode(blocks))

    def _arrives(
        self, at_s: float, device: str, index: NDArray[np.int32], value: NDArray[np.float64], quality: NDArray[np.uint8]
    ) -> None:
        now_ns = START_NS + round(at_s * 1e9)
        raw = RawBlock(payload=b"poll")
        self._take(Readings(device, index, value, quality, now_ns, now_ns, raw), round(at_s * 1e9))

    def tick(self, at_s: float) -> None:
        mono_ns, now_ns = round(at_s * 1e9), START_NS + round(at_s * 1e9)
        for derived in self._models.on_tick(self._window, mono_ns, now_ns):
            self._window.remember(derived, mono_ns)
            self._judge(self._rules.on_readings(derived))
        for verdicts in self._rules.on_tick(self._window, mono_ns, now_ns):
            self._judge(verdicts)

    def truth(self, rule_id: str, subject: str) -> Truth:
        return Truth(self._alarms.truth[self._rules.row_of[rule_id, subject]])

    def active(self, rule_id: str, subject: str) -> bool:
        return any(
            each.active and each.rule.rule_id == rule_id and each.subject == subject
            for each in self._alarms.open_alarms()
        )

    def _take(self, readings: Readings, mono_ns: int) -> None:
        self._window.remember(readings, mono_ns)
        self._judge(self._rules.on_readings(readings))
        for derived in self._models.on_readings(readings, self._window, mono_ns):
            self._window.remember(derived, mono_ns)
            self._judge(self._rules.on_readings(derived))

    def _judge(self, verdicts: Verdicts) -> None:
        for each in self._alarms.step(verdicts):
            if each.kind is TransitionKind.RAISED:
                self.raised[each.alarm.rule.rule_id, each.alarm.subject] = each.alarm


def _crane(box: Box, levels: Mapping[str, float], from_s: int, to_s: int) -> None:
    for tenth in range(from_s * 10, to_s * 10):
        box.poll(tenth / 10, "crane-1-host", CALM | levels)
        box.tick(tenth / 10)


def test_wind_stops_lifting_only_once_a_load_hangs() -> None:
    box = Box(load_site("demo"))
    _crane(box, {"wind_ms": 12.5}, 0, 10)
    stop = ("crane.wind.lifting_stop", "crane-1.wind_3s_ms")
    assert ("crane.wind.no_lifting", "crane-1.wind_3s_ms") in box.raised
    assert stop not in box.raised
    _crane(box, {"wind_ms": 12.5, "load_t": 3.0}, 10, 20)
    assert stop in box.raised
    goes_on = ("crane.wind.lifting_goes_on", "crane-1.wind_3s_ms")
    assert goes_on not in box.raised
    _crane(box, {"wind_ms": 12.5, "load_t": 3.0}, 20, 80)
    assert box.raised[goes_on].rule.hazard == "MH24-15-2"


def test_wind_stops_climbing_earlier() -> None:
    box = Box(load_site("demo"))
    _crane(box, {"wind_ms": 9.5, "work_status": 1.0}, 0, 10)
    assert ("crane.wind.climbing_stop", "crane-1.wind_3s_ms") in box.raised


def test_a_crane_whose_load_is_not_known_is_unknown_and_not_calm() -> None:
    box = Box(load_site("demo"))
    levels = {key: value for key, value in CALM.items() if key != "load_t"}
    for second in range(10):
        box.poll(second, "crane-1-host", levels | {"wind_ms": 12.5})
        box.tick(second)
    assert box.truth("crane.wind.lifting_stop", "crane-1.wind_3s_ms") is Truth.UNKNOWN
    assert ("crane.wind.no_lifting", "crane-1.wind_3s_ms") in box.raised, "what is left is said all the same"


def test_a_moment_of_a_load_sensor_in_fault_is_unknown_and_its_alarm_stays_open() -> None:
    box, table = Box(load_site("demo")), shipped_table("crane-host-modbus")
    bits = dict.fromkeys((point.key for point in table.points if point.key.endswith("_error")), 0.0)
    healthy = CALM | bits | {"multi_alarm": 0.0, "driver_no": 7.0}
    row = ("crane.moment.alarm", "crane-1.moment_pct")

    def goes_on(levels: dict[str, float], from_s: int, to_s: int) -> None:
        for tenth in range(from_s * 10, to_s * 10):
            box.shows(tenth / 10, "crane-1-host", table, healthy | levels)
            box.tick(tenth / 10)

    goes_on({"moment_pct": 102.0}, 0, 5)
    assert row in box.raised
    goes_on({"moment_pct": 10.0, "weight_error": 1.0}, 5, 20)
    assert box.truth(*row) is Truth.UNKNOWN
    assert box.active(*row), "a moment that nobody can believe clears nothing"
    goes_on({"moment_pct": 10.0, "wind_error": 1.0}, 20, 30)
    assert box.truth(*row) is Truth.FALSE
    assert not box.active(*row)


def _pit(box: Box, levels: Mapping[str, float]) -> None:
    for second in range(5):
        box.poll(second, "pit-1-logger", levels)
        box.tick(second)


def test_a_pit_without_a_depth_alarms_by_the_bound_and_is_unknown_below() -> None:
    settings = load_site("demo", **{"assets[pit-1].pit": PIT, "rule_overrides": []})
    row = ("pit.wall_top_horizontal_displacement.cumulative.alarm", "pit-1.zq-1")
    over, below = Box(settings), Box(settings)
    _pit(over, {"wall_top_h": 20.4, "strut_force_kn": 500.0})
    _pit(below, {"wall_top_h": 5.0, "strut_force_kn": 500.0})
    assert row in over.raised
    assert below.truth(*row) is Truth.UNKNOWN


def test_a_strut_that_lost_its_preload_alarms() -> None:
    box = Box(load_site("demo", **{"assets[pit-1].pit": PIT, "rule_overrides": []}))
    _pit(box, {"wall_top_h": 1.0, "strut_force_kn": 0.78 * 500.0})
    assert {rule for rule, _ in box.raised if "support_axial" in rule} == {"pit.support_axial_force.load_low.alarm"}
