"""The wire side of the MQTT uplink: publish a batch, wait for every PUBACK, say a Receipt for each.

Theory of operation. Everything here runs on the uplink's one thread, call after call, so nothing is locked and no
message costs a thread switch. Within `publish` at most `window` messages are unanswered (the broker's Receive Maximum
counts too); PUBACKs are read as they come. paho never reconnects and never repeats by itself: what was not answered
when the connection broke is RETRY, and only the delivery loop sends it again.

    publish(batch) -> connect if need be -> [ fill the window -> read PUBACKs ]* -> Receipts

MQTT 5 says why it refuses a message. MQTT 3.1.1 cannot: a broker that forbids a topic acknowledges and drops. So use 5
where the broker has access rules.
"""

import logging
import selectors
import ssl
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.model.alert import Receipt
from gateway.model.errors import LinkError
from gateway.ports import Clock
from gateway.tls.trust import trusting
from gateway.uplinks.mqtt_messages import OutMessage
from gateway.uplinks.mqtt_settings import MqttUplinkSettings
from kit.mqtt_client import MALFORMED, client_of, loss, shown

logger = logging.getLogger(__name__)

TOPIC_AND_HEADER_BYTES = 1_024
_ANSWER_BYTES = 65_536
"""A broker answers a publisher in a few bytes and words; a larger packet is not kept."""
# MQTT 5, 3.4.2.1: not authorized, topic name invalid, packet too large, payload format invalid.
_NEVER = frozenset({0x87, 0x90, 0x95, 0x99})


class PublisherSession:
    """The uplink's connection. Every method blocks and is called on the uplink's thread, `closing` excepted.

    `connections` counts how often a broker has taken it.
    """

    def __init__(self, settings: MqttUplinkSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client: Client | None = None
        self._down = False
        self._connected = False
        self._why = ""
        self._window = settings.max_in_flight
        self._broker_max_bytes = settings.max_message_bytes
        self._answers: list[tuple[int, ReasonCode]] = []
        self.closing = False
        self.connections = 0

    @property
    def max_payload_bytes(self) -> int:
        """What the broker and the settings let one message hold."""
        return max(1, min(self._settings.max_message_bytes, self._broker_max_bytes) - TOPIC_AND_HEADER_BYTES)

    def connect(self) -> None:
        """Connect unless connected. Raises LinkError with the broker's or the system's words."""
        self.keep_alive()  # a broker may have closed the connection while nothing was sent
        if self._client is not None:
            return
        try:
            self._open()
        except (LinkError, LookupError) as error:
            self._fell(str(error))
        except OSError as error:
            self._fell(f"cannot connect: {error.strerror or error}")
        except MALFORMED as error:
            self._fell(f"the broker sent bytes that are no MQTT: {error}")
        if self._client is None:
            raise LinkError(self._why)
        if self._down:
            self._down = False
            logger.info("mqtt uplink is back uplink=%s", self._settings.name)

    def publish(self, messages: Sequence[OutMessage]) -> list[Receipt]:
        """Send all, in order. One Receipt a message; what has no answer in the end is RETRY."""
        receipts: list[Receipt | None] = [None] * len(messages)
        try:
            self.connect()
            self._exchange(messages, receipts)
        except LinkError as error:
            self._fell(str(error))
        except OSError as error:
            self._fell(f"connection lost: {error.strerror or error}")
        except MALFORMED as error:
            self._fell(f"the broker sent bytes that are no MQTT: {error}")
        return [receipt or Receipt.retry(self._why) for receipt in receipts]

    def keep_alive(self) -> None:
        """Between batches: answer what came, ping when it is time."""
        if self._client is None:
            return
        try:
            self._turn(self._client, 0)
            if self._client.socket() is None:
                self._fell(self._why or "connection lost")
        except OSError as error:
            self._fell(f"connection lost: {error.strerror or error}")
        except MALFORMED as error:
            self._fell(f"the broker sent bytes that are no MQTT: {error}")

    def close(self) -> None:
        """Say goodbye and let go of the socket."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()

    # --- one connection ---

    def _open(self) -> None:
        settings = self._settings
        self._client = None
        self._connected, self._why, self._answers = False, "", []
        self._window, self._broker_max_bytes = settings.max_in_flight, settings.max_message_bytes
        client = self._new_client()
        client.connect(settings.host, settings.port, settings.keepalive_s)
        deadline_ns = self._deadline_ns(settings.connect_timeout_s)
        while not self._connected and not self._why:
            if self._clock.monotonic_ns() > deadline_ns:
                client.disconnect()
                raise LinkError("no CONNACK from the broker")
            self._turn(client, 0.1)
            if client.socket() is None:
                self._why = self._why or "the broker closed the connection before CONNACK"
        if self._why:
            client.disconnect()
            raise LinkError(self._why)
        self._client = client
        self.connections += 1

    def _new_client(self) -> Client:
        settings = self._settings
        tls = None if settings.tls is None else shown(trusting(settings.tls.ca_file), settings.tls)
        client = client_of(settings, settings.client_id, tls, _ANSWER_BYTES)
        client.max_inflight_messages_set(0)  # the window is ours
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        return client

    def _exchange(self, messages: Sequence[OutMessage], receipts: list[Receipt | None]) -> None:
        """Publish within the window until everything is answered. Raises LinkError when it stops before."""
        client = self._client
        assert client is not None
        waiting: dict[int, int] = {}
        position = 0
        deadline_ns = self._deadline_ns(self._settings.ack_timeout_s)
        try:
            while position < len(messages) or waiting:
                while position < len(messages) and len(waiting) < self._window:
                    self._send_one(client, messages[position], position, waiting, receipts)
                    position += 1
                if waiting:
                    self._turn(client, 0.1)
                    self._check(client, deadline_ns)
                if self._settle(waiting, receipts):
                    deadline_ns = self._deadline_ns(self._settings.ack_timeout_s)
        finally:
            self._settle(waiting, receipts)

    def _check(self, client: Client, deadline_ns: int) -> None:
        """Raise LinkError when there is no point in waiting for the answers that are still missing."""
        if self._answers:
            return
        if client.socket() is None:
            raise LinkError(self._why or "connection lost")
        if self.closing:
            raise LinkError("the uplink is closing")
        if self._clock.monotonic_ns() > deadline_ns:
            raise LinkError("no PUBACK from the broker")

    def _send_one(
        self,
        client: Client,
        message: OutMessage,
        position: int,
        waiting: dict[int, int],
        receipts: list[Receipt | None],
    ) -> None:
        if len(message.payload) > self.max_payload_bytes:
            words = f"{len(message.payload)} bytes, the broker takes {self.max_payload_bytes}"
            receipts[position] = Receipt.rejected(f"packet too large: {words}")
            return
        info = client.publish(
            message.topic, message.payload, self._settings.qos, message.retain, self._properties(message)
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(self._why or f"cannot publish: {info.rc.name}")
        waiting[info.mid] = position

    def _properties(self, message: OutMessage) -> Properties | None:
        if self._settings.protocol != "5" or not message.user:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = list(message.user)
        return properties

    def _settle(self, waiting: dict[int, int], receipts: list[Receipt | None]) -> bool:
        """Turn the answers that came into Receipts. True when there were any."""
        answers, self._answers = self._answers, []
        for mid, code in answers:
            position = waiting.pop(mid, None)
            if position is not None:
                receipts[position] = _receipt(code)
        return bool(answers)

    def _turn(self, client: Client, timeout_s: float) -> None:
        """Wait for the socket, read what is there, write what is queued, ping when due."""
        sock: Any = client.socket()
        if sock is None:
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
        pending = sock.pending() if isinstance(sock, ssl.SSLSocket) else 0
        with selectors.PollSelector() as selector:  # no limit on descriptors, and needs none itself
            selector.register(sock, wanted)
            ready = selector.select(0 if pending else timeout_s)
        if pending or (ready and ready[0][1] & selectors.EVENT_READ):
            client.loop_read()
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _deadline_ns(self, seconds: float) -> int:
        return self._clock.monotonic_ns() + int(seconds * 1e9)

    def _fell(self, reason: str) -> None:
        """The connection is no good any more; said once until it is back."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
        self._why = reason
        if not self._down:
            self._down = True
            logger.warning("mqtt uplink is down uplink=%s why=%s", self._settings.name, reason)

    # --- paho's callbacks ---

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._why = f"the broker refused the connection: {code}"
            return
        self._connected = True
        self._window = min(self._window, getattr(properties, "ReceiveMaximum", 65_535))
        self._broker_max_bytes = getattr(properties, "MaximumPacketSize", self._broker_max_bytes)

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._answers.append((mid, code))

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._why = self._why or loss(flags, code)


_ACCEPTED = Receipt.accepted()


def _receipt(code: ReasonCode) -> Receipt:
    if not code.is_failure:
        return _ACCEPTED
    return Receipt.rejected(str(code)) if code.value in _NEVER else Receipt.retry(str(code))
