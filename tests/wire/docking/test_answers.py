"""Answers that no honest platform gives, at the box's door and at the desk's."""

import pytest

from docking.request import HttpCall
from gateway.model.alert import ReceiptKind
from kit.clock import SimulatedClock
from regulator.parts.docking.door import Door, NoReplyError, hidden
from tests.fakes.docking_box import START_NS, DockingBox
from tests.fakes.docking_patterns import C
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.outbox import row

CALL = HttpCall("/x", {"Content-Type": "application/json"}, b"{}", ("top-secret",))
OK = Reply(200, body=b'{"StatusCode":0}')


async def receipt_of(folder, *script):
    with HttpReplies(script) as server:
        box = DockingBox(folder, C, server.url, SimulatedClock(START_NS))
        (receipt,) = await box.uplink.send_alerts([row(1)])
        await box.close()
    return receipt


@pytest.mark.parametrize(
    ("reply", "after_s"),
    [
        (Reply(429, {"Retry-After": "7"}), 7.0),
        (Reply(503, {"Retry-After": "90"}), 90.0),
        (Reply(401), 60.0),
        (Reply(404), 60.0),
        (Reply(302, {"Location": "/login"}), 0.0),
        (Reply(200, body=b"[" * 100_000), 0.0),
        (Reply(200, body=b'{"StatusCode":{"a":0}}'), 0.0),
        (Reply(200, body=b'{"StatusCode":0.5}'), 0.0),
    ],
)
async def test_nothing_but_the_maps_code_is_a_yes(tmp_path, reply, after_s):
    receipt = await receipt_of(tmp_path, reply)
    assert (receipt.kind, receipt.retry_after_s) == (ReceiptKind.RETRY, after_s)


async def test_the_maps_code_is_a_yes(tmp_path):
    assert (await receipt_of(tmp_path, OK)).kind is ReceiptKind.ACCEPTED


def test_the_desks_door_reads_the_whole_answer_and_the_wish():
    with HttpReplies([Reply(503, {"Retry-After": "90"}, b"busy")]) as server, Door(server.url + "/", 5, None) as door:
        reply = door.ask(CALL)
    assert (reply.status, reply.body, reply.retry_after_s) == (503, b"busy", 90.0)
    assert server.requests[0].path == "/x"


def test_the_desks_door_does_not_wait_for_an_answer_that_drips():
    moments = iter([0.0, 60.0, 120.0])
    with (
        HttpReplies([OK]) as server,
        Door(server.url, 5, None, lambda: next(moments)) as door,
        pytest.raises(NoReplyError, match="no whole answer within 5 s"),
    ):
        door.ask(CALL)


def test_the_desks_door_says_why_nobody_answered_without_a_secret():
    with Door("http://127.0.0.1:1", 2, None) as door, pytest.raises(NoReplyError, match="ConnectError"):
        door.ask(CALL)
    assert hidden("refused: top-secret", CALL.secrets) == "refused: ***"


def test_the_desks_door_gives_up_on_silence():
    with (
        HttpReplies([None]) as server,
        Door(server.url, 0.3, None) as door,
        pytest.raises(NoReplyError, match="Timeout"),
    ):
        door.ask(CALL)
