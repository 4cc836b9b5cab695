"""One sample's way through the box, in order: history, window, rules, alarms, recorder; then what is derived from it.

    intake -> [history.append, window.remember, rules, alarms.step] -> transitions -> recorder
                     |    ^                |
                     |    +--- derived <---+   asset models: cranes, groups of cranes, pits
                     +-- flush every flush_ms (sooner when a message waits for its acknowledgement)

The passing of time is a sample too: every tick judges silence and staleness. Nothing here waits for a disk: commits run
in the stores' threads, and a message is acknowledged once its readings and every transition before it are committed.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from contract.canonical import Canonical
from gateway.alarms import AlarmTable
from gateway.evidence.evidence import RecordKind, seen_content
from gateway.line.deriving import Deriving
from gateway.line.intake import Arrival, Intake
from gateway.line.recorder import Entry, Recorder
from gateway.line.stall_watch import HOLE_NS
from gateway.model.alarm import Transition
from gateway.model.derivation import AssetEvent
from gateway.model.errors import StoreError
from gateway.model.quantity import PointTable
from gateway.model.reading import Readings
from gateway.model.verdict import Verdicts
from gateway.ports import Clock
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.store.history_store import Flushing, HistoryStore

log = logging.getLogger(__name__)
TICK_S = 0.25
BATCH_POLLS = 256
WAITING_FLUSH_NS = 20_000_000
SAMPLES_IN_EVIDENCE = 5
SAMPLES_BEHIND_DERIVED = 2
MAX_DEVICES_IN_EVIDENCE = 16  # a whole group of cranes


@dataclass(frozen=True, slots=True)
class Line:
    """The parts that a sample passes, in order."""

    intake: Intake
    history: HistoryStore
    window: Window
    rules: RuleTable
    alarms: AlarmTable
    recorder: Recorder
    clock: Clock
    deriving: Deriving = field(default_factory=lambda: Deriving((), PointTable(())))
    keep_events: Callable[[Sequence[AssetEvent]], None] = lambda _: None


class Pipeline:
    """Runs the line. `may_write_history` says whether the disk has room for anything but alerts."""

    def __init__(
        self,
        line: Line,
        flush_ms: int,
        max_buffered_polls: int,
        may_write_history: Callable[[], bool],
        on_flushed: Callable[[], None],
    ) -> None:
        self._line = line
        self._flush_ns = flush_ms * 1_000_000
        self._max_buffered_polls = max_buffered_polls
        self._may_write_history = may_write_history
        self._on_flushed = on_flushed
        self._acks: list[asyncio.Future[None]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._flushed_mono_ns = line.clock.monotonic_ns()
        self.ticked_mono_ns = 0
        self._gap_since_ns = 0
        self._gap_lost_polls = 0
        self.history_lost_polls = 0
        self.judged_polls = 0
        self.late_polls = 0

    @property
    def history_alive(self) -> bool:
        """Whether the history still takes writes."""
        return self._line.history.alive

    async def run(self) -> None:
        """Take samples until cancelled. Yields to the drivers between batches."""
        while True:
            self.step(await self._line.intake.take(BATCH_POLLS, TICK_S / 2))
            await asyncio.sleep(0)

    def step(self, arrivals: Sequence[Arrival]) -> None:
        """One round, at the clock's time: what has arrived, what the passing of time says, a flush when one is due.

        `run` does nothing else; a replay calls it with a clock of its own.
        """
        for arrival in arrivals:
            self._take(arrival)
        mono_ns = self._line.clock.monotonic_ns()
        for derived in self._line.deriving.on_tick(self._line.window, mono_ns, self._line.clock.now_ns()):
            self._take_derived(derived, mono_ns)
        if mono_ns - self.ticked_mono_ns >= TICK_S * 1e9:
            self._tick(mono_ns)
        self._flush_when_due(mono_ns)

    async def stop(self) -> None:
        """After `run` was cancelled: judge what is queued and write what is buffered."""
        while len(self._line.intake):
            for arrival in await self._line.intake.take(BATCH_POLLS, 0):
                self._take(arrival)
        if self._flushing is not None:
            await self._flushing
        await self._flush(self._line.history.flush(self._line.clock.now_ns()), self._taken_acks())

    def note_hole(self, unread: Sequence[Readings]) -> None:
        """What was not read while the box stood still, for the history; on the screens what is older than that is
        unknown until it is read again. No rule hears of it: a pending alarm goes on pending."""
        line = self._line
        for readings in unread:
            line.history.append(readings)
            index = readings.point_index
            old = index[line.window.observed_at_ns[index] <= readings.observed_at_ns - HOLE_NS]
            if len(old):
                line.window.forget(old)
                line.deriving.forget(old, line.window)

    def resume(self, readings: Readings, age_ns: int) -> None:
        """At the start: what a model said in the last run, `age_ns` ago, still stands. It is history already."""
        line = self._line
        if line.window.remember(readings, line.clock.monotonic_ns() - age_ns):
            self._judge(line.rules.on_readings(readings), readings.device)

    def switch(self, next_line: Callable[[], Line]) -> None:
        """Go on with other tables. What is queued under the old point numbers is judged by the old line first; then
        `next_line` may take over what that line knows. All of it in one turn of the event loop."""
        for arrival in self._line.intake.take_now():
            self._take(arrival)
        self._forget_skipped()
        self._line = next_line()

    def _take(self, arrival: Arrival) -> None:
        line, readings = self._line, arrival.readings
        line.history.append(readings)
        if arrival.kept is not None:
            self._acks.append(arrival.kept)
        mono_ns = line.clock.monotonic_ns()
        if not line.window.remember(readings, mono_ns):
            self.late_polls += 1
            return
        self.judged_polls += 1
        self._judge(line.rules.on_readings(readings), readings.device)
        for derived in line.deriving.on_readings(readings, line.window, mono_ns):
            self._take_derived(derived, mono_ns)

    def _take_derived(self, readings: Readings, mono_ns: int) -> None:
        line = self._line
        line.history.append(readings)
        if line.window.remember(readings, mono_ns):
            self._judge(line.rules.on_readings(readings), readings.device)
        if events := line.deriving.take_events():
            line.keep_events(events)

    def _tick(self, mono_ns: int) -> None:
        line = self._line
        self.ticked_mono_ns = mono_ns
        self._forget_skipped()
        for verdicts in line.rules.on_tick(line.window, mono_ns, line.clock.now_ns()):
            self._judge(verdicts, "")
        self._expire(line.clock.now_ns())

    def _forget_skipped(self) -> None:
        line = self._line
        for point_index in line.intake.take_skipped():
            line.window.forget(point_index)
            line.deriving.forget(point_index, line.window)

    def _expire(self, now_ns: int) -> None:
        """What a person put aside comes back when its time is over; what nothing suppresses any more is raised."""
        for transition in self._line.alarms.expire_shelves(now_ns):
            self._record(transition, "")
        for change in self._line.alarms.expire_service(now_ns):
            self._line.recorder.record_service(change)
        for transition in self._line.alarms.review(now_ns):
            self._record(transition, "")

    def _judge(self, verdicts: Verdicts, device: str) -> None:
        for transition in self._line.alarms.step(verdicts):
            self._record(transition, device)

    def _record(self, transition: Transition, device: str) -> None:
        line = self._line
        row = line.rules.row_of.get((transition.alarm.rule.rule_id, transition.alarm.subject))
        rule = line.rules.rules[row] if row is not None else None
        focus = rule.point_index if rule else -1
        sources = line.deriving.sources_of(device)[-MAX_DEVICES_IN_EVIDENCE:]
        behind = SAMPLES_BEHIND_DERIVED if len(sources) <= 3 else 1
        seen: list[Canonical] = []
        for each in sources:
            seen += seen_content(line.window.recent(each)[-behind:], line.window.points, focus)
        own = line.window.recent(device)[-SAMPLES_IN_EVIDENCE:]
        seen += seen_content(own, line.window.points, focus, only_focus=bool(sources))
        line.recorder.record_transition(transition, rule, seen)

    def _flush_when_due(self, mono_ns: int) -> None:
        if self._flushing is not None and not self._flushing.done():
            return
        waited_ns = mono_ns - self._flushed_mono_ns
        due = self._line.history.buffered_polls and waited_ns >= self._flush_ns
        if due or (self._acks and waited_ns >= WAITING_FLUSH_NS):
            self._flushed_mono_ns = mono_ns
            self._start_flush()

    def _start_flush(self) -> None:
        line = self._line
        if not self._may_write_history():
            self._give_up_overflow("the disk is kept free for alerts")
            return
        flushing = line.history.flush(line.clock.now_ns())
        self._flushing = asyncio.create_task(self._flush(flushing, self._taken_acks()))

    async def _flush(self, flushing: Flushing, acks: list[asyncio.Future[None]]) -> None:
        last_in_line = self._line.recorder.last_in_line()
        try:
            await asyncio.wrap_future(flushing.done)
        except StoreError as error:
            for readings in flushing.polls:
                self._line.history.append(readings)
            self._acks = acks + self._acks
            self._give_up_overflow(str(error))
            return
        self._end_gap()
        if last_in_line is None:
            _acknowledge(acks)
        else:
            last_in_line.add_done_callback(lambda _: _acknowledge(acks))
        self._on_flushed()

    def _taken_acks(self) -> list[asyncio.Future[None]]:
        acks, self._acks = self._acks, []
        return acks

    def _give_up_overflow(self, reason: str) -> None:
        """The history cannot be written: polls wait in memory up to a bound; beyond it they are lost, and counted.

        A message that is given up is not acknowledged: its broker still has it.
        """
        line = self._line
        if not self._gap_since_ns:
            self._gap_since_ns = line.clock.now_ns()
            log.error("event=history_not_written reason=%r buffered=%d", reason, line.history.buffered_polls)
        if line.history.buffered_polls > self._max_buffered_polls:
            dropped = line.history.drop_buffered()
            self._gap_lost_polls += dropped
            self.history_lost_polls += dropped
            for ack in self._taken_acks():
                if not ack.done():
                    ack.set_exception(StoreError(f"given up after {dropped} polls had to wait: {reason}"))

    def _end_gap(self) -> None:
        if not self._gap_since_ns:
            return
        now_ns = self._line.clock.now_ns()
        log.warning("event=history_written_again lost_polls=%d", self._gap_lost_polls)
        content: dict[str, Canonical] = {
            "from_ns": self._gap_since_ns,
            "to_ns": now_ns,
            "reason": "history could not be written",
            "lost_polls": self._gap_lost_polls,
        }
        self._line.recorder.record(Entry(RecordKind.HISTORY_GAP, now_ns, content))
        self._gap_since_ns = 0
        self._gap_lost_polls = 0


def _acknowledge(acks: Sequence[asyncio.Future[None]]) -> None:
    """Tell those who wait that what they brought is kept."""
    for ack in acks:
        if not ack.done():
            ack.set_result(None)
