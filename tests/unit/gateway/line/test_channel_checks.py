import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.line.channel_checks import Channel, ChannelCheckError, ChannelChecks, CheckRefusal
from gateway.line.delivery import Delivery
from gateway.line.recorder import Route
from gateway.model.alert import Receipt, ReceiptKind
from gateway.store.history_reader import HistoryReader
from gateway.store.outbox_reader import OutboxReader
from tests.fakes.scripted_uplink import ScriptedUplink
from tests.fakes.site import BOX, Site, points, threshold, until

DUTY = Channel("duty", "webhook", tells_people=True, escalates=True)
PLATFORM = Channel("platform", "regulator", tells_people=False, escalates=False)


class Office:
    """A small site with one channel to people, and the delivery that serves it."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder, points(), [threshold(0)], routes=(Route("duty", True, False, False),))
        site = self.site
        self.uplink = ScriptedUplink("duty")
        reader = HistoryReader(site.history.path, site.table)
        self.delivery = Delivery(self.uplink, site.alerts, site.history, reader, site.clock)
        outbox = OutboxReader(site.alerts.path)
        self.checks = ChannelChecks((DUTY, PLATFORM), (BOX, "P-1"), site.recorder, outbox, site.clock)
        self.tasks = [asyncio.create_task(site.recorder.run())]

    def deliver(self) -> None:
        self.tasks.append(asyncio.create_task(self.delivery.run()))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.delivery.close()
        self.site.close()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path)
    yield office
    await office.close()


def _duty(office: Office):  # type: ignore[no-untyped-def]
    return office.checks.records()[0]


async def test_a_test_is_sealed_with_who_asked_and_leaves_as_what_nobody_takes_for_an_alarm(office: Office) -> None:
    seq = await office.checks.test("duty", "officer A")
    (record,) = office.site.alerts.evidence_of("channel:duty")
    content = json.loads(record.body)["content"]
    assert (record.seq, record.kind, content["user"], content["uplink"]) == (seq, "channel_test", "officer A", "duty")
    (item,) = office.site.alerts.pending("duty", 10)
    assert (item.kind, item.key) == ("test", content["test_id"])
    assert json.loads(item.body)["title_zh"] == "测试消息，不是报警"


async def test_until_the_receiver_has_spoken_nothing_is_claimed(office: Office) -> None:
    assert _duty(office).test is None
    await office.checks.test("duty", "a")
    waiting = _duty(office)
    assert waiting.test is not None
    assert (waiting.test.outcome, waiting.test.attempts, waiting.pending) == (None, 0, 1)
    assert waiting.accepted is None


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (Receipt.accepted("msg-17"), ReceiptKind.ACCEPTED, "msg-17"),
        (Receipt.rejected("40035: bad robot"), ReceiptKind.REJECTED, "40035: bad robot"),
        (Receipt.retry("no answer within 10 s"), None, "no answer within 10 s"),
    ],
)
async def test_what_is_shown_is_what_the_receiver_said(
    office: Office, answer: Receipt, outcome: ReceiptKind | None, words: str
) -> None:
    office.uplink.alert_answers.append(answer)
    await office.checks.test("duty", "a")
    office.deliver()
    await until(lambda: _duty(office).test.attempts == 1)
    found = _duty(office)
    assert (found.test.outcome, found.test.words) == (outcome, words)
    assert (found.accepted is not None, found.rejected is not None) == (
        outcome is ReceiptKind.ACCEPTED,
        outcome is ReceiptKind.REJECTED,
    )
    assert await office.checks.settled("duty", 0.0) is (outcome is not None)


async def test_an_alarm_that_was_refused_is_the_last_failure_and_not_the_last_test(office: Office) -> None:
    office.uplink.alert_answers.append(Receipt.accepted())
    await office.checks.test("duty", "a")
    office.deliver()
    await until(lambda: _duty(office).accepted is not None)
    key = _duty(office).test.key
    office.uplink.alert_answers.append(Receipt.rejected("too long"))
    await office.site.clock.advance(60.0)
    await office.checks.test("duty", "a")
    office.delivery.wake(urgent=True)
    await until(lambda: _duty(office).rejected is not None)
    assert _duty(office).accepted.key == key
    assert _duty(office).test.outcome is ReceiptKind.REJECTED


async def test_a_channel_takes_one_test_a_minute(office: Office) -> None:
    await office.checks.test("duty", "a")
    await office.site.clock.advance(59.5)
    with pytest.raises(ChannelCheckError) as refused:
        await office.checks.test("duty", "b")
    assert (refused.value.refusal, refused.value.wait_s) == (CheckRefusal.TOO_SOON, 1)
    await office.site.clock.advance(0.5)
    await office.checks.test("duty", "b")
    assert len(office.site.alerts.evidence_of("channel:duty")) == 2


@pytest.mark.parametrize(
    ("name", "refusal"), [("nobody", CheckRefusal.NO_CHANNEL), ("platform", CheckRefusal.TELLS_NOBODY)]
)
async def test_what_tells_no_people_takes_no_test(office: Office, name: str, refusal: CheckRefusal) -> None:
    with pytest.raises(ChannelCheckError) as refused:
        await office.checks.test(name, "a")
    assert (refused.value.refusal, refused.value.wait_s) == (refusal, 0)
    assert office.site.alerts.head().seq == 0
