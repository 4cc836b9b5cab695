from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from gateway.parts.pit.model.description import PitDescription, PitPoint, PitStage, SafetyGrade
from gateway.parts.pit.model.frequency import FrequencyTable, PhaseInterval, PitPhase
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.model.pit import NS_AN_HOUR, PitDerivation

T0_NS = 1_700_000_000_000_000_000
DAY_NS = 24 * NS_AN_HOUR
NAN = float("nan")
DAILY = FrequencyTable((PhaseInterval(PitPhase.LAST_THIRD, SafetyGrade.FIRST, 12.0, 24.0),))


def point(name: str, item: PitItem = PitItem.WALL_TOP_HORIZONTAL, **more: object) -> PitPoint:
    return replace(PitPoint(name, item, DirectReading(f"pit-1.{name}_raw"), name, name), **more)  # type: ignore[arg-type]


A = point("a", neighbours=("b",))
B = point("b")
C = point("c", PitItem.DEEP_HORIZONTAL, line="s1")
D = point("d", PitItem.STRUT_FORCE, line="s1", rising_per_day=20.0)
E = point("e", PitItem.GROUND_SETTLEMENT, line="s2")
F = point("f", PitItem.WALL_TOP_HORIZONTAL, line="s1")
PIT = PitDescription("pit-1", (A, B, C, D, E, F), 12.0, SafetyGrade.FIRST, stage=PitStage(excavated_m=11.0))


def rising(*rate: float) -> list[float]:
    return list(PitDerivation(PIT, DAILY).rising_together(np.array(rate)))


class Minute:
    """One pit, asked at a time; says what came out by quantity."""

    def __init__(self, pit: PitDescription = PIT, frequency: FrequencyTable = DAILY) -> None:
        self.model = PitDerivation(pit, frequency)
        self.observed_at_ns = np.zeros(len(self.model.inputs), dtype=np.int64)
        self.value = np.full(len(self.model.inputs), NAN)

    def at(self, hour: float) -> dict[str, float]:
        row = self.model.step(self.value, self.observed_at_ns, T0_NS + int(hour * NS_AN_HOUR))
        return {point.quantity: float(value) for point, value in zip(self.model.outputs, row, strict=True)}

    def read(self, hour: float, column: int = 0) -> None:
        self.observed_at_ns[column] = T0_NS + int(hour * NS_AN_HOUR)


def test_the_names_that_rules_use() -> None:
    model = PitDerivation(PIT, DAILY)
    assert (model.device, model.period_s) == ("pit-1:pit", 60.0)
    assert model.inputs[:2] == ("pit-1.a", "pit-1.b")
    assert model.inputs[6:8] == ("pit-1.a_rate", "pit-1.b_rate")
    roles = {each.quantity: each.role for each in model.outputs}
    assert roles["a_rising"] == "pit_rising_together"
    assert roles["a_overdue"] == "pit_reading_overdue_h"
    assert roles["no_third_party"] == "no_third_party"


def test_neighbours_that_rise_together_rise_together_both_ways() -> None:
    assert rising(0.6, 0.5, 0.0, 0.0, 0.0, 0.0)[:2] == [1.0, 1.0]


def test_one_that_rises_alone_does_not() -> None:
    assert rising(0.6, 0.49, 0.0, 0.0, 0.0, 0.0)[:2] == [0.0, 0.0]


def test_strangers_do_not_rise_together() -> None:
    assert rising(0.6, 0.0, 0.0, 0.0, 9.0, 0.0) == [0.0] * 6


def test_related_items_of_a_section_rise_together() -> None:
    assert rising(0.0, 0.0, 1.0, 25.0, 0.0, 0.0)[2:4] == [1.0, 1.0]


def test_two_points_that_say_the_same_of_a_section_are_no_related_items() -> None:
    assert rising(0.0, 0.0, 1.0, 0.0, 0.0, 1.0)[2] == 0.0


def test_a_companion_that_is_unknown_leaves_it_open() -> None:
    said = rising(0.6, NAN, 0.0, 0.0, 0.0, 0.0)
    assert isnan(said[0])
    assert isnan(said[1])


def test_an_unknown_companion_does_not_hide_one_that_rises() -> None:
    assert rising(0.0, 0.0, 1.0, 25.0, 0.0, NAN)[3] == 1.0


def test_what_does_not_rise_needs_no_companion() -> None:
    assert rising(0.1, NAN, 0.0, 0.0, 0.0, 0.0)[0] == 0.0


def test_water_rises_together_when_it_falls() -> None:
    water = PitDescription("pit-1", (point("w", PitItem.GROUNDWATER, rising_per_day=100.0, neighbours=("a",)), A, B))
    assert PitDerivation(water, DAILY).rising_together(np.array([-150.0, 0.6, 0.0]))[0] == 1.0


@pytest.mark.parametrize(("hour", "overdue"), [(20.0, -4.0), (24.0, 0.0), (30.0, 6.0)])
def test_a_reading_is_overdue_beyond_the_tables_longest_interval(hour: float, overdue: float) -> None:
    minute = Minute()
    minute.read(0)
    assert minute.at(hour)["a_overdue"] == pytest.approx(overdue)


def test_a_point_that_was_never_read_counts_from_when_that_was_seen() -> None:
    minute = Minute()
    minute.at(0)
    assert minute.at(30)["b_overdue"] == pytest.approx(6.0)


def test_a_new_reading_ends_it() -> None:
    minute = Minute()
    minute.at(0)
    minute.read(29)
    assert minute.at(30)["a_overdue"] < 0


def test_a_reading_from_the_future_is_none() -> None:
    minute = Minute()
    minute.read(0)
    minute.at(1)
    minute.read(1000)
    assert minute.at(30)["a_overdue"] == pytest.approx(6.0)


def test_the_monitoring_scheme_beats_the_table() -> None:
    minute = Minute(replace(PIT, points=(replace(A, required_every_h=2.0), B)))
    minute.read(0)
    minute.read(0, column=1)
    said = minute.at(5)
    assert (said["a_overdue"], said["b_overdue"]) == (pytest.approx(3.0), pytest.approx(-19.0))


def test_without_a_row_in_the_table_nobody_knows() -> None:
    minute = Minute(replace(PIT, grade=SafetyGrade.THIRD))
    minute.read(0)
    assert isnan(minute.at(1000)["a_overdue"])


def test_the_excavated_depth_may_come_from_a_point() -> None:
    minute = Minute(replace(PIT, stage=PitStage(excavated_point="pit-1.excavated_m")))
    assert minute.model.inputs[-1] == "pit-1.excavated_m"
    minute.read(0)
    unknown = minute.at(1)
    assert isnan(unknown["a_overdue"])
    assert isnan(unknown["excavated_share"])
    minute.value[-1] = 9.0
    known = minute.at(30)
    assert known["excavated_share"] == pytest.approx(0.75)
    assert known["a_overdue"] == pytest.approx(6.0)


@pytest.mark.parametrize(("monitored", "said"), [(True, 0.0), (False, 1.0), (None, NAN)])
def test_whether_a_third_party_monitors_is_said_as_it_was_said(monitored: bool | None, said: float) -> None:
    value = Minute(replace(PIT, third_party_monitored=monitored)).at(0)["no_third_party"]
    assert value == said or (isnan(value) and isnan(said))


def test_the_base_slab_is_cast_from_its_day_on() -> None:
    minute = Minute(replace(PIT, stage=PitStage(base_slab_cast_ns=T0_NS + DAY_NS)))
    assert [minute.at(hour)["base_slab_cast"] for hour in (0, 24, 48)] == [0.0, 1.0, 1.0]


def test_a_restart_does_not_forgive_a_reading_that_is_due() -> None:
    minute, after = Minute(), Minute()
    minute.read(0)
    minute.at(0)
    after.model.restore(minute.model.saved())
    assert after.at(30)["a_overdue"] == pytest.approx(6.0)
    assert after.at(30) == pytest.approx(minute.at(30), nan_ok=True)


def test_a_point_that_is_new_after_a_restart_counts_from_then() -> None:
    minute = Minute(replace(PIT, points=(B,)))
    minute.at(0)
    after = Minute()
    after.model.restore(minute.model.saved())
    said = after.at(30)
    assert (said["b_overdue"], said["a_overdue"]) == (pytest.approx(6.0), pytest.approx(-24.0))


@pytest.mark.parametrize("saved", [None, [], {"a": "yesterday"}])
def test_what_is_no_kept_state_is_refused(saved: object) -> None:
    with pytest.raises(ValueError, match=r"not the state|no time"):
        PitDerivation(PIT, DAILY).restore(saved)  # type: ignore[arg-type]


@pytest.mark.parametrize("item", [PitItem.COLUMN_VERTICAL, PitItem.WALL_TOP_VERTICAL])
def test_a_heave_that_grows_beside_another_rises_as_a_settlement_does(item: PitItem) -> None:
    """The rows of a heave have their own step for rising together: it must be able to come."""
    beside = PitDescription("pit-1", (point("l1", item, neighbours=("l2",)), point("l2", item)))
    model = PitDerivation(beside, DAILY)
    assert list(model.rising_together(np.array([-0.6, -0.5]))) == [1.0, 1.0]
    assert list(model.rising_together(np.array([-0.6, -0.4]))) == [0.0, 0.0]


@pytest.mark.parametrize(("hour", "known"), [(72.0, True), (72.1, False)])
def test_a_rate_that_was_brought_late_is_known_no_longer_than_its_point_is_valid(hour: float, known: bool) -> None:
    assert isnan(_with_rates(hour)["a_rising"]) is not known


def _with_rates(hour: float) -> dict[str, float]:
    """What the pit says when all rates are of hour 0."""
    model = PitDerivation(PIT, DAILY)
    value = np.zeros(len(model.inputs))
    row = model.step(value, np.full(len(value), T0_NS, dtype=np.int64), T0_NS + int(hour * NS_AN_HOUR))
    return {point.quantity: float(each) for point, each in zip(model.outputs, row, strict=True)}
