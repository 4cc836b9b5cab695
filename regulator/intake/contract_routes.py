"""The contract's addresses over HTTP: bodies are read with a limit, exact bytes go to `Reception`.

In: HTTP requests of boxes. Out: signed replies. A body that is too long is read to its end up to a bound and thrown
away piece by piece, so that the sender gets the answer; it is never held. Knows no rule of the contract.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from starlette.requests import ClientDisconnect

from contract.envelope import ENVELOPE_HEADER, MAX_MESSAGE_BYTES, SIGNATURE_HEADER
from contract.faults import Malformed, TooLarge
from contract.signing import base64_bytes
from regulator.intake.reception import Answer, Reception, Request

MAX_PART_BYTES = 8 * 1024 * 1024
MAX_THROWN_BYTES = 4 * MAX_PART_BYTES
"""How much of an unwanted body is read before the connection is cut."""

Answering = Callable[[Request], Awaitable[Answer]]


def add_contract(app: FastAPI, reception: Reception) -> None:
    """Hang the addresses on an application; those that boxes call most are plain routes, which ask FastAPI nothing."""
    app.add_route("/v1/enrol", _post(reception, reception.enrol), methods=["POST"])
    app.add_route("/v1/messages", _post(reception, reception.message), methods=["POST"])
    app.add_route("/v1/mailbox", _post(reception, reception.mailbox), methods=["POST"])
    app.add_api_route("/v1/blobs/{sha256}", _blob(reception, reception.blob), methods=["PUT"])
    app.add_api_route("/v1/blobs/{sha256}", _blob(reception, reception.blob_state), methods=["GET"])
    app.add_api_route("/v1/live/{sha256}", _blob(reception, reception.live_part), methods=["PUT"])


def http_answer(answer: Answer, status: int = 0) -> Response:
    """An answer as an HTTP response."""
    headers = {SIGNATURE_HEADER: answer.sealed.signature, "Cache-Control": "no-store"}
    if answer.retry_after_s:
        headers["Retry-After"] = str(answer.retry_after_s)
    return Response(answer.sealed.raw, status or answer.status, headers, "application/json")


def _post(reception: Reception, answer: Answering) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def handle(request: HttpRequest) -> Response:
        body, signature, address = _Body(request), request.headers.get(SIGNATURE_HEADER, ""), request.url.path
        try:
            raw = await body.read(MAX_MESSAGE_BYTES)
        except TooLarge as fault:
            await body.throw_away()
            return http_answer(await reception.turn_away(fault, Request(b"", signature, address)))
        return http_answer(await answer(Request(raw, signature, address)))

    return handle


def _blob(reception: Reception, answer: Answering) -> Callable[[HttpRequest, str], Awaitable[Response]]:
    async def handle(request: HttpRequest, sha256: str) -> Response:
        body, signature, address = _Body(request), request.headers.get(SIGNATURE_HEADER, ""), request.url.path
        try:
            raw = base64_bytes(request.headers.get(ENVELOPE_HEADER, ""), ENVELOPE_HEADER)
        except Malformed as fault:
            answered = await reception.turn_away(fault, Request(b"", signature, address))
        else:
            read = partial(body.read, MAX_PART_BYTES)
            answered = await answer(Request(raw, signature, address, sha256, read))
        await body.throw_away()
        return http_answer(answered)

    return handle


class _Body:
    """A request's body, read once: kept up to a limit, or thrown away."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._ended = False

    async def read(self, limit: int) -> bytes:
        """All of it. Raises TooLarge as soon as it is longer."""
        content = bytearray()
        while not self._ended:
            content += await self._next()
            if len(content) > limit:
                raise TooLarge("", str(limit))
        return bytes(content)

    async def throw_away(self) -> None:
        """Read what is left, up to a bound, so that the sender hears the answer."""
        thrown = 0
        while not self._ended and thrown < MAX_THROWN_BYTES:
            thrown += len(await self._next())

    async def _next(self) -> bytes:
        message = await self._request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        return bytes(message.get("body", b""))
