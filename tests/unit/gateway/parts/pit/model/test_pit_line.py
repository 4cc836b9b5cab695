"""The models of a pit between the window and the rules, as the box steps them."""

from math import isnan

import numpy as np
import pytest

from gateway.line.deriving import Deriving
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality, Readings
from gateway.parts.pit.model.description import PitDescription, SafetyGrade
from gateway.parts.pit.model.frequency import FrequencyTable
from gateway.parts.pit.model.pit import PitDerivation
from gateway.parts.pit.model.point import PitPointDerivation
from gateway.parts.pit.settings.pit import PitSettings
from gateway.rules.window import Window

T0_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
NODES = [{"tilt": f"n{i}", "length_m": 0.5, "top_depth_m": 10.0 - 0.5 * i} for i in range(3)]
PIT = PitSettings.model_validate(
    {
        "design_depth_m": 12.0,
        "safety_grade": 1,
        "inclinometers": [{"id": "chain-1", "nodes": NODES}],
        "points": [
            {
                "name": "cx-1",
                "item": "deep_horizontal_displacement",
                "instrument": "chain-1",
                "already_cumulative": True,
                "neighbours": ["zq-1"],
                "required_every_h": 24.0,
            },
            {
                "name": "zq-1",
                "item": "wall_top_horizontal_displacement",
                "by_hand": True,
                "already_cumulative": True,
                "required_every_h": 24.0,
            },
        ],
    }
).build("pit-1")


class Box:
    """The points of one pit, its models, and the time."""

    def __init__(self, pit: PitDescription = PIT) -> None:
        raw = dict.fromkeys(point for each in pit.points for point in each.source.inputs)
        wired = tuple(Point(name, "pit-1", name, "", f"device-{name}", "", "", stale_after_s=1e6) for name in raw)
        models = [*(PitPointDerivation(pit, point) for point in pit.points), PitDerivation(pit, FrequencyTable())]
        self.points = PointTable(wired + tuple(point for model in models for point in model.outputs))
        self.deriving = Deriving(models, self.points)
        self.window = Window(self.points, 0)
        self.mono_ns = 0

    def poll(self, hour: float, quality: Quality = Quality.GOOD, **values: float) -> list[str]:
        """Each value is a poll of its own; the devices that said something."""
        said = []
        for name, value in values.items():
            index = np.array([self.points.index_of[f"pit-1.{name}"]], dtype=np.int32)
            device = self.points[int(index[0])].device
            at_ns = T0_NS + int(hour * HOUR_NS)
            wire = np.array([value]), np.array([quality], dtype=np.uint8)
            poll = Readings(device, index, *wire, at_ns, at_ns)
            self._remember(poll, at_ns)
            for derived in self.deriving.on_readings(poll, self.window, self.mono_ns):
                self._remember(derived, at_ns)
                said.append(derived.device)
        return said

    def tick(self, hour: float) -> None:
        self.mono_ns = int(hour * HOUR_NS)
        for derived in self.deriving.on_tick(self.window, self.mono_ns, T0_NS + self.mono_ns):
            self._remember(derived, T0_NS + self.mono_ns)

    def value(self, quantity: str) -> float:
        return float(self.window.value[self.points.index_of[f"pit-1.{quantity}"]])

    def _remember(self, readings: Readings, at_ns: int) -> None:
        self.mono_ns = at_ns - T0_NS
        self.window.remember(readings, self.mono_ns)


def test_a_chain_that_is_polled_node_by_node_says_each_depth_once_a_scan() -> None:
    box = Box()
    said = [box.poll(hour, n0=0.1, n1=0.1, n2=0.1) for hour in (0, 1)]
    assert said == [["pit-1:cx-1-1000cm", "pit-1:cx-1-950cm", "pit-1:cx-1-900cm"]] * 2
    step_mm = 500.0 * np.sin(np.radians(0.1))
    depths = [box.value(f"cx-1-{depth}cm") for depth in (1000, 950, 900)]
    assert depths == pytest.approx([step_mm, 2 * step_mm, 3 * step_mm])


def test_a_dead_node_leaves_what_is_below_it_known() -> None:
    box = Box()
    box.poll(0, n0=0.1, n1=0.1, n2=0.1)
    box.poll(1, n0=0.2)
    box.poll(1, quality=Quality.BAD, n1=np.nan)
    assert box.value("cx-1-1000cm") == pytest.approx(500.0 * np.sin(np.radians(0.2)))
    assert isnan(box.value("cx-1-950cm"))
    assert isnan(box.value("cx-1-900cm"))
    assert box.value("cx-1-950cm_quality") == 1.0


def test_a_suspect_value_is_not_judged() -> None:
    box = Box()
    box.poll(0, **{"zq-1_hand": 5.0})
    box.poll(24, quality=Quality.SUSPECT, **{"zq-1_hand": 6.0})
    assert isnan(box.value("zq-1"))


def test_a_chain_and_a_surveyed_wall_top_that_move_together_are_told() -> None:
    box = Box()
    for day in range(4):
        tilt_deg = 0.1 + 0.1 * day
        box.poll(24 * day, n0=tilt_deg, n1=tilt_deg, n2=tilt_deg, **{"zq-1_hand": 2.0 * day})
    box.tick(73)
    assert box.value("zq-1_rising") == 1.0
    assert box.value("cx-1-900cm_rising") == 1.0
    assert box.value("zq-1_overdue") == pytest.approx(1 - 24)


def test_a_surveyor_who_does_not_come_is_overdue_and_the_point_becomes_unknown() -> None:
    box = Box()
    box.poll(0, **{"zq-1_hand": 2.0})
    box.tick(30)
    assert box.value("zq-1_overdue") == pytest.approx(6.0)
    assert box.window.stale(73 * HOUR_NS)[box.points.index_of["pit-1.zq-1"]]


def test_a_grade_that_the_limits_need_is_carried() -> None:
    assert PIT.grade is SafetyGrade.FIRST
    assert PIT.point("zq-1").control is None
