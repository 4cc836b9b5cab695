"""Hand readings on their way into the box: a surveyor's table, or one reading that is typed in.

    bytes -> parsed -> sorted out -> assets.db -> chain -> intake -> history -> models' states kept -> answered
                           |             |                     |
                           |             +-- a kill from here on: the next start finds what the history lacks
                           +-- kept already; not newer than what the point has (a fault)

A point's readings enter in order of time, so the history always holds the first of those that `assets.db` holds. What
a start finds missing behind them is fed then; what the history holds and a model's state does not know is shown to the
model alone. So a kill neither loses nor doubles a reading. Judges nothing and asks no clock but the port.
"""

import asyncio
import csv
import hashlib
import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.intake import Intake
from gateway.line.recorder import Entry, Recorder
from gateway.line.running_models import RunningModels
from gateway.model.errors import StoreError
from gateway.model.id_numbers import mask_id_numbers
from gateway.model.reading import Quality
from gateway.parts.pit.hand_entry import AcceptedRow, EntryFault, FaultCode, ParsedTable, When, parse
from gateway.parts.pit.hand_entry.parsing import SITE_ZONE
from gateway.parts.pit.hand_points import HandPoint, HandPolls, hand_points, pit_of
from gateway.parts.pit.settings.plan import described_pits
from gateway.ports import Clock
from gateway.settings import Settings
from gateway.store.asset_reader import MAX_ROWS, AssetReader
from gateway.store.asset_records import HandReading
from gateway.store.asset_store import AssetStore
from gateway.store.history_reader import MAX_SAMPLES, HistoryReader

log = logging.getLogger(__name__)
LAST_NS = 2**62
DAY_NS = 86_400_000_000_000
FED_AT_ONCE = 8
"""Readings of a table that may wait in the intake: some 3 ms of judging each on a small box (PD)."""
PAUSE_S = 0.005


@dataclass(frozen=True, slots=True)
class Bringer:
    """Who brings readings, and why."""

    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """A surveyor's file as it was brought."""

    content: bytes
    name: str


@dataclass(frozen=True, slots=True)
class TypedReading:
    """One reading as a person typed it: the point's name, an ISO 8601 time, the value, and the unit (or empty)."""

    point: str
    at: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `known` rows were kept before; `evidence_seq` is 0 when nothing was accepted."""

    accepted: int
    known: int
    faults: tuple[EntryFault, ...]
    evidence_seq: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class EntryStores:
    """Where hand readings are kept, and where they can be found again."""

    assets: AssetStore
    kept: AssetReader
    history: HistoryReader


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The rows of a table: news, what is kept already, and what is too late."""

    news: tuple[AcceptedRow, ...]
    known: int
    faults: tuple[EntryFault, ...]


class NoSuchPitError(LookupError):
    """The asset is no pit that the site describes, or has no point that is measured by hand."""


class HandEntries:
    """The one way by which people's readings reach the box. One table at a time."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        intake: Intake,
        stores: EntryStores,
        models: RunningModels,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._stores = stores
        self._models = models
        self._recorder = recorder
        self._clock = clock
        self._polls = HandPolls(settings)
        self._turn = asyncio.Lock()

    async def take(self, asset: str, table: Table, by: Bringer) -> Outcome:
        """Keep every good row of a file; done once they are in the history.

        Raises NoSuchPitError, and StoreError when `assets.db` or the history cannot be written; what `assets.db` holds
        by then reaches the history at the next start.
        """
        async with self._turn:
            points = self._points_of(asset)
            known = {each.point.name: each.known for each in points.values()}
            when = When(self._clock.now_ns())
            parsed = await asyncio.to_thread(parse, table.content, table.name, known, when)
            return await self._enter(points, parsed, table, by)

    async def take_one(self, asset: str, typed: TypedReading, by: Bringer) -> Outcome:
        """Keep one typed reading; otherwise as `take`. Its faults have no place."""
        outcome = await self.take(asset, Table(_as_table(typed), ""), by)
        return replace(outcome, faults=tuple(replace(fault, line=0) for fault in outcome.faults))

    async def resume(self) -> int:
        """At a start: what the history lacks is fed, what the models lack is shown to them. How many were fed."""
        async with self._turn:
            try:
                return await self._resume()
            except StoreError as error:
                log.error("event=hand_readings_not_resumed reason=%r", str(error))
                return 0

    def _points_of(self, asset: str) -> Mapping[str, HandPoint]:
        pit = pit_of(self._settings(), asset)
        points = hand_points(pit) if pit is not None else {}
        if not points:
            raise NoSuchPitError(asset)
        return points

    async def _enter(self, points: Mapping[str, HandPoint], parsed: ParsedTable, table: Table, by: Bringer) -> Outcome:
        rows = await asyncio.to_thread(self._sorted_out, parsed.rows)
        faults = tuple(sorted((*parsed.faults, *rows.faults), key=lambda fault: (fault.sheet, fault.line)))
        sha256 = hashlib.sha256(table.content).hexdigest() if table.name else ""
        if not rows.news:
            return Outcome(0, rows.known, faults, 0, sha256)
        readings = [self._reading(points[row.point_id], row, by, sha256) for row in rows.news]
        await asyncio.wrap_future(self._stores.assets.add_readings(readings))
        outcome = Outcome(len(readings), rows.known, faults, 0, sha256)
        record = await self._recorder.record(self._entry(readings[0].asset, outcome, table, by))
        await self._feed(readings)
        await self._models.keep_states()
        log.info("event=hand_readings asset=%s accepted=%d seq=%d", readings[0].asset, len(readings), record.seq)
        return replace(outcome, evidence_seq=record.seq)

    def _sorted_out(self, rows: Sequence[AcceptedRow]) -> _Sorted:
        """In a thread; rows in order of time. A row that is kept already is no news; one that is not later than what is
        kept of its point cannot be judged any more."""
        first_ns = {row.point_id: row.at_ns for row in reversed(rows)}
        kept = {point_id: self._kept(point_id, from_ns) for point_id, from_ns in first_ns.items()}
        held = {(each.point_id, each.observed_at_ns, each.value) for found in kept.values() for each in found}
        last_ns = {point_id: found[-1].observed_at_ns if found else 0 for point_id, found in kept.items()}
        news, faults = [], []
        for row in rows:
            if (row.point_id, row.at_ns, row.value) in held:
                continue
            if row.at_ns <= last_ns[row.point_id]:
                faults.append(_not_newer(row, last_ns[row.point_id]))
            else:
                news.append(row)
        return _Sorted(tuple(news), len(rows) - len(news) - len(faults), tuple(faults))

    def _kept(self, point_id: str, from_ns: int) -> list[HandReading]:
        """All that is kept of a point from a time on, in order of time."""
        found = self._stores.kept.readings(point_id, from_ns, LAST_NS, MAX_ROWS)
        if len(found) < MAX_ROWS:
            return found
        last_ns = found[-1].observed_at_ns
        return [each for each in found if each.observed_at_ns < last_ns] + self._kept(point_id, last_ns)

    def _reading(self, point: HandPoint, row: AcceptedRow, by: Bringer, sha256: str) -> HandReading:
        return HandReading(
            asset=point.asset,
            point_id=point.point_id,
            observed_at_ns=row.at_ns,
            value=row.value,
            unit=point.point.facts.unit,
            entered_at_ns=self._clock.now_ns(),
            entered_by=by.user,
            file_sha256=sha256,
            note=by.reason,
        )

    def _entry(self, asset: str, outcome: Outcome, table: Table, by: Bringer) -> Entry:
        content: dict[str, Canonical] = {
            "asset": asset,
            "user": mask_id_numbers(by.user),
            "reason": mask_id_numbers(by.reason),
            "file": mask_id_numbers(table.name),
            "file_sha256": outcome.sha256,
            "accepted": outcome.accepted,
            "known": outcome.known,
            "faults": len(outcome.faults),
        }
        return Entry(RecordKind.HAND_READINGS, self._clock.now_ns(), content)

    async def _feed(self, readings: Sequence[HandReading]) -> None:
        """In order of time; done once the history has them all. A few at a time: what the field says meanwhile must
        not wait behind a table. Room is waited for before a poll is made: the point numbers may change meanwhile."""
        waiting = []
        for reading in sorted(readings, key=lambda each: each.observed_at_ns):
            while len(self._intake) >= FED_AT_ONCE:
                await self._clock.sleep(PAUSE_S)
            poll = self._polls.poll(reading, self._clock.now_ns())
            if poll is not None:
                waiting.append(await self._intake.put(poll))
        await asyncio.gather(*waiting)

    async def _resume(self) -> int:
        models = {model.device: model for model in self._models.running().models}
        missing: list[HandReading] = []
        for point in self._all_points():
            rows, newest_ns = await asyncio.to_thread(self._found, point.point_id)
            for row in rows:
                if row.observed_at_ns > newest_ns:
                    missing.append(row)
                elif point.model in models:
                    at = np.array([row.observed_at_ns], dtype=np.int64)
                    models[point.model].step(np.array([row.value]), at, row.observed_at_ns)
        if missing:
            content: dict[str, Canonical] = {"resumed": len(missing), "assets": sorted({row.asset for row in missing})}
            await self._recorder.record(Entry(RecordKind.HAND_READINGS, self._clock.now_ns(), content))
            await self._feed(missing)
            await self._models.keep_states()
            log.warning("event=hand_readings_resumed readings=%d", len(missing))
        return len(missing)

    def _found(self, point_id: str) -> tuple[list[HandReading], int]:
        """What is kept of a point and may be in the history, and the newest of it that is."""
        return self._kept(point_id, self._oldest_ns()), self._newest_in_history_ns(point_id)

    def _all_points(self) -> list[HandPoint]:
        return [each for pit in described_pits(self._settings()) for each in hand_points(pit).values()]

    def _oldest_ns(self) -> int:
        """What is older than the history keeps is not missing there: it has left."""
        return max(0, self._clock.now_ns() - self._settings().storage.history.max_days * DAY_NS)

    def _newest_in_history_ns(self, point_id: str) -> int:
        trace = self._stores.history.trace(point_id, 0, LAST_NS, MAX_SAMPLES)
        good = trace.t_ns[trace.quality == Quality.GOOD]
        return int(good.max()) if len(good) else 0


def _as_table(typed: TypedReading) -> bytes:
    """A typed reading as a table of one line, so that it is read by the same rules."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("point", "time", "reading", "unit"))
    writer.writerow((typed.point, typed.at, repr(typed.value), typed.unit))
    return text.getvalue().encode()


def _not_newer(row: AcceptedRow, last_ns: int) -> EntryFault:
    return EntryFault(row.sheet, row.line, FaultCode.NOT_NEWER, _written(row.at_ns), _written(last_ns))


def _written(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(SITE_ZONE).strftime("%Y-%m-%d %H:%M:%S")
