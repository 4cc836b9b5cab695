"""Statistics and reports as a part of a desk: what it hears, what it does with time, its pages."""

from typing import Final

from fastapi import FastAPI

from regulator.base.desk import Desk, Job
from regulator.base.model.actor import Level, Scope
from regulator.base.web.pages import Pages
from regulator.parts.reports.pages.report_pages import report_pages
from regulator.parts.reports.pages.report_statistics import statistics_page
from regulator.parts.reports.report_office import ReportOffice
from regulator.parts.reports.statistics.keeping import AHEAD_EVERY_S, StatisticsKeeper
from regulator.parts.reports.statistics.roll_up import run_roll_up
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.reports.statistics.silencing import hear_silencing

ROLL_UP_S: Final = 120.0
DRAFT_S: Final = 300.0


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Add the report pages and their jobs to the application."""
    desk.listen("evidence_record", hear_silencing)

    def roll_up(now_ns: int) -> None:
        run_roll_up(desk.database, now_ns)

    office = ReportOffice(desk)

    def draft(now_ns: int) -> None:
        office.draft_due(now_ns)

    province = Selection(Scope(Level.PROVINCE, desk.settings.province_code))
    keeper = StatisticsKeeper(desk.database, (province,))
    desk.jobs += [
        Job("statistics-roll-up", ROLL_UP_S, roll_up),
        Job("statistics-ahead", AHEAD_EVERY_S, keeper.make_ahead),
        Job("report-drafts", DRAFT_S, draft),
    ]
    report_pages(app, pages, office)
    statistics_page(app, pages, keeper)
