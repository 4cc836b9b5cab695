from dataclasses import replace

import numpy as np
import pytest

from gateway.alarms import AlarmTable, CommandError, Refusal
from gateway.model.alarm import Alarm, AlarmBounds, Severity, Transition, TransitionKind
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, info, latching, threshold

HOUR_NS = 3600 * SECOND_NS
RAISED, RETURNED, UNSHELVED = TransitionKind.RAISED, TransitionKind.RETURNED, TransitionKind.UNSHELVED
DEVICE_OF = {f"crane-1.q{i}": "host-1" if i < 2 else "host-2" for i in range(4)}
P2 = info("rule-0", Severity.P2)


def _step(table: AlarmTable, truth: Truth, at_s: float = 0.0, row: int = 0) -> list[Transition]:
    rows, truths = np.array([row], dtype=np.int32), np.array([truth], dtype=np.uint8)
    return table.step(Verdicts(rows, truths, np.array([120.0]), NOW_NS + round(at_s * SECOND_NS)))


def _table(*rules: ResolvedRule, bounds: AlarmBounds | None = None) -> AlarmTable:
    return AlarmTable(BOX, rules or (threshold(rule=P2),), bounds or AlarmBounds(), DEVICE_OF)


def _raised(table: AlarmTable, at_s: float = 0.0, row: int = 0) -> str:
    return _step(table, Truth.TRUE, at_s, row)[0].alarm.alarm_id


def _refused(refusal: Refusal) -> "pytest.RaisesExc[CommandError]":
    return pytest.RaisesExc(CommandError, check=lambda error: error.refusal is refusal)


def _latching() -> AlarmTable:
    return _table(latching(threshold()))


def test_a_latched_alarm_waits_for_a_reset_after_it_has_returned() -> None:
    table = _latching()
    alarm_id = _raised(table)
    (returned,) = _step(table, Truth.FALSE, 1.0)
    assert (returned.kind, returned.alarm.active, returned.alarm.latched) == (RETURNED, False, True)
    table.acknowledge(alarm_id, "li", "seen", NOW_NS)
    assert [alarm.latched for alarm in table.open_alarms()] == [True]
    done = table.reset(alarm_id, "li", "rope changed", NOW_NS + 7)
    assert (done.kind, done.user, done.reason, done.alarm.latched) == (
        TransitionKind.RESET,
        "li",
        "rope changed",
        False,
    )
    assert table.open_alarms() == []


def test_a_reset_asks_for_the_return_and_then_for_the_acknowledgement() -> None:
    table = _latching()
    alarm_id = _raised(table)
    with _refused(Refusal.STILL_ACTIVE):
        table.reset(alarm_id, "li", "too early", NOW_NS)
    _step(table, Truth.UNKNOWN, 1.0)
    with _refused(Refusal.STILL_ACTIVE):
        table.reset(alarm_id, "li", "a dead sensor is no return", NOW_NS)
    _step(table, Truth.FALSE, 2.0)
    with _refused(Refusal.ACKNOWLEDGE_FIRST):
        table.reset(alarm_id, "li", "unseen", NOW_NS)
    assert [alarm.latched for alarm in table.open_alarms()] == [True]


def test_what_does_not_latch_cannot_be_reset() -> None:
    table = _table()
    alarm_id = _raised(table)
    _step(table, Truth.FALSE, 1.0)
    with _refused(Refusal.NOT_LATCHED):
        table.reset(alarm_id, "li", "why", NOW_NS)


def test_a_latched_alarm_that_comes_again_is_a_new_episode() -> None:
    table = _latching()
    first = _raised(table)
    _step(table, Truth.FALSE, 1.0)
    second = _raised(table, 2.0)
    assert second != first
    assert [(alarm.alarm_id, alarm.latched, alarm.active) for alarm in table.open_alarms()] == [(second, False, True)]


def test_a_latching_alarm_of_severity_log_asks_nobody() -> None:
    table = _table(latching(threshold(rule=info("quiet", Severity.LOG))))
    _raised(table)
    _step(table, Truth.FALSE, 1.0)
    assert table.open_alarms() == []


def test_a_latched_alarm_is_still_latched_after_a_restart() -> None:
    table = _latching()
    alarm_id = _raised(table)
    _step(table, Truth.FALSE, 1.0)
    again = _latching()
    again.restore(table.open_alarms())
    again.acknowledge(alarm_id, "li", "seen", NOW_NS)
    assert again.reset(alarm_id, "li", "done", NOW_NS).kind is TransitionKind.RESET


def test_shelving_silences_and_neither_hides_nor_stops_the_judging() -> None:
    table = _table()
    alarm_id = _raised(table)
    done = table.shelve(alarm_id, 3600, "li", "sensor on order", NOW_NS)
    assert (done.kind, done.user, done.reason) == (TransitionKind.SHELVED, "li", "sensor on order")
    (alarm,) = table.open_alarms()
    assert (alarm.shelved, alarm.silenced, alarm.active, alarm.acknowledged) == (True, True, True, False)
    assert (alarm.shelved_until_ns, alarm.shelved_by) == (NOW_NS + HOUR_NS, "li")
    assert [t.kind for t in _step(table, Truth.FALSE, 1.0)] == [RETURNED]


def test_a_later_episode_of_a_shelved_alarm_is_shelved_for_the_rest_of_the_time() -> None:
    table = _table()
    alarm_id = _raised(table)
    table.shelve(alarm_id, 3600, "li", "sensor on order", NOW_NS)
    table.acknowledge(alarm_id, "li", "seen", NOW_NS)
    _step(table, Truth.FALSE, 1.0)
    assert [alarm.shelved for alarm in table.open_alarms()] == [True], "nothing is owed, but it is on the shelf"
    (again,) = _step(table, Truth.TRUE, 2.0)
    assert (again.kind, again.alarm.shelved_until_ns) == (RAISED, NOW_NS + HOUR_NS)


@pytest.mark.parametrize(("after_ns", "over"), [(HOUR_NS - 1, False), (HOUR_NS, True), (-1, True)])
def test_a_shelf_ends_in_time_and_when_the_clock_is_set_back(after_ns: int, over: bool) -> None:
    table = _table()
    alarm_id = _raised(table)
    table.shelve(alarm_id, 3600, "li", "sensor on order", NOW_NS)
    expired = table.expire_shelves(NOW_NS + after_ns)
    assert [(t.kind, t.alarm.alarm_id, t.user) for t in expired] == ([(UNSHELVED, alarm_id, "")] if over else [])
    assert [alarm.shelved for alarm in table.open_alarms()] == [not over]


def test_a_settled_alarm_leaves_with_the_end_of_its_shelf() -> None:
    table = _table()
    alarm_id = _raised(table)
    table.shelve(alarm_id, 60, "li", "sensor on order", NOW_NS)
    table.acknowledge(alarm_id, "li", "seen", NOW_NS)
    _step(table, Truth.FALSE, 1.0)
    table.expire_shelves(NOW_NS + HOUR_NS)
    assert table.open_alarms() == []


def test_unshelving_by_hand() -> None:
    table = _table()
    alarm_id = _raised(table)
    table.shelve(alarm_id, 60, "li", "sensor on order", NOW_NS)
    assert table.unshelve(alarm_id, "wang", "sensor came", NOW_NS + 1).kind is UNSHELVED
    assert [alarm.shelved for alarm in table.open_alarms()] == [False]
    with _refused(Refusal.NOT_SHELVED):
        table.unshelve(alarm_id, "wang", "again", NOW_NS)


def test_a_p1_is_never_shelved() -> None:
    table = _table(threshold(rule=info("grave", Severity.P1)))
    alarm_id = _raised(table)
    with _refused(Refusal.NEVER_P1):
        table.shelve(alarm_id, 60, "li", "please", NOW_NS)
    assert [alarm.silenced for alarm in table.open_alarms()] == [False]


def test_an_alarm_is_not_shelved_twice_nor_for_longer_than_eight_hours() -> None:
    table = _table()
    alarm_id = _raised(table)
    with _refused(Refusal.TOO_LONG):
        table.shelve(alarm_id, 8 * 3600 + 1, "li", "long holiday", NOW_NS)
    table.shelve(alarm_id, 8 * 3600, "li", "sensor on order", NOW_NS)
    with pytest.raises(CommandError, match="already shelved by li"):
        table.shelve(alarm_id, 60, "wang", "me too", NOW_NS)


def test_what_is_gone_from_the_settings_can_still_be_shelved_and_comes_back() -> None:
    gone = _table()
    alarm_id = _raised(gone)
    table = _table(threshold(3, rule=info("other", Severity.P2)))
    table.restore(gone.open_alarms())
    table.shelve(alarm_id, 60, "li", "rule removed", NOW_NS)
    assert [t.kind for t in table.expire_shelves(NOW_NS + HOUR_NS)] == [UNSHELVED]


def test_a_device_that_is_out_of_service_covers_its_points_and_no_others() -> None:
    rules = (threshold(0, rule=info("near", Severity.P2)), threshold(2, rule=info("far", Severity.P2)))
    table = _table(*rules)
    _raised(table, row=0)
    change = table.out_of_service("host-1", 3600, "li", "new load cell", NOW_NS)
    assert (change.kind, change.service.until_ns) == (TransitionKind.OUT_OF_SERVICE, NOW_NS + HOUR_NS)
    _raised(table, row=1)
    assert {a.rule.rule_id: (a.out_of_service, a.active) for a in table.open_alarms()} == {
        "near": (True, True),
        "far": (False, True),
    }
    assert [entry.target for entry in table.services()] == ["host-1"]


def test_what_is_raised_while_out_of_service_is_recorded_and_calls_nobody() -> None:
    table = _table()
    table.out_of_service("crane-1.q0", 3600, "li", "new load cell", NOW_NS)
    (raised,) = _step(table, Truth.TRUE)
    assert (raised.kind, raised.alarm.silenced) == (RAISED, True)
    table.in_service("crane-1.q0", "li", "done", NOW_NS + 1)
    assert [alarm.silenced for alarm in table.open_alarms()] == [False]


def test_service_ends_in_time_unless_it_is_renewed() -> None:
    table = _table()
    table.out_of_service("host-1", 3600, "li", "new load cell", NOW_NS)
    table.out_of_service("host-1", 3600, "li", "still at it", NOW_NS + HOUR_NS // 2)
    assert table.expire_service(NOW_NS + HOUR_NS) == []
    (back,) = table.expire_service(NOW_NS + HOUR_NS * 3 // 2)
    assert (back.kind, back.service.target, back.user) == (TransitionKind.IN_SERVICE, "host-1", "")
    assert table.services() == []


def test_service_is_refused_for_what_does_not_exist_or_for_too_long() -> None:
    table = _table()
    with _refused(Refusal.NO_SUBJECT):
        table.out_of_service("host-9", 60, "li", "typo", NOW_NS)
    with _refused(Refusal.TOO_LONG):
        table.out_of_service("host-1", 24 * 3600 + 1, "li", "long holiday", NOW_NS)
    with _refused(Refusal.NOT_OUT_OF_SERVICE):
        table.in_service("host-1", "li", "never was out", NOW_NS)
    assert table.services() == []


def test_service_goes_on_after_a_restart() -> None:
    table = _table()
    _raised(table)
    table.out_of_service("host-1", 3600, "li", "new load cell", NOW_NS)
    again = _table()
    again.restore_service(table.services())
    again.restore([replace(alarm, out_of_service=False) for alarm in table.open_alarms()])
    assert [alarm.out_of_service for alarm in again.open_alarms()] == [True]


def _three(*at_s: float, bounds: AlarmBounds | None = None) -> list[Alarm]:
    rules = [threshold(i, rule=info(f"r{i}", Severity.P2)) for i in range(len(at_s))]
    table = _table(*rules, bounds=bounds)
    return [_step(table, Truth.TRUE, at, row)[0].alarm for row, at in enumerate(at_s)]


def test_the_first_of_a_burst_is_first_out_and_the_others_point_to_it() -> None:
    first, second, third = _three(0.0, 4.0, 10.0)
    assert (first.first_out_id, second.first_out_id, third.first_out_id) == ("", first.alarm_id, first.alarm_id)


def test_an_alarm_after_the_window_opens_a_group_of_its_own() -> None:
    first, second, third = _three(0.0, 10.001, 12.0)
    assert (second.first_out_id, third.first_out_id) == ("", second.alarm_id)
    assert first.alarm_id != second.alarm_id


def test_a_slow_device_that_stamps_an_earlier_time_still_follows_the_first() -> None:
    first, second = _three(5.0, 3.0)
    assert second.first_out_id == first.alarm_id


def test_what_is_only_logged_neither_leads_nor_follows() -> None:
    quiet, loud = info("quiet", Severity.LOG), info("loud", Severity.P2)
    table = _table(threshold(0, rule=quiet), threshold(1, rule=loud))
    assert [_step(table, Truth.TRUE, 0.0, row)[0].alarm.first_out_id for row in (0, 1)] == ["", ""]


def test_three_raises_in_a_minute_are_chatter_until_the_minute_is_over() -> None:
    table = _table()
    for i in range(3):
        _step(table, Truth.TRUE, i * 10.0)
        _step(table, Truth.FALSE, i * 10.0 + 1)
        counted = table.performance(NOW_NS + 20 * SECOND_NS).chattering
        assert [(each.rule_id, each.raises) for each in counted] == ([("rule-0", 3)] if i == 2 else [])
    assert table.performance(NOW_NS + 61 * SECOND_NS).chattering == ()


@pytest.mark.parametrize(("count", "flood"), [(10, False), (11, True)])
def test_more_than_ten_new_alarms_in_ten_minutes_are_a_flood(count: int, flood: bool) -> None:
    table = _table(*(threshold(i, rule=info(f"r{i}", Severity.P3)) for i in range(count)))
    for row in range(count):
        _step(table, Truth.TRUE, row * 59.0, row)
    now_ns = NOW_NS + 595 * SECOND_NS
    assert (table.performance(now_ns).flood, table.performance(now_ns).raised_in_flood_window) == (flood, count)
    assert not table.performance(now_ns + 600 * SECOND_NS).flood


def test_what_calls_nobody_is_no_flood() -> None:
    table = _table(*(threshold(0, rule=info(f"r{i}", Severity.P3)) for i in range(20)))
    table.out_of_service("host-1", 3600, "li", "new load cell", NOW_NS)
    for row in range(20):
        _step(table, Truth.TRUE, 0.0, row)
    assert not table.performance(NOW_NS).flood


def test_standing_alarms_are_active_for_a_day_and_stale_ones_are_long_over() -> None:
    table = _table(threshold(0, rule=info("on", Severity.P2)), threshold(1, rule=info("off", Severity.P2)))
    standing, stale = _raised(table, 0.0, 0), _raised(table, 0.0, 1)
    _step(table, Truth.FALSE, 1.0, 1)
    assert table.performance(NOW_NS + 24 * HOUR_NS - 1).standing == ()
    report = table.performance(NOW_NS + 24 * HOUR_NS)
    assert (report.standing, report.stale) == ((standing,), (stale,))
