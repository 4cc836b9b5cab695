"""The safety log of a day (施工安全日志): the page, its drafts, the signature, supplements, and the files.

    GET  /log?day=2026-11-22                    the day; today without one
    POST /log/{day}/save | sign | supplement    forms of that page (SAFETY_OFFICER, with an own login)
    GET  /log/{day}/log.json | .csv | .pdf      JSON: the exact bytes that were sealed; a draft says that it is one

In: the logs. Out: pages, redirects, files. After a mistake the page comes again with what was typed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Path
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gateway.parts.shift.free_text import MAX_CHARACTERS
from gateway.parts.shift.office_fault import FIELD_WORDS, OFFICE_ERRORS, Fault, bad_day, fault_of, seen_versions, signer
from gateway.parts.shift.paper_desk import PaperDamagedError
from gateway.parts.shift.prints import PrintedPaper, Written, paper_csv, paper_pdf
from gateway.parts.shift.safety_log import (
    DayLog,
    DayNotBegunError,
    LogField,
    LogHead,
    LogState,
    SafetyLogs,
    Texts,
)
from gateway.web.pages import Pages
from gateway.web.visitor import RefusedError, Role, require
from kit.words import Words
from screens.answers import error_answer, json_answer
from screens.formats import local_day_time
from screens.published import Media, example_of, operation

KEPT_WITHIN_S = 30.0
LIST_DAYS = 14
NOTICES = {
    "saved": Words("草稿已保存并存证。", "Draft saved and sealed."),
    "signed": Words("已签字并存证。", "Signed and sealed."),
    "added": Words("补充内容已签字并存证。", "Supplement added and sealed."),
}
MEDIA = {"json": "application/json", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}
LOG_FILE = Media(("text/csv", "application/pdf"), "The safety log as it stands, by the ending", text=False)
LOG_ERRORS = {404: "No such day or ending, or the day has not come", 500: "The kept log is damaged"}
LogDay = Annotated[str, Path(max_length=10, description="A day of the site, such as 2026-01-31")]
LogKind = Annotated[str, Path(max_length=4, description="json, csv or pdf")]
STATE_ZH = {
    LogState.EMPTY: "草稿（未签字）",
    LogState.DRAFT: "草稿（未签字）",
    LogState.MISSING: "未签字（逾期）",
    LogState.SIGNED: "已签字",
}


class SafetyLogAnswer(BaseModel):
    """The safety log of a day; signed: the very bytes whose digest the chain holds."""

    model_config = ConfigDict(extra="allow")

    texts: Annotated[dict[str, str], Field(description="By the field of the log", examples=[{"weather": "晴"}])]


def _log_operation() -> dict[str, Any]:
    written = {"schema": SafetyLogAnswer.model_json_schema(), "example": example_of(SafetyLogAnswer)}
    extra = {"responses": {"200": {"content": {MEDIA["json"]: written}}}}
    known = operation("papers", "The safety log of a day", LOG_FILE, LOG_ERRORS)
    return known | {"openapi_extra": extra}


def safety_log_routes(app: FastAPI, pages: Pages, logs: SafetyLogs, head: Callable[[], LogHead]) -> None:
    """Add the pages. `head()` stands above every file."""
    _page_route(app, pages, logs)
    _command_routes(app, pages, logs)
    _file_route(app, pages, logs, head)


def _page_route(app: FastAPI, pages: Pages, logs: SafetyLogs) -> None:
    @app.get("/log")
    async def log_page(request: Request) -> Response:
        """The page of the safety log of a day."""
        require(request, Role.VIEWER)
        day = _day(request.query_params.get("day", "") or logs.today().isoformat())
        return await _shown(request, pages, logs, day)


def _command_routes(app: FastAPI, pages: Pages, logs: SafetyLogs) -> None:
    @app.post("/log/{name}/save")
    async def save(request: Request, name: str) -> Response:
        """Save what was written so far; it may be changed."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        day, texts = _day(name), _texts(form)
        return await _done(request, pages, logs, day, texts, logs.save(day, texts, user, seen_versions(form)), "saved")

    @app.post("/log/{name}/sign")
    async def sign(request: Request, name: str) -> Response:
        """Sign the log of the day: it stands from now on."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        day, texts = _day(name), _texts(form)
        return await _done(request, pages, logs, day, texts, logs.sign(day, texts, user, seen_versions(form)), "signed")

    @app.post("/log/{name}/supplement")
    async def supplement(request: Request, name: str) -> Response:
        """Add a supplement to a log that was signed."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        day, text = _day(name), form.get("supplement", "")
        return await _done(request, pages, logs, day, text, logs.supplement(day, text, user), "added")


def _file_route(app: FastAPI, pages: Pages, logs: SafetyLogs, head: Callable[[], LogHead]) -> None:
    @app.get("/log/{name}/log.{kind}", **_log_operation())
    async def log_file(request: Request, name: LogDay, kind: LogKind) -> Response:
        require(request, Role.VIEWER)
        if kind not in MEDIA:
            return error_answer(404, "no_such_file", "没有这个文件", "expected log.json, log.csv or log.pdf", "kind")
        day = _day(name)
        try:
            log = await logs.log(day)
        except DayNotBegunError as error:
            raise bad_day(error) from None
        except PaperDamagedError as error:
            fault = fault_of(error)
            return error_answer(fault.status, "paper_damaged", fault.words.zh, fault.words.en, "")
        answer = await asyncio.to_thread(_file, log, kind, head(), pages.language(request))
        answer.headers["content-disposition"] = f'inline; filename="safety-log-{day.isoformat()}.{kind}"'
        if log.signed is not None:
            answer.headers["x-content-sha256"] = log.signed.sha256
        return answer


def _file(log: DayLog, kind: str, head: LogHead, language: str) -> Response:
    """In a thread. The JSON of a signed log is the very bytes whose digest the chain holds."""
    if kind == "json":
        if log.signed is None:
            return json_answer({"state": log.state, "texts": {str(field): text for field, text in log.texts.items()}})
        return Response(log.signed.body, media_type=MEDIA[kind])
    printed = printed_log(log, head)
    body = paper_pdf(printed) if kind == "pdf" else paper_csv(printed, language)
    return Response(body, media_type=MEDIA[kind])


def printed_log(log: DayLog, head: LogHead) -> PrintedPaper:
    """As it goes on paper, in Chinese."""
    signed = log.signed
    who = f"{signed.user}，{local_day_time(signed.kept_at_ns)}" if signed else "未签字"
    seal = f"SHA-256 {signed.sha256}，第 {signed.seq} 号记录" if signed else "草稿，未存证为定稿"
    facts = (
        ("工程名称", head.site_zh),
        ("项目编号", head.project_code),
        ("日期", log.day.isoformat()),
        ("监控主机", head.box_id),
        ("状态", STATE_ZH[log.state]),
        ("数据截至", local_day_time(log.sheet.until_ns)),
        ("签字人", who),
        ("存证", seal),
    )
    written = [Written(FIELD_WORDS[field].zh, log.texts[field]) for field in LogField]
    written += [
        Written(f"补充（{each.user}，{local_day_time(each.kept_at_ns)}）", str(each.content["text"]))
        for each in log.supplements
    ]
    footer = f"{head.project_code} {log.day.isoformat()} {STATE_ZH[log.state]}"
    return PrintedPaper("施工安全日志", facts, written, log.sheet, ("专职安全员", "项目负责人"), footer)


async def _done(
    request: Request,
    pages: Pages,
    logs: SafetyLogs,
    day: date,
    typed: Texts | str,
    doing: Awaitable[object],
    done: str,
) -> Response:
    """Back to the page with a notice; after a mistake the page again, with what was typed."""
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            await doing
    except DayNotBegunError as error:
        raise bad_day(error) from None
    except OFFICE_ERRORS as error:
        return await _shown(request, pages, logs, day, fault_of(error), typed)
    return RedirectResponse(f"/log?day={day.isoformat()}&done={done}", 303)


async def _shown(
    request: Request,
    pages: Pages,
    logs: SafetyLogs,
    day: date,
    fault: Fault | None = None,
    typed: Texts | str = "",
) -> Response:
    try:
        log = await logs.log(day)
    except DayNotBegunError as error:
        raise bad_day(error) from None
    except PaperDamagedError as error:
        words = fault_of(error).words
        raise RefusedError(500, "paper_damaged", words.zh, words.en) from None
    if not isinstance(typed, str) and log.signed is None:
        log = replace(log, texts=typed)
    lines = await asyncio.to_thread(logs.recent, LIST_DAYS)
    return pages.render(
        request,
        "safety_log.html",
        fault.status if fault else 200,
        log=log,
        lines=lines,
        fields=FIELD_WORDS,
        fault=fault,
        supplement=typed if isinstance(typed, str) else "",
        most=MAX_CHARACTERS,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        today=logs.today(),
        notice=pages.done(request, NOTICES),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise bad_day(error) from None


def _texts(form: Mapping[str, str]) -> Texts:
    return {field: form.get(field, "") for field in LogField}
