"""What wireless nodes send, through a real Mosquitto: one subscription for many nodes, neighbours, strangers, repeats.

The messages are those of the golden frames, with the fields of one node put in.
"""

import asyncio
import base64
import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml

from gateway.model.reading import Quality
from gateway.ports import LinkHealth, LinkState
from tests.fakes.gateway_process import ROOT
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.mqtt_box import bound_devices, running
from tests.fakes.mqtt_peer import publish_all

SUBACK = "Sending SUBACK to sitewarden-l"
PUBACK = "Received PUBACK from sitewarden-l"
CHIRPSTACK = "application/+/device/{key}/event/up"
TTS = "v3/app1@ttn/devices/{key}/up"
NODES = ("0101010101010101", "24e124136b502217", "a84041ffff000001")


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


def shipped(model: str) -> dict[str, Any]:
    text = (ROOT / "config" / "devices" / f"{model}.yaml").read_text(encoding="utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table


def example(model: str) -> dict[str, Any]:
    """The message of a table's golden frame."""
    path = ROOT / "tests" / "cases" / "devices" / f"{model}.golden.yaml"
    message: dict[str, Any] = json.loads(yaml.safe_load(path.read_text(encoding="utf-8"))["payload"])
    return message


def node(name: str, model: str, topic: str, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    device = {"id": name, "link": "l", "asset": name, "table": model, "topic": topic, "key": key}
    return device, shipped(model)


def frame(wind_m_s: float) -> str:
    data = struct.pack(">BHHHhhhB", 0, round(100 * wind_m_s), 700, 1800, 10, -10, 215, 180)
    return base64.b64encode(data).decode()


def chirpstack_up(key: str, counter: int, wind_m_s: float, **more: Any) -> tuple[str, bytes]:
    message = example("lorawan-wind-tilt-chirpstack") | {"fCnt": counter, "data": frame(wind_m_s)} | more
    message["deviceInfo"]["devEui"] = key
    return f"application/17c82e96/device/{key}/event/up", json.dumps(message).encode()


def tts_up(key: str, counter: int, wind_m_s: float, **more: Any) -> tuple[str, bytes]:
    message = example("lorawan-wind-tilt-tts") | more
    message["uplink_message"] |= {"f_cnt": counter, "frm_payload": frame(wind_m_s)}
    if not counter:
        del message["uplink_message"]["f_cnt"]  # this server leaves out what is 0
    return f"v3/app1@ttn/devices/{key}/up", json.dumps(message).encode()


async def say(broker: Mosquitto, *messages: tuple[str, bytes]) -> None:
    await asyncio.to_thread(publish_all, broker, messages)


async def logged(broker: Mosquitto, text: str, count: int = 1) -> None:
    await asyncio.to_thread(broker.wait_for_log, text, count)


def of(health: Sequence[LinkHealth], device: str) -> LinkHealth:
    return next(link for link in health if link.device == device)


def winds(sink: HoldingSink) -> list[tuple[str, float]]:
    return [(readings.device, round(float(readings.value[0]), 2)) for readings in sink.readings]


async def test_one_subscription_serves_every_node_and_each_gets_its_own(broker: Mosquitto) -> None:
    model = "lorawan-wind-tilt-chirpstack"
    nodes = [node(f"node-{i}", model, CHIRPSTACK, key) for i, key in enumerate(NODES)]
    sink = HoldingSink()
    async with running(bound_devices(broker.port, nodes), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, *(chirpstack_up(key, 1, 3 + i) for i, key in enumerate(NODES)))
        await sink.until(lambda: len(sink.readings) == 3)
        await logged(broker, PUBACK, 3)
        health = driver.health()
    assert broker.log.count("application/+/device/+/event/up (QoS 1)") == 1, "one subscription"
    assert winds(sink) == [("node-0", 3.0), ("node-1", 4.0), ("node-2", 5.0)]
    assert [readings.point_index[0] for readings in sink.readings] == [0, 10, 20]
    assert all(readings.quality.tolist() == [Quality.GOOD] * 10 for readings in sink.readings)
    assert [(link.device, link.state, link.polls, link.last_error) for link in health] == [
        (f"node-{i}", LinkState.UP, 1, "") for i in range(3)
    ]


async def test_a_key_that_no_device_has_is_put_aside_counted_and_shown(broker: Mosquitto) -> None:
    nodes = [node("node-0", "lorawan-wind-tilt-chirpstack", CHIRPSTACK, NODES[0])]
    strangers = [chirpstack_up("0A0A0A0A0A0A0A0A", counter, 9) for counter in range(120)]
    sink = HoldingSink()
    async with running(bound_devices(broker.port, nodes), sink) as driver:
        await logged(broker, SUBACK)
        assert [link.device for link in driver.health()] == ["node-0"]
        await say(broker, *strangers, chirpstack_up(NODES[0], 1, 4))
        await sink.until(lambda: len(sink.readings) == 1)
        await logged(broker, PUBACK, 121)
        health = driver.health()
    reason = "no device has the key '0A0A0A0A0A0A0A0A' (topic 'application/17c82e96/device/0A0A0A0A0A0A0A0A/event/up')"
    assert winds(sink) == [("node-0", 4.0)]
    assert {(device, why) for device, _, why in sink.aside} == {("l", reason)}
    assert len(sink.aside) == 100, "bounded"
    assert of(health, "link:l") == LinkHealth("link:l", LinkState.UP, failures=120, last_error=reason)
    assert of(health, "node-0").failures == 0


async def test_other_events_of_the_servers_do_not_disturb(broker: Mosquitto) -> None:
    """Seen by a subscription as wide as it can be: the table takes what is an uplink of its port, and nothing else."""
    nodes = [
        node("chirp", "lorawan-wind-tilt-chirpstack", "application/+/device/{key}/event/#", NODES[0]),
        node("tts", "lorawan-wind-tilt-tts", "v3/app1@ttn/devices/{key}/#", "dev1"),
    ]
    up = example("lorawan-wind-tilt-chirpstack")
    about = {key: up[key] for key in ("deduplicationId", "time", "deviceInfo")}
    chirpstack_events = {
        "join": about | {"devAddr": "00189440"},
        "status": about | {"margin": 10, "batteryLevel": 88.3},
        "ack": about | {"queueItemId": "1bbcab1d", "acknowledged": True, "fCntDown": 3},
        "log": about | {"level": "WARNING", "code": "UPLINK_F_CNT_RETRANSMISSION", "context": {}},
        "location": about | {"location": {"latitude": 37.3, "longitude": -8.8, "altitude": 2}},
        "integration": about
        | {"integrationName": "loracloud", "eventType": "x", "object": {"fports": {"dmport": 199}}},
        "up": up | {"fPort": 5, "data": "AQI="},
    }
    ids = {"end_device_ids": example("lorawan-wind-tilt-tts")["end_device_ids"], "received_at": "2020-02-17T07:49:09Z"}
    tts_events = {
        "join": ids | {"join_accept": {"session_key_id": "AXBSH1Pk6Z0G166RlH16CQ=="}},
        "down/ack": ids | {"downlink_ack": {"f_port": 2, "f_cnt": 1, "frm_payload": "vu8="}},
        "down/queued": ids | {"downlink_queued": {"f_port": 2, "frm_payload": "vu8="}},
        "down/failed": ids | {"downlink_failed": {"downlink": {"f_port": 2}, "error": {"code": 3}}},
        "service/data": ids | {"service_data": {"service": "x", "data": {}}},
        "location/solved": ids | {"location_solved": {"location": {"latitude": 1}}},
    }
    chirp = [(f"application/1/device/{NODES[0]}/event/{kind}", said) for kind, said in chirpstack_events.items()]
    tts = [(f"v3/app1@ttn/devices/dev1/{kind}", said) for kind, said in tts_events.items()]
    neighbours = [(topic, json.dumps(said).encode()) for topic, said in (*chirp, *tts)]
    sink = HoldingSink()
    async with running(bound_devices(broker.port, nodes), sink) as driver:
        await logged(broker, SUBACK, 2)
        await say(broker, *neighbours)
        await logged(broker, PUBACK, len(neighbours))
        quiet = driver.health()
        await say(broker, chirpstack_up(NODES[0], 1, 4), *neighbours, tts_up("dev1", 1, 5))
        await sink.until(lambda: len(sink.readings) == 2)
        await logged(broker, PUBACK, 2 * len(neighbours) + 2)
        health = driver.health()
    assert [link.state for link in quiet] == [LinkState.STARTING, LinkState.STARTING]
    assert of(quiet, "chirp").last_error == "passed over: 5 at $.fPort, expected 2"
    assert of(quiet, "tts").last_error == "passed over: nothing at $.uplink_message.f_port, expected 2"
    assert winds(sink) == [("chirp", 4.0), ("tts", 5.0)]
    assert [(link.device, link.state, link.failures, link.skipped, link.last_error) for link in health] == [
        ("chirp", LinkState.UP, 0, 14, ""),
        ("tts", LinkState.UP, 0, 12, ""),
    ]
    assert (sink.aside, sink.offered) == ([], [])


async def test_a_frame_that_comes_again_is_one_measurement(broker: Mosquitto) -> None:
    nodes = [
        node("chirp", "lorawan-wind-tilt-chirpstack", CHIRPSTACK, NODES[0]),
        node("tts", "lorawan-wind-tilt-tts", TTS, "dev1"),
    ]
    again = chirpstack_up(NODES[0], 7, 4, deduplicationId="another", time="2022-07-18T09:34:19+00:00")
    sink = HoldingSink()
    async with running(bound_devices(broker.port, nodes), sink) as driver:
        await logged(broker, SUBACK, 2)
        await say(broker, chirpstack_up(NODES[0], 7, 4), again, chirpstack_up(NODES[0], 8, 4), again)
        await say(broker, tts_up("dev1", 0, 5), tts_up("dev1", 0, 5), tts_up("dev1", 1, 5))
        await logged(broker, PUBACK, 7)
        health = driver.health()
    assert winds(sink) == [("chirp", 4.0)] * 2 + [("tts", 5.0)] * 2
    assert [(link.device, link.polls, link.skipped) for link in health] == [("chirp", 2, 2), ("tts", 2, 1)]


async def test_the_same_counter_with_another_frame_is_another_measurement(broker: Mosquitto) -> None:
    """A node without a memory for its counter begins at 0 after each start."""
    sink = HoldingSink()
    nodes = [node("chirp", "lorawan-wind-tilt-chirpstack", CHIRPSTACK, NODES[0])]
    async with running(bound_devices(broker.port, nodes), sink):
        await logged(broker, SUBACK)
        await say(broker, chirpstack_up(NODES[0], 0, 4), chirpstack_up(NODES[0], 0, 5))
        await logged(broker, PUBACK, 2)
    assert winds(sink) == [("chirp", 4.0), ("chirp", 5.0)]


async def test_a_message_that_the_history_lost_is_no_repeat_when_it_is_redelivered(broker: Mosquitto) -> None:
    sink = HoldingSink(hold=True)
    nodes = [node("chirp", "lorawan-wind-tilt-chirpstack", CHIRPSTACK, NODES[0])]
    async with running(bound_devices(broker.port, nodes), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, chirpstack_up(NODES[0], 1, 4), chirpstack_up(NODES[0], 2, 5))
        await sink.until(lambda: len(sink.readings) == 2)
        sink.fail("disk full")
        await sink.until(lambda: len(sink.readings) == 4)
        sink.commit_from_now_on()
        await logged(broker, PUBACK, 2)
        health = driver.health()
    assert winds(sink) == [("chirp", 4.0), ("chirp", 5.0)] * 2
    assert health[0].skipped == 0


async def test_what_somebody_simulates_in_the_servers_console_is_not_measured(broker: Mosquitto) -> None:
    sink = HoldingSink()
    async with running(bound_devices(broker.port, [node("tts", "lorawan-wind-tilt-tts", TTS, "dev1")]), sink) as driver:
        await logged(broker, SUBACK)
        await say(broker, tts_up("dev1", 1, 30, simulated=True), tts_up("dev1", 2, 5))
        await sink.until(lambda: len(sink.readings) == 1)
        await logged(broker, PUBACK, 2)
        health = driver.health()
    assert winds(sink) == [("tts", 5.0)]
    assert health[0].skipped == 1


async def test_the_things_stack_is_read_as_it_speaks_3_1_1_and_qos_0(broker: Mosquitto) -> None:
    model = "lorawan-wind-tilt-tts-object"
    device, table = node("tts", model, TTS, "dev1")
    sink = HoldingSink()
    link = bound_devices(broker.port, [(device | {"qos": 0}, table)], protocol="3.1.1")
    async with running(link, sink):
        await logged(broker, SUBACK)
        await say(broker, ("v3/app1@ttn/devices/dev1/up", json.dumps(example(model)).encode()))
        await sink.until(lambda: len(sink.readings) == 1)
    (readings,) = sink.readings
    assert readings.quality.tolist() == [Quality.BAD] * 3 + [Quality.GOOD] * 7
    assert readings.value[3:].tolist() == [-0.35, 1.2, 21.5, 3.62, 1, 0, 0]
    assert readings.observed_at_ns == 1_581_520_545_789_585_000
    assert readings.received_at_ns > readings.observed_at_ns


async def test_bytes_that_are_none_make_the_points_bad_and_the_next_frame_is_read(broker: Mosquitto) -> None:
    sink = HoldingSink()
    nodes = [node("chirp", "lorawan-wind-tilt-chirpstack", CHIRPSTACK, NODES[0])]
    broken = ["AgKCA9sEof/dAHj/3bQ", "AgKCA9sEof/dAHj/3Q==", "not base64", ""]
    async with running(bound_devices(broker.port, nodes), sink) as driver:
        await logged(broker, SUBACK)
        told = []
        for counter, data in enumerate(broken, 1):
            await say(broker, chirpstack_up(NODES[0], counter, 0, data=data))
            await sink.until(lambda counter=counter: len(sink.readings) == counter)  # type: ignore[misc]
            told.append(driver.health()[0].last_error)
        await say(broker, chirpstack_up(NODES[0], 9, 4))
        await sink.until(lambda: len(sink.readings) == 5)
        health = driver.health()[0]
    assert [readings.quality.tolist() for readings in sink.readings[:4]] == [[Quality.BAD] * 10] * 4
    assert told == [
        "bytes at $.data: found 19 characters that are no base64 (Incorrect padding), expected base64",
        "bytes at $.data: found 13 bytes, expected 14",
        "bytes at $.data: found 10 characters that are no base64 (Only base64 data is allowed), expected base64",
        "bytes at $.data: found 0 bytes, expected 14",
    ]
    assert (winds(sink)[4], health.state, health.last_error) == (("chirp", 4.0), LinkState.UP, "")


async def test_two_tables_read_two_ports_of_one_node(broker: Mosquitto) -> None:
    status = shipped("lorawan-wind-tilt-chirpstack") | {
        "model": "status",
        "only": {"path": "$.fPort", "equals": 5},
        "bytes": {"path": "$.data", "encoding": "base64"},
        "points": [{"key": "hours", "byte": 0, "type": "uint16", "title_zh": "运行小时", "title_en": "Hours"}],
    }
    measured = node("node", "lorawan-wind-tilt-chirpstack", CHIRPSTACK, NODES[0])
    sink = HoldingSink()
    async with running(bound_devices(broker.port, [measured, (measured[0] | {"id": "node-status"}, status)]), sink):
        await logged(broker, SUBACK)
        await say(broker, chirpstack_up(NODES[0], 1, 4), chirpstack_up(NODES[0], 2, 0, fPort=5, data="AQI="))
        await sink.until(lambda: len(sink.readings) == 2)
    assert winds(sink) == [("node", 4.0), ("node-status", 258.0)]
