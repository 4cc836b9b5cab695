"""Server-sent events: alarm transitions numbered by their evidence record, so that a reconnect misses nothing.

    retry: 1000
    event: hello            where the client stands, and what runs: box, version, settings, start
    event: live             once a second and at once after hello, without an id: also the sign of life
    id: 40
    event: gap              only where something could not be replayed: why, and how many records
    id: 42                  <- sequence number in the chain; the browser sends it back as Last-Event-ID
    event: alarm
    event: sound            at once after alarms: how many still call
    event: change           what calls or is shown has changed without an alarm: a device out of service, or an alarm
                            that the disk does not take yet

What a client missed is read back from the database. A client too slow for its queue is dropped; it reconnects and
catches up the same way. Of the events without a number only the newest matter, so a client that does not read holds one
of each and no more. At most `ROOM` listen at once: in all, for one login, from one address.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contract import __version__
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Told
from gateway.store.alert_store import AlertStore, KeptRecord
from gateway.web.feed_counts import GapReason
from gateway.web.live_picture import LivePicture
from gateway.web.read_model import BoxView
from screens.stream_quota import NOBODY, Room, StreamQuota, Watcher

QUEUE_EVENTS = 1000
ROOM = Room(in_all=64, a_login=12, an_address=32)
LIVE_EVERY_S = 1.0
REPLAY_PAGE = 500
REPLAY_MOST = 5000
RETRY = b"retry: 1000\n"
Welcome = Callable[[], Awaitable[bool]]
ALARM_RECORDS = (RecordKind.TRANSITION, RecordKind.ESCALATION, RecordKind.ALARM_NOTE)


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it goes over the wire; `seq` is 0 for what needs no replay."""

    seq: int
    name: str
    wire: bytes

    @classmethod
    def of(cls, seq: int, name: str, data: Any) -> "Event":
        """Encode `data` as JSON."""
        number = b"id: %d\n" % seq if seq else b""
        return cls(seq, name, number + b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n")


@dataclass(slots=True, eq=False)
class _Client:
    """One listener. `newest` holds what waits of the names of which only the newest matters; such a name in the queue
    keeps its place."""

    queue: asyncio.Queue[Event | str | None]
    newest: dict[str, Event] = field(default_factory=dict)


class Feed:
    """Hands committed transitions to every connected client. A client may be `queue_events` behind."""

    def __init__(
        self,
        alerts: AlertStore,
        view: BoxView,
        queue_events: int = QUEUE_EVENTS,
        replay_page: int = REPLAY_PAGE,
        replay_most: int = REPLAY_MOST,
    ) -> None:
        self.picture = LivePicture(view)
        self.counts = view.feed_counts
        self._alerts = alerts
        self._view = view
        self._queue_events = queue_events
        self._replay_page = replay_page
        self._replay_most = replay_most
        self._clients: set[_Client] = set()
        self.quota = StreamQuota(ROOM)
        self._started_ns = view.parts.clock.now_ns()

    @property
    def clients(self) -> int:
        """How many are listening."""
        return len(self._clients)

    def tell(self, told: Sequence[Told]) -> None:
        """After a commit: to everyone who listens. A full queue ends its client."""
        events = [_event(each.record.seq, each.record.body) for each in told if each.record.kind in ALARM_RECORDS]
        newest = [Event.of(0, "change", {})] if any(each.record.kind is RecordKind.SERVICE for each in told) else []
        if not self._clients or not (events or newest):
            return
        newest.append(Event.of(0, "sound", self.picture.sound()))
        for client in list(self._clients):
            self._hand(client, events)
            for event in newest:
                self._hand_newest(client, event)

    def tell_unsealed(self) -> None:
        """Alarms were told that have no record yet: whoever listens asks anew. Their events come with their records."""
        if self._clients:
            newest = Event.of(0, "change", {}), Event.of(0, "sound", self.picture.sound())
            for client in list(self._clients):
                for event in newest:
                    self._hand_newest(client, event)

    async def run(self) -> None:
        """Send the live picture once a second while anyone listens."""
        while True:
            await self._view.parts.clock.sleep(LIVE_EVERY_S)
            if self._clients:
                live = self._live()
                for client in list(self._clients):
                    self._hand_newest(client, live)

    async def stream(
        self, last_seq: int | None, welcome: Welcome | None = None, who: Watcher = NOBODY
    ) -> AsyncIterator[bytes]:
        """Everything after `last_seq` (None: only what is new), then live until the client leaves.

        `welcome` is asked before every live picture; False ends the stream (a login that has expired). Empty where
        `quota` has no room.
        """
        if not self.quota.enter(who):
            return
        client = _Client(asyncio.Queue(self._queue_events))
        self._clients.add(client)
        self.counts.clients = len(self._clients)
        try:
            sent, gap = self._start(last_seq)
            yield RETRY + self._hello(sent if last_seq is None else 0).wire
            yield self._live().wire
            if gap is not None:
                yield self._gap(gap, last_seq or 0, sent).wire
            while page := self._alerts.evidence_after(sent, self._replay_page):
                for event in self._replayed(sent, page):
                    yield self._count(event).wire
                sent = page[-1].seq
            async for event in self._queued(client, welcome):
                if event.seq == 0 or event.seq > sent:
                    yield self._count(event).wire
        finally:
            self._leave(client)
            self.quota.leave(who)

    def close(self) -> None:
        """End every stream: the box stops."""
        for client in list(self._clients):
            self._drop(client)

    def _start(self, last_seq: int | None) -> tuple[int, GapReason | None]:
        """After which record a client goes on, and why not where it asked for."""
        told = self._view.parts.recorder.head.seq  # what is committed but not yet told will come through the queue
        if last_seq is None:
            return told, None
        head = self._alerts.head().seq
        if last_seq > head:
            return told, GapReason.AHEAD
        if head - last_seq > self._replay_most:
            return told, GapReason.TOO_OLD
        return last_seq, None

    def _hello(self, seq: int) -> Event:
        parts = self._view.parts
        data = {"box": parts.box_id, "version": __version__, "config": parts.config.digest, "started": self._started_ns}
        return Event.of(seq, "hello", data | {"seq": parts.recorder.head.seq})

    def _live(self) -> Event:
        return Event.of(0, "live", self.picture.row())

    def _gap(self, reason: GapReason, from_seq: int, to_seq: int) -> Event:
        """`records` were not replayed; 0 when nobody knows how many."""
        self.counts.gaps[reason] += 1
        data = {"reason": reason, "from": from_seq, "to": to_seq, "records": max(0, to_seq - from_seq)}
        return Event.of(to_seq, "gap", data)

    def _replayed(self, sent: int, page: Sequence[KeptRecord]) -> Iterator[Event]:
        """The alarms of a page of records after `sent`, and every hole before a record."""
        for record in page:
            if record.seq != sent + 1:
                yield self._gap(GapReason.LOST, sent, record.seq - 1)
            sent = record.seq
            if record.kind in ALARM_RECORDS:
                yield _event(sent, record.body)

    async def _queued(self, client: _Client, welcome: Welcome | None) -> AsyncIterator[Event]:
        while (item := await client.queue.get()) is not None:
            event = client.newest.pop(item) if isinstance(item, str) else item
            if event.name == "live" and welcome is not None and not await welcome():
                return
            yield event

    def _count(self, event: Event) -> Event:
        self.counts.delivered += event.name == "alarm"
        return event

    def _hand(self, client: _Client, items: Sequence[Event | str]) -> None:
        for item in items:
            try:
                client.queue.put_nowait(item)
            except asyncio.QueueFull:
                self.counts.dropped += client in self._clients
                self._drop(client)
                return

    def _hand_newest(self, client: _Client, event: Event) -> None:
        """Newer takes the place of what still waits."""
        waiting = event.name in client.newest
        client.newest[event.name] = event
        if not waiting and client in self._clients:
            self._hand(client, [event.name])

    def _leave(self, client: _Client) -> None:
        self._clients.discard(client)
        self.counts.clients = len(self._clients)

    def _drop(self, client: _Client) -> None:
        self._leave(client)
        while not client.queue.empty():
            client.queue.get_nowait()
        client.queue.put_nowait(None)


def _event(seq: int, record: bytes) -> Event:
    """The transition without its samples: those are one click away, in the alarm's detail."""
    content = orjson.loads(record)["content"]
    data = {name: content[name] for name in ("transition", "measured", "user", "reason", "alarm")} | {"seq": seq}
    return Event.of(seq, "alarm", data)
