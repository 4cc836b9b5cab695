"""A yard of two cranes from the site file to its alarms: distances, a zone, a power line, a crane that falls silent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gateway.alarms import AlarmTable
from gateway.line.deriving import Deriving
from gateway.model.alarm import Alarm
from gateway.model.reading import Quality, Readings
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from tests.unit.gateway.settings.kinds import load_site
from tests.unit.gateway.settings.test_asset_plan import SITE

START_NS = 1_760_000_000_000_000_000
FACING = {"crane-1": 90.0, "crane-2": 270.0}
APART = {"crane-1": 270.0, "crane-2": 90.0}


def yard_file(folder: Path) -> Path:
    """Two cranes of one height, 115 m apart (3 m between their tips), a footpath and a 10 kV line."""
    data: dict[str, Any] = yaml.safe_load(yaml.safe_dump(dict(SITE), allow_unicode=True))
    for asset in data["assets"][:2]:
        asset["crane"] |= {"mast_height_m": 48, "hook_height_max_m": 46}
    data["assets"][1]["crane"]["base_x_m"] = 115.0
    path_m = [{"x_m": x, "y_m": y} for x, y in [(-35, -5), (-25, -5), (-25, 5), (-35, 5)]]
    words = {"title_zh": "测试", "title_en": "Test"}
    data["zones"] = [{"number": 3, "kind": "no_lift", "polygon": path_m, **words}]
    wires = [{"x_m": -60, "y_m": y, "low_m": 44, "high_m": 47} for y in (-90, 90)]
    data["power_lines"] = [{"name": "10kv-west", "voltage": "1-15kV", "wires": wires, **words}]
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


class YardLine:
    """The box between its drivers and its alarms, stepped ten times a second."""

    def __init__(self, file: Path) -> None:
        site = load_site(file)
        self._points = site.points
        self._deriving = Deriving(site.plan.models(), site.points)
        self._rules = RuleTable(site.rules)
        self._alarms = AlarmTable("box", site.rules)
        self._window = Window(site.points, 0)
        self._layout = {f"host-{i}": np.array(site.points.of_device(f"host-{i}"), dtype=np.int32) for i in (1, 2)}
        self._tenths = 0

    def run(self, seconds: float, slew_deg: Mapping[str, float], load_t: float = 0.0) -> None:
        """Go on for so long; a crane without a slew does not answer."""
        for _ in range(round(seconds * 10)):
            self._tenths += 1
            for i in (1, 2):
                if f"crane-{i}" in slew_deg:
                    self._poll(f"host-{i}", {"slew_deg": slew_deg[f"crane-{i}"], "load_t": load_t})
            for derived in self._deriving.on_tick(self._window, self._mono_ns, self._now_ns):
                self._take(derived)
            for verdicts in self._rules.on_tick(self._window, self._mono_ns, self._now_ns):
                self._alarms.step(verdicts)

    def alarms(self) -> dict[tuple[str, str], Alarm]:
        """The active alarms by rule and subject."""
        return {(each.rule.rule_id, each.subject): each for each in self._alarms.open_alarms() if each.active}

    @property
    def _mono_ns(self) -> int:
        return self._tenths * 100_000_000

    @property
    def _now_ns(self) -> int:
        return START_NS + self._mono_ns

    def _poll(self, device: str, moving: Mapping[str, float]) -> None:
        usual = {"rated_t": 6.0, "radius_m": 30.0, "hook_m": 20.0, "crane_h_m": 48.0, "multiple": 4.0, "motor": 1.0}
        index = self._layout[device]
        value = np.array([{**usual, **moving}.get(self._points[int(i)].quantity, 0.0) for i in index])
        quality = np.full(len(index), Quality.GOOD, dtype=np.uint8)
        self._take(Readings(device, index, value, quality, self._now_ns, self._now_ns))

    def _take(self, readings: Readings) -> None:
        if self._window.remember(readings, self._mono_ns):
            self._alarms.step(self._rules.on_readings(readings))
        for derived in self._deriving.on_readings(readings, self._window, self._mono_ns):
            self._take(derived)


@pytest.fixture
def line(tmp_path: Path) -> YardLine:
    return YardLine(yard_file(tmp_path))


def _collisions(line: YardLine) -> set[tuple[str, str]]:
    return {(rule, subject) for rule, subject in line.alarms() if rule.startswith(("crane.distance", "crane.predic"))}


def test_two_jibs_that_meet_raise_the_alarms_of_both_cranes(line: YardLine) -> None:
    line.run(3.0, APART)
    assert _collisions(line) == set()
    line.run(3.0, FACING)
    found = _collisions(line)
    for crane in ("crane-1", "crane-2"):
        assert ("crane.distance.alarm", f"{crane}.min_distance_m") in found
        assert ("crane.distance.warn", f"{crane}.known_distance_m") in found
        assert ("crane.prediction.alarm", f"{crane}.predicted_distance_m") in found
    line.run(6.0, APART)
    assert _collisions(line) == set()


def test_a_crane_that_falls_silent_clears_no_alarm(line: YardLine) -> None:
    line.run(3.0, FACING)
    line.run(8.0, {"crane-1": 90.0})
    alarm = line.alarms()["crane.distance.alarm", "crane-1.min_distance_m"]
    assert alarm.unknown
    line.run(6.0, APART)
    assert _collisions(line) == set()


def test_a_load_over_the_footpath_and_a_jib_towards_the_power_line(line: YardLine) -> None:
    line.run(6.0, APART)
    assert ("crane.zone.no_lift", "crane-1.no_lift_zone") not in line.alarms()
    assert ("crane.line.prealarm", "crane-1.line_margin_m") in line.alarms()  # 60 - 56 - 1 - 1.5
    line.run(6.0, APART, load_t=2.0)
    assert line.alarms()["crane.zone.no_lift", "crane-1.no_lift_zone"].measured == 3.0
    line.run(10.0, {**APART, "crane-1": 0.0}, load_t=2.0)
    assert not {"crane.zone.no_lift", "crane.line.prealarm"} & {rule for rule, _ in line.alarms()}
