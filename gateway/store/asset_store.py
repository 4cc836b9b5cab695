"""`assets.db`: states of asset models for a restart, and their records.

    note --memory, bounded--> flush --writer thread, one transaction--> events and states together

Events and the states that know of them go into one transaction: after a kill a crane's counters fit its records.
What cannot be written (a full disk) waits in memory; beyond the bound the oldest cycle goes, and is counted. Nothing
here blocks the caller. Synchronous is FULL: a flush that is done survives a loss of power.

In: events, states, hand readings. Out: futures, and the states at a start. Questions about records go to
`asset_reader`. Knows no model and no rule.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from gateway.model.derivation import AssetEvent, Json
from gateway.model.errors import StoreError
from gateway.model.repair import Repair
from gateway.store.asset_records import (
    ASSETS_FILE,
    LEAST_CYCLES_KEPT,
    SCHEMA,
    CycleRow,
    DriverOf,
    EventRow,
    HandReading,
    SavedState,
    StateRow,
    encode_event,
    encode_state,
    insert_cycle,
    insert_event,
    insert_readings,
    insert_state,
    number_itself,
    read_state,
)
from gateway.store.database import Writer, open_or_repair, reopen_connection

log = logging.getLogger(__name__)
CYCLES_KEPT = 200_000  # PD: a project's life of a busy crane (200 cycles a day for two and a half years)
MAX_WAITING_EVENTS = 20_000  # PD: some 20 MB; a week of ten busy cranes


@dataclass(frozen=True, slots=True)
class AssetBounds:
    """How much is kept: working cycles per crane, and events that wait in memory for a disk with room.

    Raises ValueError below 16,000 cycles: JGJ 332-2014 3.2.2(1), V1.
    """

    cycles_kept: int = CYCLES_KEPT
    max_waiting_events: int = MAX_WAITING_EVENTS

    def __post_init__(self) -> None:
        if self.cycles_kept < LEAST_CYCLES_KEPT:
            raise ValueError(f"{self.cycles_kept} cycles, expected at least {LEAST_CYCLES_KEPT}: JGJ 332-2014 3.2.2(1)")
        if self.max_waiting_events < 1:
            raise ValueError(f"{self.max_waiting_events} waiting events, expected at least 1")


@dataclass(frozen=True, slots=True)
class AssetStoreHealth:
    """Counters since the start. `failing`: the last flush could not be kept."""

    waiting_events: int
    dropped_events: int
    refused: int
    failed_flushes: int
    failing: bool


@dataclass(slots=True)
class _Batch:
    """What waits, or is on its way: events in order, and the newest state of each device."""

    events: list[CycleRow | EventRow] = field(default_factory=list)
    states: dict[str, StateRow] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.events or self.states)


def _always() -> bool:
    return True


class AssetStore:
    """Opens (and where needed repairs) the file. `may_write` says whether the disk has room beside the alerts."""

    def __init__(
        self,
        folder: Path,
        bounds: AssetBounds | None = None,
        driver_of: DriverOf = number_itself,
        may_write: Callable[[], bool] = _always,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / ASSETS_FILE
        self._bounds = bounds or AssetBounds()
        self._driver_of = driver_of
        self._may_write = may_write
        connection, self.repair = open_or_repair(self.path, SCHEMA)
        self._found = _states(connection)
        self._writer = Writer("assets-writer", connection, reopen=lambda: reopen_connection(self.path, SCHEMA))
        self._lock = threading.Lock()
        self._waiting = _Batch()
        self._under_way: Future[int] | None = None
        self._dropped = self._refused = self._failed = 0
        self._failing = False

    repair: Repair | None

    @property
    def alive(self) -> bool:
        """Whether the writer still takes jobs."""
        return self._writer.alive

    def states_at_open(self) -> Mapping[str, SavedState]:
        """The newest readable state of every device, as it was when the file was opened."""
        return self._found

    def note(self, now_ns: int, events: Sequence[AssetEvent] = (), states: Mapping[str, Json] | None = None) -> None:
        """Take events and states into memory; kept by the next flush. What is no JSON is counted and logged."""
        rows = [row for event in events if (row := self._event_row(event)) is not None]
        saved = [self._state_row(device, state, now_ns) for device, state in (states or {}).items()]
        with self._lock:
            self._waiting.events += rows
            self._waiting.states.update((row.device, row) for row in saved if row is not None)
            self._drop_beyond_bound()

    def flush(self) -> "Future[int]":
        """Write what waits, in one transaction; done with the number of events after the fsync.

        On StoreError everything waits on. While one flush is under way, it is that one's future: what was noted since
        goes with the next.
        """
        with self._lock:
            if self._under_way is not None:
                return self._under_way
            batch, self._waiting = self._waiting, _Batch()
            done = self._under_way = self._submitted(batch)
        done.add_done_callback(lambda future: self._note_flushed(batch, future))
        return done

    def add_readings(self, readings: Sequence[HandReading]) -> "Future[int]":
        """Keep hand readings, all or none; done with the number that were new. StoreError: none was kept."""
        return self._writer.submit(lambda db: insert_readings(db, readings))

    def health(self) -> AssetStoreHealth:
        """The counters of the store, as they stand now."""
        with self._lock:
            waiting = len(self._waiting.events)
            return AssetStoreHealth(waiting, self._dropped, self._refused, self._failed, self._failing)

    def close(self) -> None:
        """Write what waits and let go of the file. What the disk does not take is lost with the process, and said."""
        for _ in range(2):  # one flush may be under way with older events
            self.flush()
            self._settle()
        waiting = self.health().waiting_events
        if waiting:
            log.error("event=asset_events_lost_at_stop events=%d", waiting)
        self._writer.close()

    def _settle(self) -> None:
        """Until every flush so far has been taken back or forgotten: the writer does one job after the other."""
        with contextlib.suppress(StoreError):
            self._writer.submit(lambda _db: None).result()

    def _event_row(self, event: AssetEvent) -> CycleRow | EventRow | None:
        try:
            return encode_event(event, self._driver_of)
        except (TypeError, ValueError) as error:
            self._refuse(event.asset, event.kind, error)
            return None

    def _state_row(self, device: str, state: Json, now_ns: int) -> StateRow | None:
        try:
            return encode_state(device, state, now_ns)
        except (TypeError, ValueError) as error:
            self._refuse(device, "state", error)
            return None

    def _refuse(self, subject: str, kind: str, error: Exception) -> None:
        """A model's mistake costs its own record, not the pipeline."""
        self._refused += 1
        log.error("event=asset_record_refused subject=%s kind=%s reason=%r", subject, kind, str(error))

    def _drop_beyond_bound(self) -> None:
        events = self._waiting.events
        while len(events) > self._bounds.max_waiting_events:
            oldest_cycle = next((i for i, row in enumerate(events) if isinstance(row, CycleRow)), 0)
            del events[oldest_cycle]
            self._dropped += 1

    def _submitted(self, batch: _Batch) -> "Future[int]":
        if not batch:
            nothing: Future[int] = Future()
            nothing.set_result(0)
            return nothing
        if self._may_write():
            return self._writer.submit(lambda db: self._write(db, batch))
        refused: Future[int] = Future()
        refused.set_exception(StoreError("the disk has no room for anything but alerts"))
        return refused

    def _write(self, db: sqlite3.Connection, batch: _Batch) -> int:
        for row in batch.events:
            if isinstance(row, CycleRow):
                insert_cycle(db, row, self._bounds.cycles_kept)
            else:
                insert_event(db, row)
        for state in batch.states.values():
            insert_state(db, state)
        return len(batch.events)

    def _note_flushed(self, batch: _Batch, future: "Future[int]") -> None:
        """In the writer's thread: take back what could not be kept, before what came since."""
        error = None if future.cancelled() else future.exception()
        with self._lock:
            self._under_way = None
            if future.cancelled() or error is not None:
                self._waiting.events[:0] = batch.events
                self._waiting.states = batch.states | self._waiting.states
                self._drop_beyond_bound()
                self._failed += 1
            changed, self._failing = self._failing != (error is not None), error is not None
        if changed and error is not None:
            log.error("event=asset_store_failing file=%s reason=%r", self.path, str(error))
        elif changed:
            log.info("event=asset_store_back file=%s", self.path)


def _states(db: sqlite3.Connection) -> dict[str, SavedState]:
    """The newest version of each device's state whose digest fits."""
    found: dict[str, SavedState] = {}
    fell_back: set[str] = set()
    db.row_factory = sqlite3.Row
    for row in db.execute("SELECT * FROM state ORDER BY device, number DESC").fetchall():
        device = row["device"]
        if device in found:
            continue
        try:
            found[device] = SavedState(device, row["saved_at_ns"], read_state(row), device in fell_back)
        except ValueError as error:
            fell_back.add(device)
            log.error("event=asset_state_damaged device=%s number=%d reason=%r", device, row["number"], str(error))
    return found
