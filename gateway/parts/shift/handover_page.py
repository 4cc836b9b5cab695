"""The shift handover (交接班): the page that is written, signed by whoever goes and taken over by whoever comes.

    GET  /handover                       the open one, and the past ones
    GET  /handover/{number}              one of the past
    GET  /handover/{number}.pdf | .json  as a file; JSON: the exact bytes that were sealed
    POST /handover/save | hand           whoever goes (SUPERVISOR, with an own login)
    POST /handover/{number}/take | withdraw

In: the handovers. Out: pages, redirects, files. After a mistake the page comes again with what was typed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.parts.shift.free_text import MAX_CHARACTERS
from gateway.parts.shift.handover import Handover, Handovers, HandoverState, number_of
from gateway.parts.shift.office_fault import OFFICE_ERRORS, Fault, fault_of, seen_versions, signer
from gateway.parts.shift.paper_desk import PaperDamagedError
from gateway.parts.shift.prints import PrintedPaper, Written, paper_pdf
from gateway.parts.shift.safety_log import LogHead
from gateway.web.pages import Pages
from gateway.web.visitor import RefusedError, Role, require
from kit.words import Words
from screens.answers import error_answer
from screens.formats import local_day_time

KEPT_WITHIN_S = 30.0
PAST = 30
NOTICES = {
    "saved": Words("草稿已保存并存证。", "Draft saved and sealed."),
    "handed": Words("已签字交班，等待接班人确认。", "Signed and handed over. The next shift has not taken over yet."),
    "taken": Words("已接班并存证。", "Taken over and sealed."),
    "withdrawn": Words("已撤回，内容恢复为草稿。", "Withdrawn. The notes are a draft again."),
}


def handover_routes(app: FastAPI, pages: Pages, handovers: Handovers, head: Callable[[], LogHead]) -> None:
    """Add the pages. `head()` stands above every file."""
    _page_routes(app, pages, handovers, head)
    _going_routes(app, pages, handovers)
    _coming_routes(app, pages, handovers)


def _page_routes(app: FastAPI, pages: Pages, handovers: Handovers, head: Callable[[], LogHead]) -> None:
    @app.get("/handover")
    async def handover_page(request: Request) -> Response:
        """The page of the handover that is being written."""
        require(request, Role.VIEWER)
        return await _shown(request, pages, handovers)

    @app.get("/handover/{name}")
    async def past_handover(request: Request, name: str) -> Response:
        """A past handover, as a page or as a file."""
        require(request, Role.VIEWER)
        number, _, kind = name.partition(".")
        found = await _found(handovers, number)
        if not kind:
            return pages.render(request, "handover_past.html", handover=found)
        return await _file(found, kind, head())


def _going_routes(app: FastAPI, pages: Pages, handovers: Handovers) -> None:
    @app.post("/handover/save")
    async def save(request: Request) -> Response:
        """Save what was written so far; it may be changed."""
        user, form = signer(require(request, Role.SUPERVISOR)), await pages.form(request)
        doing = handovers.save(form.get("notes", ""), user, seen_versions(form))
        return await _done(request, pages, handovers, doing, "saved", form)

    @app.post("/handover/hand")
    async def hand(request: Request) -> Response:
        """Hand over: what was written stands from now on."""
        user, form = signer(require(request, Role.SUPERVISOR)), await pages.form(request)
        doing = handovers.hand(form.get("notes", ""), user, seen_versions(form))
        return await _done(request, pages, handovers, doing, "handed", form)


def _coming_routes(app: FastAPI, pages: Pages, handovers: Handovers) -> None:
    @app.post("/handover/{name}/take")
    async def take(request: Request, name: str) -> Response:
        """Take over, as the person of the next shift."""
        user, form = signer(require(request, Role.SUPERVISOR)), await pages.form(request)
        doing = handovers.take(_number(name), form.get("remark", ""), user)
        return await _done(request, pages, handovers, doing, "taken", form)

    @app.post("/handover/{name}/withdraw")
    async def withdraw(request: Request, name: str) -> Response:
        """Withdraw a handover that nobody has taken yet."""
        user, form = signer(require(request, Role.SUPERVISOR)), await pages.form(request)
        return await _done(request, pages, handovers, handovers.withdraw(_number(name), user), "withdrawn", form)


async def _file(found: Handover, kind: str, head: LogHead) -> Response:
    if found.handed is None or kind not in ("pdf", "json"):
        return error_answer(404, "no_such_file", "没有这个文件", "expected a signed handover as .pdf or .json", "name")
    name = f"handover-{found.number}.{kind}"
    headers = {"content-disposition": f'inline; filename="{name}"', "x-content-sha256": found.handed.sha256}
    if kind == "json":
        return Response(found.handed.body, media_type="application/json", headers=headers)
    body = await asyncio.to_thread(paper_pdf, printed_handover(found, head))
    return Response(body, media_type="application/pdf", headers=headers)


def printed_handover(found: Handover, head: LogHead) -> PrintedPaper:
    """As it goes on paper, in Chinese."""
    handed, taken = found.handed, found.taken
    facts = (
        ("工程名称", head.site_zh),
        ("项目编号", head.project_code),
        ("编号", f"第 {found.number} 号"),
        ("数据截至", local_day_time(found.sheet.until_ns)),
        ("交班人", f"{handed.user}，{local_day_time(handed.kept_at_ns)}" if handed else "未签字"),
        ("接班人", f"{taken.user}，{local_day_time(taken.kept_at_ns)}" if taken else "未接班"),
        ("交班存证", f"SHA-256 {handed.sha256}，第 {handed.seq} 号记录" if handed else "未存证"),
        ("接班存证", f"SHA-256 {taken.sha256}，第 {taken.seq} 号记录" if taken else "未存证"),
    )
    remark = str(taken.content.get("remark", "")) if taken else ""
    written = (Written("交班说明", found.notes), Written("接班人意见", remark))
    return PrintedPaper("交接班记录", facts, written, found.sheet, ("交班人", "接班人"), f"交接班第 {found.number} 号")


async def _done(
    request: Request,
    pages: Pages,
    handovers: Handovers,
    doing: Awaitable[object],
    done: str,
    form: Mapping[str, str],
) -> Response:
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            await doing
    except OFFICE_ERRORS as error:
        return await _shown(request, pages, handovers, fault_of(error), form)
    return RedirectResponse(f"/handover?done={done}", 303)


async def _shown(
    request: Request,
    pages: Pages,
    handovers: Handovers,
    fault: Fault | None = None,
    form: Mapping[str, str] | None = None,
) -> Response:
    try:
        found = await handovers.open()
    except PaperDamagedError as error:
        raise _damaged(error) from None
    typed = form or {}
    if "notes" in typed and found.state is not HandoverState.HANDED:
        found = replace(found, notes=typed["notes"])
    past = await asyncio.to_thread(handovers.past, PAST)
    return pages.render(
        request,
        "handover.html",
        fault.status if fault else 200,
        handover=found,
        past=[(number_of(head), head) for head in past],
        fault=fault,
        remark=typed.get("remark", ""),
        most=MAX_CHARACTERS,
        notice=pages.done(request, NOTICES),
    )


async def _found(handovers: Handovers, name: str) -> Handover:
    try:
        found = await handovers.handover(_number(name))
    except PaperDamagedError as error:
        raise _damaged(error) from None
    if found.handed is None:
        raise _no_such()
    return found


def _damaged(error: PaperDamagedError) -> RefusedError:
    words = fault_of(error).words
    return RefusedError(500, "paper_damaged", words.zh, words.en)


def _no_such() -> RefusedError:
    return RefusedError(404, "no_such_handover", "没有这份交接班记录", "no handover has this number", "number")


def _number(name: str) -> int:
    if not name.isdecimal() or len(name) > 8 or int(name) < 1:
        raise _no_such()
    return int(name)
