"""The MQTT driver: messages of one broker's devices in, `Readings` out, acknowledged once the history has them.

Theory of operation. Three tasks on the event loop, one thread for the wire:

    _keep_connected   session after session, with back-off and full jitter
    _consume          inbox --> decode --> await sink.put() --> FIFO of held messages
    _acknowledge      FIFO --> await "committed" --> PUBACK, and room for the next message

A message is held from its arrival until its acknowledgement is under way. When the connection breaks in between, the
broker sends it again, marked as a redelivery with the same packet identifier: it is recognised and not put twice.
When the process dies in between, the broker sends it again and the history has it then: at least once, never lost.

A message goes to every device whose topic fits; where a level of the topic is a key, to the devices that have it. What
a table does not read, and what brings again what was heard (a radio that sent a frame twice), is acknowledged, counted
and passed over.

In: `BoundLink`. Out: `Readings` into the sink. Knows nothing of rules, stores and screens.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from secrets import SystemRandom

from paho.mqtt.matcher import MQTTMatcher

from drivers.mqtt.decode import TOPIC_TOLD, Decoded, FieldMessage, MessageDecoder, PassedOver
from drivers.mqtt.inbox import Arrival, Inbox, Item, Lost, Opened, Subscribed
from drivers.mqtt.link import KEEP_BYTES, BrokerSession
from drivers.mqtt.private import Blotter
from drivers.mqtt.repeats import Repeats
from drivers.mqtt.routes import Route, routes_of
from drivers.mqtt.settings import MqttDevice, MqttLink, MqttTable
from gateway.model.errors import DecodeError, StoreError
from gateway.model.reading import Readings
from gateway.ports import BoundDevice, BoundLink, Clock, Driver, DriverKind, LinkHealth, LinkState, ReadingSink

log = logging.getLogger(__name__)

_RESUBSCRIBE_S = 60.0
_YIELD_EVERY = 64
_KEEP_UNMATCHED = 100
_TOPIC_CACHE = 4_096
_DOUBTS_SHOWN = 3


@dataclass(slots=True)
class _Channel:
    """One device: its decoder and what its health page says."""

    device: BoundDevice
    decoder: MessageDecoder
    repeats: Repeats
    state: LinkState = LinkState.STARTING
    messages: int = 0
    failures: int = 0
    passed_over: int = 0
    last_error: str = ""

    @property
    def device_id(self) -> str:
        """The device's id, from the site file."""
        return str(self.device.settings.id)


@dataclass(slots=True)
class _Held:
    """A message that the broker still keeps for us. `taken` holds its place in the inbox, `arrival` is its newest
    delivery; `noted` is where its return would be known as a repeat."""

    taken: Arrival
    arrival: Arrival
    commits: list[Awaitable[None]] = field(default_factory=list)
    noted: list[tuple[Repeats, bytes]] = field(default_factory=list)
    committed: bool = False
    failure: StoreError | None = None


_Identity = tuple[int, str, bytes]


class MqttDriver:
    """One broker and its devices. `run` until cancelled."""

    def __init__(self, link: BoundLink, clock: Clock) -> None:
        settings: MqttLink = link.settings
        self.name = settings.id
        self._settings = settings
        self._clock = clock
        self._channels = [_channel(device, settings.max_payload_bytes) for device in link.devices]
        self._blotter = Blotter(sorted({key for device in link.devices for key in device.table.private}))
        self._matcher, self._filters = _subscriptions(self._channels)
        self._routed: dict[str, tuple[Sequence[_Channel], str]] = {}
        self._held: dict[_Identity, _Held] = {}
        self._refused: set[str] = set()
        self._session: BrokerSession | None = None
        self._session_over = asyncio.Event()
        self._opened = False
        self._down = False
        self._unmatched = 0
        self._last_unmatched = ""

    def health(self) -> Sequence[LinkHealth]:
        """One entry a device: `polls` counts good messages, `failures` what was put aside and lost connections,
        `skipped` what was passed over. The link has an entry of its own once there were messages for no device."""
        devices = [
            LinkHealth(c.device_id, c.state, c.messages, c.failures, c.passed_over, c.last_error)
            for c in self._channels
        ]
        if not self._unmatched:
            return devices
        state = LinkState.DOWN if self._down else LinkState.UP
        name = f"link:{self.name}"  # no device can be called so
        return [*devices, LinkHealth(name, state, failures=self._unmatched, last_error=self._last_unmatched)]

    async def run(self, sink: ReadingSink) -> None:
        """Consume until cancelled. A dead broker is waited for; only a bug escapes."""
        inbox = Inbox(self._settings.receive_maximum, self._on_room)
        to_commit: asyncio.Queue[_Held] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_connected(inbox), name=f"{self.name}: connect")
            tasks.create_task(self._consume(inbox, sink, to_commit), name=f"{self.name}: consume")
            tasks.create_task(self._acknowledge(inbox, to_commit), name=f"{self.name}: acknowledge")

    # --- the connection ---

    async def _keep_connected(self, inbox: Inbox) -> None:
        attempt = 0
        number = 0
        while True:
            number += 1
            self._opened = False
            self._session_over.clear()
            self._session = BrokerSession(number, self._settings, self._filters, inbox, self._clock)
            try:
                self._session.start()
                await self._until_over(self._session)
            finally:
                self._session.stop("stopped")
                await asyncio.to_thread(self._session.join, self._settings.connect_timeout_s + 1)
            attempt = 0 if self._opened else attempt + 1
            await self._clock.sleep(self._retry_after_s(attempt))

    async def _until_over(self, session: BrokerSession) -> None:
        """Wait for the end; meanwhile ask again, once a minute, for what the broker refused to subscribe."""
        while not await self._over_within(_RESUBSCRIBE_S):
            if self._refused:
                session.subscribe_again(sorted(self._refused))

    async def _over_within(self, seconds: float) -> bool:
        over = asyncio.ensure_future(self._session_over.wait())
        pause = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({over, pause}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            pause.cancel()
        return self._session_over.is_set()

    def _retry_after_s(self, attempt: int) -> float:
        """Full jitter: anywhere between 0 and a ceiling that doubles with every failure."""
        ceiling_s = min(self._settings.retry_max_s, self._settings.retry_first_s * 2.0 ** min(attempt, 20))
        return SystemRandom().uniform(0, ceiling_s)

    def _on_room(self) -> None:
        if self._session is not None:
            self._session.wake()

    # --- what arrives ---

    async def _consume(self, inbox: Inbox, sink: ReadingSink, to_commit: asyncio.Queue[_Held]) -> None:
        taken = 0
        while True:
            item = await inbox.take()
            if isinstance(item, Arrival):
                await self._take(item, inbox, sink, to_commit)
            else:
                self._note(item, sink)
            taken += 1
            if taken % _YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def _take(self, arrival: Arrival, inbox: Inbox, sink: ReadingSink, to_commit: asyncio.Queue[_Held]) -> None:
        identity = _identity(arrival)
        if arrival.redelivered and (held := self._held.get(identity)) is not None:
            held.arrival = arrival
            inbox.settle(arrival)
            if held.committed:
                self._release(held)
            return
        held = _Held(arrival, arrival)
        if arrival.qos:
            self._held[identity] = held
        try:
            await self._put(held, sink)
        except StoreError as error:
            held.failure = error
        to_commit.put_nowait(held)

    async def _put(self, held: _Held, sink: ReadingSink) -> None:
        """Decode for every device that the message is for; what nobody understands is put aside."""
        message = held.arrival.message
        channels, nobody = self._channels_of(message.topic)
        if not channels:
            size = f" ({message.size_bytes} bytes)" if message.cut_from_bytes else ""
            self._set_aside_unmatched(message, nobody + size, sink)
        for channel in channels:
            try:
                said = channel.decoder.decode(message)
            except DecodeError as error:
                self._set_aside(channel, message, str(error), sink)
                continue
            if isinstance(said, PassedOver):
                self._pass_over(channel, said.reason)
            elif said.sameness and channel.repeats.heard(said.sameness, message.received_at_ns):
                channel.passed_over += 1
            else:
                await self._put_readings(held, channel, said, sink)

    async def _put_readings(self, held: _Held, channel: _Channel, said: Decoded, sink: ReadingSink) -> None:
        if said.sameness:
            held.noted.append((channel.repeats, said.sameness))
        channel.messages += 1
        channel.state = LinkState.UP
        channel.last_error = _told(said.doubts)
        held.commits.append(await sink.put(said.readings))

    def _channels_of(self, topic: str) -> tuple[Sequence[_Channel], str]:
        """The devices that a message is for; without any, why."""
        found = self._routed.get(topic)
        if found is None:
            found = self._route(topic)
            if len(self._routed) >= _TOPIC_CACHE:
                self._routed.clear()
            if len(topic) <= TOPIC_TOLD:
                self._routed[topic] = found
        return found

    def _route(self, topic: str) -> tuple[Sequence[_Channel], str]:
        routes: list[Route[_Channel]] = list(self._matcher.iter_match(topic))  # type: ignore[no-untyped-call]
        channels = tuple(channel for route in routes for channel in route.to(topic))
        strangers = [key for route in routes for key in route.keys_in(topic)]
        if strangers:
            return channels, f"no device has the key {strangers[0][:TOPIC_TOLD]!r} (topic {topic[:TOPIC_TOLD]!r})"
        return channels, f"no device listens to topic {topic[:TOPIC_TOLD]!r}"

    # --- what is done with ---

    async def _acknowledge(self, inbox: Inbox, to_commit: asyncio.Queue[_Held]) -> None:
        while True:
            held = await to_commit.get()
            for commit in held.commits:
                try:
                    await commit
                except StoreError as error:
                    held.failure = error
            held.committed = held.failure is None
            if held.failure is None:
                self._release(held)
            else:
                self._not_kept(held, held.failure)
            inbox.settle(held.taken)

    def _release(self, held: _Held) -> None:
        """Acknowledge on the connection it came over. If that is gone, wait for the redelivery."""
        session, arrival = self._session, held.arrival
        current = arrival.qos and session is not None and session.number == arrival.session_number
        if current and session is not None and session.acknowledge(arrival.mid):
            self._forget(held)

    def _not_kept(self, held: _Held, error: StoreError) -> None:
        """The history has it not: no acknowledgement. A new connection makes the broker send it again."""
        self._forget(held)
        for repeats, sameness in held.noted:
            repeats.forget(sameness)
        if self._session is not None:
            self._session.stop(f"the history could not keep a message: {error}")

    def _forget(self, held: _Held) -> None:
        identity = _identity(held.arrival)
        if self._held.get(identity) is held:
            del self._held[identity]

    # --- up and down ---

    def _note(self, item: Item, sink: ReadingSink) -> None:
        if isinstance(item, Opened):
            self._on_opened(item)
        elif isinstance(item, Subscribed):
            self._on_subscribed(item, sink)
        elif isinstance(item, Lost):
            self._on_lost(item, sink)

    def _on_opened(self, item: Opened) -> None:
        self._opened = True
        self._refused.clear()
        if not item.resumed:
            self._held.clear()  # a new session counts its packet identifiers from the start
        if self._down:
            log.info("mqtt broker is back link=%s resumed=%s", self.name, item.resumed)
        self._down = False
        for channel in self._channels:
            channel.state = LinkState.STARTING

    def _on_subscribed(self, item: Subscribed, sink: ReadingSink) -> None:
        concerned = [channel for channel in self._channels if channel.device.settings.filter == item.topic]
        if item.refused and item.topic not in self._refused:
            self._refused.add(item.topic)
            log.warning("mqtt subscription refused link=%s topic=%s why=%s", self.name, item.topic, item.refused)
            for channel in concerned:
                self._channel_down(channel, f"the broker refused the subscription: {item.refused}", sink)
        elif not item.refused and item.topic in self._refused:
            self._refused.remove(item.topic)
            log.info("mqtt subscription is back link=%s topic=%s", self.name, item.topic)
            for channel in concerned:
                channel.state = LinkState.STARTING

    def _on_lost(self, item: Lost, sink: ReadingSink) -> None:
        if not self._down:
            self._down = True
            log.warning("mqtt broker is down link=%s why=%s", self.name, item.reason)
            for channel in self._channels:
                self._channel_down(channel, item.reason, sink)
        for channel in self._channels:
            channel.last_error = item.reason
        self._session_over.set()

    def _channel_down(self, channel: _Channel, reason: str, sink: ReadingSink) -> None:
        """Every verdict about the device becomes UNKNOWN at once."""
        channel.state = LinkState.DOWN
        channel.failures += 1
        channel.last_error = reason
        now_ns = self._clock.now_ns()
        sink.offer(Readings.unreadable(channel.device_id, channel.device.point_index, now_ns))

    # --- what nobody understands ---

    def _set_aside(self, channel: _Channel, message: FieldMessage, reason: str, sink: ReadingSink) -> None:
        channel.failures += 1
        channel.last_error = reason
        channel.state = LinkState.DOWN
        sink.set_aside(channel.device_id, channel.decoder.keepable(message.payload)[:KEEP_BYTES], reason)
        if _power_of_two(channel.failures):
            log.warning("mqtt message set aside device=%s count=%d why=%s", channel.device_id, channel.failures, reason)

    def _set_aside_unmatched(self, message: FieldMessage, reason: str, sink: ReadingSink) -> None:
        self._unmatched += 1
        self._last_unmatched = reason
        if self._unmatched <= _KEEP_UNMATCHED:
            keepable = self._blotter.blot(message.payload)[:KEEP_BYTES]
            sink.set_aside(self.name, keepable, reason)
        if _power_of_two(self._unmatched):
            log.warning("mqtt message for no device link=%s count=%d why=%s", self.name, self._unmatched, reason)

    def _pass_over(self, channel: _Channel, reason: str) -> None:
        """Not for this table. A device of which nothing else was heard says why."""
        channel.passed_over += 1
        if channel.state is LinkState.STARTING:
            channel.last_error = f"passed over: {reason}"


def _channel(device: BoundDevice, max_payload_bytes: int) -> _Channel:
    repeats = device.table.repeats
    return _Channel(device, MessageDecoder(device, max_payload_bytes), Repeats(repeats.within_s if repeats else 0))


def _subscriptions(channels: Sequence[_Channel]) -> tuple[MQTTMatcher, dict[str, int]]:
    """Topic filter -> its route, and the highest quality of service asked for each filter."""
    filters: dict[str, int] = {}
    for channel in channels:
        settings = channel.device.settings
        filters[settings.filter] = max(settings.qos, filters.get(settings.filter, 0))
    matcher = MQTTMatcher()  # type: ignore[no-untyped-call]
    for topic, route in routes_of([(channel.device.settings, channel) for channel in channels]).items():
        matcher[topic] = route
    return matcher, filters


def _told(doubts: Sequence[str]) -> str:
    more = f"; {len(doubts) - _DOUBTS_SHOWN} more" if len(doubts) > _DOUBTS_SHOWN else ""
    return "; ".join(doubts[:_DOUBTS_SHOWN]) + more


def _identity(arrival: Arrival) -> _Identity:
    return arrival.mid, arrival.message.topic, arrival.message.payload


def _power_of_two(count: int) -> bool:
    return count & (count - 1) == 0


def _build(link: BoundLink, clock: Clock) -> Driver:
    return MqttDriver(link, clock)


KIND = DriverKind("mqtt", MqttLink, MqttDevice, MqttTable, _build)
