"""One golden reply per shipped register table, as it would cross the wire, and the values that it means.

The frames were packed with Python's `struct` from the maps' addresses, types and orders, not with our encoder:
MBAP header (transaction, protocol 0, length, unit), function 3, byte count, then per pit point for example
`>f` (ABCD), `>I` with its halves exchanged (CDAB), `>h`, `>H`, and five unused words (dead beef 1 2 3).
"""

import asyncio
import math
from collections.abc import Iterator

import pytest

from drivers.modbus.driver import KIND
from gateway.model.reading import Quality
from kit.clock import SystemClock
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.modbus_binding import bound_device, bound_link, shipped_table

GOLDEN = {
    "pit-logger-modbus": (
        "00 01 00 00 00 35 01 03 32 41 48 00 00 c0 50 00 00 41 96 00 00 c4 20 00 00 30 39 00 00 fe bf ff ff 00 00 80 00"
        "11 70 00 01 fa 24 04 d2 7f ff de ad be ef 00 01 00 02 00 03 0b 01",
        [12.5, -3.25, 18.75, -640.0, 1234.5, -3.21, math.nan, math.nan, -1.5, 12.34, math.nan, 1, 0, 11],
    ),
    "crane-host-modbus": (
        "00 01 00 00 00 33 01 03 30 40 4c cc cd 40 c0 00 00 42 55 33 33 41 c0 00 00 42 26 00 00 42 70 00 00 43 87 c0 00"
        "41 06 66 66 ff 85 00 02 00 01 00 00 00 25 00 01 00 01 00 07",
        [3.2, 6.0, 53.3, 24.0, 41.5, 60.0, 271.5, 8.4, -1.23, 2, 1, 0, *[1, 0, 1, 0, 0, 1, 0], 1, 65543],
    ),
}

DOUBTED = {"crane-host-modbus": (0, 2, 3, 8)}
"""Columns that the frame's own fault bits (load, radius, tilt) make SUSPECT: load, moment, radius, tilt."""


@pytest.fixture(scope="module")
def server() -> Iterator[LibmodbusServer]:
    with LibmodbusServer(registers=100) as running:
        yield running


@pytest.mark.parametrize("model", list(GOLDEN))
async def test_the_golden_reply_means_the_golden_values(server: LibmodbusServer, model: str) -> None:
    frame, expected = GOLDEN[model]
    reply = bytes.fromhex(frame)
    async with FaultProxy(server.port) as proxy:
        proxy.change_reply = lambda answer: answer[:2] + reply[2:]
        sink = HoldingSink()
        driver = KIND.build(bound_link(proxy.port, [bound_device(shipped_table(model), poll_ms=0)]), SystemClock())
        task = asyncio.create_task(driver.run(sink))
        await sink.until(lambda: bool(sink.offered))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        count = int.from_bytes(reply[8:9], "big") // 2
        assert proxy.seen_requests[0][6:] == bytes([1, 3, 0, 0, 0, count])
    readings = sink.offered[0]
    assert readings.value.tolist() == pytest.approx(expected, rel=1e-6, nan_ok=True)
    known = [Quality.BAD if math.isnan(value) else Quality.GOOD for value in expected]
    doubted = DOUBTED.get(model, ())
    assert readings.quality.tolist() == [Quality.SUSPECT if i in doubted else each for i, each in enumerate(known)]
