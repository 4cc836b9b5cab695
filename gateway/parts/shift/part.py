"""The office's papers as one part: health, figures, the safety log of the day, the shift handover.

In: the line, the settings in force. Out: pages, and papers that are kept.
"""

from collections.abc import Callable

from fastapi import FastAPI

from gateway.line.part import LinePart
from gateway.line.reload import Change
from gateway.part import Part
from gateway.parts.pit.day_report import DayStores
from gateway.parts.shift.paper_store import PaperStore
from gateway.parts.shift.routes import OfficeSources, office_routes
from gateway.settings import Settings


class ShiftPart(Part[Change]):
    """Its papers are drafts until somebody signs them."""

    def __init__(self, line: LinePart, settings: Callable[[], Settings]) -> None:
        stores = line.stores
        papers = PaperStore(stores.folder)
        self.files = {"office.db": papers}
        asked = DayStores(stores.reader, line.records, stores.alerts)
        self._sources = OfficeSources(settings, asked, papers, stores.folder, stores.history.path)

    def routes(self, app: FastAPI) -> None:
        """Health, figures, the safety log, the handover."""
        office_routes(app, app.state.pages, self._sources)
