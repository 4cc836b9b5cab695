"""The stores that every part stands on: the chain with its alarms and outbox, and the history.

In: the settings. Out: open stores in the data folder, or in memory while the disk takes nothing. First built, last
closed. Holds the lock of the data folder.
"""

from collections.abc import Mapping, Sequence

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.line.reload import Change
from gateway.line.stand_in import remove as remove_stand_in
from gateway.line.stand_in import stand_in_for
from gateway.line.store_watch import StoreWatch
from gateway.part import Job, Part, Stop
from gateway.ports import Clock
from gateway.settings import Settings
from gateway.store.alert_store import AlertStore
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import Bounds, HistoryStore
from gateway.store.last_known import lost_stores
from kit.folder_lock import lock_folder

MOST_IN_MEMORY_BYTES = 128 * 2**20
"""Of history, while the disk takes none."""


class BoxStores(Part[Change]):
    """`disk` is the data folder, `folder` what takes its place: the same, or a folder in memory (`in_memory`). `lost`:
    what was gone before they were opened."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        storage, self.clock, self._started_ns = settings.storage, clock, clock.now_ns()
        self.disk = storage.folder
        self.disk.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self.disk)
        self.lost = lost_stores(self.disk)
        self.alerts = AlertStore(self.disk, storage.reserve_mib * 2**20)
        stand_in = stand_in_for(self.disk)
        self.in_memory = stand_in is not None
        self.folder = stand_in or self.disk
        most_bytes = MOST_IN_MEMORY_BYTES if self.in_memory else int(storage.history.max_gib * 2**30)
        bounds = Bounds(most_bytes, storage.history.max_days)
        self.history = HistoryStore(self.folder, settings.points, bounds, clock.now_ns())
        self.reader = HistoryReader(self.history.path, settings.points)
        self.watch = StoreWatch(self.disk, self.alerts, self.history, clock)

    def may_write(self) -> bool:
        """Whether there is room for anything but alerts."""
        return self.in_memory or self.alerts.reserve.history_may_write()

    def jobs(self) -> Sequence[Job]:
        """Only what is on the disk is remembered: the history in memory is another."""
        return () if self.in_memory else (Job("store-watch", self.watch.run),)

    def admit_memory(self, recorder: Recorder) -> None:
        """What was measured since a start in memory ends with this run."""
        if self.in_memory:
            now_ns, reason = self.clock.now_ns(), "started while the disk took nothing: the history was in memory alone"
            gap: Mapping[str, Canonical] = {"from_ns": self._started_ns, "to_ns": now_ns, "reason": reason}
            recorder.record(Entry(RecordKind.HISTORY_GAP, now_ns, gap))

    async def stop(self, step: Stop) -> None:
        """Remember in a second place how far they have come."""
        if step is Stop.LET_GO and not self.in_memory:
            await self.watch.remember()

    def close(self) -> None:
        """Nothing is written any more; the folder is free."""
        self.history.close(self.clock.now_ns())
        self.alerts.close()
        self.reader.close()
        if self.in_memory:
            remove_stand_in(self.folder)
        self._lock.close()
