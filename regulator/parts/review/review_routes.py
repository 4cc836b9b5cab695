"""R2, the review desk's addresses: the queue, an item, leases, verdicts, sheets.

Answers are JSON for the page's script, and a page or a way back for a browser without one.
"""

from typing import Annotated, Final

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from kit.web.published_pages import LEADS_ON, takes_form
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.parts.review.judgement import FalseReason, Verdict, read_judgement
from regulator.parts.review.office import ReviewOffice
from regulator.parts.review.queue import Wanted, read_place
from regulator.parts.review.review_answers import (
    DoneAnswer,
    DossierAnswer,
    JudgedAnswer,
    LeaseAnswer,
    QueueAnswer,
    SheetAnswer,
    SheetJudgedAnswer,
    UndoneAnswer,
)
from regulator.parts.review.review_pages import quality_pages
from regulator.parts.review.review_rows import dossier_json, judged_json, lease_json, queue_json, sheet_json
from regulator.parts.review.series import draw
from regulator.parts.review.shelf import HOURS, read_shelf_request
from regulator.parts.review.spans import SpanName
from screens.answers import json_answer
from screens.formats import local_day_time
from screens.published import SVG, Answer, Json, Media, operation

PICTURE_AGE_S: Final = 3600
MAX_WORDS: Final = 100
ItemId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
Words = Annotated[str, Query(max_length=MAX_WORDS, pattern=r"^[^\x00]*$")]
KEPT: Final = {"cache-control": f"private, max-age={PICTURE_AGE_S}"}


NO_ITEM: Final = {404: "Nothing in the scope has this id"}
THUMBNAIL: Final = Media(("image/jpeg", "image/png", "image/webp"), "A picture", text=False)


def _command(summary: str, answer: type[Answer], form: str) -> Json:
    """A form of the page's script."""
    errors = NO_ITEM | {409: "How the item stands does not allow this"}
    return operation("review", summary, answer, errors) | takes_form(form)


def _form(summary: str, answer: type[Answer], form: str) -> Json:
    """The same, which a browser without a script may send, too."""
    known = _command(summary, answer, form)
    return known | {"responses": known["responses"] | {303: LEADS_ON}}


def review_pages(office: ReviewOffice, app: FastAPI, pages: Pages) -> None:
    """All of them."""
    _pages(app, pages, office)
    _items(app, pages, office)
    _judging(app, pages, office)
    _sheets(app, pages, office)
    quality_pages(app, pages, office)


def _pages(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    """The page, and the same without script: a list, and an item a page."""

    @app.get("/review")
    def review(request: Request, q: Words = "") -> Response:
        actor, now_ns = pages.actor(request), pages.now_ns()
        page, waiting = office.queue(actor, now_ns, Wanted(q), None), office.waiting(actor, now_ns)
        reasons = list(FalseReason)
        return pages.render(request, "review_desk.html", page=page, waiting=waiting, q=q, reasons=reasons, hours=HOURS)

    @app.get("/review/items/{item_id}")
    def item(request: Request, item_id: ItemId) -> Response:
        found = office.dossier(pages.actor(request), item_id, pages.now_ns())
        return pages.render(
            request, "review_item.html", found=found, reasons=list(FalseReason), Verdict=Verdict, hours=HOURS
        )


def _items(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    """What the script asks for."""

    @app.get("/review/queue", **operation("review", "The queue, the most urgent first", QueueAnswer))
    def queue(
        request: Request,
        q: Words = "",
        project: Words = "",
        after: Words = "",
    ) -> Response:
        actor, now_ns = pages.actor(request), pages.now_ns()
        page = office.queue(actor, now_ns, Wanted(q, project), read_place(after))
        return json_answer(queue_json(page, office.waiting(actor, now_ns), now_ns))

    @app.get("/review/items/{item_id}/facts", **operation("review", "All of one item", DossierAnswer, NO_ITEM))
    def facts(request: Request, item_id: ItemId) -> Response:
        return json_answer(dossier_json(office.dossier(pages.actor(request), item_id, pages.now_ns())))

    @app.get("/review/items/{item_id}/thumbnail", **operation("review", "Its small picture", THUMBNAIL, NO_ITEM))
    def thumbnail(request: Request, item_id: ItemId) -> Response:
        found = office.thumbnail(pages.actor(request), item_id)
        if found is None:
            raise RefusedError(404, "no_picture", "没有画面", "there is no picture", "item_id")
        return Response(found[0], media_type=found[1], headers=KEPT)

    @app.get("/review/items/{item_id}/curve.svg", **operation("review", "Its curve", SVG, NO_ITEM))
    def curve(
        request: Request, item_id: ItemId, span: Annotated[str, Query(pattern="^(close|wide)$")] = "wide"
    ) -> Response:
        chinese = pages.language(request) == "zh-CN"
        picture = draw(office.series(pages.actor(request), item_id, SpanName(span)), chinese=chinese)
        return Response(picture, media_type="image/svg+xml", headers={"cache-control": "private, max-age=60"})


def _judging(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    """Leases and verdicts."""

    @app.post("/review/items/{item_id}/lease", **_command("Take it, and let another go", LeaseAnswer, "let_go?"))
    def lease(request: Request, item_id: ItemId, form: Form) -> Response:
        now_ns = pages.now_ns()
        taken = office.lease(pages.actor(request), item_id, now_ns, form.get("let_go"))
        return json_answer(lease_json(taken, now_ns))

    @app.post("/review/items/{item_id}/acknowledge", **_form("It was seen", DoneAnswer, ""))
    def acknowledge(request: Request, item_id: ItemId, form: Form) -> Response:  # noqa: ARG001 - the form is the check
        new = office.acknowledge(pages.actor(request), item_id, pages.now_ns())
        return _done(request, {"items": [item_id], "new": new})

    @app.post("/review/items/{item_id}/shelve", **_form("Put it aside", DoneAnswer, "reason hours"))
    def shelve(request: Request, item_id: ItemId, form: Form) -> Response:
        asked, now_ns = read_shelf_request(form["reason"], form["hours"]), pages.now_ns()
        until_ns = office.shelve(pages.actor(request), item_id, asked, now_ns)
        return _done(request, {"items": [item_id], "until": local_day_time(until_ns)})

    @app.post("/review/items/{item_id}/fetch-back", **_form("Fetch it back", DoneAnswer, ""))
    def fetch_back(request: Request, item_id: ItemId, form: Form) -> Response:  # noqa: ARG001 - the form is the check
        office.fetch_back(pages.actor(request), item_id, pages.now_ns())
        return _done(request, {"items": [item_id]}, "/review/shelf")

    @app.post("/review/items/{item_id}/verdict", **_form("Judge it", JudgedAnswer, "verdict reason? words? order?"))
    def verdict(request: Request, item_id: ItemId, form: Form) -> Response:
        now_ns, actor = pages.now_ns(), pages.actor(request)
        said = read_judgement(form["verdict"], form.get("reason"), form.get("words"))
        judged = office.judge(actor, item_id, said, now_ns, at_once=form.get("order") == "1")
        return _done(request, judged_json(judged, now_ns))

    @app.post("/review/items/{item_id}/undo", **_form("Take a verdict back", DoneAnswer, ""))
    def undo(request: Request, item_id: ItemId, form: Form) -> Response:  # noqa: ARG001 - the form is the check
        office.undo(pages.actor(request), item_id, pages.now_ns())
        return _done(request, {"items": [item_id]})

    @app.post("/review/items/{item_id}/reopen", **_form("Open a verdict that stands", DoneAnswer, "words"))
    def reopen(request: Request, item_id: ItemId, form: Form) -> Response:
        office.reopen(pages.actor(request), item_id, form["words"], pages.now_ns())
        return _done(request, {"items": [item_id]}, "/review/judged")


def _sheets(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    """Groups."""

    @app.post("/review/items/{item_id}/sheet", **_command("Lay out its group", SheetAnswer, ""))
    def lay_out(request: Request, item_id: ItemId, form: Form) -> Response:  # noqa: ARG001 - the form is the check
        return json_answer(sheet_json(office.lay_out(pages.actor(request), item_id, pages.now_ns())))

    @app.post(
        "/review/sheets/{sheet_id}/verdict",
        **_command("Judge them together", SheetJudgedAnswer, "verdict reason? words? item_id*"),
    )
    def verdict(request: Request, sheet_id: ItemId, form: Form) -> Response:
        now_ns = pages.now_ns()
        said = read_judgement(form["verdict"], form.get("reason"), form.get("words"))
        judged = office.judge_sheet(pages.actor(request), sheet_id, form.every("item_id"), said, now_ns)
        return json_answer({"items": [judged_json(each, now_ns) for each in judged]})

    @app.post("/review/sheets/{sheet_id}/undo", **_command("Take that back", UndoneAnswer, ""))
    def undo(request: Request, sheet_id: ItemId, form: Form) -> Response:  # noqa: ARG001 - the form is the check
        return json_answer({"undone": office.undo_sheet(pages.actor(request), sheet_id, pages.now_ns())})


def _done(request: Request, said: dict[str, object], back: str = "/review") -> Response:
    """JSON for a script; a browser that sent a form goes back to the list."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(back, 303)
    return json_answer(said)
