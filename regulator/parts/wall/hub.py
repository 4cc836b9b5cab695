"""Server-sent events of the wall: every change of a tile, numbered, in order, none lost, each to whoever may see it.

    event: hello   {seq}                          the number the stream starts from
    event: tiles   {from, seq, rows}   id: seq    tiles that changed after `from`, up to `seq`; whole, never half
    event: gap     {to}                id: to     the client knows numbers that this desk does not: read all anew
    event: live    {at_ns, mark}                  once a second while the database answers; `mark`: of the set's order

One question to the database every half second for all who look, whoever wrote the changes: another replica's are found
the same way. A stream that begins is told what it missed from the database, then what the question brings; a client
that does not read is dropped and comes back with its number. Each stream is asked every few seconds whether its login
still holds and what it may see.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson
from sqlalchemy.exc import SQLAlchemyError

from regulator.base.records.engine import DeskDatabase
from regulator.parts.wall.reading import Change, changes_after, head
from screens.stream_quota import NOBODY, Room, StreamQuota, Watcher

log = logging.getLogger(__name__)
POLL_S: Final = 0.5
LIVE_POLLS: Final = 2
WELCOME_POLLS: Final = 20
ROOM: Final = Room(in_all=400, a_login=12, an_address=200)
QUEUED_BATCHES: Final = 240
"""Two minutes of changes; slower than that is gone."""
RETRY: Final = b"retry: 1000\n"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a stream may show: the codes, and the mark of their order."""

    codes: frozenset[str]
    mark: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one question brought: changes after `seq_from` up to `seq`."""

    seq_from: int
    seq: int
    changes: Sequence[Change]


Look = Callable[[], Awaitable[Sight | None]]
"""What the visitor may see now; None: the login has ended."""


@dataclass(eq=False, slots=True)
class _Client:
    queue: "asyncio.Queue[Batch | None]" = field(default_factory=lambda: asyncio.Queue(QUEUED_BATCHES))


class WallHub:
    """One for a process. Asks only while somebody looks."""

    def __init__(self, database: DeskDatabase, now_ns: Callable[[], int], poll_s: float = POLL_S) -> None:
        self._database, self._now_ns, self._poll_s = database, now_ns, poll_s
        self._clients: set[_Client] = set()
        self._asking: asyncio.Task[None] | None = None
        self._seq = 0
        self._ready = asyncio.Event()
        self.quota = StreamQuota(ROOM)
        self.dropped = 0

    async def stream(self, last: int | None, look: Look, who: Watcher = NOBODY) -> AsyncIterator[bytes]:
        """Everything after `last` (None: only what is new) that the visitor may see, until the login ends. Empty where
        `quota` has no room."""
        sight = await look()
        if sight is None or not self.quota.enter(who):
            return
        client = self._join()
        try:
            await self._ready.wait()  # listen first, read what was missed afterwards: nothing falls between
            sent = await asyncio.to_thread(self._head)
            yield RETRY + _event("hello", {"seq": sent}, None)
            if last is not None and last > sent:
                yield _event("gap", {"to": sent}, sent)
            elif last is not None:
                missed = await asyncio.to_thread(self._missed, last)
                sent = missed.seq
                if (event := _tiles(missed, last, sight)) is not None:
                    yield event
                    last = sent
            async for event in self._following(client, sight, look, sent, sent if last is None else last):
                yield event
        finally:
            self._leave(client)
            self.quota.leave(who)

    async def _following(
        self, client: _Client, sight: Sight | None, look: Look, sent: int, told: int
    ) -> AsyncIterator[bytes]:
        """`sent`: up to which number all is with the client; `told`: the last number that it was told."""
        polls = 0
        yield self._live(sight) if sight else b""
        while (batch := await client.queue.get()) is not None and sight is not None:
            polls += 1
            if batch.seq > sent:
                sent = batch.seq
                if (event := _tiles(batch, told, sight)) is not None:
                    yield event
                    told = sent
            if polls % WELCOME_POLLS == 0:
                sight = await look()
            if sight is not None and polls % LIVE_POLLS == 0:
                yield self._live(sight)

    def _live(self, sight: Sight) -> bytes:
        return _event("live", {"at_ns": self._now_ns(), "mark": sight.mark}, None)

    def _join(self) -> _Client:
        client = _Client()
        if self._asking is None or self._asking.done():
            self._ready.clear()
            self._asking = asyncio.create_task(self._ask())
        self._clients.add(client)
        return client

    def _leave(self, client: _Client) -> None:
        self._clients.discard(client)
        if not self._clients and self._asking is not None:
            self._asking.cancel()
            self._asking = None

    async def _ask(self) -> None:
        while True:
            try:
                if not self._ready.is_set():
                    self._seq = await asyncio.to_thread(self._head)
                    self._ready.set()
                await asyncio.sleep(self._poll_s)
                batch = await asyncio.to_thread(self._missed, self._seq)
            except (SQLAlchemyError, OSError) as error:
                log.warning("event=wall_feed_waits error=%s", type(error).__name__)
                await asyncio.sleep(self._poll_s)
                continue  # no sign of life: pages say that what they show is old
            self._seq = batch.seq
            for client in list(self._clients):
                self._hand(client, batch)

    def _hand(self, client: _Client, batch: Batch) -> None:
        try:
            client.queue.put_nowait(batch)
        except asyncio.QueueFull:
            self.dropped += 1
            self._clients.discard(client)
            client.queue.get_nowait()
            client.queue.put_nowait(None)

    def _head(self) -> int:
        with self._database.reading() as db:
            return head(db)

    def _missed(self, after: int) -> Batch:
        with self._database.reading() as db:
            changes = changes_after(db, after)
        return Batch(after, max((change.seq for change in changes), default=after), changes)


def _tiles(batch: Batch, told: int, sight: Sight) -> bytes | None:
    """What of a batch this visitor may see; None when there is nothing."""
    rows = [change.row() for change in batch.changes if change.seq > told and change.project_code in sight.codes]
    return _event("tiles", {"from": told, "seq": batch.seq, "rows": rows}, batch.seq) if rows else None


def _event(name: str, data: object, number: int | None) -> bytes:
    wire = b"id: %d\n" % number if number is not None else b""
    return wire + b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
