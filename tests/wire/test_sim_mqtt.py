"""The weather mast and the demo broker over real MQTT. Mast time is simulated, sockets and paho are real."""

import asyncio
import json
import queue
from collections.abc import AsyncIterator, Callable

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from drivers.sim.broker import DemoBroker
from drivers.sim.faults import FaultCommand, FaultKind, Faults
from drivers.sim.mqtt_publisher import MastPublisher
from drivers.sim.weather import Weather
from kit.clock import SimulatedClock

TOPIC = "site/DEMO-0001/mast-1/realtime"
NOW_NS = 1_700_000_000_123_456_789


class Subscriber:
    """A plain paho client that keeps what it gets."""

    def __init__(self, port: int) -> None:
        self.messages: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self.subscribed: queue.Queue[int] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda _client, _data, mid, *_: self.subscribed.put(mid)
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self.client.connect_async("127.0.0.1", port)

    async def open(self) -> None:
        self.client.loop_start()
        await asyncio.to_thread(self.subscribed.get, timeout=10)

    async def next(self) -> mqtt.MQTTMessage:
        return await asyncio.to_thread(self.messages.get, timeout=10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Bench:
    """A broker, a mast and a subscriber; each `publish` is one second of the mast."""

    def __init__(self, broker: DemoBroker, subscriber: Subscriber) -> None:
        self.broker = broker
        self.subscriber = subscriber
        self.clock = SimulatedClock(NOW_NS)
        self.faults = Faults()
        self.weather = Weather("bench")
        self.mast = MastPublisher("mast-1", TOPIC, broker.port, self.faults, self.clock)

    def order(self, fault: FaultKind, for_s: float = 2.5, delay_s: float = 1.0) -> None:
        command = FaultCommand(twin="mast-1", fault=fault, for_s=for_s, delay_s=delay_s)
        self.faults.begin(command, self.clock.monotonic_ns())

    async def publish(self) -> None:
        await self.clock.advance(1.0)
        self.faults.settle(self.clock.monotonic_ns())
        await self.mast.publish(self.weather.step(1.0), self.clock.now_ns())

    async def until(self, done: Callable[[MastPublisher], bool]) -> None:
        """Wait for paho's thread: the link to change, an acknowledgement to come."""

        def wait() -> bool:
            with self.mast.changed:
                return self.mast.changed.wait_for(lambda: done(self.mast), timeout=20)

        assert await asyncio.to_thread(wait)

    async def fields(self) -> dict[str, float]:
        decoded = json.loads((await self.subscriber.next()).payload)
        assert isinstance(decoded, dict)
        return decoded


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    broker = DemoBroker()
    await broker.start()
    subscriber = Subscriber(broker.port)
    await subscriber.open()
    bench = Bench(broker, subscriber)
    bench.mast.start()
    assert await bench.mast.wait_connected(20)
    await bench.publish()
    try:
        yield bench
    finally:
        await bench.mast.stop()
        await asyncio.to_thread(subscriber.close)
        await broker.stop()


async def test_a_message_arrives_whole_with_qos_1_and_is_acknowledged(bench: Bench) -> None:
    message = await bench.subscriber.next()
    assert (message.topic, message.qos) == (TOPIC, 1)
    fields = json.loads(message.payload)
    assert fields.keys() == {"DataTimeStamp", "WindSpeed", "WindDirection", "Temperature", "Humidity"}
    assert fields["DataTimeStamp"] == bench.clock.now_ns() // 1_000_000
    assert fields["WindSpeed"] == round(bench.weather.state.wind_m_s, 2)
    await bench.until(lambda mast: mast.acknowledged == 1)


async def test_every_message_arrives_once_and_in_order(bench: Bench) -> None:
    for _ in range(50):
        await bench.publish()
    stamps = [(await bench.fields())["DataTimeStamp"] for _ in range(bench.mast.sent)]
    assert len(stamps) == 51
    assert stamps == sorted(set(stamps))
    assert bench.subscriber.messages.empty()


async def test_a_frozen_mast_repeats_its_values_with_fresh_times(bench: Bench) -> None:
    await bench.fields()
    bench.order(FaultKind.FREEZE, for_s=3.5)
    for _ in range(5):
        await bench.publish()
    got = [await bench.fields() for _ in range(5)]
    assert len({fields["DataTimeStamp"] for fields in got}) == 5
    assert [fields["WindSpeed"] == got[0]["WindSpeed"] for fields in got] == [True, True, True, False, False]


async def test_a_corrupt_mast_sends_sentinels_and_torn_messages_by_turns(bench: Bench) -> None:
    await bench.fields()
    bench.order(FaultKind.CORRUPT)
    await bench.publish()
    await bench.publish()
    torn, sentinels = [(await bench.subscriber.next()).payload for _ in range(2)]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(torn)
    assert json.loads(sentinels)["Temperature"] == -999
    assert json.loads(sentinels)["WindSpeed"] == 65535


async def test_a_silent_mast_says_nothing_then_goes_on(bench: Bench) -> None:
    await bench.fields()
    bench.order(FaultKind.SILENCE)
    for _ in range(3):
        await bench.publish()
    assert (bench.mast.sent, bench.mast.skipped) == (2, 2)
    assert (await bench.fields())["DataTimeStamp"] == bench.clock.now_ns() // 1_000_000


async def test_a_late_message_carries_its_own_old_time(bench: Bench) -> None:
    await bench.fields()
    bench.order(FaultKind.DELAY, for_s=1.5, delay_s=5.0)
    await bench.publish()
    asked_ns = bench.clock.now_ns()
    assert bench.mast.sent == 1
    await bench.clock.advance(5.0)
    assert (await bench.fields())["DataTimeStamp"] == asked_ns // 1_000_000


async def test_a_dropped_mast_comes_back_by_itself(bench: Bench) -> None:
    await bench.fields()
    bench.order(FaultKind.DROP)
    await bench.publish()
    assert bench.mast.sent == 1
    for _ in range(3):
        await bench.publish()
    await bench.until(lambda mast: mast.connected)
    await bench.publish()
    assert (await bench.fields())["DataTimeStamp"] > NOW_NS // 1_000_000


async def test_the_mast_outlives_its_broker(bench: Bench) -> None:
    await bench.fields()
    await bench.broker.stop()
    await bench.until(lambda mast: not mast.connected)
    await bench.publish()
    assert (bench.mast.sent, bench.mast.skipped) == (1, 1)
    again = DemoBroker(bench.broker.port)
    await again.start()
    bench.broker = again
    try:
        await bench.until(lambda mast: mast.connected)
        await bench.publish()
        await bench.until(lambda mast: mast.acknowledged == 2)
    finally:
        await bench.mast.stop()
        await again.stop()


async def test_a_broker_on_a_taken_port_is_an_error() -> None:
    first = DemoBroker()
    await first.start()
    second = DemoBroker(first.port)
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()
    await first.stop()


async def test_a_broker_stops_with_clients_connected_and_frees_its_port() -> None:
    broker = DemoBroker()
    await broker.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    await broker.stop()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    again = DemoBroker(broker.port)
    await again.start()
    await again.stop()
