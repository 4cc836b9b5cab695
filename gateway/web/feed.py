"""Server-sent events: alarm transitions numbered by their evidence record, so that a reconnect misses nothing.

    id: 42              <- sequence number in the chain; the browser sends it back as Last-Event-ID
    event: alarm
    data: {...}

What a client missed is read back from the database. A client too slow for its queue is dropped; it reconnects and
catches up the same way. Values of points are sent once a second without an id: only the newest matter, so a client
that does not read holds one set of them and no more. At most `MAX_CLIENTS` listen at once.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import orjson

from gateway.evidence import RecordKind
from gateway.recorder import Told
from gateway.store.alert_store import AlertStore, KeptRecord
from gateway.web.read_model import BoxView

QUEUE_EVENTS = 1000
MAX_CLIENTS = 64
POINTS_EVERY_S = 1.0
REPLAY_PAGE = 500
ALARM_RECORDS = (RecordKind.TRANSITION, RecordKind.ESCALATION)


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `seq` is 0 for what needs no replay."""

    seq: int
    name: str
    data: bytes

    def encode(self) -> bytes:
        """The event on the wire."""
        number = b"id: %d\n" % self.seq if self.seq else b""
        return number + b"event: " + self.name.encode() + b"\ndata: " + self.data + b"\n\n"


@dataclass(slots=True, eq=False)
class _Client:
    """One listener. `points` are the newest values that wait for it; an event without data keeps their place."""

    queue: asyncio.Queue[Event | None]
    points: Event | None = None


_POINTS_WAIT = Event(0, "points", b"")


class Feed:
    """Hands committed transitions to every connected client. A client may be `queue_events` behind."""

    def __init__(
        self, alerts: AlertStore, view: BoxView, queue_events: int = QUEUE_EVENTS, replay_page: int = REPLAY_PAGE
    ) -> None:
        self._alerts = alerts
        self._view = view
        self._queue_events = queue_events
        self._replay_page = replay_page
        self._clients: set[_Client] = set()

    @property
    def clients(self) -> int:
        """How many are listening."""
        return len(self._clients)

    @property
    def full(self) -> bool:
        """Whether one more would be too many."""
        return len(self._clients) >= MAX_CLIENTS

    def tell(self, told: Sequence[Told]) -> None:
        """After a commit: to everyone who listens. A full queue ends its client."""
        events = [_event(t.record.seq, t.record.body) for t in told if t.transition is not None]
        for client in list(self._clients):
            self._hand(client, events)

    async def run(self) -> None:
        """Send the values of all points once a second while anyone listens."""
        while True:
            await self._view.parts.clock.sleep(POINTS_EVERY_S)
            if self._clients:
                self._hand_points(Event(0, "points", orjson.dumps({"points": self._view.points()})))

    async def stream(self, last_seq: int | None) -> AsyncIterator[bytes]:
        """Everything after `last_seq` (None: only what is new), then live until the client leaves."""
        client = _Client(asyncio.Queue(self._queue_events))
        self._clients.add(client)
        try:
            told = self._view.parts.recorder.head.seq  # what is committed but not yet told will come through the queue
            sent = told if last_seq is None or last_seq > self._alerts.head().seq else last_seq
            yield Event(sent, "hello", b'{"retry_ms":2000}').encode() if last_seq is None else b"retry: 2000\n\n"
            while page := self._alerts.evidence_after(sent, self._replay_page):
                for record in page:
                    sent = record.seq
                    if record.kind in ALARM_RECORDS:
                        yield _event_of(record).encode()
            while (event := await client.queue.get()) is not None:
                if event is _POINTS_WAIT and client.points is not None:
                    event, client.points = client.points, None
                if event.seq == 0 or event.seq > sent:
                    yield event.encode()
        finally:
            self._clients.discard(client)

    def close(self) -> None:
        """End every stream: the box stops."""
        for client in list(self._clients):
            self._drop(client)

    def _hand(self, client: _Client, events: Sequence[Event]) -> None:
        for event in events:
            try:
                client.queue.put_nowait(event)
            except asyncio.QueueFull:
                self._drop(client)
                return

    def _hand_points(self, points: Event) -> None:
        """Newer values take the place of those that still wait."""
        for client in list(self._clients):
            waiting, client.points = client.points, points
            if waiting is None:
                self._hand(client, [_POINTS_WAIT])

    def _drop(self, client: _Client) -> None:
        self._clients.discard(client)
        while not client.queue.empty():
            client.queue.get_nowait()
        client.queue.put_nowait(None)


def _event_of(record: KeptRecord) -> Event:
    return _event(record.seq, record.body)


def _event(seq: int, record: bytes) -> Event:
    """The transition without its samples: those are one click away, in the alarm's detail."""
    content = orjson.loads(record)["content"]
    data = {name: content[name] for name in ("transition", "measured", "user", "reason", "alarm")} | {"seq": seq}
    return Event(seq, "alarm", orjson.dumps(data))
