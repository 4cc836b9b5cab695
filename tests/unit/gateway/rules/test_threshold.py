import math
from pathlib import Path

import numpy as np
import pytest

from gateway.model.quantity import PointTable
from gateway.model.reading import Quality, Readings
from gateway.model.rule import Direction
from gateway.model.verdict import Truth
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from tests.fakes.site import NOW_NS, SECOND_NS, layout, points, poll, silence, threshold

LAYOUT = layout()


def _truth(table: RuleTable, value: float, quality: int = Quality.GOOD) -> Truth:
    return Truth(table.on_readings(poll(LAYOUT, value, quality=quality)).truth[0])


@pytest.mark.parametrize(
    ("direction", "value", "truth"),
    [
        (Direction.HIGH, 100.0, Truth.TRUE),
        (Direction.HIGH, math.nextafter(100.0, 0), Truth.FALSE),
        (Direction.HIGH, 250.0, Truth.TRUE),
        (Direction.LOW, 100.0, Truth.TRUE),
        (Direction.LOW, math.nextafter(100.0, 200), Truth.FALSE),
        (Direction.LOW, -5.0, Truth.TRUE),
    ],
)
def test_a_value_at_or_beyond_the_limit_is_true(direction: Direction, value: float, truth: Truth) -> None:
    assert _truth(RuleTable([threshold(direction=direction)]), value) is truth


@pytest.mark.parametrize(("direction", "sign"), [(Direction.HIGH, 1.0), (Direction.LOW, -1.0)])
def test_inside_the_deadband_the_last_answer_stays(direction: Direction, sign: float) -> None:
    table = RuleTable([threshold(limit=sign * 100.0, deadband=5.0, direction=direction)])
    series = [(97.0, Truth.FALSE), (100.0, Truth.TRUE), (97.0, Truth.TRUE), (95.0, Truth.TRUE)]
    series += [(94.9, Truth.FALSE), (97.0, Truth.FALSE), (99.9, Truth.FALSE), (100.0, Truth.TRUE)]
    for value, truth in series:
        assert _truth(table, sign * value) is truth, value


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.SUSPECT])
def test_what_is_not_good_is_unknown_and_keeps_the_answer_for_the_deadband(quality: Quality) -> None:
    table = RuleTable([threshold(deadband=5.0)])
    assert _truth(table, 100.0) is Truth.TRUE
    assert _truth(table, 0.0, quality) is Truth.UNKNOWN
    assert _truth(table, 97.0) is Truth.TRUE


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_finite_number_is_unknown_even_when_a_driver_calls_it_good(value: float) -> None:
    assert _truth(RuleTable([threshold()]), value) is Truth.UNKNOWN


def test_after_a_restart_a_held_row_still_has_its_deadband() -> None:
    table = RuleTable([threshold(0, deadband=5.0), threshold(1, deadband=5.0)])
    table.hold({1})
    assert list(table.on_readings(poll(LAYOUT, 97.0)).truth) == [Truth.FALSE, Truth.TRUE]


def test_each_row_judges_its_own_column_of_any_layout() -> None:
    table = RuleTable([threshold(2, 10.0), threshold(0, 20.0), threshold(0, 30.0, rule=None)])
    verdicts = table.on_readings(poll(np.array([3, 2, 0], dtype=np.int32), [99.0, 11.0, 25.0]))
    assert list(verdicts.row) == [0, 1, 2]
    assert list(verdicts.truth) == [Truth.TRUE, Truth.TRUE, Truth.FALSE]
    assert list(verdicts.measured) == [11.0, 25.0, 25.0]
    assert list(table.on_readings(poll(np.array([3], dtype=np.int32), 500.0)).row) == []


def test_a_box_without_rules_judges_nothing() -> None:
    table = RuleTable([])
    assert len(table.on_readings(poll(LAYOUT, 1.0)).row) == 0
    assert [len(verdicts.row) for verdicts in table.on_tick(Window(points(), 0), 1, NOW_NS)] == [0, 0]


def _unknown_rows(table: RuleTable, window: Window, mono_ns: int) -> list[int]:
    _, missing = table.on_tick(window, mono_ns, NOW_NS)
    assert all(truth == Truth.UNKNOWN for truth in missing.truth)
    return [int(row) for row in missing.row]


def test_the_tick_makes_stale_and_forgotten_points_unknown() -> None:
    site = points(stale_after_s=2.0)
    table, window = RuleTable([threshold(0), threshold(1)]), Window(site, 0)
    assert _unknown_rows(table, window, 1) == [], "not heard yet: unknown from the start, a begun delay goes on"
    assert _unknown_rows(table, window, 1 + 2 * SECOND_NS) == [0, 1], "still not heard: unknown for good"
    window.remember(poll(LAYOUT, 1.0), mono_ns=10)
    assert _unknown_rows(table, window, 10 + 2 * SECOND_NS) == []
    assert _unknown_rows(table, window, 11 + 2 * SECOND_NS) == [0, 1]
    window.remember(poll(LAYOUT, 1.0, NOW_NS + 1), mono_ns=3 * SECOND_NS)
    window.forget(np.array([1], dtype=np.int32))
    assert _unknown_rows(table, window, 3 * SECOND_NS) == [1]


def test_a_failed_poll_is_unknown_on_the_sample_itself() -> None:
    table = RuleTable([threshold()])
    assert _truth(table, 150.0) is Truth.TRUE
    verdicts = table.on_readings(Readings.unreadable("host-1", LAYOUT, NOW_NS))
    assert list(verdicts.truth) == [Truth.UNKNOWN]


def _silent(site: PointTable) -> tuple[RuleTable, Window]:
    return RuleTable([silence((0, 1), limit_s=10.0)]), Window(site, 0)


def _silence(table: RuleTable, window: Window, mono_s: float, wall_ns: int = NOW_NS) -> tuple[Truth, float]:
    verdicts, _ = table.on_tick(window, int(mono_s * 1e9), wall_ns)
    return Truth(verdicts.truth[0]), float(verdicts.measured[0])


def test_silence_is_true_from_the_limit_on_and_counts_the_freshest_point() -> None:
    table, window = _silent(points())
    window.remember(poll(layout(1, 0), 1.0), mono_ns=SECOND_NS)
    window.remember(poll(layout(1, 1), 1.0), mono_ns=5 * SECOND_NS)
    assert _silence(table, window, 14.999) == (Truth.FALSE, 9.999)
    assert _silence(table, window, 15.0) == (Truth.TRUE, 10.0)
    window.remember(poll(layout(1, 0), 1.0, NOW_NS + 1), mono_ns=16 * SECOND_NS)
    assert _silence(table, window, 16.0) == (Truth.FALSE, 0.0)


def test_failed_polls_do_not_break_a_silence() -> None:
    table, window = _silent(points())
    window.remember(poll(LAYOUT, 1.0), mono_ns=0)
    for second in range(1, 12):
        window.remember(Readings.unreadable("host-1", LAYOUT, NOW_NS + second * SECOND_NS), second * SECOND_NS)
    assert _silence(table, window, 11.0) == (Truth.TRUE, 11.0)


def test_a_wall_clock_that_jumps_does_not_touch_silence() -> None:
    table, window = _silent(points())
    window.remember(poll(LAYOUT, 1.0), mono_ns=0)
    for wall_ns in (NOW_NS + 3600 * SECOND_NS, NOW_NS - 3600 * SECOND_NS):
        assert _silence(table, window, 3.0, wall_ns) == (Truth.FALSE, 3.0)


def test_before_the_first_word_silence_is_unknown_until_its_limit() -> None:
    table, window = _silent(points())
    assert _silence(table, window, 9.9)[0] is Truth.UNKNOWN
    assert _silence(table, window, 10.0)[0] is Truth.TRUE


def test_the_row_of_a_rule_is_found_by_its_identity(tmp_path: Path) -> None:
    table = RuleTable([threshold(0), silence()])
    assert table.row_of == {("rule-0", "crane-1.q0"): 0, ("silence", "host-1"): 1}
