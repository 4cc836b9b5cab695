"""What the points of a pit share: rain, digging, wells, and which of them creep as one mass."""

import json
from math import isnan, nan

import numpy as np
import pytest

from gateway.parts.pit.forecast.creep_drivers import DriverKind
from gateway.parts.pit.model.description import Baseline, BaselineKind, PitDescription, PitPoint, PitStage
from gateway.parts.pit.model.frequency import FrequencyTable
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.model.pit import PitDerivation
from gateway.parts.pit.model.point import PitPointDerivation
from gateway.parts.pit.model.surroundings import Course, PitSurroundings
from tests.fakes.creep_series import Case, Kind, case

DAY_NS = 86_400_000_000_000
START_NS = 20_000 * DAY_NS
ZERO = (Baseline(BaselineKind.INITIAL, 0, "x", "zero survey", zero=0.0),)


def point(name: str, item: PitItem = PitItem.WALL_TOP_HORIZONTAL, source: str = "", **more: object) -> PitPoint:
    read = DirectReading(source or f"pit-1.{name}_hand")
    return PitPoint(name, item, read, name, name, baselines=ZERO, **more)  # type: ignore[arg-type]


def values_of(course: Course) -> list[float]:
    driver = course.driver(START_NS)
    return [] if driver is None else [round(float(value), 6) for value in driver.value]


def noted(course: Course, *values: float) -> Course:
    for day, value in enumerate(values):
        course.note(START_NS + day * DAY_NS, value)
    return course


def test_a_rain_counter_that_was_set_to_zero_counts_on() -> None:
    rain = noted(Course(DriverKind.PUT_IN, counter=True), nan, 100.0, 104.5, 2.0, 3.0)
    assert values_of(rain) == [0.0, 4.5, 6.5, 7.5]


def test_the_noise_of_a_depth_gauge_digs_nothing() -> None:
    dug = noted(Course(DriverKind.PUT_IN), 6.0, 5.98, 6.01, 5.99, 8.0)
    assert values_of(dug) == [0.0, 0.0, 0.01, 0.01, 2.0]


def test_a_level_is_what_it_is() -> None:
    assert values_of(noted(Course(DriverKind.LEVEL), 30.0, -10.0, nan, 5.0)) == [30.0, -10.0, 5.0]


def test_what_was_never_known_twice_is_not_told() -> None:
    assert Course(DriverKind.LEVEL).driver(START_NS) is None
    assert noted(Course(DriverKind.LEVEL), 3.0).driver(START_NS) is None


def test_a_course_goes_on_after_a_restart() -> None:
    before, after = noted(Course(DriverKind.PUT_IN, counter=True), 10.0, 13.0), Course(DriverKind.PUT_IN, counter=True)
    after.restore(json.loads(json.dumps(before.saved())))
    for course in (before, after):
        course.note(START_NS + 3 * DAY_NS, 14.0)
    assert values_of(after) == values_of(before) == [0.0, 3.0, 4.0]
    after.restore(Course(DriverKind.PUT_IN).saved())
    assert after.driver(START_NS) is None
    with pytest.raises(ValueError, match="course"):
        after.restore([1.0])


def test_one_mass_is_the_neighbours_and_the_section_without_what_shares_an_instrument() -> None:
    points = (
        point("a", neighbours=("b",), line="1"),
        point("b"),
        point("c", PitItem.GROUND_SETTLEMENT, line="1"),
        point("d", line="2", neighbours=("a",)),
        point("e", line="1", source="pit-1.a_hand"),
        point("f", PitItem.STRUT_FORCE, line="1"),
        point("g", line="2"),
    )
    around = PitSurroundings(PitDescription("pit-1", points))
    mass = around.evidence_of(points[0]).neighbours()
    assert list(mass) == [around.forecasters[name] for name in ("b", "d", "c")]


def test_the_wells_of_the_section_count_and_without_any_all_of_the_pit() -> None:
    wells = tuple(point(f"sw-{i}", PitItem.GROUNDWATER, line=str(i)) for i in (1, 2))
    points = (point("a", line="1"), point("b", line="7"), *wells)
    around = PitSurroundings(PitDescription("pit-1", points))
    for name in ("sw-1", "sw-2"):
        noted(around.wells[name], 1.0, 2.0)
    assert len(around.evidence_of(points[0]).drivers(START_NS)) == 1
    assert len(around.evidence_of(points[1]).drivers(START_NS)) == 2


class Pit:
    """The models of a hand-read pit that share what they know, stepped by the day."""

    def __init__(self, count: int) -> None:
        names = [f"zq-{i}" for i in range(count)]
        points = [point(name, neighbours=tuple(other for other in names if other != name)) for name in names]
        self.pit = PitDescription("pit-1", tuple(points), stage=PitStage(), rain_point="mast-1.rain")
        around = PitSurroundings(self.pit)
        self.models = [PitPointDerivation(self.pit, each, nan, around) for each in points]
        self.whole = PitDerivation(self.pit, FrequencyTable(), around)

    def read(self, series: Case, readings: list[np.ndarray], i: int, rain_mm: float = nan) -> dict[str, float]:
        now_ns = START_NS + int(series.t_d[i] * DAY_NS)
        seen = np.array([now_ns], dtype=np.int64)
        inputs = np.full(len(self.whole.inputs), nan)
        inputs[-1] = rain_mm
        self.whole.step(inputs, np.zeros(len(inputs), dtype=np.int64), now_ns)
        for model, values in zip(self.models, readings, strict=True):
            row = model.step(np.array([values[i]]), seen, now_ns)
            assert row is not None
        return {each.role: float(value) for each, value in zip(model.outputs, row, strict=True)}

    def restored(self) -> "Pit":
        after = Pit(len(self.models))
        for old, new in zip([*self.models, self.whole], [*after.models, after.whole], strict=True):
            new.restore(json.loads(json.dumps(old.saved())))
        return after


def test_the_points_of_a_pit_are_forecast_together_and_a_restart_changes_nothing() -> None:
    series = case(Kind.HAND_READ, 7201)
    readings = [*series.neighbours(3), series.x_mm]
    pit, said = Pit(4), []
    for i in range(len(series.t_d)):
        if i == 12:
            pit = pit.restored()
        said.append(pit.read(series, readings, i))
    left_h = (series.failure_d - series.t_d) * 24
    spoke_h = [left for left, one in zip(left_h, said, strict=True) if one["pit_failure_high_h"] < 9999]
    assert spoke_h[0] >= 48
    through = Pit(4)
    assert [repr(one) for one in said] == [repr(through.read(series, readings, i)) for i in range(len(series.t_d))]
    assert any(one["pit_failure_clear_h"] < 9999 for one in said)


def test_a_rain_gauge_that_explains_the_movement_silences_its_points() -> None:
    series = case(Kind.HAND_READ, 7201)
    readings = [*series.neighbours(3), series.x_mm]
    pit = Pit(4)
    said = [pit.read(series, readings, i, 40.0 * abs(float(series.true_mm[i]))) for i in range(len(series.t_d))]
    assert all(isnan(one["pit_failure_high_h"]) or one["pit_failure_high_h"] == 9999 for one in said)


def test_what_was_said_before_the_last_output_was_added_is_kept() -> None:
    series = case(Kind.HAND_READ, 7201)
    pit = Pit(1)
    pit.read(series, [series.x_mm], 0)
    model = pit.models[0]
    saved = json.loads(json.dumps(model.saved()))
    saved["said"][1] = list(saved["said"][1].values())[:-1]
    model.restore(saved)
    kept = model.last_said()
    assert kept is not None
    assert kept[1][0] == pytest.approx(series.x_mm[0])
    assert isnan(kept[1][-1])
