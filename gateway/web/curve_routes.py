"""Curves over HTTP: `GET /api/curve`, at most 4,000 samples a series, with limits, alarms and what is unknown.

    ?point=ID (up to 4) & from_ns & to_ns, or & last_s; or ?alarm=ID; & samples (4 to 4000)

Out: JSON with columns; times are milliseconds after `from_ms`, itself milliseconds since 1970 (UTC). Files are read in
a thread of the server's pool, not in its event loop.
"""

from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from gateway.web.curve_data import PointCurve, read_curves
from gateway.web.curve_question import CurveQuery, Question, question_of
from gateway.web.curve_rows import MS_NS, Row, curve_row, marks_of
from gateway.web.curve_words import summaries
from gateway.web.pages import Pages
from gateway.web.reading_answers import CurveAnswer
from gateway.web.visitor import Role, require
from screens.answers import json_answer
from screens.published import operation

NO_CURVE = {404: "No such point or alarm, or the alarm is about no point"}


def curve_routes(app: FastAPI, pages: Pages) -> None:
    """Add the route to the web face."""

    @app.get("/api/curve", **operation("readings", "Curves over a span or around an alarm", CurveAnswer, NO_CURVE))
    async def curve(request: Request, query: Annotated[CurveQuery, Query()]) -> Response:
        require(request, Role.VIEWER)
        question = question_of(pages.view.parts, query)
        return await run_in_threadpool(_answer, pages, request, question)


def answer_row(pages: Pages, request: Request, question: Question, curves: list[PointCurve]) -> Row:
    """The whole answer. Its summaries are in the visitor's language."""
    wanted, alarm = question.wanted, question.alarm
    return {
        "from_ms": wanted.from_ns // MS_NS,
        "to_ms": wanted.to_ns // MS_NS,
        "now_ms": pages.now_ns() // MS_NS,
        "live": question.live,
        "summaries": summaries(curves, lambda msgid, **v: pages.text(request, msgid, **v), pages.language(request)),
        "marks": marks_of(alarm, wanted.from_ns) if alarm else [],
        "series": [curve_row(each, wanted.from_ns) for each in curves],
    }


def _answer(pages: Pages, request: Request, question: Question) -> Response:
    curves = read_curves(pages.view.parts, question.wanted, question.sealed)
    return json_answer(answer_row(pages, request, question, curves))
