"""Statistics and reports as a part of a desk: what it hears, what it does with time, its pages."""

from functools import partial
from typing import Final

from fastapi import FastAPI

from regulator.base.desk import Desk, Job
from regulator.base.model.actor import Level, Scope
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part
from regulator.parts.reports.report_office import ReportOffice
from regulator.parts.reports.report_pages import report_pages
from regulator.parts.reports.report_statistics import statistics_page
from regulator.parts.reports.statistics.keeping import AHEAD_EVERY_S, StatisticsKeeper
from regulator.parts.reports.statistics.roll_up import run_roll_up
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.reports.statistics.silencing import hear_silencing

ROLL_UP_S: Final = 120.0
DRAFT_S: Final = 300.0


def part(desk: Desk) -> Part:
    """The province's figures are made ahead of whoever asks."""
    office = ReportOffice(desk)
    province = Selection(Scope(Level.PROVINCE, desk.settings.province_code))
    keeper = StatisticsKeeper(desk.database, (province,))

    def install(app: FastAPI, pages: Pages) -> None:
        report_pages(app, pages, office)
        statistics_page(app, pages, keeper)

    return Part(
        install,
        jobs=(
            Job("statistics-roll-up", ROLL_UP_S, partial(run_roll_up, desk.database)),
            Job("statistics-ahead", AHEAD_EVERY_S, keeper.make_ahead),
            Job("report-drafts", DRAFT_S, office.draft_due),
        ),
        listeners={"evidence_record": hear_silencing},
    )
