"""Docking with platforms above the desk: the page and its two commands.

    GET  /docking                  every platform: last accepted, queue, trouble; what was refused, in its words
    POST /docking/{name}/now       end the pause after trouble
    POST /docking/{name}/again     send one refused record again, with a reason

In: forms. Out: a page and redirects. Counts and rows are those of the viewer's scope.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.parts.docking.office import RETRIERS, DockingOffice


def docking_pages(office: DockingOffice, app: FastAPI, pages: Pages) -> None:
    """The routes."""

    @app.get("/docking")
    def shown(request: Request) -> Response:
        """The page with every platform, what waits and what was refused."""
        actor = pages.actor(request)
        known: dict[str, Any] = {"lanes": office.lanes(actor), "refused": office.refused(actor)}
        return pages.render(request, "docking.html", may_retry=actor.has(*RETRIERS), **known)

    @app.post("/docking/{name}/now")
    def now(request: Request, name: str, form: Form) -> Response:  # noqa: ARG001 - the form is checked
        """Try a platform at once, before its time."""
        office.try_now(pages.actor(request), name, pages.now_ns())
        return RedirectResponse("/docking", 303)

    @app.post("/docking/{name}/again")
    def again(request: Request, name: str, form: Form) -> Response:
        """Queue once more what a platform has refused."""
        actor = pages.actor(request)
        office.send_again(actor, name, form.get("key"), form.get("because").strip(), pages.now_ns())
        return RedirectResponse("/docking", 303)
