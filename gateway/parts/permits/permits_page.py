"""Permits and warnings (许可与预警): what is allowed now, what is coming, what is to be checked after a storm.

    GET  /permits
    POST /permits/permit            a permit                             SAFETY_OFFICER
    POST /permits/permit/{seq}/withdraw                                  SAFETY_OFFICER
    POST /permits/warning           a warning the site has heard of      SAFETY_OFFICER
    POST /permits/warning/{seq}/withdraw                                 SAFETY_OFFICER
    POST /permits/warning/{seq}/acknowledge                              SUPERVISOR
    POST /permits/check             one thing checked after a storm      SAFETY_OFFICER

`seq` is the record of the version that the page showed: an older one is refused. In: the permit desk. Out: pages.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.model.errors import StoreError
from gateway.model.permit import WorkKind, WorkPermit
from gateway.model.weather import WarningKind, WarningLevel, WeatherWarning
from gateway.parts.permits.desk import MAX_WORDS, EntryRefusedError, NewPermit, NewWarning, PermitDesk
from gateway.parts.permits.register import SCAFFOLD
from gateway.parts.shift.office_fault import Fault, signer
from gateway.web.pages import Pages
from gateway.web.visitor import RefusedError, Role, require
from kit.words import Words
from screens.formats import SITE_ZONE

KEPT_WITHIN_S = 30.0
MOST_ROWS = 100
SECOND_NS = 1_000_000_000
NOTICES = {
    "permit": Words("许可已录入并存证。", "Permit entered and sealed."),
    "warning": Words("预警已录入并存证。", "Warning entered and sealed."),
    "withdrawn": Words("已撤销并存证。", "Withdrawn and sealed."),
    "acknowledged": Words("预警已签收并存证。", "Warning acknowledged and sealed."),
    "checked": Words("检查结果已录入并存证。", "Check entered and sealed."),
}
SPAN_FIELDS = ("valid_from", "valid_until")
PERMIT_FIELDS = ("number", "work", "asset", "place", "holder", "issued_by", "reason", *SPAN_FIELDS)
WARNING_FIELDS = ("kind", "level", "source", "words", *SPAN_FIELDS)
Doing = Callable[[], Coroutine[Any, Any, int]]
"""Something to be done once; making it may refuse already."""
Choice = TypeVar("Choice", bound=StrEnum)
Issued = TypeVar("Issued", WorkPermit, WeatherWarning)
SCAFFOLD_WORDS = Words("脚手架、模板支架", "Scaffolds and formwork supports")


def permit_routes(app: FastAPI, pages: Pages, desk: PermitDesk) -> None:
    """Add the page and its forms."""

    @app.get("/permits")
    async def permits_page(request: Request) -> Response:
        """The page with the permits and warnings of the site."""
        require(request, Role.VIEWER)
        return _shown(request, pages, desk)

    _entry_routes(app, pages, desk)
    _withdrawal_routes(app, pages, desk)
    _answer_routes(app, pages, desk)


def _entry_routes(app: FastAPI, pages: Pages, desk: PermitDesk) -> None:
    @app.post("/permits/permit")
    async def permit(request: Request) -> Response:
        """Enter a permit that somebody has given on paper."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        return await _done(request, pages, desk, form, lambda: desk.enter_permit(_permit(form), user), "permit")

    @app.post("/permits/warning")
    async def warning(request: Request) -> Response:
        """Enter a warning of the weather service by hand."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        return await _done(request, pages, desk, form, lambda: desk.enter_warning(_warning(form), user), "warning")


def _withdrawal_routes(app: FastAPI, pages: Pages, desk: PermitDesk) -> None:
    @app.post("/permits/permit/{seq}/withdraw")
    async def withdraw_permit(request: Request, seq: str) -> Response:
        """Withdraw a permit: it covers nothing from now on."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        found, reason = _of_seq(desk.register.permits, seq), form.get("reason", "")
        doing = desk.withdraw_permit
        return await _done(request, pages, desk, form, lambda: doing(found.permit_id, user, reason), "withdrawn")

    @app.post("/permits/warning/{seq}/withdraw")
    async def withdraw_warning(request: Request, seq: str) -> Response:
        """Withdraw a warning: it is over from now on."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        found, reason = _of_seq(desk.register.warnings, seq), form.get("reason", "")
        doing = desk.withdraw_warning
        return await _done(request, pages, desk, form, lambda: doing(found.warning_id, user, reason), "withdrawn")


def _answer_routes(app: FastAPI, pages: Pages, desk: PermitDesk) -> None:
    @app.post("/permits/warning/{seq}/acknowledge")
    async def acknowledge(request: Request, seq: str) -> Response:
        """Note that a person of the site has seen the warning."""
        user, form = signer(require(request, Role.SUPERVISOR)), await pages.form(request)
        found, words = _of_seq(desk.register.warnings, seq), form.get("words", "")
        doing = desk.acknowledge
        known = found.warning_id, found.version
        return await _done(request, pages, desk, form, lambda: doing(*known, user, words), "acknowledged")

    @app.post("/permits/check")
    async def check(request: Request) -> Response:
        """Note that a check after the weather was done."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        item, words = form.get("item", ""), form.get("words", "")
        if item not in desk.register.items() or form.get("result") not in ("sound", "unsound"):
            raise RefusedError(422, "bad_check", "请选择检查项和结果", "choose what was checked and the result", "item")
        sound = form["result"] == "sound"
        return await _done(request, pages, desk, form, lambda: desk.check(item, user, words, sound=sound), "checked")


async def _done(
    request: Request, pages: Pages, desk: PermitDesk, form: Mapping[str, str], doing: Doing, done: str
) -> Response:
    """Back to the page with a notice; after a mistake the page again, with what was typed."""
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            await asyncio.shield(asyncio.create_task(doing()))
    except EntryRefusedError as error:
        return _shown(request, pages, desk, _fault(error), form)
    except (StoreError, TimeoutError):
        words = Words("尚未写入，请勿关闭设备，稍后再看。", "Not on the disk yet: do not switch off, look again.")
        return _shown(request, pages, desk, Fault(503, words), form)
    return RedirectResponse(f"/permits?done={done}", 303)


def _shown(
    request: Request,
    pages: Pages,
    desk: PermitDesk,
    fault: Fault | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    register, now_ns = desk.register, pages.now_ns()
    titles = {asset.asset: Words(asset.title_zh, asset.title_en) for asset in pages.view.parts.assets}
    return pages.render(
        request,
        "permits.html",
        fault.status if fault else 200,
        permits=register.permits[:MOST_ROWS],
        warnings=[(each, register.acknowledgement(each)) for each in register.warnings[:MOST_ROWS]],
        items=[(item, register.checked(item, now_ns), register.checks.get(item, ())) for item in register.items()],
        storm_end_ns=register.storm_end_ns(now_ns),
        storm_now=register.storm_now(now_ns),
        heard=register.source_heard(now_ns),
        cranes=desk.cranes(),
        titles=titles | {SCAFFOLD: SCAFFOLD_WORDS},
        works=tuple(WorkKind),
        kinds=tuple(WarningKind),
        levels=tuple(WarningLevel),
        fault=fault,
        permit_typed=_typed(typed, "work", PERMIT_FIELDS),
        warning_typed=_typed(typed, "level", WARNING_FIELDS),
        most=MAX_WORDS,
        asked_ns=now_ns,
        notice=pages.done(request, NOTICES),
    )


def _typed(form: Mapping[str, str] | None, mark: str, names: tuple[str, ...]) -> dict[str, str]:
    """What stood in a form that was not taken; empty when it was another one."""
    said = form if form is not None and mark in form else {}
    return {name: said.get(name, "") for name in names}


def _permit(form: Mapping[str, str]) -> NewPermit:
    return NewPermit(
        number=form.get("number", ""),
        work=_chosen(WorkKind, form.get("work", ""), "work"),
        asset=form.get("asset", "") if form.get("work") != WorkKind.HOT_WORK else "",
        place=form.get("place", ""),
        holder=form.get("holder", ""),
        issued_by=form.get("issued_by", ""),
        valid_from_ns=_moment(form, "valid_from"),
        valid_until_ns=_moment(form, "valid_until"),
        reason=form.get("reason", ""),
    )


def _warning(form: Mapping[str, str]) -> NewWarning:
    level = form.get("level", "").upper()
    if level not in WarningLevel.__members__:
        raise EntryRefusedError("bad_choice", "请选择预警等级", "choose the level", "level")
    return NewWarning(
        kind=_chosen(WarningKind, form.get("kind", ""), "kind"),
        level=WarningLevel[level],
        source=form.get("source", ""),
        words=form.get("words", ""),
        valid_from_ns=_moment(form, "valid_from"),
        valid_until_ns=_moment(form, "valid_until"),
    )


def _chosen(choices: type[Choice], said: str, field: str) -> Choice:
    try:
        return choices(said)
    except ValueError:
        raise EntryRefusedError("bad_choice", "请选择类别", "choose the kind", field) from None


def _moment(form: Mapping[str, str], field: str) -> int:
    """A time as a browser's field gives it, on the site's clock; UTC ns."""
    try:
        at = datetime.fromisoformat(form.get(field, ""))
    except ValueError:
        raise EntryRefusedError("bad_time", "请填写日期和时间", "give a date and a time", field) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=SITE_ZONE)
    return int(at.timestamp()) * SECOND_NS


def _of_seq(found: Sequence[Issued], seq: str) -> Issued:
    """What the page showed; a version that another took the place of is no more."""
    for each in found:
        if str(each.seq) == seq:
            return each
    raise RefusedError(409, "changed_meanwhile", "内容已更新，请重新打开页面", "it has changed: open the page again")


def _fault(error: EntryRefusedError) -> Fault:
    changed = error.code in ("warning_changed", "withdrawn_already", "not_the_sites", "storm_goes_on")
    return Fault(409 if changed else 422, Words(error.words_zh + "。", error.words_en + "."), error.field)
