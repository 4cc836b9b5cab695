"""Messages that are too large: refused with their size, never held whole, and the next one is read."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.mqtt.link import KEEP_BYTES
from gateway.ports import LinkState
from kit.mqtt_client import HEAD_BYTES
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.mosquitto_pub import publish_file, sparse_file
from tests.fakes.mqtt_box import bound_link, running
from tests.fakes.mqtt_peer import publish_all

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
SUBACK = "Sending SUBACK to sitewarden-l"
PUBACK = "Received PUBACK from sitewarden-l"
TOPIC = "site/mast"
LIMIT = 4_096
HUGE = 200_000_000
HERE = {**os.environ, "PYTHONPATH": str(Path.cwd())}


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


async def say(broker: Mosquitto, messages: list[tuple[str, bytes]]) -> None:
    await asyncio.to_thread(publish_all, broker, messages)


async def logged(broker: Mosquitto, text: str, count: int = 1) -> None:
    await asyncio.to_thread(broker.wait_for_log, text, count, 30)


def of_size(size: int) -> bytes:
    """A message of so many bytes; the table reads its wind."""
    return b'{"w": 7, "t": 20, "x": "' + b"x" * (size - 26) + b'"}'


@PROTOCOLS
async def test_a_message_of_the_limit_is_read_and_one_byte_more_is_put_aside(broker: Mosquitto, protocol: str) -> None:
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol, max_payload_bytes=LIMIT), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, [(TOPIC, of_size(LIMIT)), (TOPIC, of_size(LIMIT + 1)), (TOPIC, b'{"w": 8}')])
        await sink.until(lambda: len(sink.readings) == 2)
        await logged(broker, PUBACK, 3)
        health = driver.health()[0]
    assert sink.values == [7, 8]
    assert sink.aside == [("mast-1", of_size(LIMIT + 1), f"4097 bytes on topic {TOPIC!r}; {taken()}")]
    assert (health.state, health.failures) == (LinkState.UP, 1)


@PROTOCOLS
@pytest.mark.parametrize("over", [0, 1, 1_000_000])
async def test_of_a_packet_beyond_the_limit_only_the_head_is_kept(broker: Mosquitto, protocol: str, over: int) -> None:
    # A packet is: 2 bytes of length and the topic, 2 of identifier, with MQTT 5 one for no properties; the payload.
    packet = LIMIT + HEAD_BYTES + over
    sent = of_size(packet - 2 - len(TOPIC) - 2 - (1 if protocol == "5" else 0))
    told = len(sent) if over == 0 else packet
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol, max_payload_bytes=LIMIT), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, [(TOPIC, sent), (TOPIC, b'{"w": 8}')])
        await sink.until(lambda: bool(sink.readings))
        await logged(broker, PUBACK, 2)
        await say(broker, [(TOPIC, sent)])
        await sink.until(lambda: len(sink.aside) == 2)
        health = driver.health()[0]
    assert sink.values == [8]
    assert sink.aside == [("mast-1", sent[:KEEP_BYTES], f"{told} bytes on topic {TOPIC!r}; {taken()}")] * 2
    assert health.failures == 2
    assert str(told) in health.last_error


def taken(limit: int = LIMIT) -> str:
    return f"at most {limit} are taken (max_payload_bytes)"


async def test_properties_without_end_are_not_kept_either(broker: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(b'{"w": 7}')
    property_ = ["-V", "5"] + ["-D", "publish", "user-property", "k", "x" * 60_000] * 20
    sink = HoldingSink()
    async with running(bound_link(broker.port, max_payload_bytes=LIMIT), sink):
        await logged(broker, SUBACK)
        await publish_file(broker, TOPIC, tmp_path / "message", *property_)
        await say(broker, [(TOPIC, b'{"w": 8}')])
        await sink.until(lambda: bool(sink.readings))
        await logged(broker, PUBACK, 2)
    assert sink.values == [8]
    assert sink.aside == [("mast-1", b"", f"1200144 bytes on topic {TOPIC!r}; {taken()}")]


async def test_a_large_message_for_no_device_is_the_links(broker: Mosquitto) -> None:
    async with running(bound_link(broker.port, topic="site/#", protocol="3.1.1"), HoldingSink()):
        await logged(broker, SUBACK)
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol="3.1.1", max_payload_bytes=LIMIT), sink) as driver:
        await say(broker, [("site/removed", of_size(2_000_000)), (TOPIC, b'{"w": 8}')])
        await sink.until(lambda: bool(sink.readings))
        assert [(health.device, health.failures) for health in driver.health()] == [("mast-1", 0), ("link:l", 1)]
    [(source, kept, reason)] = sink.aside
    assert (source, len(kept)) == ("l", KEEP_BYTES)
    assert reason == "no device listens to topic 'site/removed' (2000016 bytes)"


async def test_what_waits_for_the_history_is_bounded_in_bytes(broker: Mosquitto) -> None:
    size = 8_000_000
    link: dict[str, Any] = {"protocol": "3.1.1", "max_payload_bytes": size}
    sink = HoldingSink(hold=True)
    async with running(bound_link(broker.port, **link), sink):
        await logged(broker, SUBACK)
        await say(broker, [(TOPIC, of_size(size))] * 12)
        for _ in range(12):
            await sink.until(lambda: sink.uncommitted > 0)
            sink.commit(1)
    assert sink.values == [7] * 12
    assert sink.most_uncommitted <= 5


@PROTOCOLS
@pytest.mark.timeout(180)
async def test_a_message_of_200_mb_costs_no_memory_and_the_next_one_is_read(
    broker: Mosquitto, protocol: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.fakes.mqtt_box", str(broker.port), protocol, "told"]
    pipe = asyncio.subprocess.PIPE
    box = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=HERE)
    assert box.stdout is not None
    try:
        await logged(broker, SUBACK)
        await say(broker, [(TOPIC, b'{"w": 1}')])
        before = json.loads(await box.stdout.readline())
        await publish_file(broker, TOPIC, sparse_file(tmp_path / "huge", HUGE))
        await say(broker, [(TOPIC, b'{"w": 2}')])
        after = json.loads(await box.stdout.readline())
    finally:
        box.kill()
        await box.communicate()
    assert (before["values"], after["values"]) == ([1.0], [1.0, 2.0])
    assert after["peak_bytes"] - before["peak_bytes"] < 20_000_000
    if protocol == "3.1.1":
        assert after["aside"] == [f"200000013 bytes on topic {TOPIC!r}; {taken(262_144)}"]
    else:
        assert "Dropping too large outgoing PUBLISH for sitewarden-l" in broker.log
        assert after["aside"] == []
