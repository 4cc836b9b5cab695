from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from gateway.alarms import CONDITION, AlarmTable, CommandError, Phase, step
from gateway.model.alarm import Alarm, Severity, Transition, TransitionKind
from gateway.model.rule import Direction, ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, info, threshold

RAISED, RETURNED, ACKNOWLEDGED = TransitionKind.RAISED, TransitionKind.RETURNED, TransitionKind.ACKNOWLEDGED


def _step(table: AlarmTable, truth: Truth, at_s: float, measured: float = 120.0, row: int = 0) -> list[Transition]:
    at_ns = NOW_NS + round(at_s * SECOND_NS)
    rows, truths = np.array([row], dtype=np.int32), np.array([truth], dtype=np.uint8)
    return table.step(Verdicts(rows, truths, np.array([measured]), at_ns))


def _kinds(table: AlarmTable, series: list[tuple[Truth, float]]) -> list[tuple[float, TransitionKind]]:
    return [(at_s, transition.kind) for truth, at_s in series for transition in _step(table, truth, at_s)]


def _table(*rules: ResolvedRule) -> AlarmTable:
    return AlarmTable(BOX, rules or (threshold(),))


def test_the_table_is_total() -> None:
    assert set(CONDITION) == set(product(Phase, Truth))


@pytest.mark.parametrize(("on_delay_s", "at_s", "kinds"), [(2.0, 1.999, []), (2.0, 2.0, [(2.0, RAISED)])])
def test_the_on_delay_passes_exactly_at_its_end(
    on_delay_s: float, at_s: float, kinds: list[tuple[float, TransitionKind]]
) -> None:
    table = _table(threshold(on_delay_s=on_delay_s))
    assert _kinds(table, [(Truth.TRUE, 0.0), (Truth.TRUE, at_s)]) == kinds


def test_a_delay_of_zero_passes_at_once() -> None:
    assert _kinds(_table(), [(Truth.TRUE, 0.0), (Truth.FALSE, 0.1), (Truth.TRUE, 0.2)]) == [
        (0.0, RAISED),
        (0.1, RETURNED),
        (0.2, RAISED),
    ]


def test_the_off_delay_passes_exactly_at_its_end() -> None:
    table = _table(threshold(off_delay_s=3.0))
    series = [(Truth.TRUE, 0.0), (Truth.FALSE, 10.0), (Truth.FALSE, 12.999), (Truth.FALSE, 13.0)]
    assert _kinds(table, series) == [(0.0, RAISED), (13.0, RETURNED)]


def test_a_value_that_comes_back_during_the_off_delay_starts_it_again() -> None:
    table = _table(threshold(off_delay_s=3.0))
    series = [(Truth.TRUE, 0.0), (Truth.FALSE, 1.0), (Truth.TRUE, 3.0), (Truth.FALSE, 4.0), (Truth.FALSE, 6.9)]
    assert _kinds(table, series) == [(0.0, RAISED)]
    assert _kinds(table, [(Truth.FALSE, 7.0)]) == [(7.0, RETURNED)]


def test_a_short_peak_never_raises() -> None:
    table = _table(threshold(on_delay_s=2.0))
    assert _kinds(table, [(Truth.TRUE, 0.0), (Truth.FALSE, 1.0), (Truth.TRUE, 1.5), (Truth.TRUE, 3.4)]) == []


def test_unknown_in_the_on_delay_neither_raises_nor_gives_up() -> None:
    table = _table(threshold(on_delay_s=2.0))
    assert _kinds(table, [(Truth.TRUE, 0.0), (Truth.UNKNOWN, 1.0), (Truth.UNKNOWN, 5.0)]) == []
    assert _kinds(table, [(Truth.TRUE, 6.0)]) == [(6.0, RAISED)]


def test_a_dead_sensor_clears_no_alarm() -> None:
    table = _table(threshold(off_delay_s=2.0))
    series = [(Truth.TRUE, 0.0), (Truth.FALSE, 1.0), (Truth.UNKNOWN, 2.0), (Truth.FALSE, 60.0), (Truth.FALSE, 61.9)]
    assert _kinds(table, series) == [(0.0, RAISED)]
    assert table.open_alarms()[0].active


def test_an_active_alarm_that_cannot_be_judged_says_so_and_stays() -> None:
    table = _table()
    _step(table, Truth.TRUE, 0.0)
    _step(table, Truth.UNKNOWN, 1.0, float("nan"))
    (alarm,) = table.open_alarms()
    assert (alarm.active, alarm.unknown) == (True, True)
    _step(table, Truth.TRUE, 2.0)
    assert not table.open_alarms()[0].unknown


def test_time_that_runs_backwards_starts_the_on_delay_again() -> None:
    table = _table(threshold(on_delay_s=2.0))
    series = [(Truth.TRUE, 3600.0), (Truth.TRUE, 0.0), (Truth.TRUE, 1.9)]
    assert _kinds(table, series) == []
    assert _kinds(table, [(Truth.TRUE, 2.0)]) == [(2.0, RAISED)]


def test_time_that_runs_backwards_clears_nothing_and_starts_the_off_delay_again() -> None:
    table = _table(threshold(off_delay_s=2.0))
    series = [(Truth.TRUE, 3600.0), (Truth.FALSE, 3601.0), (Truth.FALSE, 0.0), (Truth.FALSE, 1.9)]
    assert _kinds(table, series) == [(3600.0, RAISED)]
    assert _kinds(table, [(Truth.FALSE, 2.0)]) == [(2.0, RETURNED)]


def test_an_episode_carries_what_raised_it_and_the_worst_value() -> None:
    table = _table()
    (raised,) = _step(table, Truth.TRUE, 0.0, 105.0)
    assert (raised.alarm.measured, raised.alarm.limit, raised.alarm.raised_at_ns) == (105.0, 100.0, NOW_NS)
    for measured in (140.0, 120.0):
        _step(table, Truth.TRUE, 1.0, measured)
    (returned,) = _step(table, Truth.FALSE, 2.0, 90.0)
    assert (returned.alarm.measured, returned.alarm.worst, returned.measured) == (105.0, 140.0, 90.0)
    assert returned.alarm.alarm_id == raised.alarm.alarm_id


def test_the_worst_of_a_low_rule_is_the_lowest() -> None:
    table = _table(threshold(limit=-5.0, direction=Direction.LOW))
    _step(table, Truth.TRUE, 0.0, -6.0)
    _step(table, Truth.TRUE, 1.0, -9.0)
    _step(table, Truth.TRUE, 2.0, -7.0)
    assert table.open_alarms()[0].worst == -9.0


def test_the_worst_of_a_size_is_the_largest_with_its_sign() -> None:
    table = _table(threshold(limit=5.0, direction=Direction.EITHER))
    for second, measured in enumerate((6.0, -9.0, 8.0)):
        _step(table, Truth.TRUE, float(second), measured)
    assert table.open_alarms()[0].worst == -9.0


def test_acknowledging_silences_and_neither_hides_nor_closes() -> None:
    table = _table()
    (raised,) = _step(table, Truth.TRUE, 0.0)
    done = table.acknowledge(raised.alarm.alarm_id, "li", "seen", NOW_NS + 5)
    assert (done.kind, done.user, done.reason, done.at_ns) == (ACKNOWLEDGED, "li", "seen", NOW_NS + 5)
    (alarm,) = table.open_alarms()
    assert (alarm.active, alarm.acknowledged, alarm.acknowledged_by) == (True, True, "li")
    _step(table, Truth.FALSE, 1.0)
    assert table.open_alarms() == []


def test_a_returned_alarm_stays_on_the_list_until_acknowledged() -> None:
    table = _table()
    (raised,) = _step(table, Truth.TRUE, 0.0)
    _step(table, Truth.FALSE, 1.0)
    assert [alarm.active for alarm in table.open_alarms()] == [False]
    table.acknowledge(raised.alarm.alarm_id, "li", "seen", NOW_NS)
    assert table.open_alarms() == []


def test_acknowledging_twice_or_something_unknown_is_refused() -> None:
    table = _table()
    (raised,) = _step(table, Truth.TRUE, 0.0)
    table.acknowledge(raised.alarm.alarm_id, "li", "seen", NOW_NS)
    with pytest.raises(CommandError, match="already acknowledged by li"):
        table.acknowledge(raised.alarm.alarm_id, "wang", "me too", NOW_NS)
    with pytest.raises(CommandError, match="no open alarm has the id nonsense"):
        table.acknowledge("nonsense", "wang", "what", NOW_NS)


def test_a_new_episode_takes_the_place_of_a_returned_one() -> None:
    table = _table()
    (first,) = _step(table, Truth.TRUE, 0.0)
    _step(table, Truth.FALSE, 1.0)
    (second,) = _step(table, Truth.TRUE, 2.0)
    assert [alarm.alarm_id for alarm in table.open_alarms()] == [second.alarm.alarm_id]
    with pytest.raises(CommandError):
        table.acknowledge(first.alarm.alarm_id, "li", "late", NOW_NS)


def test_episodes_within_one_device_second_have_ids_of_their_own() -> None:
    table = _table()
    raised = [t for truth in (Truth.TRUE, Truth.FALSE) * 3 for t in _step(table, truth, 0.0) if t.kind is RAISED]
    assert len({transition.alarm.alarm_id for transition in raised}) == 3


def test_the_same_episode_seen_again_has_the_same_id() -> None:
    first, again = _table(), _table()
    assert _step(first, Truth.TRUE, 0.0)[0].alarm.alarm_id == _step(again, Truth.TRUE, 0.0)[0].alarm.alarm_id


def test_the_list_has_the_gravest_and_newest_first() -> None:
    severities = (Severity.P2, Severity.LOG, Severity.P1, Severity.P2)
    table = _table(*(threshold(i, rule=info(f"r{i}", severity)) for i, severity in enumerate(severities)))
    for row in range(4):
        _step(table, Truth.TRUE, float(row), row=row)
    assert [alarm.rule.rule_id for alarm in table.open_alarms()] == ["r2", "r3", "r0", "r1"]


def _one_open(**changes: object) -> Alarm:
    table = _table()
    _step(table, Truth.TRUE, 0.0)
    return replace(table.open_alarms()[0], **changes)  # type: ignore[arg-type]


def test_after_a_restart_an_active_alarm_stays_active_and_is_not_raised_again() -> None:
    alarm = _one_open()
    table = _table()
    assert table.restore([alarm]) == {0}
    assert table.open_alarms() == [replace(alarm, unknown=True)], "not judged yet"
    assert _kinds(table, [(Truth.UNKNOWN, 1.0), (Truth.TRUE, 2.0)]) == []
    (returned,) = _step(table, Truth.FALSE, 3.0)
    assert (returned.kind, returned.alarm.alarm_id) == (RETURNED, alarm.alarm_id)


def test_after_a_restart_a_returned_alarm_waits_for_its_acknowledgement() -> None:
    table = _table()
    assert table.restore([_one_open(active=False, returned_at_ns=NOW_NS + 1)]) == set()
    (raised,) = _step(table, Truth.TRUE, 9.0)
    assert raised.kind is RAISED


def test_an_alarm_whose_rule_is_gone_stays_until_a_person_has_seen_it() -> None:
    gone = _one_open()
    table = _table(threshold(3))
    assert table.restore([gone]) == set()
    assert [(alarm.active, alarm.unknown) for alarm in table.open_alarms()] == [(True, True)]
    table.acknowledge(gone.alarm_id, "li", "rule removed", NOW_NS)
    assert [alarm.acknowledged for alarm in table.open_alarms()] == [True]


def test_a_returned_alarm_whose_rule_is_gone_leaves_with_its_acknowledgement() -> None:
    gone = _one_open(active=False, returned_at_ns=NOW_NS + 1)
    table = _table(threshold(3))
    table.restore([gone])
    assert [alarm.unknown for alarm in table.open_alarms()] == [False]
    table.acknowledge(gone.alarm_id, "li", "seen", NOW_NS)
    assert table.open_alarms() == []


@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.OFF_DELAY])
@pytest.mark.parametrize("elapsed_s", [0.0, 1e9])
def test_no_step_raises_what_is_active(phase: Phase, elapsed_s: float) -> None:
    assert all(step(phase, truth, elapsed_s, 1.0)[1] is not RAISED for truth in Truth)
