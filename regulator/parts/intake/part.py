"""The intake as a part of the desk: the contract's addresses, which boxes call. Signatures protect them, no login does.

In: a desk. Out: `desk.post` and `desk.shelf`, `/v1/*`, `/findings`, and `app.state.reception`, whose long polls a
stopping server ends.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Response

from contract.faults import NotFound
from regulator.base.desk import Desk
from regulator.base.intake.building import build_intake
from regulator.base.intake.contract_routes import add_contract, http_answer
from regulator.base.intake.reception import Reception
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part
from regulator.parts.intake.finding_pages import add_finding_pages

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]


def part(desk: Desk) -> Part:
    """Raises OSError or ValueError for a secret file or an address that cannot be used."""
    intake = build_intake(desk)

    def install(app: FastAPI, pages: Pages) -> None:
        add_finding_pages(desk, app, pages)
        _contract(app, intake.reception)

    return Part(install, jobs=intake.jobs)


def _contract(app: FastAPI, reception: Reception) -> None:
    app.state.reception = reception
    add_contract(app, reception)
    known = {getattr(route, "path", "") for route in app.routes}

    def nothing_here(rest: str) -> Response:
        """The contract's refusals are signed, those of HTTP itself too."""
        return http_answer(reception.refuse(NotFound()), 405 if f"/v1/{rest}" in known else 404)

    app.add_api_route("/v1/{rest:path}", nothing_here, methods=METHODS)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[Any]:
        async with inner(running) as state:
            reception.open()
            yield state
            reception.close()

    app.router.lifespan_context = lifespan
