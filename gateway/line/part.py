"""The straight line as one part: queue, window, asset models, rules, alarms, recorder, and what keeps them in order.

    drivers --> intake --> pipeline [history, window, rules, alarms, models] --> recorder --> chain, outbox

In: the stores, a recorder with its routes, the models of the site. Out: what was open is taken over, the newest history
warms it, and everything runs. A reload builds other tables beside it and switches in one turn of the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence

from contract import __version__
from gateway.alarms import AlarmTable
from gateway.evidence.evidence import RecordKind
from gateway.line.asset_keeping import AssetKeeping
from gateway.line.commands import AlarmCommands
from gateway.line.deriving import Deriving
from gateway.line.intake import Intake
from gateway.line.pipeline import Line, Pipeline
from gateway.line.quarantine import Quarantine
from gateway.line.recorder import Entry, Recorder
from gateway.line.reload import Change, carry_alarms, carry_delays, carry_truths, moved_to
from gateway.line.stores import BoxStores
from gateway.line.warm_start import warm_start
from gateway.model.derivation import Derivation
from gateway.part import Job, Part, Stop
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_records import DriverOf
from gateway.store.asset_store import AssetBounds, AssetStore
from gateway.store.history_reader import HistoryReader

INTAKE_POLLS = 20_000
MAX_BUFFERED_POLLS = 50_000
Models = Callable[[Settings], Sequence[Derivation]]


class LinePart(Part[Change]):
    """`window`, `rules`, `alarms` and `deriving` are those of the settings in force: ask for them each time."""

    def __init__(
        self,
        stores: BoxStores,
        settings: Settings,
        recorder: Recorder,
        models: Models,
        driver_of: DriverOf,
        on_flushed: Callable[[], None],
    ) -> None:
        self.stores, self.recorder, self.clock = stores, recorder, stores.clock
        self._models = models
        self.assets = AssetStore(stores.folder, AssetBounds(settings.storage.cycles_kept), driver_of, stores.may_write)
        self.records = AssetReader(self.assets.path)
        self.files = {"assets.db": self.assets}
        self.intake = Intake(INTAKE_POLLS, Quarantine(stores.folder / "aside"))
        self.window = Window(settings.points, self.clock.monotonic_ns())
        self.deriving = Deriving(models(settings), settings.points)
        self.rules = RuleTable(settings.rules)
        self.alarms = _alarm_table(settings)
        self.alarms.restore_service(stores.alerts.out_of_service())
        self.rules.hold(self.alarms.restore(stores.alerts.open_alarms()))
        warm_start(stores.reader, settings.points, self.rules, self.alarms, self.clock.now_ns())
        self.commands = AlarmCommands(lambda: self.alarms, recorder, self.clock, stores.alerts)
        self.keeping = AssetKeeping(self.assets, lambda: self.deriving, recorder, self.clock)
        self.keeping.restore()
        line, flush_ms = self._line(self.window, self.rules, self.alarms), settings.storage.history.flush_ms
        self.pipeline = Pipeline(line, flush_ms, MAX_BUFFERED_POLLS, stores.may_write, on_flushed)

    async def begin(self) -> None:
        """What models said in the last run and still stand by."""
        now_ns = self.clock.now_ns()
        for said in self.deriving.last_said(now_ns):
            self.pipeline.resume(said, now_ns - said.observed_at_ns)

    def jobs(self) -> Sequence[Job]:
        """Judging, sealing, and keeping what the models know."""
        return (
            Job("recorder", self.recorder.run, Stop.RECORD),
            Job("pipeline", self.pipeline.run, Stop.JUDGING),
            Job("assets", self.keeping.run),
        )

    async def prepare(self, change: Change) -> Callable[[], None]:
        """Other tables, warmed by the history."""
        rules, alarms = RuleTable(change.new.rules), _alarm_table(change.new)
        warm_ns = await asyncio.to_thread(self._warm, change.new, rules, alarms)
        return lambda: self._switch(change, rules, alarms, warm_ns)

    def _warm(self, new: Settings, rules: RuleTable, alarms: AlarmTable) -> int:
        """Beside the running tables: what the history says, for the new ones; how far it went (UTC ns)."""
        reader = HistoryReader(self.stores.history.path, new.points)
        try:
            warm_start(reader, new.points, rules, alarms, self.clock.now_ns())
            return reader.last_sample_ns()
        finally:
            reader.close()

    def _switch(self, change: Change, rules: RuleTable, alarms: AlarmTable, warm_ns: int) -> None:
        old, new = change.old, change.new
        self.recorder.hazards = new.hazards
        window = Window(new.points, self.clock.monotonic_ns())
        fresh = Deriving(self._models(new), new.points)

        def next_line() -> Line:
            fresh.restore(self.deriving.saved())
            self.deriving = fresh
            return self._line(window, rules, alarms)

        self.pipeline.switch(next_line)
        self.stores.history.use_points(new.points)
        self.stores.reader.use_points(new.points)
        window.carry_over(self.window, moved_to(old.points, new.points))
        carry_alarms(self.alarms, rules, alarms)
        carry_delays(window, rules, alarms, warm_ns)
        carry_truths(self.rules, self.alarms, rules, alarms)
        rules.carry_over(self.rules)
        self.window, self.rules, self.alarms = window, rules, alarms

    def _line(self, window: Window, rules: RuleTable, alarms: AlarmTable) -> Line:
        parts = self.intake, self.stores.history, window, rules, alarms, self.recorder, self.clock
        return Line(*parts, self.deriving, self.keeping.take)

    async def stop(self, step: Stop) -> None:
        """Everything that came in is judged, sealed and written."""
        if step is Stop.QUEUE:
            await self.pipeline.stop()
        elif step is Stop.RECORD:
            self.stores.admit_memory(self.recorder)
            self.recorder.record(Entry(RecordKind.STOPPED, self.clock.now_ns(), {"version": __version__}))
        elif step is Stop.SEALED:
            await self.recorder.drain()
        elif step is Stop.LET_GO:
            await self.keeping.keep()

    def close(self) -> None:
        """Nobody asks for the models' records any more."""
        self.records.close()


def _alarm_table(settings: Settings) -> AlarmTable:
    device_of = {point.point_id: point.device for point in settings.points.points}
    return AlarmTable(settings.box.id, settings.rules, settings.alarms.bounds, device_of)
