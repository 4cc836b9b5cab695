"""S2, the alarms: lists of what is open, the history of what is closed, and its table as a file.

    GET /alarms?tab=&page=                          the open alarms of one list; no filter by time
    GET /parts/alarms?tab=&page=                    the same lists alone, for a page that is open
    GET /alarms?tab=history&asset=&severity=&day=   closed alarms, newest first, paged by key
    GET /alarms/history.csv?...                     the same as CSV for a spreadsheet

In: the desk. Out: pages. Nothing here changes anything.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import FastAPI, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from gateway.model.alarm import Severity
from gateway.store.alarm_history import Chosen, PlaceInHistory
from gateway.web.alarm_csv import table_of
from gateway.web.alarm_desk import AlarmDesk
from gateway.web.alarm_view import PAGE_ROWS, Tab
from gateway.web.api import LAST_NS
from gateway.web.pages import Pages
from gateway.web.read_model import Row, alarm_row
from gateway.web.reasons import reason_in
from gateway.web.visitor import RefusedError, Role, require
from kit.words import Words
from screens.days import Day
from screens.formats import SITE_ZONE
from screens.published import CSV, operation

DAY_NS: Final = 86_400_000_000_000
MOST_TABLE_ROWS: Final = 20_000
_PLACE: Final = re.compile(r"([0-9]{1,19})-([0-9A-Za-z_.:-]{1,64})")
DONE: Final = {
    "acknowledged": Words("已确认并存证。", "Acknowledged and sealed."),
    "together": Words("所选报警已确认并存证。", "The selected alarms are acknowledged and sealed."),
    "some_together": Words(
        "已确认并存证；其中部分报警此前已由他人确认。",
        "Acknowledged and sealed. Another person had already acknowledged some of them.",
    ),
    "service": Words("已执行并存证。", "Done and sealed."),
    "noted": Words("已记录并存证。", "Noted and sealed."),
    "handed_over": Words(
        "已转隐患并存证，立即发往监管平台。", "Handed over and sealed. It is sent to the regulator at once."
    ),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person asked for, as it was asked."""

    asset: str
    severity: str
    day: str


@dataclass(frozen=True, slots=True)
class Shown:
    """How a page is shown after a refusal: with the fault in words, the form `form` as it was typed, and what was
    `picked` still chosen."""

    status: int = 200
    fault: str = ""
    form: str = ""
    typed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    picked: Sequence[str] = ()


AS_IT_IS: Final = Shown()


class FilterError(ValueError):
    """A filter that says nothing; in words."""


class HistoryQuery(BaseModel):
    """Which closed alarms. Empty: all."""

    asset: Annotated[str, Field(max_length=200)] = ""
    severity: Annotated[str, Field(json_schema_extra={"enum": ["", *Severity]})] = ""
    day: Day = ""


def alarms_routes(app: FastAPI, pages: Pages, desk: AlarmDesk) -> None:
    """Add S2."""

    @app.get("/alarms")
    async def alarms(request: Request) -> Response:
        require(request, Role.VIEWER)
        tab = _tab(request)
        if tab is Tab.HISTORY:
            return await _history(request, pages, desk)
        return lists(request, pages, desk, tab)

    @app.get("/parts/alarms")
    async def part(request: Request) -> Response:
        require(request, Role.VIEWER)
        listing = desk.listing(_tab(request), _page(request))
        return pages.render(request, "alarms_part.html", listing=listing, reason_in=reason_in, picked=())

    @app.get("/parts/alarm-tabs")
    async def tabs(request: Request) -> Response:
        require(request, Role.VIEWER)
        return pages.render(request, "alarms_tabs.html", listing=desk.listing(Tab.HISTORY, 1))

    @app.get("/alarms/history.csv", **operation("papers", "Closed alarms as a table", CSV))
    async def table(request: Request, query: Annotated[HistoryQuery, Query()]) -> Response:
        require(request, Role.VIEWER)
        try:
            chosen = _chosen(Filters(query.asset, query.severity, query.day))
        except FilterError as error:
            raise RefusedError(422, "bad_filter", pages.catalogue.text("zh-CN", str(error)), str(error)) from None
        found = await asyncio.to_thread(desk.history.closed, chosen, None, MOST_TABLE_ROWS)
        body = table_of(found, pages.language(request), desk.asset_titles())
        headers = {"content-disposition": 'attachment; filename="alarms.csv"'}
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def lists(request: Request, pages: Pages, desk: AlarmDesk, tab: Tab, shown: Shown = AS_IT_IS) -> Response:
    """The page of one list."""
    listing = desk.listing(tab, _page(request))
    said = {"fault": shown.fault, "typed": shown.typed, "picked": shown.picked, "notice": pages.done(request, DONE)}
    return pages.render(request, "alarms.html", shown.status, listing=listing, reason_in=reason_in, **said)


async def _history(request: Request, pages: Pages, desk: AlarmDesk) -> Response:
    filters, fault, status = _filters(request), "", 200
    try:
        chosen = _chosen(filters)
    except FilterError as error:
        chosen, fault, status = Chosen(), pages.text(request, str(error)), 422
    after = _place(request)
    found = await asyncio.to_thread(desk.history.closed, chosen, after, PAGE_ROWS + 1)
    rows: list[Row] = [desk.worded(alarm_row(alarm)) for alarm in found[:PAGE_ROWS]]
    asked = {"tab": "history", "asset": filters.asset, "severity": filters.severity, "day": filters.day}
    first = f"/alarms?{urlencode(asked)}"
    last = found[PAGE_ROWS - 1] if len(found) > PAGE_ROWS else None
    following = f"{first}&{urlencode({'after': f'{last.raised_at_ns}-{last.alarm_id}'})}" if last else ""
    return pages.render(
        request,
        "alarms_history.html",
        status,
        rows=rows,
        listing=desk.listing(Tab.HISTORY, 1),
        filters=filters,
        fault=fault,
        assets=desk.asset_titles(),
        later=after is not None,
        first_page=first,
        next_page=following,
        reason_in=reason_in,
    )


def _tab(request: Request) -> Tab:
    wanted = request.query_params.get("tab", "")
    return Tab(wanted) if wanted in set(Tab) else Tab.UNACKNOWLEDGED


def _page(request: Request) -> int:
    wanted = request.query_params.get("page", "")
    return int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7 else 1


def _filters(request: Request) -> Filters:
    asked = request.query_params
    return Filters(asked.get("asset", ""), asked.get("severity", ""), asked.get("day", ""))


def _chosen(filters: Filters) -> Chosen:
    if filters.severity and filters.severity not in set(Severity):
        raise FilterError("No such priority.")
    severity = Severity(filters.severity) if filters.severity else None
    if not filters.day:
        return Chosen(filters.asset, severity)
    try:
        start = datetime.strptime(filters.day, "%Y-%m-%d").replace(tzinfo=SITE_ZONE)
    except ValueError:
        raise FilterError("This is not a date. Write it as 2026-01-31.") from None
    begun_ns = int(start.timestamp()) * 1_000_000_000
    span = [min(max(0, at_ns), LAST_NS) for at_ns in (begun_ns, begun_ns + DAY_NS)]
    return Chosen(filters.asset, severity, *span)


def _place(request: Request) -> PlaceInHistory | None:
    found = _PLACE.fullmatch(request.query_params.get("after", ""))
    return PlaceInHistory(min(int(found[1]), LAST_NS), found[2]) if found else None
