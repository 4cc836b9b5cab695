"""R8: every figure of section C, filtered by days, region and category; the same rows as CSV and XLSX.

GET /statistics?period=&from=&to=&region=&category=&format=&table=
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.days import day_of, read_day
from regulator.base.kinds import Category
from regulator.base.model.refusals import RefusedError
from regulator.base.web.pages import Pages
from regulator.base.web.table_answer import table_answer, wanted_format
from regulator.parts.reports.periods import month_of
from regulator.parts.reports.statistics.keeping import StatisticsKeeper
from regulator.parts.reports.statistics.selection import read_selection, regions_in
from regulator.parts.reports.statistics.shown import figure_table, rate_table, spark_lines, target_text, value_text

LAST_DAYS: Final = {"7d": 7, "30d": 30, "90d": 90}
CHOICES: Final = ("7d", "30d", "90d", "month", "last_month", "days")
MOST_DAYS: Final = 400
GROUPS: Final = ("alarms", "hazards", "review", "feed")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the filter says. Days are whole ones that are over."""

    period: str
    first_day: date
    last_day: date
    region: str
    category: str


def statistics_page(app: FastAPI, pages: Pages, keeper: StatisticsKeeper) -> None:
    """Add the page `/statistics` to the application."""
    database = pages.desk.database
    pages.environment.filters |= {"figure_value": value_text, "figure_target": target_text, "spark_lines": spark_lines}

    @app.get("/statistics")
    def statistics(request: Request) -> Response:
        actor, now_ns, export = pages.actor(request), pages.now_ns(), wanted_format(request)
        asked = read_asked(request, day_of(now_ns))
        with database.reading() as db:
            selection = read_selection(db, actor.scope, asked.region, asked.category)
            regions = regions_in(db, actor.scope)
        made = keeper.get(selection, asked.first_day, asked.last_day, now_ns)
        found = made.statistics
        if export:
            cameras = request.query_params.get("table") == "cameras"
            return table_answer(request, rate_table(found.rates) if cameras else figure_table(found))
        return pages.render(
            request, "report_statistics.html", asked=asked, found=found, made_at_ns=made.at_ns, regions=regions,
            categories=Category, choices=CHOICES, groups=GROUPS,
        )  # fmt: skip


def read_asked(request: Request, today: date) -> Asked:
    """The filter. Raises RefusedError 422 for days that are none, or too many."""
    asked = request.query_params
    period = asked.get("period", "30d")
    first, last = _days(period, asked.get("from", ""), asked.get("to", ""), today)
    if last < first or (last - first).days >= MOST_DAYS:
        zh, en = f"起止日期有误，最多 {MOST_DAYS} 天", f"the days are in the wrong order, or more than {MOST_DAYS}"
        raise RefusedError(422, "wrong_days", zh, en, "from")
    return Asked(period, first, last, asked.get("region", "")[:64], asked.get("category", "")[:64])


def _days(period: str, first: str, last: str, today: date) -> tuple[date, date]:
    yesterday = today - timedelta(days=1)
    if period in LAST_DAYS:
        return today - timedelta(days=LAST_DAYS[period]), yesterday
    if period == "month":  # on the first of a month its only day is not over: the month before
        return yesterday.replace(day=1), yesterday
    if period == "last_month":
        found = month_of(today.replace(day=1) - timedelta(days=1))
        return found.first_day, found.last_day
    if period == "days":
        return read_day(first, "from"), min(read_day(last, "to"), yesterday)
    raise RefusedError(422, "no_such_period", "没有这个期间", "no such period", "period")
