"""The HTTP face: live page, API, server-sent events, health and metrics.

In: the view over the box, the live feed, the acknowledging door, and who decides who asks (`gateway.web.guard`). Out:
the application, to which pages and further routes are added. Commands to the API are JSON, which keeps foreign pages
from sending them, and short, which keeps anyone from filling the memory.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.alarms import CommandError
from gateway.ports import Clock
from gateway.web.alarm_answers import AlarmCommandAnswer, AlarmDetail, AlarmsAnswer
from gateway.web.answer_fields import MOST_ID_CHARS, AlarmId
from gateway.web.feed import Feed
from gateway.web.feed_routes import feed_routes
from gateway.web.guard import Guard, TokenVisitors, Visitors
from gateway.web.health_answers import AliveAnswer, HealthAnswer, ReadyAnswer
from gateway.web.metrics import metrics_text
from gateway.web.pages import Pages
from gateway.web.published import published_api
from gateway.web.read_model import BoxView
from gateway.web.reading_answers import AssetsAnswer, HistoryAnswer, PointsAnswer
from gateway.web.reasons import MAX_REASON_CHARS, SAID
from gateway.web.visitor import Role, require, user_of
from kit.web.shell import shell_routes
from screens.answers import error_answer as _error
from screens.answers import json_answer as _json
from screens.published import Media, operation

Acknowledge = Callable[[str, str, str], Awaitable[int]]
KEPT_WITHIN_S = 10.0
NO_ALARM = {404: "No alarm has this id"}
NO_POINT = {404: "No point has this id"}
NOT_KEPT = {503: "Carried out, but not on the disk yet: do not switch the box off"}
METRICS = Media(("text/plain",), "Metrics in the text format of Prometheus")
WithSuppressed = Annotated[
    bool,
    Query(description="Whether `alarms` also holds what is suppressed by design; `suppressed` lists it in any case"),
]
LAST_NS = 2**62  # the year 2116; beyond it a time does not fit the database


class AcknowledgeCommand(BaseModel):
    """Who acknowledges, and why."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[str, Field(min_length=1, max_length=64, pattern=SAID), AfterValidator(str.strip)]
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARS, pattern=SAID), AfterValidator(str.strip)]


def web_app(
    view: BoxView,
    feed: Feed,
    acknowledge: Acknowledge,
    token: str | None,
    clock: Clock,
    visitors: Visitors | None = None,
) -> FastAPI:
    """The application. `acknowledge(alarm_id, user, reason)` returns the sequence number of the sealed record. Without
    `visitors` there are no accounts, and the token decides.

    Pages add their routes to it and find what they share as `app.state.pages`.
    """
    app = FastAPI(title="Sitewarden", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.pages = pages = Pages(view)
    app.state.collectors = []
    visitors = visitors or TokenVisitors(token)
    app.add_middleware(Guard, visitors=visitors, refuse=pages.refuse)
    shell_routes(app, pages)
    _reading_routes(app, view, clock)
    _health_routes(app, view)
    feed_routes(app, feed)
    published_api(app)

    @app.post("/api/alarms/{alarm_id}/acknowledge", **alarm_command("Acknowledge an alarm"))
    async def acknowledge_alarm(request: Request, alarm_id: AlarmId, command: AcknowledgeCommand) -> Response:
        require(request, Role.SUPERVISOR)
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                seq = await asyncio.shield(acknowledge(alarm_id, user_of(request, command.user), command.reason))
        except TimeoutError:
            return _error(
                503, "not_kept_yet", "确认尚未写入，请勿关闭设备", "acknowledged, but not on the disk yet", ""
            )
        except CommandError as error:
            if view.alarm(alarm_id) is None:
                return _error(404, "no_such_alarm", "没有这个报警", f"no alarm has the id {alarm_id}", "alarm_id")
            return _error(409, "cannot_acknowledge", "无法确认该报警", str(error), "alarm_id")
        return _json({"alarm_id": alarm_id, "evidence_seq": seq})

    return app


def alarm_command(summary: str) -> dict[str, Any]:
    """How the schema describes a command on an alarm."""
    errors = NO_ALARM | NOT_KEPT | {409: "The alarm's state does not allow this"}
    return operation("alarms", summary, AlarmCommandAnswer, errors)


def _reading_routes(app: FastAPI, view: BoxView, clock: Clock) -> None:
    @app.get("/api/alarms", **operation("alarms", "Every open alarm", AlarmsAnswer))
    async def alarms(suppressed: WithSuppressed = False) -> Response:
        return _json(view.alarms(with_suppressed=suppressed))

    @app.get("/api/alarms/{alarm_id}", **operation("alarms", "One alarm with its records", AlarmDetail, NO_ALARM))
    async def alarm(alarm_id: AlarmId) -> Response:
        found = view.alarm(alarm_id)
        if found is None:
            return _error(404, "no_such_alarm", "没有这个报警", f"no alarm has the id {alarm_id}", "alarm_id")
        return _json(found)

    @app.get("/api/points", **operation("readings", "Every point with its value now", PointsAnswer))
    async def points() -> Response:
        return _json({"at_ns": clock.now_ns(), "points": view.points()})

    @app.get("/api/assets", **operation("readings", "The site and its assets", AssetsAnswer))
    async def assets() -> Response:
        parts = view.parts
        return _json(
            {"box_id": parts.box_id, "site_zh": parts.site_zh, "site_en": parts.site_en, "assets": parts.assets}
        )

    @app.get("/api/history", **operation("readings", "Samples of one point", HistoryAnswer, NO_POINT))
    def history(
        point: Annotated[str, Query(max_length=MOST_ID_CHARS)],
        from_ns: Annotated[int, Query(ge=0, le=LAST_NS)],
        to_ns: Annotated[int, Query(ge=0, le=LAST_NS)],
        samples: Annotated[int, Query(ge=2, le=100_000)] = 1000,
        resolution: Literal["raw", "minute"] = "raw",
    ) -> Response:
        if point not in view.parts.points.index_of:
            return _error(404, "no_such_point", "没有这个测点", f"no point has the id {point}", "point")
        if to_ns < from_ns:
            return _error(422, "bad_range", "结束时间早于开始时间", "to_ns is before from_ns", "to_ns")
        return _json(_history(view, point, (from_ns, to_ns), samples, resolution))


def _history(view: BoxView, point: str, span_ns: tuple[int, int], samples: int, resolution: str) -> dict[str, Any]:
    if resolution == "raw":
        trace = view.parts.history.trace(point, *span_ns, samples)
        return {
            "point": point,
            "decimated": trace.decimated,
            "t_ns": trace.t_ns,
            "value": trace.value,
            "quality": trace.quality,
        }
    minutes = view.parts.history.minutes(point, *span_ns, samples)
    names = ("low", "high", "mean", "count", "quality")
    columns = {name: getattr(minutes, name)[:, 0].copy() for name in names}
    return {"point": point, "t_ns": minutes.minute_ns} | columns


def _health_routes(app: FastAPI, view: BoxView) -> None:
    @app.get(
        "/healthz", **operation("box", "Whether the box is alive", AliveAnswer, also={503: (AliveAnswer, "It is not")})
    )
    async def healthz() -> Response:
        return _json({"alive": view.alive()}, 200 if view.alive() else 503)

    @app.get(
        "/readyz", **operation("box", "Whether the box is ready", ReadyAnswer, also={503: (ReadyAnswer, "It is not")})
    )
    async def readyz() -> Response:
        reasons = view.ready()
        return _json({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @app.get("/api/health", **operation("box", "How every part is doing", HealthAnswer))
    async def health() -> Response:
        return _json(view.health())

    @app.get("/metrics", **operation("box", "Metrics for Prometheus", METRICS))
    async def metrics() -> Response:
        return Response(metrics_text(view, app.state.collectors), media_type="text/plain; version=0.0.4; charset=utf-8")
