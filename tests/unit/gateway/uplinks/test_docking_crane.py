"""The real-time record out of the history: slots, latest values, what is unknown, and the alarm bits."""

from dataclasses import replace

import numpy as np

from gateway.uplinks.docking_crane import CraneNaming, CraneStream
from gateway.uplinks.docking_settings import DockedDevice
from tests.fakes.blocks import block
from tests.fakes.docking_box import KNOWN, RULES, SECOND_NS, START_NS, polls
from tests.fakes.outbox import alarm

DEVICES = {"crane-1": DockedDevice(sn="SN-1"), "crane-2": DockedDevice(sn="SN-2")}


def stream(rules=RULES, personal=False):
    return CraneStream(CraneNaming("box-1", "P-1", DEVICES, personal), 10.0, lambda: rules)


def none_of(*_):
    return []


def derived(seconds, **values):
    """What the crane's model says, in a block of its own."""
    times = [START_NS + int(each * SECOND_NS) for each in seconds]
    made = block([f"crane-1.{name}" for name in values], [list(values.values())] * len(times), times_ns=times)
    return replace(made, points=tuple(replace(point, source="derived", stale_after_s=5.0) for point in made.points))


def values_of(records):
    return [record.values for _, record in records]


def test_values_of_other_devices_join_while_they_are_fresh():
    (at_0, at_10) = values_of(stream().due([polls([0, 10]), derived([-1, 8], beaufort=3.0)], none_of))
    assert (at_0["beaufort"], at_10["beaufort"]) == (3.0, 3.0)
    (at_20,) = values_of(stream().due([polls([20]), derived([8], beaufort=3.0)], none_of))
    assert "beaufort" not in at_20, "older than its five seconds"


def test_a_derived_block_alone_makes_no_record():
    assert stream().due([derived([0, 10, 20], beaufort=3.0)], none_of) == []


def test_a_value_of_bad_quality_is_unknown_and_not_the_one_before():
    good, bad = polls([0]), polls([10])
    bad.quality[:, 0] = 2
    assert next(iter(KNOWN)) == "load_t"
    first, second = values_of(stream().due([good, bad], none_of))
    assert "load_t" in first
    assert "load_t" not in second
    bad.quality[:, 0] = 1
    assert "load_t" not in values_of(stream().due([good, bad], none_of))[1]


def test_slots_go_on_over_calls_and_a_repeated_call_repeats_nothing_that_was_sent():
    lane = stream()
    first = [polls([0, 5])]
    (record,) = lane.due(first, none_of)
    assert lane.due(first, none_of) == [record], "nothing was sent yet"
    lane.sent("crane-1", record[1].observed_at_ns)
    assert lane.due(first, none_of) == []
    lane.advance(first)
    assert [each.observed_at_ns for _, each in lane.due([polls([9, 10])], none_of)] == [START_NS + 10 * SECOND_NS]


def test_the_id_is_that_of_the_moment_however_often_it_is_made():
    once, again = (stream().due([polls([0])], none_of)[0][1].record_id for _ in range(2))
    assert once == again == f"box-1:crane-1:{START_NS}"


def test_a_bit_is_set_by_the_boxs_alarm_at_that_time():
    raised = replace(alarm(1), raised_at_ns=START_NS + 5 * SECOND_NS, returned_at_ns=START_NS + 15 * SECOND_NS)
    raised = replace(raised, rule=replace(raised.rule, rule_id="crane.moment.alarm"))
    records = stream().due([polls([0, 10, 20])], lambda *_: [raised])
    assert [values["moment_alarm"] for values in values_of(records)] == [False, True, False]


def test_a_bit_is_clear_only_when_somebody_judges_a_known_quantity():
    (known,) = values_of(stream().due([polls([0])], none_of))
    assert known["moment_alarm"] is False
    assert known["wind_alarm"] is False
    assert "tilt_alarm" not in known, "no tilt is known"
    (unjudged,) = values_of(stream(rules=()).due([polls([0])], none_of))
    assert not [name for name in unjudged if name.endswith("_alarm")]
    (unknown,) = values_of(stream().due([polls([0], moment_pct=float("nan"))], none_of))
    assert "moment_alarm" not in unknown


def test_fault_bits_and_status_come_from_the_host():
    (values,) = values_of(stream().due([polls([0], weight_error=1, wind_error=0, motor=1, work_status=1)], none_of))
    assert (values["weight_error"], values["wind_error"], values["motor"]) == (True, False, True)
    assert values["work_status"] == "climbing"
    (odd,) = values_of(stream().due([polls([0], work_status=7)], none_of))
    assert "work_status" not in odd


def test_the_driver_is_left_out_unless_permitted():
    assert "driver_no" not in values_of(stream().due([polls([0], driver_no=7)], none_of))[0]
    assert values_of(stream(personal=True).due([polls([0], driver_no=7)], none_of))[0]["driver_no"] == "7"
    assert "driver_no" not in values_of(stream(personal=True).due([polls([0], driver_no=0)], none_of))[0]


def test_an_asset_that_is_not_docked_and_an_empty_block_make_nothing():
    empty = replace(polls([]), value=np.zeros((0, 6)), quality=np.zeros((0, 6), np.uint8))
    assert stream().due([polls([0], "crane-3"), empty], none_of) == []
