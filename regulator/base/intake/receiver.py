"""A receiving regulator by itself: the contract's addresses, figures, and one page to look at; no people, no desk.

In: HTTP requests of boxes. Out: signed replies, and the contract's error shape for whatever HTTP itself refuses.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from contract.faults import ContractFault, NotFound
from contract.signing import SignKey
from regulator.base.intake.contract_routes import add_contract, http_answer
from regulator.base.intake.part_shelf import PartShelf
from regulator.base.intake.read_page import HEADERS, read_page
from regulator.base.intake.reception import Reception
from regulator.base.intake.store import ReceiverStore

NEWEST_ALERTS = 50


def receiver_app(
    store: ReceiverStore, signing_key: SignKey, shelf: PartShelf, *, now_ns: Callable[[], int] = time.time_ns
) -> FastAPI:
    """The application. `app.state.reception` is the contract's end behind it; the store stays the caller's to close."""
    reception = Reception(store, signing_key, shelf, now_ns)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        reception.open()
        yield
        reception.close()

    app = FastAPI(title="Receiving regulator", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.reception = reception
    add_contract(app, reception)
    _add_reading(app, store, reception)

    async def refuse(_request: HttpRequest, error: Exception) -> Response:
        fault = NotFound() if isinstance(error, HTTPException) else ContractFault()
        status = error.status_code if isinstance(error, HTTPException) else fault.status
        return http_answer(reception.refuse(fault), status)

    app.add_exception_handler(HTTPException, refuse)
    return app


def _add_reading(app: FastAPI, store: ReceiverStore, reception: Reception) -> None:
    @app.get("/v1/stats")
    def stats() -> dict[str, int]:
        refused = {f"refused_{code}": count for code, count in sorted(reception.refused.items())}
        return store.stats() | {"polls_waiting": reception.polls_waiting} | refused

    @app.get("/")
    def page() -> HTMLResponse:
        alerts = store.alerts(NEWEST_ALERTS)
        shown = read_page(store.boxes(), alerts, store.stats(), store.media_of(alerts))
        return HTMLResponse(shown, headers=HEADERS)
