"""The receiving regulator over HTTP: the contract's five addresses, figures, and one page to look at.

In: HTTP requests of boxes. Out: signed replies. Reads bodies with a limit, hands exact bytes to `Reception`, and turns
whatever HTTP itself refuses (404, 405) into the contract's error shape. Knows no rule of the contract.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from contract.envelope import ENVELOPE_HEADER, MAX_MESSAGE_BYTES, SIGNATURE_HEADER
from contract.faults import ContractFault, Malformed, NotFound, TooLarge
from contract.signing import SignKey, base64_bytes
from regulator.blob_shelf import BlobShelf
from regulator.page import HEADERS, read_page
from regulator.reception import Answer, Reception, Request
from regulator.store import ReceiverStore

MAX_PART_BYTES = 8 * 1024 * 1024
NEWEST_ALERTS = 50

Answering = Callable[[Request], Awaitable[Answer]]


def receiver_app(
    store: ReceiverStore,
    signing_key: SignKey,
    *,
    blob_folder: Path,
    max_blob_bytes: int = 256 * 1024 * 1024,
    now_ns: Callable[[], int] = time.time_ns,
) -> FastAPI:
    """The application. `app.state.reception` is the contract's end behind it; the store stays the caller's to close."""
    reception = Reception(store, signing_key, BlobShelf(blob_folder, max_blob_bytes), now_ns)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        reception.open()
        yield
        reception.close()

    app = FastAPI(title="Receiving regulator", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.reception = reception
    _add_contract(app, reception)
    _add_reading(app, store, reception)

    async def refuse(_request: HttpRequest, error: Exception) -> Response:
        fault = NotFound() if isinstance(error, HTTPException) else ContractFault()
        status = error.status_code if isinstance(error, HTTPException) else fault.status
        return _http(reception.refuse(fault), status)

    app.add_exception_handler(HTTPException, refuse)
    return app


def _add_contract(app: FastAPI, reception: Reception) -> None:
    app.add_api_route("/v1/enrol", _post(reception, reception.enrol), methods=["POST"])
    app.add_api_route("/v1/messages", _post(reception, reception.message), methods=["POST"])
    app.add_api_route("/v1/mailbox", _post(reception, reception.mailbox), methods=["POST"])
    app.add_api_route("/v1/blobs/{sha256}", _blob(reception, reception.blob), methods=["PUT"])
    app.add_api_route("/v1/blobs/{sha256}", _blob(reception, reception.blob_state), methods=["GET"])


def _post(reception: Reception, answer: Answering) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def handle(request: HttpRequest) -> Response:
        try:
            raw = await _content(request, MAX_MESSAGE_BYTES)
        except TooLarge as fault:
            return _http(reception.refuse(fault))
        return _http(await answer(Request(raw, request.headers.get(SIGNATURE_HEADER, ""))))

    return handle


def _blob(reception: Reception, answer: Answering) -> Callable[[HttpRequest, str], Awaitable[Response]]:
    async def handle(request: HttpRequest, sha256: str) -> Response:
        raw = b""
        try:
            raw = base64_bytes(request.headers.get(ENVELOPE_HEADER, ""), ENVELOPE_HEADER)
            content = await _content(request, MAX_PART_BYTES)
        except (Malformed, TooLarge) as fault:
            return _http(reception.refuse(fault, raw))
        return _http(await answer(Request(raw, request.headers.get(SIGNATURE_HEADER, ""), sha256, content)))

    return handle


def _add_reading(app: FastAPI, store: ReceiverStore, reception: Reception) -> None:
    @app.get("/v1/stats")
    async def stats() -> dict[str, int]:
        refused = {f"refused_{code}": count for code, count in sorted(reception.refused.items())}
        return store.stats() | {"polls_waiting": reception.polls_waiting} | refused

    @app.get("/")
    async def page() -> HTMLResponse:
        alerts = store.alerts(NEWEST_ALERTS)
        shown = read_page(store.boxes(), alerts, store.stats(), store.media_of(alerts))
        return HTMLResponse(shown, headers=HEADERS)


async def _content(request: HttpRequest, limit: int) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise TooLarge("", str(limit))
    return bytes(content)


def _http(answer: Answer, status: int = 0) -> Response:
    headers = {SIGNATURE_HEADER: answer.sealed.signature, "Cache-Control": "no-store"}
    if answer.retry_after_s:
        headers["Retry-After"] = str(answer.retry_after_s)
    return Response(answer.sealed.raw, status or answer.status, headers, "application/json")
