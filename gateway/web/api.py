"""The HTTP face: live page, API, server-sent events, health and metrics.

Listens on loopback unless told otherwise; beyond loopback every page but the health checks asks for the token (Bearer,
or Basic with the token as password, so that a browser can ask for it). Commands must be JSON, which keeps foreign
pages from sending them, and short, which keeps anyone from filling the memory; only a surveyor's table is longer, and
of a type that no foreign page can send either. On loopback the Host header must be a loopback name.
"""

import asyncio
import base64
import hmac
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from gateway.alarms import CommandError
from gateway.ports import Clock
from gateway.web.answers import error_answer as _error
from gateway.web.answers import json_answer as _json
from gateway.web.feed import Feed
from gateway.web.metrics import metrics_text
from gateway.web.read_model import BoxView

Acknowledge = Callable[[str, str, str], Awaitable[int]]
OPEN_PATHS = ("/healthz", "/readyz")
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
KEPT_WITHIN_S = 10.0
LAST_NS = 2**62  # the year 2116; beyond it a time does not fit the database
MAX_COMMAND_BYTES = 16_384
MAX_UPLOAD_BYTES = 10 * 2**20
UPLOAD_PATH = re.compile(r"/api/pits/[^/]+/readings")
UPLOAD_TYPES = (
    "application/json",
    "text/csv",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
"""What a browser sends to another site only after asking that site: never a form."""
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
PAGE = Path(__file__).with_name("page.html")


class AcknowledgeCommand(BaseModel):
    """Who acknowledges, and why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    user: Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)]


def web_app(view: BoxView, feed: Feed, acknowledge: Acknowledge, token: str | None, clock: Clock) -> FastAPI:
    """The application. `acknowledge(alarm_id, user, reason)` returns the sequence number of the sealed record."""
    app = FastAPI(title="Sitewarden", docs_url=None, redoc_url=None)
    _guard(app, token)
    _errors(app)
    _reading_routes(app, view, clock)
    _health_routes(app, view)

    @app.post("/api/alarms/{alarm_id}/acknowledge")
    async def acknowledge_alarm(alarm_id: str, command: AcknowledgeCommand) -> Response:
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                seq = await asyncio.shield(acknowledge(alarm_id, command.user, command.reason))
        except TimeoutError:
            return _error(
                503, "not_kept_yet", "确认尚未写入，请勿关闭设备", "acknowledged, but not on the disk yet", ""
            )
        except CommandError as error:
            if view.alarm(alarm_id) is None:
                return _error(404, "no_such_alarm", "没有这个报警", f"no alarm has the id {alarm_id}", "alarm_id")
            return _error(409, "cannot_acknowledge", "无法确认该报警", str(error), "alarm_id")
        return _json({"alarm_id": alarm_id, "evidence_seq": seq})

    @app.get("/api/events")
    async def events(request: Request) -> Response:
        last = request.headers.get("last-event-id", "")
        if last and not last.isdecimal():
            return _error(400, "bad_last_event_id", "Last-Event-ID 应为整数", f"found {last!r}, expected a number", "")
        if feed.full:
            return _error(503, "too_many_listeners", "同时打开的页面过多", "too many pages are listening already", "")
        stream = feed.stream(int(last) if last else None)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    @app.get("/")
    async def page() -> Response:
        return FileResponse(PAGE, media_type="text/html", headers={"cache-control": "no-cache"})

    return app


def _reading_routes(app: FastAPI, view: BoxView, clock: Clock) -> None:
    @app.get("/api/alarms")
    async def alarms() -> Response:
        return _json(view.alarms())

    @app.get("/api/alarms/{alarm_id}")
    async def alarm(alarm_id: str) -> Response:
        found = view.alarm(alarm_id)
        if found is None:
            return _error(404, "no_such_alarm", "没有这个报警", f"no alarm has the id {alarm_id}", "alarm_id")
        return _json(found)

    @app.get("/api/points")
    async def points() -> Response:
        return _json({"at_ns": clock.now_ns(), "points": view.points()})

    @app.get("/api/assets")
    async def assets() -> Response:
        parts = view.parts
        return _json(
            {"box_id": parts.box_id, "site_zh": parts.site_zh, "site_en": parts.site_en, "assets": parts.assets}
        )

    @app.get("/api/history")
    def history(
        point: str,
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
    @app.get("/healthz")
    async def healthz() -> Response:
        return _json({"alive": view.alive()}, 200 if view.alive() else 503)

    @app.get("/readyz")
    async def readyz() -> Response:
        reasons = view.ready()
        return _json({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @app.get("/api/health")
    async def health() -> Response:
        return _json(view.health())

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(metrics_text(view), media_type="text/plain; version=0.0.4; charset=utf-8")


def _guard(app: FastAPI, token: str | None) -> None:
    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path not in OPEN_PATHS:
            if token is not None and not _token_given(request.headers.get("authorization", ""), token):
                response = _error(401, "token_needed", "需要访问令牌", "this address asks for the box's token", "")
                response.headers["www-authenticate"] = 'Basic realm="Sitewarden"'
                return response
            if token is None and _host_name(request.headers.get("host", "")) not in LOOPBACK_NAMES:
                return _error(421, "wrong_host", "主机名不符", "open this page by a loopback name", "host")
        if request.method == "POST" and (refusal := _command_refused(request)) is not None:
            return refusal
        response = await call_next(request)
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["x-frame-options"] = "DENY"
        response.headers["referrer-policy"] = "no-referrer"
        return response


def _command_refused(request: Request) -> Response | None:
    """A command is JSON and short, and says how long it is before anyone reads it. A surveyor's table may be longer."""
    upload = UPLOAD_PATH.fullmatch(request.url.path) is not None
    types, most = (UPLOAD_TYPES, MAX_UPLOAD_BYTES) if upload else (UPLOAD_TYPES[:1], MAX_COMMAND_BYTES)
    if not request.headers.get("content-type", "").startswith(types):
        expected = f"expected content-type {' or '.join(types)}"
        words = "请求应为 JSON、CSV 或 Excel 文件" if upload else "请求应为 JSON"
        return _error(415, "json_needed", words, expected, "content-type")
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        return _error(411, "length_needed", "请求应注明长度", "expected a content-length", "content-length")
    if len(length) > 9 or int(length) > most:
        return _error(413, "too_large", "请求内容过长", f"expected at most {most} bytes", "content-length")
    return None


def _host_name(host: str) -> str:
    return host if host.endswith("]") else host.rsplit(":", 1)[0]


def _token_given(authorization: str, token: str) -> bool:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value).decode().partition(":")[2]
        except ValueError:  # not ASCII, not base64 or not UTF-8
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(value.encode(), token.encode())


def _errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        return _error(422, "bad_request", "请求内容有误", f"{field}: {first['msg']}", field)

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        return _error(error.status_code, "no_such_page", "没有这个地址或方法", str(error.detail), "")
