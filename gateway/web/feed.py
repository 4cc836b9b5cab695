"""Server-sent events: alarm transitions numbered by their evidence record, so that a reconnect misses nothing.

    id: 42              <- sequence number in the chain; the browser sends it back as Last-Event-ID
    event: alarm
    data: {...}

What a client missed is read back from the database. A client too slow for its queue is dropped; it reconnects and
catches up the same way. Values of points are sent once a second without an id: only the newest matter.
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
POINTS_EVERY_S = 1.0
REPLAY_PAGE = 500


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


class Feed:
    """Hands committed transitions to every connected client. A client may be `queue_events` behind."""

    def __init__(
        self, alerts: AlertStore, view: BoxView, queue_events: int = QUEUE_EVENTS, replay_page: int = REPLAY_PAGE
    ) -> None:
        self._alerts = alerts
        self._view = view
        self._queue_events = queue_events
        self._replay_page = replay_page
        self._clients: set[asyncio.Queue[Event | None]] = set()

    @property
    def clients(self) -> int:
        """How many are listening."""
        return len(self._clients)

    def tell(self, told: Sequence[Told]) -> None:
        """After a commit: to everyone who listens. A full queue ends its client."""
        events = [_event(t.record.seq, t.record.body) for t in told if t.transition is not None]
        for queue in list(self._clients):
            self._hand(queue, events)

    async def run(self) -> None:
        """Send the values of all points once a second while anyone listens."""
        while True:
            await self._view.parts.clock.sleep(POINTS_EVERY_S)
            if self._clients:
                event = Event(0, "points", orjson.dumps({"points": self._view.points()}))
                for queue in list(self._clients):
                    self._hand(queue, [event])

    async def stream(self, last_seq: int | None) -> AsyncIterator[bytes]:
        """Everything after `last_seq` (None: only what is new), then live until the client leaves."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(self._queue_events)
        self._clients.add(queue)
        try:
            told = self._view.parts.recorder.head.seq  # what is committed but not yet told will come through the queue
            sent = told if last_seq is None or last_seq > self._alerts.head().seq else last_seq
            yield Event(sent, "hello", b'{"retry_ms":2000}').encode() if last_seq is None else b"retry: 2000\n\n"
            while page := self._alerts.evidence_after(sent, self._replay_page):
                for record in page:
                    sent = record.seq
                    if record.kind == RecordKind.TRANSITION:
                        yield _event_of(record).encode()
            while (event := await queue.get()) is not None:
                if event.seq == 0 or event.seq > sent:
                    yield event.encode()
        finally:
            self._clients.discard(queue)

    def close(self) -> None:
        """End every stream: the box stops."""
        for queue in list(self._clients):
            self._drop(queue)

    def _hand(self, queue: asyncio.Queue[Event | None], events: Sequence[Event]) -> None:
        for event in events:
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._drop(queue)
                return

    def _drop(self, queue: asyncio.Queue[Event | None]) -> None:
        self._clients.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


def _event_of(record: KeptRecord) -> Event:
    return _event(record.seq, record.body)


def _event(seq: int, record: bytes) -> Event:
    """The transition without its samples: those are one click away, in the alarm's detail."""
    content = orjson.loads(record)["content"]
    data = {name: content[name] for name in ("transition", "measured", "user", "reason", "alarm")} | {"seq": seq}
    return Event(seq, "alarm", orjson.dumps(data))
