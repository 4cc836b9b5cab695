"""R8's part on the funnel, R10 (false alarms, agreement, labels), the verdicts that stand, and the site checks."""

from typing import Annotated, Final

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from kit.web.published_pages import takes_form
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form
from regulator.base.web.page_table import ZIP
from regulator.base.web.pages import Pages
from regulator.parts.review.judgement import FalseReason
from regulator.parts.review.labels import LabelKind
from regulator.parts.review.office import ReviewOffice
from regulator.parts.review.rates import FEWEST
from regulator.parts.review.review_answers import LabelsFile
from regulator.parts.review.site_checks import Outcome, Seen
from screens.published import Json, operation

DAYS: Final = (1, 7, 30)
FILES: Final = {
    LabelKind.COCO: ("labels-coco.json", "application/json"),
    LabelKind.YOLO: ("labels-yolo.zip", "application/zip"),
}


def quality_pages(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    """The pages around the desk itself."""
    _figures(app, pages, office)
    _samples(app, pages, office)
    _checks(app, pages, office)


def _figures(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    @app.get("/review/figures")
    def figures(request: Request, days: Annotated[int, Query(ge=1, le=366)] = 30) -> Response:
        found = office.funnel(pages.actor(request), pages.now_ns(), days)
        return pages.render(request, "review_figures.html", found=found, days=days, choices=DAYS)

    @app.get("/review/shelf")
    def shelf(request: Request) -> Response:
        rows = office.shelved(pages.actor(request), pages.now_ns())
        return pages.render(request, "review_shelf.html", rows=rows)

    @app.get("/review/judged")
    def judged(request: Request) -> Response:
        rows = office.judged_lately(pages.actor(request))
        return pages.render(request, "review_judged.html", rows=rows)


def _samples(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    @app.get("/samples")
    def samples(request: Request) -> Response:
        found = office.quality(pages.actor(request), pages.now_ns())
        return pages.render(request, "review_samples.html", found=found, fewest=FEWEST, reasons=list(FalseReason))

    @app.post("/samples/export", **_exported())
    def export(request: Request, form: Form) -> Response:
        kind = _kind(form["kind"])
        content = office.export_labels(pages.actor(request), kind, pages.now_ns())
        name, media_type = FILES[kind]
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(content, media_type=media_type, headers=headers)


def _checks(app: FastAPI, pages: Pages, office: ReviewOffice) -> None:
    @app.get("/review/checks")
    def checks(request: Request) -> Response:
        return pages.render(request, "review_checks.html", rows=office.checks(pages.actor(request)))

    @app.post("/review/checks/{item_id}")
    def checked(request: Request, item_id: Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")], form: Form) -> Response:
        seen = Seen(_outcome(form["outcome"]), form["words"])
        office.checked(pages.actor(request), item_id, seen, pages.now_ns())
        return RedirectResponse("/review/checks", 303)


def _exported() -> Json:
    """COCO is JSON, YOLO a zip."""
    known = operation("review", "Labels of judged pictures", LabelsFile) | takes_form("kind")
    known["responses"][200]["content"] |= ZIP.content()
    return known


def _kind(text: str) -> LabelKind:
    try:
        return LabelKind(text)
    except ValueError:
        raise RefusedError(422, "no_such_kind", "没有这种格式", "expected coco or yolo", "kind") from None


def _outcome(text: str) -> Outcome:
    try:
        return Outcome(text)
    except ValueError:
        raise RefusedError(422, "no_such_outcome", "没有这种结论", "expected found or not_found", "outcome") from None
