"""A twin's face to an MQTT broker: JSON messages, QoS 1, reconnecting for ever. The weather mast, and cranes whose host
publishes the real-time record.

In: what the twin shows, and the faults in force. Out: MQTT publishes to a broker. A real logger keeps no backlog: what
cannot be sent while the broker is away is skipped and counted. paho's network loop runs in its own thread.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Mapping

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from drivers.sim.faults import FaultKind, Faults
from drivers.sim.weather import WeatherState
from gateway.ports import Clock

log = logging.getLogger(__name__)
_LOOPBACK = "127.0.0.1"
_QOS = 1


Record = Mapping[str, float | str]
BROKEN: Mapping[str, float | None] = {"WindSpeed": 65535, "Temperature": -999, "Humidity": None}


class TwinPublisher:
    """One device on one topic. `sent`, `acknowledged` and `skipped` count messages since the start.

    `broken` are the fields of a corrupt message that is not cut short.

    `changed` is notified, by paho's thread, when `connected` or `acknowledged` changes.
    """

    def __init__(self, twin: str, topic: str, port: int, faults: Faults, clock: Clock) -> None:
        self.twin = twin
        self.broken = BROKEN
        self.topic = topic
        self.port = port
        self.sent = 0
        self.acknowledged = 0
        self.skipped = 0
        self.connected = False
        self.changed = threading.Condition()
        self._faults = faults
        self._clock = clock
        self._frozen: Record | None = None
        self._late: set[asyncio.Task[None]] = set()
        self._online = False
        self._client = self._make_client()

    def start(self) -> None:
        """Connect in the background and stay connected. A new client each time: paho's leaks when started twice."""
        self._client = self._make_client()
        self._client.connect_async(_LOOPBACK, self.port, keepalive=15)
        self._client.loop_start()
        self._online = True

    async def wait_connected(self, timeout_s: float) -> bool:
        """Whether the link came up within `timeout_s` of real time."""

        def wait() -> bool:
            """Whether the link comes up in time, waited for in a thread."""
            with self.changed:
                return self.changed.wait_for(lambda: self.connected, timeout_s)

        return await asyncio.to_thread(wait)

    async def stop(self) -> None:
        """Disconnect; what was late and not yet said is forgotten."""
        for message in self._late:
            message.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        await asyncio.to_thread(self._hang_up)

    async def publish_record(self, record: Record, now_ns: int) -> None:
        """Send one message with this time, or what the faults in force make of it."""
        active = self._faults.active
        await self._follow(dropped=FaultKind.DROP in active)
        if not self._faults.readable:
            self.skipped += 1
            return
        self._frozen = (self._frozen or record) if FaultKind.FREEZE in active else None
        payload = encode_record(self._frozen or record, now_ns)
        if FaultKind.CORRUPT in active:
            payload = corrupt_payload(payload, self.sent, self.broken)
        if FaultKind.DELAY in active:
            late = asyncio.get_running_loop().create_task(self._send_late(payload, self._faults.delay_s))
            self._late.add(late)
            late.add_done_callback(self._late.discard)
            return
        self._send(payload)

    async def _follow(self, *, dropped: bool) -> None:
        """Hang up when the connection is to be dropped, come back afterwards."""
        if dropped and self._online:
            await asyncio.to_thread(self._hang_up)
        elif not dropped and not self._online:
            self.start()

    async def _send_late(self, payload: bytes, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        self._send(payload)

    def _send(self, payload: bytes) -> None:
        if not self.connected:
            self.skipped += 1
            return
        self._client.publish(self.topic, payload, qos=_QOS)
        self.sent += 1

    def _hang_up(self) -> None:
        """Disconnect; paho leaves its socket open when told so while it is still connecting."""
        self._client.disconnect()
        self._client.loop_stop()
        left_open = self._client.socket()
        if left_open is not None:
            left_open.close()
        self._online = False

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"twin-{self.twin}", protocol=MQTTProtocolVersion.MQTTv311
        )
        client.reconnect_delay_set(1, 2)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        self._link_is(up=not code.is_failure, reason=code)

    def _on_disconnect(
        self, _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        self._link_is(up=False, reason=code)

    def _on_publish(self, _client: mqtt.Client, _data: object, _mid: int, _code: ReasonCode, _props: object) -> None:
        with self.changed:
            self.acknowledged += 1
            self.changed.notify_all()

    def _link_is(self, *, up: bool, reason: ReasonCode) -> None:
        if up != self.connected:
            state = "up" if up else "down"
            log.info("twin=%s broker=%s:%d link=%s reason=%s", self.twin, _LOOPBACK, self.port, state, reason)
        with self.changed:
            self.connected = up
            self.changed.notify_all()


class MastPublisher(TwinPublisher):
    """Says what the weather mast measures, as a real one would."""

    async def publish(self, weather: WeatherState, now_ns: int) -> None:
        """Send one message, or what the faults in force make of it."""
        await self.publish_record(weather_record(weather), now_ns)


def weather_record(weather: WeatherState) -> Record:
    """The mast's fields; names and units as in the mast's device table."""
    return {
        "WindSpeed": round(weather.wind_m_s, 2),
        "WindDirection": round(weather.wind_direction_deg, 1),
        "Temperature": round(weather.temperature_degc, 1),
        "Humidity": round(weather.humidity_pct, 1),
    }


def encode_record(record: Record, now_ns: int) -> bytes:
    """The JSON object, with its time in ms since 1970 (UTC) first."""
    return json.dumps({"DataTimeStamp": now_ns // 1_000_000, **record}).encode()


def corrupt_payload(payload: bytes, count: int, broken: Mapping[str, float | None]) -> bytes:
    """What a broken logger sends, by turns: sentinels in its fields, or a message cut short."""
    if count % 2:
        return payload[: len(payload) // 2]
    return json.dumps(json.loads(payload) | dict(broken)).encode()
