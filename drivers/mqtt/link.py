"""One connection to the broker, from connect to its end, on a thread of its own.

Theory of operation. paho is touched by one thread only: this session's. It reads, writes and pings with paho's
public loop_read / loop_write / loop_misc around a selector, so a stop or a batch of acknowledgements is one wake-up,
and whatever ends the thread, `Lost` is the last thing it says. paho never reconnects by itself: a new connection is
a new session, so an acknowledgement can never reach a connection that it does not belong to.

    event loop   acknowledge(mid) ---> [deque] --wake byte-->  MQTT thread ---> PUBACK
    event loop   <--- Inbox (Opened, Subscribed, Arrival ..., Lost) ---  MQTT thread <--- broker

In: settings, topic filters. Out: items in the `Inbox`. Knows nothing of devices, tables and readings.
"""

import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from drivers.mqtt.decode import FieldMessage
from drivers.mqtt.inbox import Arrival, Inbox, Lost, Opened, Subscribed
from drivers.mqtt.settings import MAX_PAYLOAD_BYTES, MqttLink
from gateway.ports import Clock
from kit.mqtt_client import HEAD_BYTES, MALFORMED, BoundedClient, client_of, loss, shown

KEEP_BYTES = 65_536
"""So much of a payload is kept aside."""
_HOUSEKEEPING_S = 1.0


class BrokerSession:
    """Starts with `start`, ends by itself or by `stop`; either way `Lost` is its last item in the inbox."""

    def __init__(self, number: int, settings: MqttLink, filters: Mapping[str, int], inbox: Inbox, clock: Clock) -> None:
        self._number = number
        self._settings = settings
        self._filters = dict(filters)
        self._inbox = inbox
        self._clock = clock
        self._reason = ""
        self._lost = False
        self._stopping = False
        self._to_acknowledge: deque[int] = deque()
        self._to_subscribe: deque[str] = deque()
        self._housekeeping_due_ns = 0
        self._asked: dict[int, str] = {}
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._thread = threading.Thread(target=self._serve, name=f"mqtt-{settings.id}-{number}", daemon=True)

    @property
    def number(self) -> int:
        """Sessions of one driver are numbered from 1."""
        return self._number

    def start(self) -> None:
        """Begin to connect, in a thread of its own."""
        self._thread.start()

    def acknowledge(self, mid: int) -> bool:
        """From the event loop: tell the broker that it may forget this message. False when the session is over."""
        if self._lost:
            return False
        self._to_acknowledge.append(mid)
        self.wake()
        return True

    def subscribe_again(self, topics: Iterable[str]) -> None:
        """From the event loop: ask once more for filters that the broker had refused."""
        self._to_subscribe.extend(topics)
        self.wake()

    def wake(self) -> None:
        """Make the thread look at its work: acknowledgements, room in the inbox, a stop."""
        try:
            self._wake_write.send(b"!")
        except (BlockingIOError, OSError):
            return  # enough wake bytes are under way, or the session is over

    def stop(self, reason: str) -> None:
        """Ask for the end; `Lost` follows with this reason."""
        if not self._lost:
            self._reason = self._reason or reason
            self._stopping = True
            self.wake()

    def join(self, timeout_s: float) -> None:
        """Blocking: wait for the end of the thread. It is a daemon: one that hangs in a name look-up is left behind."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._wake_read.close()
            self._wake_write.close()

    # --- below: the MQTT thread ---

    def _serve(self) -> None:
        try:
            client = self._client()
            self._connect(client)
            self._pump(client)
        except LookupError as error:
            self._reason = self._reason or str(error)
        except OSError as error:
            self._reason = self._reason or f"cannot connect: {_words(error)}"
        except MALFORMED as error:
            self._reason = self._reason or f"the broker sent bytes that are no MQTT: {error}"
        finally:
            self._lost = True
            self._inbox.put(Lost(self._number, self._reason or "the connection was closed"))

    def _client(self) -> Client:
        settings = self._settings
        tls = None
        if settings.tls is not None:
            tls = shown(ssl.create_default_context(cafile=settings.tls.ca_file), settings.tls)
        client = client_of(
            settings,
            settings.effective_client_id,
            tls,
            settings.max_payload_bytes + HEAD_BYTES,
            clean_session=None if settings.protocol == "5" else settings.session == "clean",
            manual_ack=True,
        )
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _connect(self, client: Client) -> None:
        settings = self._settings
        if settings.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.ReceiveMaximum = settings.receive_maximum
            properties.MaximumPacketSize = MAX_PAYLOAD_BYTES + HEAD_BYTES
            kept = settings.session == "persistent"
            properties.SessionExpiryInterval = settings.session_expiry_s if kept else 0
            client.connect(
                settings.host, settings.port, settings.keepalive_s, clean_start=not kept, properties=properties
            )
        else:
            client.connect(settings.host, settings.port, settings.keepalive_s)

    def _pump(self, client: Client) -> None:
        sock: Any = client.socket()
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            selector.register(sock, selectors.EVENT_READ)
            connected_by_ns = self._clock.monotonic_ns() + int(self._settings.connect_timeout_s * 1e9)
            while client.socket() is not None and not self._stopping:
                if not client.is_connected() and self._clock.monotonic_ns() > connected_by_ns:
                    self._reason = self._reason or "no CONNACK from the broker"
                    break
                self._turn(client, sock, selector)
        self._send_acknowledgements(client)
        client.disconnect()

    def _turn(self, client: Client, sock: Any, selector: selectors.BaseSelector) -> None:
        """Wait for something to do and do it: read one packet, write what is queued, ping."""
        reading = self._inbox.has_room
        wanted = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if client.want_write() else 0)
        _watch(selector, sock, wanted)
        buffered = reading and isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        ready = {key.fileobj: events for key, events in selector.select(0 if buffered else _HOUSEKEEPING_S)}
        if self._wake_read in ready:
            self._drain_wake_bytes()
        self._send_acknowledgements(client)
        while self._to_subscribe:
            topic = self._to_subscribe.popleft()
            self._subscribe(client, {topic: self._filters[topic]})
        if buffered or ready.get(sock, 0) & selectors.EVENT_READ:
            client.loop_read()
        if client.socket() is not None and client.want_write():
            client.loop_write()
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._housekeeping_due_ns or not ready:
            self._housekeeping_due_ns = now_ns + int(_HOUSEKEEPING_S * 1e9)
            client.loop_misc()

    def _send_acknowledgements(self, client: Client) -> None:
        while self._to_acknowledge and client.socket() is not None:
            client.ack(self._to_acknowledge.popleft(), 1)

    def _drain_wake_bytes(self) -> None:
        try:
            while self._wake_read.recv(4096):
                pass
        except BlockingIOError:
            return

    # --- paho's callbacks, on the MQTT thread ---

    def _on_connect(
        self, client: Client, _data: Any, flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._reason = f"the broker refused the connection: {code}"
            return
        self._inbox.put(Opened(self._number, flags.session_present))
        self._subscribe(client, self._filters)

    def _subscribe(self, client: Client, filters: Mapping[str, int]) -> None:
        for topic, qos in filters.items():
            # Kept messages only for a subscription that is new to the broker: not again at every reconnection.
            options = SubscribeOptions(qos=qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            v5 = self._settings.protocol == "5"
            _, mid = client.subscribe(topic, options=options) if v5 else client.subscribe(topic, qos)
            if mid is not None:
                self._asked[mid] = topic

    def _on_subscribe(
        self, _client: Client, _data: Any, mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        topic = self._asked.pop(mid, None)
        if topic is not None:
            self._inbox.put(Subscribed(self._number, topic, str(codes[0]) if codes[0].is_failure else ""))

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        assert isinstance(client, BoundedClient)
        cut_from_bytes = client.cut_from_bytes
        payload = bytes(message.payload[:KEEP_BYTES] if cut_from_bytes else message.payload)
        arrived = FieldMessage(topic, payload, message.retain, self._clock.now_ns(), cut_from_bytes)
        self._inbox.put(Arrival(self._number, arrived, message.qos, message.mid, message.dup))

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._reason = self._reason or loss(flags, code)


def _watch(selector: selectors.BaseSelector, sock: Any, wanted: int) -> None:
    """Register, change or drop what is waited for on `sock`; nothing at all is a legal wish."""
    watched = selector.get_map().get(sock)
    if watched is None and wanted:
        selector.register(sock, wanted)
    elif watched is not None and not wanted:
        selector.unregister(sock)
    elif watched is not None and watched.events != wanted:
        selector.modify(sock, wanted)


def _words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
