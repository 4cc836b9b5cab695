"""S8: the figures on the alarm system, as a page and as CSV.

    GET /figures?span=7d                       1d, 7d, 30d, 90d
    GET /figures?span=custom&from=&to=         two local days, both included
    GET /figures.csv?...                       the same for a spreadsheet

In: the alarms' reader, the alarms as they stand, how many positions there are. Out: pages and a file. Counting runs in
a thread.
"""

import asyncio
import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from gateway.figures.alarm_figures import AlarmFigures, Question
from gateway.parts.shift.figures_view import (
    CUSTOM,
    SPANS,
    BadWindowError,
    FigureLine,
    Wish,
    aside_now,
    ask,
    lines,
    window_of,
)
from gateway.store.alarm_reader import AlarmReader
from gateway.web.pages import Pages
from gateway.web.visitor import RefusedError, Role, require
from kit.words import Words
from screens.citing import certainty_text
from screens.days import Day
from screens.formats import local_day_time
from screens.published import CSV, operation

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Shown:
    """A window's figures and their lines."""

    figures: AlarmFigures
    lines: list[FigureLine]


class FiguresQuery(BaseModel):
    """Which days: a span until now, or two days of the site, both included."""

    span: Annotated[str, Field(json_schema_extra={"enum": [*SPANS, CUSTOM]})] = "7d"
    first: Annotated[Day, Field(alias="from")] = ""
    last: Annotated[Day, Field(alias="to")] = ""


def figures_routes(app: FastAPI, pages: Pages, reader: AlarmReader, load: Callable[[], tuple[int, int]]) -> None:
    """Add the page and the file. `load()` is how many operator positions there are, and the flood line of one."""

    async def counted(wish: Wish) -> Shown:
        """The figures that were wished for, counted beside the event loop."""
        now_ns, alarms = pages.now_ns(), pages.view.parts.alarms
        positions, flood = load()
        question = Question(window_of(wish, now_ns), positions, flood)
        aside = aside_now(alarms.open_alarms(), alarms.withheld_alarms(), alarms.services())
        figures = await asyncio.to_thread(ask, reader, question, now_ns)
        return Shown(figures, lines(figures, aside))

    @app.get("/figures")
    async def figures_page(request: Request) -> Response:
        """The page with the alarm figures of a span."""
        require(request, Role.VIEWER)
        wish = _wish(request)
        status, shown, fault = 200, None, None
        try:
            shown = await counted(wish)
        except BadWindowError as error:
            status, fault = 422, error.words
        query = request.url.query
        return pages.render(request, "figures.html", status, shown=shown, fault=fault, wish=wish, query=query)

    @app.get("/figures.csv", **operation("papers", "Figures on the alarm system as a table", CSV))
    async def figures_file(request: Request, query: Annotated[FiguresQuery, Query()]) -> Response:
        require(request, Role.VIEWER)
        try:
            shown = await counted(Wish(query.span, query.first, query.last))
        except BadWindowError as error:
            raise RefusedError(422, "bad_window", error.words.zh, error.words.en, "span") from None
        body = figures_csv(shown, pages.language(request))
        headers = {"content-disposition": 'attachment; filename="figures.csv"'}
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def figures_csv(shown: Shown, language: str) -> str:
    """The lines and what they rest on, with a mark that makes spreadsheets read UTF-8."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerows(_header(shown.figures, language))
    names = Words(
        "指标,数值,单位,样本数 n,目标,判定,来源,可信度", "figure,value,unit,n,target,standing,source,certainty"
    )
    table.writerow(names.said(language).split(","))
    for line in shown.lines:
        table.writerow(
            [
                line.name.said(language),
                "unknown" if line.value is None else f"{line.value:.{line.decimals}f}",
                line.unit,
                "" if line.n is None else line.n,
                line.goal,
                line.standing.value if line.standing else "",
                line.source,
                certainty_text("en" if language == "en" else "zh-CN", line.certainty),
            ]
        )
    return BOM + out.getvalue()


def _header(figures: AlarmFigures, language: str) -> Iterable[list[str]]:
    window = figures.question.window
    said = Words("时段", "window").said(language)
    yield [said, local_day_time(window.from_ns), local_day_time(window.to_ns)]
    yield [Words("报警数 n", "alarms n").said(language), str(figures.n)]
    yield [Words("值守小时", "hours watched").said(language), f"{figures.watched_s / 3600:.1f}"]
    yield [Words("操作岗位数", "operator positions").said(language), str(figures.question.positions)]
    judged = (
        Words("指示性（不足 30 天）", "indicative (less than 30 days)") if figures.indicative else Words("是", "yes")
    )
    yield [Words("可评估", "fit to judge by").said(language), judged.said(language)]
    yield []


def _wish(request: Request) -> Wish:
    query = request.query_params
    return Wish(query.get("span", "7d"), query.get("from", ""), query.get("to", ""))
