"""Docking with platforms above the desk: the page, its two commands, the listener and the job.

    GET  /docking                  every platform: last accepted, queue, trouble; what was refused, in its words
    POST /docking/{name}/now       end the pause after trouble
    POST /docking/{name}/again     send one refused record again, with a reason

In: forms. Out: a page and redirects. Counts and rows are those of the viewer's scope.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from regulator.base.desk import Desk, Job
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.parts.docking.delivering import EVERY_S, DockingDelivery
from regulator.parts.docking.hazard_queueing import FOLLOW_EVERY_S, HazardFollowing
from regulator.parts.docking.office import RETRIERS, DockingOffice
from regulator.parts.docking.places import open_places
from regulator.parts.docking.queueing import DockingHearing


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Raises ValueError for a map or an entry of the settings that says nonsense: the desk does not start with it."""
    places = open_places(desk.settings.docking)
    office = DockingOffice(desk.database, desk.ledger, places)
    if places:
        desk.listen("alarm_transition", DockingHearing(places).hear)
        delivery = DockingDelivery(desk.database, desk.ledger, places, desk.now_ns)
        desk.jobs.append(Job("docking", EVERY_S, delivery.run))
        desk.jobs.append(Job("docking-hazards", FOLLOW_EVERY_S, HazardFollowing(desk.database, places).run))
    _routes(app, pages, office)


def _routes(app: FastAPI, pages: Pages, office: DockingOffice) -> None:
    @app.get("/docking")
    def shown(request: Request) -> Response:
        actor = pages.actor(request)
        known: dict[str, Any] = {"lanes": office.lanes(actor), "refused": office.refused(actor)}
        return pages.render(request, "docking.html", may_retry=actor.has(*RETRIERS), **known)

    @app.post("/docking/{name}/now")
    def now(request: Request, name: str, form: Form) -> Response:  # noqa: ARG001 - the form is checked
        office.try_now(pages.actor(request), name, pages.now_ns())
        return RedirectResponse("/docking", 303)

    @app.post("/docking/{name}/again")
    def again(request: Request, name: str, form: Form) -> Response:
        actor = pages.actor(request)
        office.send_again(actor, name, form.get("key"), form.get("because").strip(), pages.now_ns())
        return RedirectResponse("/docking", 303)
