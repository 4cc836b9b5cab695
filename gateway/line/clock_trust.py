"""When the box starts before its clock is right: what it read until then is marked, and corrected once the time comes.

    start   the kernel says that nobody keeps its clock -> the record `gateway_started` says `clock: free`
    step    a time server sets the clock                -> ClockWatch tells both times
    trust   the kernel says that the clock is kept      -> readings move to the right times; a `clock_trusted` record
                                                           names each span and how far it was off

A box without a battery clock starts in the past, so steps go forward. A clock that was ahead is named in the record and
its readings stay: their times lie among those that were right afterwards. In: the kernel's word, jumps, the history.
Out: one record a run. Alarms and evidence keep the times that were sealed; the record says how to read them.
"""

import asyncio
import logging
from collections.abc import Callable

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.clock_state import ClockState, Sync
from gateway.line.recorder import Entry, Recorder
from gateway.model.errors import DecodeError, StoreError
from gateway.ports import Clock
from gateway.store.history_store import HistoryStore
from gateway.store.retiming import Correction

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0


class ClockTrust:
    """`waits`: the clock is not trusted yet. Where the kernel cannot be asked nothing is known, nothing corrected."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        ask: Callable[[], ClockState],
        history: HistoryStore,
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._ask = ask
        self._history = history
        self._from_ns = clock.now_ns()
        self._spans: list[Correction] = []
        self.at_start = ask().sync
        self.waits = self.at_start is Sync.FREE
        if self.waits:
            history.keep_apart()

    def jumped(self, expected_ns: int, found_ns: int) -> None:
        """The wall clock was set: all that came before was off by this much more."""
        if not self.waits:
            return
        offset_ns = found_ns - expected_ns
        earlier = [Correction(each.from_ns, each.to_ns, each.offset_ns + offset_ns) for each in self._spans]
        self._spans = [*earlier, Correction(self._from_ns, expected_ns, offset_ns)]
        self._from_ns = found_ns

    async def run(self, look_at_clock: Callable[[], None]) -> None:
        """Ask every second until the clock is kept, then correct. `look_at_clock`: notice a step before that."""
        while self.waits:
            await self._clock.sleep(LOOK_EVERY_S)
            if self._ask().sync is Sync.KEPT:
                look_at_clock()
                self.waits = False
                await self._correct()
        await asyncio.Event().wait()

    async def _correct(self) -> None:
        forward = [each for each in self._spans if each.offset_ns > 0]
        moved = 0
        try:
            if forward:
                await self._written(forward[-1].to_ns)
                moved = await asyncio.wrap_future(self._history.retime(forward))
        except (StoreError, DecodeError) as error:
            log.error("event=readings_not_corrected reason=%r", str(error))
        spans: list[Canonical] = [
            {"from_ns": each.from_ns, "to_ns": each.to_ns, "offset_ns": each.offset_ns} for each in self._spans
        ]
        log.warning("event=clock_trusted spans=%d polls_moved=%d", len(spans), moved)
        content: dict[str, Canonical] = {"corrections": spans, "polls_moved": moved}
        self._recorder.record(Entry(RecordKind.CLOCK_TRUSTED, self._clock.now_ns(), content))

    async def _written(self, to_ns: int) -> None:
        """Wait until what was received before this time, by the wrong clock, is on the disk. Raises StoreError."""
        waits = True
        while waits:
            await self._clock.sleep(LOOK_EVERY_S)
            await asyncio.wrap_future(self._history.last_block_id())
            waits = self._history.buffered_since_ns() <= to_ns
