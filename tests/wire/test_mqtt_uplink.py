"""The MQTT uplink against a real Mosquitto: a Receipt says what the broker said, and nothing else."""

import asyncio
import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.chain import ChainHead
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.model.quantity import Point
from gateway.ports import Clock, ReadingBlock, UplinkContext
from gateway.uplinks.mqtt import KIND, MqttUplink
from kit.clock import SimulatedClock, SystemClock
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.mqtt_peer import Listener

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
NO_ALERTS_FOR_BOX = ["user box", "topic write site/readings/#", "user eye", "topic read site/#"]
USERS = {"box": "box-secret", "eye": "eye-secret"}


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


@asynccontextmanager
async def uplink(port: int, clock: Clock | None = None, **settings: Any) -> AsyncIterator[MqttUplink]:
    about = {"name": "site-mqtt", "kind": "mqtt", "host": "127.0.0.1", "topic_prefix": "site", "ack_timeout_s": 0.5}
    context = UplinkContext("box-1", "P-1", Path("unused"), clock or SystemClock(), ChainHead)
    built = KIND.build(KIND.settings.model_validate({**about, "port": port, **settings}), context)
    assert isinstance(built, MqttUplink)
    try:
        yield built
    finally:
        await built.close()


def alert(number: int, body: bytes = b'{"subject":"crane-1"}') -> OutboxItem:
    return OutboxItem(number, "site-mqtt", f"key-{number}", "alarm_transition", body, time.time_ns(), 0)


def block(polls: int = 1, device: str = "mast-1") -> ReadingBlock:
    points = tuple(Point(f"mast-1.p{i}", "mast-1", f"p{i}", "", device, "", "") for i in range(3))
    values = np.arange(polls * 3, dtype=np.float64).reshape(polls, 3)
    times = time.time_ns() + np.arange(polls, dtype=np.int64)
    return ReadingBlock(1, device, points, times, values, np.zeros((polls, 3), dtype=np.uint8))


async def until_accepted(send: Callable[[], Any]) -> int:
    """Send as the delivery loop would, until it is accepted; how often it had to be sent."""
    async with asyncio.timeout(15):
        for attempt in range(1, 1_000):
            receipt = await send()
            if receipt.kind is ReceiptKind.ACCEPTED:
                return attempt
            assert receipt.kind is ReceiptKind.RETRY
    raise AssertionError("never accepted")


async def one_alert(up: MqttUplink, number: int = 1, body: bytes = b'{"subject":"crane-1"}') -> Receipt:
    (receipt,) = await up.send_alerts([alert(number, body)])
    return receipt


@PROTOCOLS
async def test_alerts_and_readings_arrive_once_the_receipt_says_so(broker: Mosquitto, protocol: str) -> None:
    with Listener(broker) as listener:
        async with uplink(broker.port, protocol=protocol) as up:
            receipts = await up.send_alerts([alert(1), alert(2, b'{"subject":"pit-1"}')])
            readings = await up.send_readings([block(2), block(1, "mast-2")])
        messages = listener.wait_for(4)
    assert [r.kind for r in receipts] == [ReceiptKind.ACCEPTED] * 2
    assert readings == Receipt.accepted()
    topics = ["site/alerts/crane-1", "site/alerts/pit-1", "site/readings/mast-1", "site/readings/mast-2"]
    assert [m.topic for m in messages] == topics
    assert {m.qos for m in messages} == {1}
    assert messages[0].payload == b'{"subject":"crane-1"}'
    assert json.loads(messages[2].payload)["v"] == [[0, 1, 2], [3, 4, 5]]
    keys = dict(getattr(messages[0].properties, "UserProperty", []))
    assert keys == ({"key": "key-1", "kind": "alarm_transition"} if protocol == "5" else {})


async def test_nothing_to_send_is_accepted(broker: Mosquitto) -> None:
    async with uplink(broker.port) as up:
        assert await up.send_alerts([]) == []
        assert await up.send_readings([]) == Receipt.accepted()


@pytest.mark.parametrize("max_inflight", [1, 20])
async def test_the_brokers_receive_maximum_is_kept_and_the_order_too(max_inflight: int) -> None:
    with Mosquitto(max_inflight=max_inflight) as broker, Listener(broker) as listener:
        async with uplink(broker.port) as up:
            receipts = await up.send_alerts([alert(i, b'{"n":%d}' % i) for i in range(300)])
        messages = listener.wait_for(300)
    assert [r.kind for r in receipts] == [ReceiptKind.ACCEPTED] * 300
    assert [json.loads(m.payload)["n"] for m in messages] == list(range(300))


@pytest.fixture
def forbidding(tmp_path: Path) -> Iterator[tuple[Mosquitto, Listener, dict[str, Any]]]:
    """A broker on which the box may publish readings but no alerts, with someone who listens, and the box's login."""
    (tmp_path / "password").write_text("box-secret")
    login = {"username": "box", "password": {"file": tmp_path / "password"}}
    with (
        Mosquitto(users=USERS, acl=NO_ALERTS_FOR_BOX) as broker,
        Listener(broker, "site/#", user="eye", password="eye-secret") as listener,
    ):
        yield broker, listener, login


async def test_mqtt_5_says_that_a_topic_is_forbidden_and_only_that_is_rejected(
    forbidding: tuple[Mosquitto, Listener, dict[str, Any]],
) -> None:
    broker, listener, login = forbidding
    async with uplink(broker.port, **login) as up:
        refused = await one_alert(up)
        await until_accepted(lambda: up.send_readings([block()]))
    assert listener.wait_for(1)[0].topic == "site/readings/mast-1"
    assert refused.kind is ReceiptKind.REJECTED
    assert "not authorized" in refused.detail.lower()


async def test_mqtt_3_cannot_say_it_so_an_accepted_alert_may_be_dropped_by_the_broker(
    forbidding: tuple[Mosquitto, Listener, dict[str, Any]],
) -> None:
    broker, listener, login = forbidding
    async with uplink(broker.port, protocol="3.1.1", **login) as up:
        receipt = await one_alert(up)
        await until_accepted(lambda: up.send_readings([block()]))
    assert listener.wait_for(1)[0].topic == "site/readings/mast-1"
    assert receipt.kind is ReceiptKind.ACCEPTED


async def test_forbidden_readings_are_rejected_with_their_topic(
    forbidding: tuple[Mosquitto, Listener, dict[str, Any]],
) -> None:
    broker, _, login = forbidding
    async with uplink(broker.port, topic_prefix="elsewhere", **login) as up:
        receipt = await up.send_readings([block()])
    assert receipt.kind is ReceiptKind.REJECTED
    assert "elsewhere/readings/mast-1" in receipt.detail


@PROTOCOLS
async def test_a_wrong_password_is_retry_in_the_brokers_words_and_never_shown(
    protocol: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "wrong").write_text("s3cret-wrong")
    with Mosquitto(users=USERS) as broker:
        async with uplink(broker.port, protocol=protocol, username="box", password={"file": tmp_path / "wrong"}) as up:
            receipt = await one_alert(up)
    assert receipt.kind is ReceiptKind.RETRY
    assert "not authorized" in receipt.detail.lower()
    assert "s3cret" not in caplog.text + receipt.detail


@PROTOCOLS
async def test_a_broker_away_is_retry_and_its_return_is_noticed(
    broker: Mosquitto, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.uplinks")
    async with uplink(broker.port, protocol=protocol) as up:
        assert (await one_alert(up)).kind is ReceiptKind.ACCEPTED
        broker.kill()
        for _ in range(3):
            assert (await one_alert(up)).kind is ReceiptKind.RETRY
            assert (await up.send_readings([block()])).kind is ReceiptKind.RETRY
        broker.start()
        assert await until_accepted(lambda: one_alert(up)) <= 2
    down, back = [record.getMessage() for record in caplog.records]
    assert "uplink is down uplink=site-mqtt" in down
    assert "uplink is back uplink=site-mqtt" in back


@PROTOCOLS
async def test_a_frozen_broker_is_retry_after_the_ack_timeout_and_what_it_held_is_not_sent_by_itself(
    broker: Mosquitto, protocol: str
) -> None:
    with Listener(broker) as listener:
        async with uplink(broker.port, protocol=protocol) as up:
            assert (await one_alert(up)).kind is ReceiptKind.ACCEPTED
            os.kill(broker.pid, signal.SIGSTOP)
            receipts = await up.send_alerts([alert(2, b"two"), alert(3, b"three")])
            os.kill(broker.pid, signal.SIGCONT)
            await until_accepted(lambda: one_alert(up, 4, b"four"))
        listener.wait_until(lambda: b"four" in [m.payload for m in listener.messages])
    assert [r.kind for r in receipts] == [ReceiptKind.RETRY] * 2
    assert "no PUBACK" in receipts[0].detail
    payloads = [m.payload for m in listener.messages]
    assert all(payloads.count(body) <= 1 for body in (b"two", b"three", b"four"))


async def test_closing_does_not_wait_for_a_frozen_broker(broker: Mosquitto) -> None:
    async with uplink(broker.port, ack_timeout_s=600) as up:
        assert (await one_alert(up)).kind is ReceiptKind.ACCEPTED
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            sending = asyncio.create_task(one_alert(up, 2))
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                await up.close()
                receipt = await sending
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        assert receipt.kind is ReceiptKind.RETRY
        assert (await one_alert(up, 3)).kind is ReceiptKind.RETRY
        assert (await up.send_readings([block()])).kind is ReceiptKind.RETRY


async def test_what_the_broker_finds_too_large_is_cut_between_polls_or_rejected() -> None:
    with Mosquitto(extra=["max_packet_size 10000"]) as broker, Listener(broker) as listener:
        async with uplink(broker.port) as up:
            large, small = await up.send_alerts([alert(1, b"x" * 20_000), alert(2)])
            readings = await up.send_readings([block(2_000)])
        rows = 0
        count = 2
        while rows < 2_000:
            messages = listener.wait_for(count)
            rows = sum(len(json.loads(m.payload)["v"]) for m in messages[1:])
            count += 1
    assert (large.kind, small.kind) == (ReceiptKind.REJECTED, ReceiptKind.ACCEPTED)
    assert "too large" in large.detail
    assert readings == Receipt.accepted()
    assert max(len(m.payload) for m in messages) < 10_000


async def test_between_batches_a_lost_broker_is_noticed(broker: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    clock = SimulatedClock()
    async with uplink(broker.port, clock=clock, keepalive_s=30) as up:
        assert (await one_alert(up)).kind is ReceiptKind.ACCEPTED
        broker.kill()
        async with asyncio.timeout(10):
            while "uplink is down" not in caplog.text:
                await clock.advance(10)


@PROTOCOLS
async def test_a_client_certificate_opens_the_broker(protocol: str) -> None:
    with Mosquitto(mtls=True) as broker:
        assert broker.certificates is not None
        pair = broker.certificates.client
        tls = {"ca_file": broker.certificates.ca_file, "cert_file": pair.cert_file, "key_file": pair.key_file}
        async with uplink(broker.port, protocol=protocol, tls=tls) as up:
            receipts = await up.send_alerts([alert(i) for i in range(100)])
    assert [r.kind for r in receipts] == [ReceiptKind.ACCEPTED] * 100


async def test_without_a_certificate_the_broker_stays_closed_and_the_item_is_kept() -> None:
    with Mosquitto(mtls=True) as broker:
        assert broker.certificates is not None
        async with uplink(broker.port, tls={"ca_file": broker.certificates.ca_file}) as up:
            receipt = await one_alert(up)
    assert receipt.kind is ReceiptKind.RETRY


async def test_a_broker_with_a_foreign_certificate_is_sent_nothing() -> None:
    with Mosquitto(mtls=True) as broker:
        async with uplink(broker.port, tls={}) as up:
            receipt = await one_alert(up)
    assert receipt.kind is ReceiptKind.RETRY
    assert "certificate" in receipt.detail.lower()


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x03\x00\x00\xff", b"\x20\x09\x00\x00\x06\x7f" + b"\xff" * 5, b""],
)
async def test_a_port_that_speaks_something_else_is_retry_and_no_crash(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer_once, args=(server, answer), daemon=True).start()
        async with uplink(server.getsockname()[1], connect_timeout_s=0.3) as up:
            receipt = await one_alert(up)
    assert receipt.kind is ReceiptKind.RETRY
    assert receipt.detail


async def test_a_broker_that_answers_with_megabytes_is_not_listened_to() -> None:
    taken, acknowledged = b"\x20\x03\x00\x00\x00", b"\x40\x80\x80\x40" + bytes(1_048_576)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer_once, args=(server, taken + acknowledged), daemon=True).start()
        async with uplink(server.getsockname()[1]) as up:
            receipt = await one_alert(up)
    assert receipt.kind is ReceiptKind.RETRY
    assert "connection lost" in receipt.detail


def _answer_once(server: socket.socket, answer: bytes) -> None:
    peer, _ = server.accept()
    with peer:
        peer.recv(1_000)
        peer.sendall(answer)
        while peer.recv(1_000):
            continue


async def test_a_password_file_that_is_missing_is_retry_and_named(broker: Mosquitto, tmp_path: Path) -> None:
    async with uplink(broker.port, username="box", password={"file": tmp_path / "gone"}) as up:
        receipt = await one_alert(up)
        readings = await up.send_readings([block()])
    assert (receipt.kind, readings.kind) == (ReceiptKind.RETRY, ReceiptKind.RETRY)
    assert "gone" in receipt.detail
