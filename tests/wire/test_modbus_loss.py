"""A device behind a line that loses replies: the driver's polls, and what the rule of lost requests says of them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from drivers.modbus.driver import KIND
from gateway.model.verdict import Truth
from gateway.rules.loss import LossRules
from kit.clock import SystemClock
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.modbus_binding import bound_device, bound_link, float_table
from tests.fakes.windowed_rules import loss

POLLS = 120
RULE = replace(loss(min_requests=50, device_points=10), subject="unit-1")


@pytest.fixture(scope="module")
def server() -> Iterator[LibmodbusServer]:
    with LibmodbusServer(registers=100) as running:
        yield running


def every(count: int) -> Callable[[bytes], bytes]:
    """Drops one reply of so many."""
    seen = 0

    def change(reply: bytes) -> bytes:
        nonlocal seen
        seen += 1
        return b"" if seen % count == 0 else reply

    return change


@pytest.mark.parametrize(("one_of", "expected"), [(4, Truth.TRUE), (12, Truth.FALSE)])
async def test_a_link_that_loses_a_fourth_is_told_and_a_twelfth_is_not(
    server: LibmodbusServer, one_of: int, expected: Truth
) -> None:
    rules, sink = LossRules([(0, RULE)]), HoldingSink()
    async with FaultProxy(server.port) as proxy:
        proxy.change_reply = every(one_of)
        times = {"timeout_ms": 30, "backoff_min_ms": 10, "backoff_max_ms": 20}
        link = bound_link(proxy.port, [bound_device(float_table(10), poll_ms=5)], **times)
        task = asyncio.create_task(KIND.build(link, SystemClock()).run(sink))
        await sink.until(lambda: len(sink.offered) >= POLLS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for readings in sink.offered:
        rules.evaluate(readings)
    truth, share = rules._counters[0].judge(sink.offered[-1].observed_at_ns)
    assert truth is expected
    assert share == pytest.approx(100 / one_of, abs=3)
