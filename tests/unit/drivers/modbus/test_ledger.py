"""Unanswered requests: what may be asked, and whose a frame is."""

from drivers.modbus.ledger import Ledger, Owner
from drivers.modbus.plan import Request
from drivers.modbus.rtu import Frame

A = Request(3, 0, 4)
B = Request(3, 50, 4)
S = 1_000_000_000


def reply(unit: int, words: int, function: int = 3) -> Frame:
    return Frame(unit, function, bytes((2 * words, *range(2 * words))))


def refusal(unit: int, code: int = 2) -> Frame:
    return Frame(unit, 0x83, bytes((code,)))


def test_an_answered_request_leaves_nothing_open() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    assert ledger.arrived(reply(1, 4)) is Owner.NEWEST
    assert len(ledger) == 0
    assert ledger.may_ask(1, B, 0)


def test_an_open_request_bars_its_unit_and_no_other() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    assert not ledger.may_ask(1, B, S)
    assert ledger.may_ask(2, B, S)


def test_the_answer_to_a_probe_clears_what_was_asked_before() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    probe = ledger.probe_for(1, A, S)
    assert probe == Request(3, 0, 1)
    ledger.asked(1, probe, S)
    assert ledger.arrived(reply(1, 1)) is Owner.NEWEST
    assert ledger.may_ask(1, A, S)


def test_a_late_reply_is_told_from_the_answer_to_the_probe() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    ledger.asked(1, Request(3, 0, 1), S)
    assert ledger.arrived(reply(1, 4)) is Owner.EARLIER
    assert not ledger.may_ask(1, A, S)  # the probe is open still
    assert ledger.arrived(reply(1, 1)) is Owner.NEWEST


def test_a_late_reply_of_another_unit_is_known_as_such() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    ledger.asked(2, A, S)
    assert ledger.arrived(reply(1, 4)) is Owner.EARLIER
    assert ledger.may_ask(1, A, S)
    assert ledger.arrived(reply(2, 4)) is Owner.NEWEST


def test_frames_that_nobody_waits_for_are_nobodys() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    for frame in (reply(9, 4), reply(1, 5), reply(1, 4, function=4), refusal(9)):
        assert ledger.arrived(frame) is Owner.NOBODY
    assert len(ledger) == 1


def test_an_exception_counts_for_the_oldest_and_is_uncertain() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    ledger.asked(1, Request(3, 0, 1), S)
    assert ledger.arrived(refusal(1)) is Owner.UNCERTAIN
    assert ledger.may_ask(1, A, S)
    assert not ledger.may_ask(1, Request(3, 9, 1), S)


def test_every_probe_has_a_length_of_its_own_until_none_is_left() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    counts = []
    while (probe := ledger.probe_for(1, A, S)) is not None:
        counts.append(probe.count)
        ledger.asked(1, probe, S)
    assert counts == [1, 2, 3, *range(5, 13)]


def test_a_probe_stays_inside_the_protocol_and_the_address_space() -> None:
    assert Ledger(10).probe_for(1, Request(3, 65_535, 1), 0) is None
    ledger = Ledger(10)
    for count in range(1, 126):
        ledger.asked(1, Request(3, 0, count), 0)
    assert ledger.probe_for(1, Request(3, 0, 125), 0) is None


def test_probes_for_bits_differ_in_bytes() -> None:
    ledger = Ledger(10)
    ledger.asked(1, Request(1, 0, 20), 0)
    assert ledger.probe_for(1, Request(1, 0, 20), 0) == Request(1, 0, 1)
    ledger.asked(1, Request(1, 0, 1), 0)
    assert ledger.probe_for(1, Request(1, 0, 20), 0) == Request(1, 0, 9)


def test_what_was_never_answered_is_forgotten() -> None:
    ledger = Ledger(10)
    ledger.asked(1, A, 0)
    assert not ledger.may_ask(1, A, 9 * S)
    assert ledger.may_ask(1, A, 10 * S)
