"""Pattern A's token over a real socket: refused, ended early, ended by the clock."""

import pytest

from gateway.model.alert import ReceiptKind
from kit.clock import SimulatedClock
from tests.fakes.docking_box import START_NS, DockingBox
from tests.fakes.docking_patterns import A, TokenFormServer
from tests.fakes.outbox import row


@pytest.fixture
async def parts(tmp_path):
    clock = SimulatedClock(START_NS)
    with TokenFormServer(clock.now_ns) as platform:
        box = DockingBox(tmp_path, A, platform.url, clock)
        yield box, platform
        await box.close()


async def test_one_token_serves_until_its_time_is_over(parts):
    box, platform = parts
    await box.uplink.send_alerts([row(1), row(2)])
    assert len(platform.tokens) == 1
    await box.clock.advance(601)
    await box.uplink.send_alerts([row(9)])
    assert (len(platform.tokens), len(platform.kept), platform.refusals) == (2, 3, [])


async def test_a_token_that_ended_before_its_time_costs_one_more_request(parts):
    box, platform = parts
    platform.lasts_s = 60
    await box.uplink.send_alerts([row(1)])
    await box.clock.advance(120)
    (receipt,) = await box.uplink.send_alerts([row(2)])
    assert receipt.kind is ReceiptKind.ACCEPTED
    assert (len(platform.tokens), platform.refusals) == (2, ["token expired"])


async def test_a_refused_application_waits_for_somebody_to_correct_it(parts):
    box, platform = parts
    platform.refuse_tokens = True
    first, second = await box.uplink.send_alerts([row(1), row(2)])
    assert (first.kind, first.retry_after_s, second.kind) == (ReceiptKind.RETRY, 60.0, ReceiptKind.RETRY)
    assert "unknown application" in first.detail
    assert len(platform.requests) == 1
    platform.refuse_tokens = False
    assert [each.kind for each in await box.uplink.send_alerts([row(1)])] == [ReceiptKind.ACCEPTED]


async def test_tokens_that_end_at_once_are_not_asked_for_in_a_circle(parts):
    box, platform = parts
    platform.lasts_s = 0
    (receipt,) = await box.uplink.send_alerts([row(1)])
    assert receipt.kind is ReceiptKind.RETRY
    assert len(platform.requests) == 2
