"""The MQTT driver against a real Mosquitto: what arrives, what is acknowledged and when."""

import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.model.reading import Quality
from gateway.ports import LinkState
from kit.clock import SimulatedClock, SystemClock
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.mqtt_box import TABLE, bound_link, running
from tests.fakes.mqtt_peer import publish_all

SUBACK = "Sending SUBACK to sitewarden-l"
PUBACK = "Received PUBACK from sitewarden-l"
PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
TOPIC = "site/mast"
HERE = {**os.environ, "PYTHONPATH": str(Path.cwd())}
PLAIN = {
    **TABLE,
    "payload": "plain",
    "points": [
        {"key": "wind", "topic_suffix": "wind", "title_zh": "风速", "title_en": "Wind"},
        {"key": "temp", "topic_suffix": "temp", "title_zh": "气温", "title_en": "Temperature"},
    ],
}


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


@pytest.fixture
def keeping_broker() -> Iterator[Mosquitto]:
    with Mosquitto(persistence=True) as broker:
        yield broker


def wind(*values: float) -> list[tuple[str, bytes]]:
    return [(TOPIC, b'{"w": %d, "t": 20}' % value) for value in values]


async def say(broker: Mosquitto, messages: list[tuple[str, bytes]], **how: Any) -> None:
    await asyncio.to_thread(publish_all, broker, messages, **how)


async def logged(broker: Mosquitto, text: str, count: int = 1) -> None:
    await asyncio.to_thread(broker.wait_for_log, text, count)


async def subscribe_once(broker: Mosquitto, **link: Any) -> None:
    """Leave a session behind at the broker, as a box does that has been there before."""
    async with running(bound_link(broker.port, **link), HoldingSink()):
        await logged(broker, SUBACK)


@PROTOCOLS
async def test_a_json_message_becomes_readings_and_is_acknowledged(broker: Mosquitto, protocol: str) -> None:
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol), sink) as driver:
        await logged(broker, SUBACK)
        assert driver.health()[0].state is LinkState.STARTING
        await say(broker, [(TOPIC, b'{"w": 3.5, "t": "none"}')])
        await sink.until(lambda: len(sink.readings) == 1)
        await logged(broker, PUBACK)
        health = driver.health()[0]
    readings = sink.readings[0]
    assert (readings.device, readings.value[0]) == ("mast-1", 3.5)
    assert readings.quality.tolist() == [Quality.GOOD, Quality.BAD]
    assert (health.state, health.polls, health.failures) == (LinkState.UP, 1, 0)


@PROTOCOLS
async def test_plain_payloads_on_several_topics_become_one_devices_readings(broker: Mosquitto, protocol: str) -> None:
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol, table=PLAIN, topic="site/mast/+"), sink):
        await logged(broker, SUBACK)
        await say(broker, [("site/mast/wind", b"3.5"), ("site/mast/temp", b"-4"), ("site/mast/rain", b"1")])
        await sink.until(lambda: len(sink.readings) == 2 and len(sink.aside) == 1)
    assert [(r.point_index.tolist(), r.value.tolist()) for r in sink.readings] == [([0], [3.5]), ([1], [-4.0])]
    assert "topic_suffix" in sink.aside[0][2]


@PROTOCOLS
async def test_a_killed_box_gets_again_what_its_history_never_had(broker: Mosquitto, protocol: str) -> None:
    await subscribe_once(broker, protocol=protocol)
    await say(broker, wind(1, 2, 3))
    command = [sys.executable, "-m", "tests.fakes.mqtt_box", str(broker.port), protocol, "3"]
    box = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=HERE)
    assert box.stdout is not None
    assert await box.stdout.readline() == b"taken\n"
    box.kill()
    await box.communicate()
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol), sink):
        await sink.until(lambda: len(sink.readings) >= 3)
        await logged(broker, PUBACK, 3)
    assert sink.values == [1, 2, 3]
    again = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol), again):
        await say(broker, wind(4))
        await again.until(lambda: bool(again.readings))
    assert again.values == [4]


@PROTOCOLS
async def test_what_is_published_while_the_box_is_away_waits_for_it(broker: Mosquitto, protocol: str) -> None:
    await subscribe_once(broker, protocol=protocol)
    await say(broker, wind(*range(50)))
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol), sink):
        await sink.until(lambda: len(sink.readings) >= 50)
    assert sink.values == list(range(50))


@PROTOCOLS
async def test_a_reconnection_does_not_put_uncommitted_messages_twice(keeping_broker: Mosquitto, protocol: str) -> None:
    broker, sink = keeping_broker, HoldingSink(hold=True)
    async with running(bound_link(broker.port, protocol=protocol), sink):
        await logged(broker, SUBACK)
        await say(broker, wind(1, 2, 3))
        await sink.until(lambda: len(sink.readings) == 3)
        await asyncio.to_thread(broker.restart)
        await logged(broker, "Sending PUBLISH to sitewarden-l (d1", 3)
        sink.commit_from_now_on()
        await say(broker, wind(4))
        await sink.until(lambda: len(sink.readings) >= 4)
        await logged(broker, PUBACK, 4)
    assert sink.values == [1, 2, 3, 4]


async def test_what_was_committed_while_the_broker_was_away_is_acknowledged_at_its_return(
    keeping_broker: Mosquitto,
) -> None:
    broker, sink = keeping_broker, HoldingSink(hold=True)
    async with running(bound_link(broker.port), sink):
        await logged(broker, SUBACK)
        await say(broker, wind(1, 2))
        await sink.until(lambda: len(sink.readings) == 2)
        await asyncio.to_thread(broker.stop)
        await sink.until(lambda: bool(sink.offered))
        sink.commit_from_now_on()
        await asyncio.to_thread(broker.start)
        await logged(broker, PUBACK, 2)
    assert sink.values == [1, 2]


async def test_a_history_that_cannot_keep_a_message_gets_it_again(broker: Mosquitto) -> None:
    sink = HoldingSink(hold=True)
    async with running(bound_link(broker.port), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, wind(1, 2))
        await sink.until(lambda: len(sink.readings) == 2)
        sink.fail("disk full")
        await sink.until(lambda: bool(sink.offered))
        assert "disk full" in driver.health()[0].last_error
        await sink.until(lambda: len(sink.readings) == 4)
        assert PUBACK not in broker.log
        sink.commit_from_now_on()
        await logged(broker, PUBACK, 2)
    assert sink.values == [1, 2, 1, 2]


@PROTOCOLS
async def test_poison_is_put_aside_with_its_reason_and_the_next_message_is_read(
    broker: Mosquitto, protocol: str
) -> None:
    sink = HoldingSink()
    poison = [b"", b"{", b"\xff\xfe", b'{"w": 1, "w": 2}', b'{"w": "' + b"x" * 5_000 + b'"}']
    async with running(bound_link(broker.port, protocol=protocol, max_payload_bytes=4_096), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, [*wind(1), *[(TOPIC, payload) for payload in poison], *wind(2)])
        await sink.until(lambda: len(sink.readings) == 2)
        await logged(broker, PUBACK, 7)
        health = driver.health()[0]
    assert sink.values == [1, 2]
    assert [payload for _, payload, _ in sink.aside] == poison
    assert all(device == "mast-1" and reason for device, _, reason in sink.aside)
    assert (health.state, health.polls, health.failures) == (LinkState.UP, 2, 5)


async def test_nothing_private_is_kept_of_any_message(broker: Mosquitto) -> None:
    secret = b"Q7Z-SECRET"
    messages = [
        (TOPIC, b'{"w": 1, "IdNo": "' + secret + b'"}'),
        (TOPIC, b'{"w": 2, "IdNo": "' + secret),
        (TOPIC, b'{"w": 3, "w": 4, "IdNo": "' + secret + b'"}'),
    ]
    await subscribe_once(broker, topic="site/removed")
    await say(broker, [("site/removed", b'{"IdNo": "' + secret + b'"}')])
    sink = HoldingSink()
    async with running(bound_link(broker.port, table={**TABLE, "private": ["IdNo"]}), sink):
        await logged(broker, SUBACK, 2)
        await say(broker, messages)
        await sink.until(lambda: len(sink.readings) == 1 and len(sink.aside) == 3)
    kept = [sink.readings[0].raw.payload, *(payload for _, payload, _ in sink.aside)]
    assert sink.values == [1]
    assert [secret in payload for payload in kept] == [False] * 4
    assert all(b'"IdNo": null' in payload for payload in kept)


async def test_only_poison_shows_as_down_with_the_reason(broker: Mosquitto) -> None:
    sink = HoldingSink()
    async with running(bound_link(broker.port), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, [(TOPIC, b"{")])
        await sink.until(lambda: bool(sink.aside))
        health = driver.health()[0]
    assert health.state is LinkState.DOWN
    assert "not JSON" in health.last_error


async def test_a_message_for_no_device_is_put_aside_and_acknowledged(broker: Mosquitto) -> None:
    await subscribe_once(broker, topic="site/removed")
    await say(broker, [("site/removed", b"1")])
    sink = HoldingSink()
    async with running(bound_link(broker.port), sink):
        await logged(broker, PUBACK)
    assert [(device, payload) for device, payload, _ in sink.aside] == [("l", b"1")]
    assert "'site/removed'" in sink.aside[0][2]


@PROTOCOLS
async def test_no_more_is_taken_than_the_history_can_follow(broker: Mosquitto, protocol: str) -> None:
    await subscribe_once(broker, protocol=protocol)
    await say(broker, wind(*range(200)))
    sink = HoldingSink(hold=True)
    async with running(bound_link(broker.port, protocol=protocol, receive_maximum=10), sink):
        for taken in range(10, 200):
            await sink.until(lambda taken=taken: len(sink.readings) >= taken)  # type: ignore[misc]
            sink.commit(1)
        await sink.until(lambda: len(sink.readings) == 200)
        sink.commit()
        await logged(broker, PUBACK, 200)
    assert sink.most_uncommitted == 10
    assert sink.values == list(range(200))


async def test_a_sink_without_room_is_waited_for(broker: Mosquitto) -> None:
    await subscribe_once(broker)
    await say(broker, wind(*range(100)))
    sink = HoldingSink(hold=True, room=3)
    async with running(bound_link(broker.port), sink):
        for taken in range(3, 100):
            await sink.until(lambda taken=taken: len(sink.readings) >= taken)  # type: ignore[misc]
            sink.commit(1)
        await sink.until(lambda: len(sink.readings) == 100)
    assert sink.most_uncommitted == 3
    assert sink.values == list(range(100))


@PROTOCOLS
async def test_a_broker_that_dies_makes_the_points_bad_once_and_comes_back(
    broker: Mosquitto, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "drivers.mqtt.driver")
    sink = HoldingSink()
    async with running(bound_link(broker.port, protocol=protocol), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, wind(1))
        await sink.until(lambda: len(sink.readings) == 1)
        await asyncio.to_thread(broker.kill)
        await sink.until(lambda: bool(sink.offered))
        assert driver.health()[0].state is LinkState.DOWN
        await asyncio.to_thread(broker.start)
        await logged(broker, SUBACK, 2)
        await say(broker, wind(2))
        await sink.until(lambda: len(sink.readings) == 2)
        assert driver.health()[0].state is LinkState.UP
    assert sink.values == [1, 2]
    assert len(sink.offered) == 1
    assert np.isnan(sink.offered[0].value).all()
    assert sink.offered[0].quality.tolist() == [Quality.BAD, Quality.BAD]
    down, back = [r.getMessage() for r in caplog.records if r.name == "drivers.mqtt.driver"]
    assert "broker is down" in down
    assert "broker is back" in back


async def test_a_broker_that_is_not_there_is_waited_for() -> None:
    with Mosquitto() as broker:
        broker.stop()
        sink = HoldingSink()
        async with running(bound_link(broker.port), sink) as driver:
            await sink.until(lambda: bool(sink.offered))
            assert "refused" in driver.health()[0].last_error.lower()
            await asyncio.to_thread(broker.start)
            await logged(broker, SUBACK)
            await say(broker, wind(7))
            await sink.until(lambda: bool(sink.readings))
    assert sink.values == [7]


async def test_a_port_that_speaks_something_else_is_a_reason_and_no_crash() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        greeting = threading.Thread(target=_answer_as_http, args=(server,), daemon=True)
        greeting.start()
        sink = HoldingSink()
        async with running(bound_link(server.getsockname()[1]), sink) as driver:
            await sink.until(lambda: bool(sink.offered))
            health = driver.health()[0]
        greeting.join(5)
    assert health.state is LinkState.DOWN
    assert health.last_error


def _answer_as_http(server: socket.socket) -> None:
    peer, _ = server.accept()
    with peer:
        peer.recv(1_000)
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + b"\x20\x82\xff\xff" * 10)


async def test_a_refused_subscription_is_down_with_the_reason_and_asked_for_again_every_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "drivers.mqtt.driver")
    clock, sink = SimulatedClock(), HoldingSink()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_refuse_twice_then_grant, args=(server,), daemon=True).start()
        link = bound_link(server.getsockname()[1], protocol="3.1.1")
        async with running(link, sink, clock) as driver:
            await sink.until(lambda: bool(sink.offered))
            assert "refused the subscription" in driver.health()[0].last_error
            async with asyncio.timeout(10):
                while not sink.readings:
                    await clock.advance(61)
            health = driver.health()[0]
    assert sink.values == [9]
    assert health.state is LinkState.UP
    assert len(sink.offered) == 1
    refused, back = [r.getMessage() for r in caplog.records if r.name == "drivers.mqtt.driver"]
    assert "subscription refused" in refused
    assert "subscription is back" in back


def _refuse_twice_then_grant(server: socket.socket) -> None:
    """Just enough MQTT 3.1.1: CONNACK, SUBACK 0x80 twice, then SUBACK QoS 1 and one message. No Mosquitto refuses."""
    peer, _ = server.accept()
    with peer:
        peer.recv(1_000)
        peer.sendall(b"\x20\x02\x00\x00")
        for answer in (0x80, 0x80, 0x01):
            subscribe = peer.recv(1_000)
            peer.sendall(b"\x90\x03" + subscribe[2:4] + bytes([answer]))
        payload = b'{"w": 9, "t": 1}'
        body = len(TOPIC).to_bytes(2, "big") + TOPIC.encode() + b"\x00\x07" + payload
        peer.sendall(bytes([0x32, len(body)]) + body)
        while peer.recv(1_000):
            continue


async def test_a_retained_value_of_unknown_age_is_suspect(broker: Mosquitto) -> None:
    await say(broker, wind(5), retain=True)
    sink = HoldingSink()
    async with running(bound_link(broker.port), sink):
        await sink.until(lambda: bool(sink.readings))
        await say(broker, wind(6))
        await sink.until(lambda: len(sink.readings) == 2)
    assert [r.quality[0] for r in sink.readings] == [Quality.SUSPECT, Quality.GOOD]


async def test_a_second_value_for_one_moment_and_a_clock_ahead_are_suspect(broker: Mosquitto) -> None:
    table = {**TABLE, "time": {"path": "$.at", "format": "ms"}}
    now_ms = SystemClock().now_ns() // 1_000_000
    sent = [(now_ms, 5), (now_ms, 6), (now_ms + 4_000, 7), (now_ms + 60_000, 8)]
    sink = HoldingSink()
    async with running(bound_link(broker.port, table=table), sink):
        await logged(broker, SUBACK)
        await say(broker, [(TOPIC, b'{"w": %d, "t": 20, "at": %d}' % (value, at)) for at, value in sent])
        await sink.until(lambda: len(sink.readings) == 4)
    assert [tuple(r.quality) for r in sink.readings] == [
        (Quality.GOOD, Quality.GOOD),
        (Quality.SUSPECT, Quality.GOOD),  # the temperature was told as before
        (Quality.GOOD, Quality.GOOD),
        (Quality.SUSPECT, Quality.SUSPECT),
    ]
    assert sink.readings[3].observed_at_ns == sink.readings[3].received_at_ns


@PROTOCOLS
async def test_a_password_opens_the_broker_and_a_wrong_one_is_named_but_never_shown(
    protocol: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "right").write_text("s3cret-right\n")
    (tmp_path / "wrong").write_text("s3cret-wrong\n")
    with Mosquitto(users={"box": "s3cret-right"}) as broker:
        login: dict[str, Any] = {"protocol": protocol, "username": "box"}
        sink = HoldingSink()
        async with running(bound_link(broker.port, password={"file": tmp_path / "wrong"}, **login), sink) as driver:
            await sink.until(lambda: bool(sink.offered))
            assert "not authorized" in driver.health()[0].last_error.lower()
        async with running(bound_link(broker.port, password={"file": tmp_path / "right"}, **login), sink):
            await logged(broker, SUBACK)
            await say(broker, wind(1), user="box", password="s3cret-right")
            await sink.until(lambda: bool(sink.readings))
    assert "s3cret" not in caplog.text


async def test_a_password_file_that_is_missing_is_named(broker: Mosquitto, tmp_path: Path) -> None:
    sink = HoldingSink()
    link = bound_link(broker.port, username="box", password={"file": tmp_path / "gone"})
    async with running(link, sink) as driver:
        await sink.until(lambda: bool(sink.offered))
        assert "gone" in driver.health()[0].last_error


@PROTOCOLS
async def test_a_client_certificate_opens_the_broker(protocol: str) -> None:
    with Mosquitto(mtls=True) as broker:
        assert broker.certificates is not None
        pair = broker.certificates.client
        tls = {"ca_file": broker.certificates.ca_file, "cert_file": pair.cert_file, "key_file": pair.key_file}
        sink = HoldingSink()
        async with running(bound_link(broker.port, protocol=protocol, tls=tls), sink):
            await logged(broker, SUBACK)
            await say(broker, wind(*range(30)))
            await sink.until(lambda: len(sink.readings) == 30)
            await logged(broker, PUBACK, 30)
    assert sink.values == list(range(30))


@pytest.mark.parametrize("shown", ["nothing", "stranger"])
async def test_without_a_trusted_certificate_the_broker_stays_closed(shown: str) -> None:
    with Mosquitto(mtls=True) as broker:
        assert broker.certificates is not None
        pair = broker.certificates.stranger
        tls: dict[str, Any] = {"ca_file": broker.certificates.ca_file}
        if shown == "stranger":
            tls |= {"cert_file": pair.cert_file, "key_file": pair.key_file}
        sink = HoldingSink()
        async with running(bound_link(broker.port, tls=tls), sink) as driver:
            await sink.until(lambda: bool(sink.offered))
            assert driver.health()[0].state is LinkState.DOWN
        assert SUBACK not in broker.log


async def test_a_broker_that_shows_a_foreign_certificate_is_not_talked_to() -> None:
    with Mosquitto(mtls=True) as broker:
        sink = HoldingSink()
        async with running(bound_link(broker.port, tls={}), sink) as driver:
            await sink.until(lambda: bool(sink.offered))
            assert "certificate" in driver.health()[0].last_error.lower()
