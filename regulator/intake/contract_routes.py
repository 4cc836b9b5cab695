"""The contract's addresses over HTTP: bodies are read with a limit, exact bytes go to `Reception`.

In: HTTP requests of boxes. Out: signed replies. A body that is too long is read to its end up to a bound and thrown
away piece by piece, so that the sender gets the answer; it is never held. Knows no rule of the contract.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contract.envelope import ENVELOPE_HEADER, MAX_MESSAGE_BYTES, SIGNATURE_HEADER
from contract.faults import Malformed, TooLarge
from contract.signing import base64_bytes
from regulator.intake.reception import Answer, Reception, Request

MAX_PART_BYTES = 8 * 1024 * 1024
MAX_THROWN_BYTES = 4 * MAX_PART_BYTES
"""How much of an unwanted body is read before the connection is cut."""

_SIGNATURE = SIGNATURE_HEADER.lower().encode()

Answering = Callable[[Request], Awaitable[Answer]]


def add_contract(app: FastAPI, reception: Reception) -> None:
    """Hang the addresses on an application; those that boxes call most are plain routes, which ask FastAPI nothing."""
    for address, post in _posts(reception).items():
        app.router.routes.append(Route(address, post, methods=["POST"]))
    app.add_api_route("/v1/blobs/{sha256}", _blob(reception, reception.blob), methods=["PUT"])
    app.add_api_route("/v1/blobs/{sha256}", _blob(reception, reception.blob_state), methods=["GET"])
    app.add_api_route("/v1/live/{sha256}", _blob(reception, reception.live_part), methods=["PUT"])


def http_answer(answer: Answer, status: int = 0) -> Response:
    """An answer as an HTTP response."""
    return Response(answer.sealed.raw, status or answer.status, _headers(answer), "application/json")


def _headers(answer: Answer) -> dict[str, str]:
    headers = {SIGNATURE_HEADER.lower(): answer.sealed.signature, "cache-control": "no-store"}
    return headers | ({"retry-after": str(answer.retry_after_s)} if answer.retry_after_s else {})


class ContractFront:
    """Before a whole application: what boxes say most goes straight to `Reception`, past all that pages need.

    The same handlers hang on the application itself. Whatever else comes, and the server's own events, goes through.
    """

    def __init__(self, app: ASGIApp, reception: Reception) -> None:
        self._app, self._posts = app, _posts(reception)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        straight = scope["type"] == "http" and scope["method"] == "POST"
        post = self._posts.get(scope["path"]) if straight else None
        await (post or self._app)(scope, receive, send)


def _posts(reception: Reception) -> "dict[str, _Post]":
    answering = {"enrol": reception.enrol, "messages": reception.message, "mailbox": reception.mailbox}
    return {f"/v1/{name}": _Post(reception, answer) for name, answer in answering.items()}


class _Post:
    """A message in a request's body, as an ASGI application: nothing is built that nobody asks for."""

    def __init__(self, reception: Reception, answer: Answering) -> None:
        self._reception, self._answer = reception, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        body, signature, address = _Body(receive), _signature_of(scope), str(scope["path"])
        try:
            request = Request(await body.read(MAX_MESSAGE_BYTES), signature, address)
        except TooLarge as fault:
            await body.throw_away()
            answer = await self._reception.turn_away(fault, Request(b"", signature, address))
        else:
            answer = await self._answer(request)
        await _send(send, answer)


def _signature_of(scope: Scope) -> str:
    found = (value for name, value in scope["headers"] if name == _SIGNATURE)
    return bytes(next(found, b"")).decode("latin-1")


async def _send(send: Send, answer: Answer) -> None:
    raw = answer.sealed.raw
    headers = [(name.encode(), value.encode()) for name, value in _headers(answer).items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


def _blob(reception: Reception, answer: Answering) -> Callable[[HttpRequest, str], Awaitable[Response]]:
    async def handle(request: HttpRequest, sha256: str) -> Response:
        body, signature, address = _Body(request.receive), request.headers.get(SIGNATURE_HEADER, ""), request.url.path
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

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def read(self, limit: int) -> bytes:
        """All of it. Raises TooLarge as soon as it is longer."""
        parts, length = [], 0
        while not self._ended:
            parts.append(await self._next())
            length += len(parts[-1])
            if length > limit:
                raise TooLarge("", str(limit))
        return b"".join(parts)

    async def throw_away(self) -> None:
        """Read what is left, up to a bound, so that the sender hears the answer."""
        thrown = 0
        while not self._ended and thrown < MAX_THROWN_BYTES:
            thrown += len(await self._next())

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        return bytes(message.get("body", b""))
