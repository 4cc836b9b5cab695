"""The office's papers as one part: health, figures, the safety log of the day, the shift handover.

In: the line, the settings in force. Out: pages, and papers that are kept.
"""

from collections.abc import Callable, Mapping

from fastapi import FastAPI

from gateway.line.part import LinePart
from gateway.line.reload import Change
from gateway.model.repair import Repair
from gateway.part import Part
from gateway.parts.pit.day_report import DayStores
from gateway.parts.shift.paper_store import PaperStore
from gateway.parts.shift.routes import OfficeSources, office_routes
from gateway.settings import Settings


class ShiftPart(Part[Change]):
    """`papers` is their store."""

    def __init__(self, line: LinePart, settings: Callable[[], Settings]) -> None:
        stores = line.stores
        self.papers = PaperStore(stores.folder)
        asked = DayStores(stores.reader, line.records, stores.alerts)
        self._sources = OfficeSources(settings, asked, self.papers, stores.folder, stores.history.path)

    def routes(self, app: FastAPI) -> None:
        """The pages."""
        office_routes(app, app.state.pages, self._sources)

    def repairs(self) -> Mapping[str, Repair | None]:
        """Of the papers."""
        return {"office.db": self.papers.repair}

    def close(self) -> None:
        """Of the papers."""
        self.papers.close()
