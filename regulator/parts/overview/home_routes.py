"""The first page: what is open, late, silent and waiting for whoever looks, within their scope.

GET /     every figure links to the list that it counts; what nobody knows stands as unknown
"""

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.days import day_of
from regulator.base.desk import Desk
from regulator.base.model.actor import Duty
from regulator.base.web.pages import Pages
from regulator.parts.overview.figures import hazard_piles, key_risk_figure, open_findings, set_figure, to_review
from regulator.parts.overview.kept import KeptStanding
from regulator.parts.overview.mine import waits_for
from regulator.parts.overview.regions import places
from regulator.parts.registry.projects.guarantors import count_lacking
from screens.formats import site_time

REVIEWERS: Final = (Duty.REVIEWER, Duty.APPROVER, Duty.INSPECTOR)
"""Who may open the review desk; others see its counts without the way there."""


def home_page(desk: Desk, kept: KeptStanding, app: FastAPI, pages: Pages) -> None:
    """GET /"""

    @app.get("/")
    def first_page(request: Request) -> Response:
        actor, now_ns = pages.actor(request), pages.now_ns()
        today = day_of(now_ns)
        with desk.database.reading() as db:
            told = kept.told(db, actor.scope, now_ns)
            figures: dict[str, Any] = {
                "waiting": waits_for(db, actor, now_ns),
                "review": to_review(db, actor, now_ns),
                "piles": hazard_piles(db, actor, now_ns),
                "project_set": set_figure(told.standing),
                "set_at_ns": told.at_ns,
                "findings": open_findings(db, actor),
                "key_risk": key_risk_figure(db, actor.scope, today),
                "lacking": count_lacking(db, actor.scope),
                "places": places(db, actor, told.standing, now_ns),
            }
        may_review = actor.has(*REVIEWERS)
        weekday = site_time(now_ns).weekday()
        return pages.render(request, "home.html", may_review=may_review, weekday=weekday, **figures)
