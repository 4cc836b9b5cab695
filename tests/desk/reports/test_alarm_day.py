"""Counting one day of alarms: spans, bursts, rounding, quantiles; and records that are not what they seem."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from regulator.base.model.actor import Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.reports import statistics_silencing
from regulator.parts.reports.statistics.alarm_day import (
    SECOND_NS,
    TEN_MINUTES_NS,
    Activation,
    alarm_day,
    bursts,
    most_within,
    rounded_up_ms,
)
from regulator.parts.reports.statistics.definitions import DEFINITIONS
from regulator.parts.reports.statistics.figure import quantile
from regulator.parts.reports.statistics.review_figures import flood_windows, peak_per_person
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.reports.statistics.shown import spark_lines, value_text
from regulator.parts.reports.statistics.silencing import silenced_at
from regulator.parts.review.funnel import HOUR_NS
from tests.fakes.statistics_month import StatisticsMonth, at

DOCS = Path(__file__).parents[3] / "docs/statistics.md"


def seconds(*times: float) -> list[int]:
    return [int(each * SECOND_NS) for each in times]


@pytest.mark.parametrize(
    ("times", "most"),
    [
        ((), 0),
        ((5,), 1),
        ((0, 599, 600), 2),  # half open: 0 and 600 are ten minutes apart
        ((0, 1, 2, 600.5, 601), 3),
        ((0, 0, 0), 3),
    ],
)
def test_most_within_ten_minutes(times: tuple[float, ...], most: int) -> None:
    assert most_within(seconds(*times), TEN_MINUTES_NS, 0) == most


def test_a_span_counts_on_the_day_on_which_it_ends() -> None:
    times = seconds(0, 1, 2, 3)
    assert most_within(times, TEN_MINUTES_NS, 3 * SECOND_NS) == 4
    assert most_within(times, TEN_MINUTES_NS, 4 * SECOND_NS) == 0


@pytest.mark.parametrize(
    ("times", "count"),
    [
        ((0, 30), 0),
        ((0, 30, 59), 1),
        ((0, 30, 60), 0),  # not within sixty seconds
        ((0, 20, 40, 60, 80), 1),  # goes on
        ((0, 20, 40, 500, 520, 540), 2),
    ],
)
def test_bursts_of_three_in_a_minute(times: tuple[float, ...], count: int) -> None:
    assert bursts(seconds(*times), 0) == count


@pytest.mark.parametrize(
    ("span_s", "rounded_ms"),
    [(-1, 0), (0, 0), (0.0101, 20), (9.999, 10_000), (10.001, 11_000), (3600, 3_600_000), (3600.5, 3_660_000)],
)
def test_delays_are_rounded_up_by_their_size(span_s: float, rounded_ms: int) -> None:
    assert rounded_up_ms(int(span_s * SECOND_NS)) == rounded_ms


def test_quantiles_of_counted_values() -> None:
    assert quantile([], 0.5) is None
    assert quantile([(1, 1), (2, 1)], 0.5) == 1
    assert quantile([(1, 19), (7, 1)], 0.95) == 1
    assert quantile([(1, 18), (7, 2)], 0.95) == 7


def test_an_acknowledgement_that_came_after_the_return_saves_no_fleeting_alarm() -> None:
    rows = [
        Activation("b", "t", "P2", SECOND_NS, acknowledged_at_ns=2 * SECOND_NS, returned_at_ns=3 * SECOND_NS),
        Activation("b", "t", "P2", 10 * SECOND_NS, acknowledged_at_ns=13 * SECOND_NS, returned_at_ns=12 * SECOND_NS),
        Activation("b", "t", "P2", 20 * SECOND_NS, returned_at_ns=19 * SECOND_NS),  # a return of before is none
    ]
    made = alarm_day(rows, 0, 100 * SECOND_NS)
    assert made.fleeting == 1
    assert made.waiting["P2"] == 1


def test_load_of_people_not_of_sites() -> None:
    queued = [HOUR_NS + number * 20 * SECOND_NS for number in range(22)]
    assert peak_per_person(queued, {1: 2}) == 11
    assert peak_per_person(queued, {}) == 22  # nobody is there: it waits for one
    assert (flood_windows(queued, {1: 2}), flood_windows(queued, {1: 3})) == (1, 0)


def test_small_curves_break_off_where_nothing_is_known() -> None:
    lines = spark_lines([None, 1.0, 2.0, None, 2.0])
    assert len(lines) == 2
    assert spark_lines([None, None]) == []
    assert value_text(None, "%") == "–"


@pytest.mark.parametrize(
    "content",
    [
        {"transition": "shelved", "reason": "x"},
        {"transition": "shelved", "alarm": {"alarm_id": 7}},
        {"transition": "shelved", "alarm": "a"},
        {"transition": "raised", "note": '"transition":"shelved"', "alarm": {"alarm_id": "a"}},
    ],
)
def test_a_record_of_another_shape_is_not_counted(file_database: DeskDatabase, content: dict[str, object]) -> None:
    month = StatisticsMonth(file_database)
    month.places()
    month.flush()
    month.sealed(1, "alarm_transition", at(3, 2), content)
    month.sealed(2, "something_else", at(3, 2), {"transition": "shelved", "alarm": {"alarm_id": "a"}})
    with file_database.reading() as db:
        assert db.scalar(select(func.count()).select_from(statistics_silencing)) == 0


def test_without_a_chain_nobody_knows_what_is_shelved(file_month: StatisticsMonth) -> None:
    with file_month.database.reading() as db:
        other = silenced_at(db, Selection(Scope(Level.CITY, "4403")), at(4, 1))
        assert (other.boxes, other.told) == (1, 0)  # b3's chain never came
        assert silenced_at(db, Selection(Scope(Level.PROVINCE, "44")), at(3, 31, 20, 30)).silenced == 2  # x and crane-2
    figures = file_month.figures(Selection(Scope(Level.CITY, "4403")))
    assert figures["silenced"].unknown
    assert figures["silenced"].n == 1


def test_the_document_names_every_figure_with_its_formula() -> None:
    text = DOCS.read_text("utf-8")
    for definition in DEFINITIONS.values():
        line = next((line for line in text.splitlines() if line.startswith(f"| `{definition.key}` |")), "")
        assert definition.formula_en in line, definition.key
        assert line.endswith(f"| {definition.certainty.value} |"), definition.key
