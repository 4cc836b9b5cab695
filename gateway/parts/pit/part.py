"""The deep pit as one part: readings by hand, baselines, daily reports.

In: the line, the settings in force. Out: what a person brings enters the line; reports are printed each night.
"""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from gateway.line.part import LinePart
from gateway.line.reload import Change
from gateway.line.running_models import RunningModels
from gateway.line.zero_orders import ZeroOrders
from gateway.part import Job, Part, Stop
from gateway.parts.pit.daily_reports import DailyReports
from gateway.parts.pit.day_report import DayStores
from gateway.parts.pit.hand_entries import EntryStores, HandEntries
from gateway.parts.pit.routes import pit_routes
from gateway.settings import Settings


class PitPart(Part[Change]):
    """`zero_orders` takes those of a crane's tilt as well."""

    def __init__(self, line: LinePart, settings: Callable[[], Settings]) -> None:
        self._clock, stores = line.clock, line.stores
        models = RunningModels(lambda: line.deriving, line.keeping.keep)
        kept = EntryStores(line.assets, line.records, stores.reader)
        self.hand_entries = HandEntries(settings, line.intake, kept, models, line.recorder, line.clock)
        self.zero_orders = ZeroOrders(models, line.recorder, line.clock)
        asked = DayStores(stores.reader, line.records, stores.alerts)
        self.daily_reports = DailyReports(settings, asked, line.recorder, line.clock)

    def routes(self, app: FastAPI) -> None:
        """Readings by hand, baselines, printed reports: an API of each."""
        pit_routes(app, self.hand_entries, self.zero_orders, self.daily_reports, self._clock)

    def jobs(self) -> Sequence[Job]:
        """The reports of the day before, each night."""
        return (Job("daily-reports", self.daily_reports.run, Stop.FIELD),)

    async def resume(self) -> None:
        """Readings that a kill left half way."""
        await self.hand_entries.resume()
