"""Permits and warnings of the desk: the list, one with every site's state, and the forms that enter and withdraw them.

    GET  /permits                    list and forms
    GET  /permits/{notice_id}        one notice, every project of the viewer's scope
    POST /permits/permit | warning   entered, and posted to every box of the target
    POST /permits/{notice_id}/withdraw

In: forms. Out: pages and redirects. After a mistake the page comes again with what was typed.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from kit.words import Words
from regulator.base.model.actor import Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.parts.site.notice import MOST_LABEL, MOST_WORDS, Notice, new_permit, new_warning
from regulator.parts.site.office import ISSUERS, SUPERVISION, Arrival, NoticeOffice
from screens.days import typed_moment_ns

LEVELS: Final = {level.value: level for level in (Level.PROVINCE, Level.CITY, Level.COUNTY, Level.FIRM, Level.PROJECT)}
WORKS: Final = ("erection_dismantling", "climbing", "hot_work")
KINDS: Final = ("wind", "rainstorm", "lightning", "heat")
GRADES: Final = ("blue", "yellow", "orange", "red")
PERMIT_FIELDS: Final = ("number", "work", "asset", "place", "holder", "issued_by", "reason")
WARNING_FIELDS: Final = ("kind", "level", "source", "words")
COMMON_FIELDS: Final = ("project_code", "target_level", "target_code", "valid_from", "valid_until")
NOTICES: Final = {
    "entered": Words(
        "已录入。以下方监控主机确认为准，未确认的工地尚不知晓。",
        "Entered. A site knows it once its box has confirmed below.",
    ),
    "withdrawn": Words("已撤销，并通知所有曾发送的工地。", "Withdrawn. Every site that received it is told."),
}
NoticeId = Annotated[str, Path(pattern=r"^desk-[a-z_]+-[0-9a-f]{16}$")]


def notice_pages(office: NoticeOffice, app: FastAPI, pages: Pages) -> None:
    """List, one notice, forms."""
    _entry_routes(app, pages, office)
    _page_routes(app, pages, office)


def _page_routes(app: FastAPI, pages: Pages, office: NoticeOffice) -> None:
    @app.get("/permits")
    def listed(request: Request) -> Response:
        return _list(request, pages, office)

    @app.get("/permits/{notice_id}")
    def shown(request: Request, notice_id: NoticeId) -> Response:
        return _one(request, pages, office, notice_id)


def _entry_routes(app: FastAPI, pages: Pages, office: NoticeOffice) -> None:
    @app.post("/permits/permit")
    def permit(request: Request, form: Form) -> Response:
        return _enter(request, pages, office, form, warning=False)

    @app.post("/permits/warning")
    def warning(request: Request, form: Form) -> Response:
        return _enter(request, pages, office, form, warning=True)

    @app.post("/permits/{notice_id}/withdraw")
    def withdraw(request: Request, notice_id: NoticeId, form: Form) -> Response:
        try:
            office.withdraw(notice_id, form.get("reason"), pages.actor(request), pages.now_ns())
        except RefusedError as refused:
            if refused.status != 422:
                raise
            return _one(request, pages, office, notice_id, refused)
        return RedirectResponse(f"/permits/{notice_id}?done=withdrawn", 303)


def _enter(request: Request, pages: Pages, office: NoticeOffice, form: Mapping[str, str], *, warning: bool) -> Response:
    actor = pages.actor(request)
    try:
        notice = _warning(form) if warning else _permit(form)
        target = _target(form) if warning else Scope(Level.PROJECT, form.get("project_code", "").strip())
        notice_id = office.enter(notice, target, actor, pages.now_ns())
    except RefusedError as refused:
        if refused.status not in (404, 422):
            raise
        return _list(request, pages, office, refused, form)
    return RedirectResponse(f"/permits/{notice_id}?done=entered", 303)


def _list(
    request: Request,
    pages: Pages,
    office: NoticeOffice,
    fault: RefusedError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    actor = pages.actor(request)
    return pages.render(
        request,
        "site_notices.html",
        fault.status if fault else 200,
        listed=office.listed(actor),
        may_enter=actor.level in SUPERVISION and actor.has(*ISSUERS),
        fault=fault,
        permit_typed=_typed(typed, "work", PERMIT_FIELDS),
        warning_typed=_typed(typed, "level", WARNING_FIELDS),
        **_choices(),
    )


def _one(
    request: Request, pages: Pages, office: NoticeOffice, notice_id: str, fault: RefusedError | None = None
) -> Response:
    actor = pages.actor(request)
    found, rows = office.shown(notice_id, actor)
    return pages.render(
        request,
        "site_notice.html",
        fault.status if fault else 200,
        found=found,
        rows=rows,
        may_withdraw=actor.level in SUPERVISION and actor.has(*ISSUERS) and not found.notice.withdrawn,
        fault=fault,
        notice=pages.done(request, NOTICES),
        **_choices(),
    )


def _typed(form: Mapping[str, str] | None, mark: str, names: tuple[str, ...]) -> dict[str, str]:
    """What stood in a form that was not taken; empty when it was the other form."""
    said = form if form is not None and mark in form else {}
    return {name: said.get(name, "") for name in (*names, *COMMON_FIELDS)}


def _choices() -> dict[str, Any]:
    return {
        "works": WORKS,
        "kinds": KINDS,
        "grades": GRADES,
        "arrivals": tuple(Arrival),
        "most_label": MOST_LABEL,
        "most_words": MOST_WORDS,
    }


def _permit(form: Mapping[str, str]) -> Notice:
    return new_permit({name: form.get(name, "") for name in PERMIT_FIELDS} | _span(form))


def _warning(form: Mapping[str, str]) -> Notice:
    return new_warning({name: form.get(name, "") for name in WARNING_FIELDS} | _span(form))


def _span(form: Mapping[str, str]) -> dict[str, Any]:
    return {f"{name}_ns": _moment(form.get(name, ""), name) for name in ("valid_from", "valid_until")}


def _moment(said: str, field: str) -> int:
    """A time as a browser's field gives it, on the site's clock; UTC ns."""
    at_ns = typed_moment_ns(said)
    if at_ns is None:
        raise RefusedError(422, "bad_time", "请填写日期和时间", "give a date and a time", field)
    return at_ns


def _target(form: Mapping[str, str]) -> Scope:
    level = LEVELS.get(form.get("target_level", ""))
    if level is None:
        raise RefusedError(422, "bad_target", "请选择发布范围", "choose whom it is for", "target")
    code = form.get("target_code", "").strip()
    if not code and level is not Level.PROVINCE:
        raise RefusedError(422, "bad_target", "请填写范围代码", "give the code of the range", "target")
    return Scope(level, code)
