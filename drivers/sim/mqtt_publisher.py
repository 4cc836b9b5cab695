"""The weather mast's face to the wire: one JSON message a second, QoS 1, reconnecting for ever.

In: the weather, and the faults in force. Out: MQTT publishes to a broker. A real mast keeps no backlog: what cannot be
sent while the broker is away is skipped and counted. paho's network loop runs in its own thread.
"""

import asyncio
import json
import logging
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from drivers.sim.faults import FaultKind, Faults
from drivers.sim.weather import WeatherState
from gateway.ports import Clock

log = logging.getLogger(__name__)
_LOOPBACK = "127.0.0.1"
_QOS = 1


class MastPublisher:
    """One mast on one topic. `sent`, `acknowledged` and `skipped` count messages since the start.

    `changed` is notified, by paho's thread, when `connected` or `acknowledged` changes.
    """

    def __init__(self, mast: str, topic: str, port: int, faults: Faults, clock: Clock) -> None:
        self.mast = mast
        self.topic = topic
        self.port = port
        self.sent = 0
        self.acknowledged = 0
        self.skipped = 0
        self.connected = False
        self.changed = threading.Condition()
        self._faults = faults
        self._clock = clock
        self._frozen: WeatherState | None = None
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
            with self.changed:
                return self.changed.wait_for(lambda: self.connected, timeout_s)

        return await asyncio.to_thread(wait)

    async def stop(self) -> None:
        """Disconnect; late messages are forgotten."""
        for message in self._late:
            message.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        await asyncio.to_thread(self._hang_up)

    async def publish(self, weather: WeatherState, now_ns: int) -> None:
        """Send one message, or what the faults in force make of it."""
        active = self._faults.active
        await self._follow(dropped=FaultKind.DROP in active)
        if not self._faults.readable:
            self.skipped += 1
            return
        self._frozen = (self._frozen or weather) if FaultKind.FREEZE in active else None
        payload = encode_weather(self._frozen or weather, now_ns)
        if FaultKind.CORRUPT in active:
            payload = corrupt_payload(payload, self.sent)
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
            CallbackAPIVersion.VERSION2, client_id=f"twin-{self.mast}", protocol=MQTTProtocolVersion.MQTTv311
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
            log.info("mast=%s broker=%s:%d link=%s reason=%s", self.mast, _LOOPBACK, self.port, state, reason)
        with self.changed:
            self.connected = up
            self.changed.notify_all()


def encode_weather(weather: WeatherState, now_ns: int) -> bytes:
    """The mast's JSON object; names and units as in the mast's device table, time in ms since 1970 (UTC)."""
    return json.dumps(
        {
            "DataTimeStamp": now_ns // 1_000_000,
            "WindSpeed": round(weather.wind_m_s, 2),
            "WindDirection": round(weather.wind_direction_deg, 1),
            "Temperature": round(weather.temperature_degc, 1),
            "Humidity": round(weather.humidity_pct, 1),
        }
    ).encode()


def corrupt_payload(payload: bytes, count: int) -> bytes:
    """What a broken logger sends, by turns: sentinels in every field, or a message cut short."""
    if count % 2:
        return payload[: len(payload) // 2]
    fields = json.loads(payload)
    return json.dumps(fields | {"WindSpeed": 65535, "Temperature": -999, "Humidity": None}).encode()
