from pathlib import Path

import pytest

from gateway.parts.pit.model.description import PitDescription, PitStage, PitTrade, SafetyGrade
from gateway.parts.pit.model.frequency import NS_A_DAY, FrequencyTable, PitPhase, phase_of
from gateway.parts.pit.settings.frequency import read_frequency
from gateway.settings.library import config_root
from gateway.settings.source import read_document

NOW_NS = 1_700_000_000_000_000_000
NAN = float("nan")


@pytest.fixture(scope="module")
def table() -> FrequencyTable:
    document = read_document(config_root() / "pit" / "reading-frequency.yaml")
    read = read_frequency(document)
    assert document.faults == []
    assert read is not None
    return read


def pit(
    depth_m: float | None = 12.0,
    grade: SafetyGrade | None = SafetyGrade.FIRST,
    trade: PitTrade = PitTrade.BUILDING,
    slab_age_d: float | None = None,
) -> PitDescription:
    cast_ns = None if slab_age_d is None else NOW_NS - int(slab_age_d * NS_A_DAY)
    return PitDescription("pit-1", (), depth_m, grade, trade, PitStage(base_slab_cast_ns=cast_ns))


@pytest.mark.parametrize(
    ("excavated_m", "first_h", "second_h"),
    [(0.0, 72, 72), (4.0, 72, 72), (4.1, 48, 48), (8.0, 48, 48), (8.1, 24, 24), (12.0, 24, 24), (13.0, 24, 24)],
)
def test_building_works_by_thirds_of_the_depth(
    table: FrequencyTable, excavated_m: float, first_h: float, second_h: float
) -> None:
    assert table.interval_h(pit(), excavated_m, NOW_NS) == first_h
    assert table.interval_h(pit(grade=SafetyGrade.SECOND), excavated_m, NOW_NS) == second_h


@pytest.mark.parametrize(
    ("age_d", "first_h", "second_h"),
    [(0, 24, 48), (7, 24, 48), (7.1, 72, 72), (14, 72, 72), (14.1, 120, 168), (28.1, 168, 240), (400, 168, 240)],
)
def test_building_works_by_the_age_of_the_slab(
    table: FrequencyTable, age_d: float, first_h: float, second_h: float
) -> None:
    assert table.interval_h(pit(slab_age_d=age_d), NAN, NOW_NS) == first_h
    assert table.interval_h(pit(grade=SafetyGrade.SECOND, slab_age_d=age_d), NAN, NOW_NS) == second_h


@pytest.mark.parametrize(
    ("depth_m", "excavated_m", "hours"),
    [(5, 3, 24), (8, 5, 48), (8, 5.1, 24), (12, 11, 24), (18, 11, 24), (25, 11, 48), (25, 16, 24), (25, 21, 12)],
)
def test_urban_rail_by_both_depths(table: FrequencyTable, depth_m: float, excavated_m: float, hours: float) -> None:
    assert table.interval_h(pit(depth_m, trade=PitTrade.URBAN_RAIL), excavated_m, NOW_NS) == hours


def test_a_rail_pit_dug_too_deep_is_read_as_at_its_design_depth(table: FrequencyTable) -> None:
    assert table.interval_h(pit(10.0, trade=PitTrade.URBAN_RAIL), 11.0, NOW_NS) == 24


@pytest.mark.parametrize(
    "described",
    [pit(depth_m=None), pit(grade=None), pit(grade=SafetyGrade.THIRD), pit(depth_m=None, trade=PitTrade.URBAN_RAIL)],
)
def test_what_the_table_needs_and_nobody_said_leaves_it_open(table: FrequencyTable, described: PitDescription) -> None:
    assert not table.interval_h(described, 6.0, NOW_NS) > 0


def test_an_unknown_excavated_depth_leaves_it_open(table: FrequencyTable) -> None:
    for trade in PitTrade:
        assert not table.interval_h(pit(trade=trade), NAN, NOW_NS) > 0


def test_the_rail_table_says_nothing_of_the_time_after_the_slab(table: FrequencyTable) -> None:
    assert not table.interval_h(pit(trade=PitTrade.URBAN_RAIL, slab_age_d=1), 6.0, NOW_NS) > 0


def test_a_slab_of_tomorrow_is_not_cast_yet() -> None:
    assert phase_of(pit(slab_age_d=-1), 3.0, NOW_NS) is PitPhase.FIRST_THIRD


def test_every_grade_that_the_table_knows_has_every_stage(table: FrequencyTable) -> None:
    assert len(table.building) == len(PitPhase) * 2
    assert (table.building_certainty, table.urban_rail_certainty) == ("M-M", "V2")


def test_a_faulty_file_is_said_by_line(tmp_path: Path) -> None:
    file = tmp_path / "frequency.yaml"
    file.write_text("version: 1\nbuilding:\n  clause: X\n  certainty: M-M\n  rows: [{phase: noon}]\n", encoding="utf-8")
    document = read_document(file)
    assert read_frequency(document) is None
    assert {fault.key for fault in document.faults} >= {"building.rows[0].phase", "urban_rail"}
