"""A pit's office over HTTP: a surveyor's readings, baselines, daily reports. Guarded like the rest of the web face.

    POST /api/pits/{asset}/readings?name=&user=&reason=      a CSV or Excel file as it is, or one reading as JSON
    POST /api/pits/{asset}/baselines                         zero survey, re-zero, changed sensor
    GET  /api/pits/{asset}/reports                           what was printed
    GET  /api/pits/{asset}/reports/2026-11-22.html | .pdf    the first print of a finished day

Out: counts and faults line by line in two languages; bytes; or why not, with a code and words. An order is answered
once it is kept.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import Awaitable
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gateway.line.zero_orders import NoSuchModelError, ZeroOrders
from gateway.model.errors import StoreError
from gateway.parts.pit.baseline_orders import OvertakenError, order_baseline
from gateway.parts.pit.daily_reports import DailyReports, DayNotOverError, NoSuchReportError
from gateway.parts.pit.hand_entries import Bringer, HandEntries, NoSuchPitError, Outcome, Table, TypedReading
from gateway.parts.pit.hand_entry import EntryFault, fault_text
from gateway.parts.pit.model.description import Baseline, BaselineKind
from gateway.parts.pit.report.report_store import ReportDamagedError, ReportKind
from gateway.ports import Clock
from gateway.web.answer_fields import AssetId
from gateway.web.answer_fields import FileName as ReportName
from gateway.web.api import KEPT_WITHIN_S, NOT_KEPT, AcknowledgeCommand
from gateway.web.guard import MAX_UPLOAD_BYTES, UPLOAD_TYPES
from gateway.web.office_answers import BaselineAnswer, ReadingsAnswer, ReportsAnswer
from gateway.web.reasons import PRINTABLE, SAID
from gateway.web.visitor import user_of
from kit.web.guarding import JSON_TYPE
from screens.answers import error_answer, json_answer
from screens.published import Media, operation

IMPORTED_WITHIN_S = 120.0
MEDIA = {ReportKind.HTML: "text/html; charset=utf-8", ReportKind.PDF: "application/pdf"}
_REPORT = re.compile(r"(\d{4}-\d\d-\d\d)\.(html|pdf)")
_NO_PIT = (
    404,
    "no_such_pit",
    "没有这个基坑，或它没有人工测点",
    "no such pit, or it has no point measured by hand",
    "asset",
)
_NOT_KEPT = (503, "not_kept_yet", "尚未全部写入，请勿关闭设备", "not all of it is on the disk yet", "")
T = TypeVar("T")
Measured = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
"""A reading or a zero in its item's unit; the largest items, forces in kN, stay far below."""
User = Annotated[str, Query(min_length=1, max_length=64, pattern=SAID)]
Reason = Annotated[str, Query(min_length=1, max_length=500, pattern=SAID)]
FileName = Annotated[str, Query(max_length=200, pattern=PRINTABLE)]


class TypedCommand(BaseModel):
    """One reading as it is typed; `at` is ISO 8601, without an offset the site's time."""

    model_config = ConfigDict(extra="forbid")

    point: Annotated[str, Field(min_length=1, max_length=64, pattern=SAID), AfterValidator(str.strip)]
    at: Annotated[str, Field(min_length=1, max_length=40, pattern=SAID), AfterValidator(str.strip)]
    value: Measured
    unit: Annotated[str, Field(max_length=16, pattern=PRINTABLE), AfterValidator(str.strip)] = ""


class BaselineCommand(AcknowledgeCommand):
    """From where a point counts, since when (left out: now), on whose word and why."""

    point: Annotated[str, Field(min_length=1, max_length=64, pattern=SAID), AfterValidator(str.strip)]
    kind: Literal["initial", "re_zero", "replaced"] = "re_zero"
    zero: Measured | None = None
    """What the instrument said, in the item's unit; left out: the mean of the next readings."""
    carried: Measured | None = None
    """The cumulative value then; left out: what was reached (replaced), or 0."""
    at: AwareDatetime | None = None
    readings: Annotated[int, Field(ge=1, le=100)] = 3
    """Of how many readings the mean is taken."""


REPORT = Media(("text/html", "application/pdf"), "The first print of a finished day, by its ending", text=False)
_NO_PIT_TEXT = "No such pit, or it has no point measured by hand"
_DAMAGED = {404: "No pit has this id", 500: "The kept report is damaged: restore it from a backup"}
_REPORT_ERRORS = _DAMAGED | {409: "The day is not over yet", 503: "Not printed yet", 507: "The disk is full"}
_BASELINE_ERRORS = NOT_KEPT | {404: "No such monitoring point", 409: "A later baseline is in force"}
_READINGS = operation("pits", "Bring readings", ReadingsAnswer, {404: _NO_PIT_TEXT, 503: "Not kept yet"}) | {
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {JSON_TYPE: {"schema": TypedCommand.model_json_schema()}}
            | {
                kind: {"schema": {"type": "string", "format": "binary", "maxLength": MAX_UPLOAD_BYTES}}
                for kind in UPLOAD_TYPES
                if kind != JSON_TYPE
            },
        }
    }
}


def pit_routes(app: FastAPI, entries: HandEntries, orders: ZeroOrders, reports: DailyReports, clock: Clock) -> None:
    """Add the routes to the web face."""
    _reading_route(app, entries)
    _baseline_route(app, orders, clock)
    _report_routes(app, reports)


def _reading_route(app: FastAPI, entries: HandEntries) -> None:
    @app.post("/api/pits/{asset}/readings", **_READINGS)
    async def readings(request: Request, asset: AssetId, user: User, reason: Reason, name: FileName = "") -> Response:
        content, by = await request.body(), Bringer(user_of(request, user.strip()), reason.strip())
        if len(content) > MAX_UPLOAD_BYTES:
            return error_answer(413, "too_large", "文件过大", f"expected at most {MAX_UPLOAD_BYTES} bytes", "body")
        if not request.headers.get("content-type", "").startswith("application/json"):
            return await _taken(entries.take(asset, Table(content, name or "readings"), by), typed=False)
        try:
            typed = TypedCommand.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in ("body", *first["loc"]))
            return error_answer(422, "bad_request", "请求内容有误", f"{field}: {first['msg']}", field)
        reading = TypedReading(typed.point, typed.at, typed.value, typed.unit)
        return await _taken(entries.take_one(asset, reading, by), typed=True)


async def _taken(taking: Awaitable[Outcome], *, typed: bool) -> Response:
    try:
        outcome = await _within(taking, IMPORTED_WITHIN_S)
    except NoSuchPitError:
        return error_answer(*_NO_PIT)
    except TimeoutError:
        return error_answer(*_NOT_KEPT)
    except StoreError as error:
        return error_answer(503, "not_kept", "写入失败，请稍后重试", str(error), "")
    if typed and outcome.faults:
        fault = outcome.faults[0]
        return error_answer(422, fault.code.value, fault_text(fault, "zh"), fault_text(fault, "en"), "body")
    return json_answer(
        {
            "accepted": outcome.accepted,
            "known": outcome.known,
            "faults": [_fault_row(fault) for fault in outcome.faults],
            "evidence_seq": outcome.evidence_seq,
            "sha256": outcome.sha256,
        }
    )


def _fault_row(fault: EntryFault) -> dict[str, Any]:
    return {
        "sheet": fault.sheet,
        "line": fault.line,
        "code": fault.code.value,
        "message_zh": fault_text(fault, "zh"),
        "message_en": fault_text(fault, "en"),
    }


def _baseline_route(app: FastAPI, orders: ZeroOrders, clock: Clock) -> None:
    @app.post("/api/pits/{asset}/baselines", **operation("pits", "Set a baseline", BaselineAnswer, _BASELINE_ERRORS))
    async def baseline(request: Request, asset: AssetId, command: BaselineCommand) -> Response:
        order = Baseline(
            kind=BaselineKind(command.kind),
            at_ns=clock.now_ns() if command.at is None else _ns(command.at),
            by=user_of(request, command.user),
            reason=command.reason,
            zero=command.zero,
            carried=command.carried,
            readings=command.readings,
        )
        try:
            seq = await _within(order_baseline(orders, asset, command.point, order), KEPT_WITHIN_S)
        except NoSuchModelError as error:
            return error_answer(404, "no_such_point", "没有这个监测点", f"no monitoring point {error}", "body.point")
        except OvertakenError:
            words = "a baseline of a later time is in force at this point"
            return error_answer(409, "overtaken", "该测点已有更晚的初始值在用", words, "body.at")
        except TimeoutError:
            return error_answer(*_NOT_KEPT)
        return json_answer({"asset": asset, "point": command.point, "since_ns": order.at_ns, "evidence_seq": seq})


def _report_routes(app: FastAPI, reports: DailyReports) -> None:
    @app.get("/api/pits/{asset}/reports", **operation("pits", "The printed reports", ReportsAnswer, _DAMAGED))
    async def printed(asset: AssetId) -> Response:
        try:
            kept = reports.kept(asset)
        except NoSuchReportError:
            return error_answer(404, "no_such_pit", "没有这个基坑", f"no pit has the id {asset}", "asset")
        except ReportDamagedError as error:
            return _damaged(error)
        rows = [
            {
                "day": each.day.isoformat(),
                "html_sha256": each.html_sha256,
                "pdf_sha256": each.pdf_sha256,
                "evidence_seq": each.evidence_seq,
            }
            for each in kept
        ]
        return json_answer({"asset": asset, "reports": rows})

    @app.get("/api/pits/{asset}/reports/{name}", **operation("pits", "A daily report", REPORT, _REPORT_ERRORS))
    async def report(asset: AssetId, name: ReportName) -> Response:
        wanted = _wanted(name)
        if wanted is None:
            expected = "expected a day and an ending, such as 2026-11-22.pdf"
            return error_answer(404, "no_such_report", "没有这个报告", expected, "name")
        return await _report(reports, asset, *wanted)


async def _report(reports: DailyReports, asset: str, day: date, kind: ReportKind) -> Response:
    try:
        content = await _within(reports.report(asset, day, kind), IMPORTED_WITHIN_S)
    except NoSuchReportError:
        return error_answer(404, "no_such_pit", "没有这个基坑", f"no pit has the id {asset}", "asset")
    except DayNotOverError:
        return error_answer(409, "day_not_over", "当日尚未结束，日报在次日出具", f"{day} is not over yet", "name")
    except ReportDamagedError as error:
        return _damaged(error)
    except TimeoutError:
        return error_answer(*_NOT_KEPT)
    except OSError as error:
        return error_answer(507, "not_written", "报告无法写入磁盘", str(error), "")
    headers = {"content-disposition": f'inline; filename="{asset}-{day.isoformat()}.{kind}"'}
    if kind is ReportKind.HTML:
        headers["content-security-policy"] = sealed_page_policy(content)
    return Response(content, media_type=MEDIA[kind], headers=headers)


def sealed_page_policy(page: bytes) -> str:
    """A report is sealed with its one style inside, which may apply: by its digest, and nothing else may."""
    style = page.partition(b"<style>")[2].partition(b"</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _damaged(error: ReportDamagedError) -> Response:
    words = f"the kept report is damaged and is never printed anew; restore it from a backup: {error}"
    return error_answer(500, "report_damaged", "已存档的报告被损坏或改动，不会重新生成，请从备份恢复", words, "")


def _wanted(name: str) -> tuple[date, ReportKind] | None:
    match = _REPORT.fullmatch(name)
    try:
        return (date.fromisoformat(match[1]), ReportKind(match[2])) if match else None
    except ValueError:
        return None


async def _within(doing: Awaitable[T], seconds: float) -> T:
    """It goes on when whoever asked stops waiting: what has begun must end."""
    async with asyncio.timeout(seconds):
        return await asyncio.shield(doing)


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000
