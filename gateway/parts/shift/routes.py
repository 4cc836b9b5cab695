"""The office's pages together: health, figures, the safety log of the day, the shift handover.

In: the pages' frame, the settings in force, the stores. Out: routes on the application. Builds what stands behind them;
each page knows only its own part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from gateway.parts.health.health_page import health_routes
from gateway.parts.health.health_view import HealthFiles, HealthView
from gateway.parts.pit.day_report import DayStores
from gateway.parts.shift.day_gathering import DayGathering, DaySources
from gateway.parts.shift.figures_page import figures_routes
from gateway.parts.shift.handover import Handovers
from gateway.parts.shift.handover_page import handover_routes
from gateway.parts.shift.paper_desk import PaperDesk
from gateway.parts.shift.paper_store import PaperStore
from gateway.parts.shift.safety_log import LogHead, SafetyLogs
from gateway.parts.shift.safety_log_page import safety_log_routes
from gateway.parts.shift.shift_gathering import ShiftGathering
from gateway.parts.shift.snapshot import shift_snapshot
from gateway.settings import Settings
from gateway.store.alarm_reader import AlarmReader
from gateway.store.quality_reader import QualityReader
from gateway.web.pages import Pages


@dataclass(frozen=True, slots=True)
class OfficeSources:
    """Where the office looks, and where it keeps its papers. `folder` is the data folder."""

    settings: Callable[[], Settings]
    stores: DayStores
    papers: PaperStore
    folder: Path
    history_path: Path


def office_routes(app: FastAPI, pages: Pages, sources: OfficeSources) -> None:
    """Add the routes to the web face."""
    settings, view = sources.settings, pages.view
    alarms, quality = AlarmReader(sources.stores.alerts.path), QualityReader(sources.history_path)
    files = HealthFiles(sources.folder, alarms, quality, lambda: _history_bound(settings()))
    health_routes(app, pages, HealthView(view, files))
    figures_routes(app, pages, alarms, lambda: _alarm_load(settings()))
    clock = view.parts.clock
    desk = PaperDesk(sources.papers, alarms, view.parts.recorder, clock)
    day = DayGathering(DaySources(settings, sources.stores, alarms, quality))
    shift = ShiftGathering(lambda: shift_snapshot(view), alarms)

    def head() -> LogHead:
        return _head(settings())

    safety_log_routes(app, pages, SafetyLogs(desk, sources.papers, day, head, alarms.first_at_ns, clock), head)
    handover_routes(app, pages, Handovers(desk, sources.papers, shift, head, clock), head)


def _head(settings: Settings) -> LogHead:
    site = settings.site
    return LogHead(site.title_zh, site.title_en, site.project_code, settings.box.id)


def _history_bound(settings: Settings) -> tuple[int, int]:
    history = settings.storage.history
    return int(history.max_gib * 2**30), history.max_days


def _alarm_load(settings: Settings) -> tuple[int, int]:
    return settings.alarms.operator_positions, settings.alarms.flood_alarms
