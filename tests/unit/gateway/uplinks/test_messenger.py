"""How rows become messages and answers become receipts, with a speaker that answers from a script."""

from collections.abc import Sequence
from typing import Literal

import pytest

from gateway.model.alarm import Severity, TransitionKind
from gateway.model.alert import OutboxItem, ReceiptKind
from gateway.ports import Notifier
from gateway.uplinks.http_door import Answer, Outcome
from gateway.uplinks.messenger import GIVE_UP_ATTEMPTS, MessengerSettings, MessengerUplink
from gateway.uplinks.notice import Notice
from kit.clock import SimulatedClock
from tests.fakes.outbox import NOW_NS, context, escalation_row, row, transition

TAKEN = Answer(Outcome.TAKEN)
ACCEPTED, REJECTED, RETRY = ReceiptKind.ACCEPTED, ReceiptKind.REJECTED, ReceiptKind.RETRY


class PlainSettings(MessengerSettings):
    kind: Literal["plain"] = "plain"


class ScriptedSpeaker:
    """Answers by what is said: the first of `answers` whose key is in the group, else TAKEN."""

    def __init__(self, answers: dict[str, Answer] | None = None, room: int = 100) -> None:
        self.said: list[list[str]] = []
        self.closed = False
        self._answers = answers or {}
        self._room = room

    async def say(self, notices: Sequence[Notice]) -> Answer:
        keys = [notice.key for notice in notices]
        self.said.append(keys)
        return next((self._answers[key] for key in keys if key in self._answers), TAKEN)

    def fits(self, notices: Sequence[Notice]) -> bool:
        return len(notices) <= self._room

    async def close(self) -> None:
        self.closed = True


def uplink(tmp_path, speaker, clock=None, per_minute=20, **settings):
    return MessengerUplink(PlainSettings(name="people", **settings), context(tmp_path, clock), speaker, per_minute)


def kinds(receipts):
    return [receipt.kind for receipt in receipts]


async def test_a_few_leave_as_a_message_each_the_gravest_first_and_receipts_keep_the_order(tmp_path):
    speaker = ScriptedSpeaker({"alarm-1:raised": Answer(Outcome.REFUSED, "no")})
    rows = [row(1, Severity.P3), row(2, Severity.P1), escalation_row("no screen listening", 3)]
    receipts = await uplink(tmp_path, speaker).send_alerts(rows)
    assert speaker.said == [["alarm-3:escalation:no-screen-listening"], ["alarm-2:raised"], ["alarm-1:raised"]]
    assert kinds(receipts) == [REJECTED, ACCEPTED, ACCEPTED]


async def test_many_leave_together_and_each_receipt_says_so(tmp_path):
    speaker = ScriptedSpeaker()
    receipts = await uplink(tmp_path, speaker).send_alerts([row(n) for n in range(5)])
    assert speaker.said == [[f"alarm-{n}:raised" for n in range(5)]]
    assert {(receipt.kind, receipt.detail) for receipt in receipts} == {(ACCEPTED, "one of 5 in one message")}


async def test_what_does_not_fit_into_one_message_goes_into_the_next(tmp_path):
    speaker = ScriptedSpeaker(room=20)
    receipts = await uplink(tmp_path, speaker).send_alerts([row(n) for n in range(50)])
    assert [len(group) for group in speaker.said] == [20, 20, 10]
    assert set(kinds(receipts)) == {ACCEPTED}


async def test_a_full_minute_keeps_the_rest_until_there_is_room_again(tmp_path):
    clock, speaker = SimulatedClock(NOW_NS), ScriptedSpeaker(room=20)
    people = uplink(tmp_path, speaker, clock, per_minute=2)
    await clock.advance(100)
    receipts = await people.send_alerts([row(n) for n in range(50)])
    assert kinds(receipts) == [ACCEPTED] * 40 + [RETRY] * 10
    assert {receipt.retry_after_s for receipt in receipts[40:]} == {60.0}
    await clock.advance(59.9)
    assert (await people.send_alerts([row(60)]))[0].retry_after_s == pytest.approx(0.1)
    assert len(speaker.said) == 2
    await clock.advance(0.1)
    assert kinds(await people.send_alerts([row(60)])) == [ACCEPTED]


async def test_with_little_room_even_a_few_leave_together(tmp_path):
    speaker = ScriptedSpeaker()
    people = uplink(tmp_path, speaker, per_minute=2)
    await people.send_alerts([row(1)])
    assert kinds(await people.send_alerts([row(2), row(3)])) == [ACCEPTED, ACCEPTED]
    assert [len(group) for group in speaker.said] == [1, 2]


async def test_a_receiver_that_asks_for_silence_gets_it(tmp_path):
    clock = SimulatedClock(NOW_NS)
    speaker = ScriptedSpeaker({"alarm-1:raised": Answer(Outcome.LATER, "too fast", 600.0)})
    people = uplink(tmp_path, speaker, clock)
    receipts = await people.send_alerts([row(1), row(2), row(3)])
    assert [(receipt.kind, receipt.detail, receipt.retry_after_s) for receipt in receipts] == [
        (RETRY, "too fast", 600.0)
    ] * 3
    await clock.advance(599)
    assert (await people.send_alerts([row(4)]))[0].retry_after_s == pytest.approx(1.0)
    assert len(speaker.said) == 1
    await clock.advance(1)
    assert kinds(await people.send_alerts([row(4)])) == [ACCEPTED]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNCLEAR])
@pytest.mark.parametrize("bad", range(7))
async def test_one_bad_row_among_many_stops_none_of_the_others(tmp_path, outcome, bad):
    speaker = ScriptedSpeaker({f"alarm-{bad}:raised": Answer(outcome, "bad words")})
    receipts = await uplink(tmp_path, speaker).send_alerts([row(n) for n in range(7)])
    expected = REJECTED if outcome is Outcome.REFUSED else RETRY
    assert kinds(receipts) == [expected if n == bad else ACCEPTED for n in range(7)]
    assert receipts[bad].detail == "bad words"
    taken = [key for group in speaker.said if f"alarm-{bad}:raised" not in group for key in group]
    assert sorted(taken) == sorted(f"alarm-{n}:raised" for n in range(7) if n != bad)


@pytest.mark.parametrize(
    ("attempts", "kind"), [(0, RETRY), (GIVE_UP_ATTEMPTS - 2, RETRY), (GIVE_UP_ATTEMPTS - 1, REJECTED)]
)
async def test_a_row_that_is_answered_with_a_riddle_is_given_up_at_last(tmp_path, attempts, kind):
    speaker = ScriptedSpeaker({"alarm-1:raised": Answer(Outcome.UNCLEAR, "code 777")})
    (receipt,) = await uplink(tmp_path, speaker).send_alerts([row(1, attempts=attempts)])
    assert receipt.kind is kind
    assert "code 777" in receipt.detail


async def test_a_dead_receiver_never_makes_a_row_rejected(tmp_path):
    speaker = ScriptedSpeaker({"alarm-1:raised": Answer(Outcome.LATER, "no connection")})
    (receipt,) = await uplink(tmp_path, speaker).send_alerts([row(1, attempts=10_000)])
    assert receipt.kind is RETRY


async def test_a_row_without_words_is_rejected_and_stops_nothing(tmp_path):
    speaker = ScriptedSpeaker()
    strange = OutboxItem(7, "people", "k", "evidence_record", b"{}", NOW_NS, 0)
    receipts = await uplink(tmp_path, speaker).send_alerts([row(1), strange, row(2)])
    assert kinds(receipts) == [ACCEPTED, REJECTED, ACCEPTED]
    assert "evidence_record" in receipts[1].detail


async def test_a_closed_uplink_says_nothing_more(tmp_path):
    speaker = ScriptedSpeaker()
    people = uplink(tmp_path, speaker)
    await people.close()
    assert kinds(await people.send_alerts([row(1)])) == [RETRY]
    assert (speaker.said, speaker.closed) == ([], True)


@pytest.mark.parametrize(
    ("least", "wanted"),
    [("P1", {"P1"}), ("P2", {"P1", "P2"}), ("P3", {"P1", "P2", "P3"}), ("log", {"P1", "P2", "P3", "log"})],
)
def test_only_what_is_grave_enough_is_wanted(tmp_path, least, wanted):
    people = uplink(tmp_path, ScriptedSpeaker(), min_severity=Severity(least))
    assert isinstance(people, Notifier)
    assert {severity for severity in Severity if people.wants(transition(1, severity))} == wanted


def test_raised_alone_is_wanted_unless_more_are_chosen(tmp_path):
    people = uplink(tmp_path, ScriptedSpeaker())
    assert {kind for kind in TransitionKind if people.wants(transition(kind=kind))} == {TransitionKind.RAISED}
    chosen = (TransitionKind.RAISED, TransitionKind.RETURNED)
    people = uplink(tmp_path, ScriptedSpeaker(), transitions=chosen)
    assert {kind for kind in TransitionKind if people.wants(transition(kind=kind))} == set(chosen)
