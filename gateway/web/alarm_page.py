"""S3, one alarm: what happened, what to do, the curve, what began with it, what came before, and the sealed records.

    GET /alarms/{id}                                    the page
    GET /parts/alarms/{id}/state | facts | records      its parts alone, for a page that is open
    GET /alarms/{id}/sheet                              the alarm sheet (报警处置单), to be printed on A4 and signed

In: the desk. Out: pages. Nothing here changes anything.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.web.alarm_desk import AlarmDesk
from gateway.web.alarms_page import AS_IT_IS, DONE, Shown
from gateway.web.pages import Pages
from gateway.web.read_model import Row
from gateway.web.reasons import reason_in
from gateway.web.visitor import RefusedError, Role, require

NO_ALARM = 404, "no_such_alarm", "没有这个报警", "no such alarm"


def alarm_page_routes(app: FastAPI, pages: Pages, desk: AlarmDesk) -> None:
    """Add S3 and the sheet."""

    @app.get("/alarms/{alarm_id}")
    async def alarm(request: Request, alarm_id: str) -> Response:
        require(request, Role.VIEWER)
        return await detail(request, pages, desk, alarm_id)

    @app.get("/parts/alarms/{alarm_id}/state")
    async def state(request: Request, alarm_id: str) -> Response:
        require(request, Role.VIEWER)
        row = _row(desk, alarm_id)
        return pages.render(request, "alarm_state.html", **state_of(desk, row))

    @app.get("/parts/alarms/{alarm_id}/facts")
    async def facts(request: Request, alarm_id: str) -> Response:
        require(request, Role.VIEWER)
        values = state_of(desk, _row(desk, alarm_id))
        more: Row = {"group": await desk.group(alarm_id), "reports": await desk.reports(alarm_id)}
        more["desk_verdict"] = desk.desk_verdict(alarm_id)
        return pages.render(request, "alarm_facts.html", **values, **more)

    @app.get("/parts/alarms/{alarm_id}/records")
    async def records(request: Request, alarm_id: str) -> Response:
        require(request, Role.VIEWER)
        row = _row(desk, alarm_id)
        return pages.render(request, "alarm_records.html", alarm=row, records=desk.records(alarm_id), **WORDS)

    @app.get("/alarms/{alarm_id}/sheet")
    async def sheet(request: Request, alarm_id: str) -> Response:
        require(request, Role.VIEWER)
        values = await _everything(request, pages, desk, alarm_id)
        return pages.render(request, "alarm_sheet.html", **values)


WORDS: Mapping[str, Any] = {"reason_in": reason_in}


async def detail(request: Request, pages: Pages, desk: AlarmDesk, alarm_id: str, shown: Shown = AS_IT_IS) -> Response:
    """The page of one alarm. Raises RefusedError when there is no such alarm."""
    values = await _everything(request, pages, desk, alarm_id)
    said = {"fault": shown.fault, "form": shown.form, "typed": shown.typed}
    return pages.render(request, "alarm.html", shown.status, **values, **said)


def state_of(desk: AlarmDesk, row: Row) -> Row:
    """What the head of the page needs."""
    (zh, en), point = desk.subject_words(row), desk.point_of(row)
    return {
        "alarm": row,
        "may": desk.may(row),
        "card": desk.card(row),
        "hazard": desk.hazard(row),
        "escalation": desk.escalation(row["alarm_id"]),
        "subject_zh": zh,
        "subject_en": en,
        "point": point,
        "present": desk.present(point),
        **WORDS,
    }


async def _everything(request: Request, pages: Pages, desk: AlarmDesk, alarm_id: str) -> Row:
    row = _row(desk, alarm_id)
    return state_of(desk, row) | {
        "group": await desk.group(alarm_id),
        "reports": await desk.reports(alarm_id),
        "desk_verdict": desk.desk_verdict(alarm_id),
        "episodes": await desk.episodes(row, pages.now_ns()),
        "records": desk.records(alarm_id),
        "guide": desk.guide(),
        "curve": desk.curve(row),
        "notice": pages.done(request, DONE),
        "pictures": await desk.pictures(alarm_id, row["raised_at_ns"]),
    }


def _row(desk: AlarmDesk, alarm_id: str) -> Row:
    row = desk.row(alarm_id)
    if row is None:
        raise RefusedError(*NO_ALARM, "alarm_id")
    return row
