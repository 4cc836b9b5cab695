"""Scores: the list with its reasons, one project with all its factors, and how it is computed."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.texts import read_word
from regulator.base.web.act_door import ActDoor
from regulator.parts.supervision.risk import Band, Factor
from regulator.parts.supervision.risk_file import RiskFile
from regulator.parts.supervision.risk_view import RiskFilters, risk_of, risk_page
from regulator.parts.supervision.supervision_door import Code, Words


def risk_pages(app: FastAPI, door: ActDoor, file: RiskFile) -> None:
    """Add every route below `/risk` to the application."""
    pages = door.pages

    @app.get("/risk")
    def scores(request: Request, after: Words = "") -> Response:
        """The page with the risk scores of projects."""
        actor, asked = pages.actor(request), request.query_params
        chosen = {name: asked.get(name, "")[:100] for name in ("band", "region", "factor", "q")}
        with door.reading() as db:
            page = risk_page(db, actor, _filters(chosen), after)
        names = {factor: file.rule(factor.value) for factor in Factor}
        return pages.render(
            request, "supervision_risk.html", page=page, chosen=chosen, bands=list(Band), names=names, file=file
        )

    @app.get("/risk/how")
    def how(request: Request) -> Response:
        """The page that says how the score is made."""
        pages.actor(request)
        names = {factor: file.rule(factor.value) for factor in Factor}
        return pages.render(request, "supervision_risk_how.html", names=names, file=file)

    @app.get("/risk/projects/{code}")
    def one(request: Request, code: Code) -> Response:
        """The page of one project's score, factor by factor."""
        actor = pages.actor(request)
        with door.reading() as db:
            found = risk_of(db, actor, code)
        names = {factor: file.rule(factor.value) for factor in Factor}
        return pages.render(
            request, "supervision_risk_project.html", found=found, code=code, names=names, file=file, band_of=Band.of
        )


def _filters(chosen: dict[str, str]) -> RiskFilters:
    factors = {factor.value: factor for factor in Factor}
    return RiskFilters(
        band=read_word(Band, chosen["band"], "band") if chosen["band"] else None,
        region=chosen["region"].strip(),
        factor=factors.get(chosen["factor"]),
        words=chosen["q"].strip(),
    )
