"""The contract's addresses over HTTP: bodies are read with a limit, exact bytes go to `Reception`.

In: HTTP requests of boxes. Out: signed replies. A body that is too long is read to its end up to a bound and thrown
away piece by piece, so that the sender gets the answer; it is never held. Knows no rule of the contract.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contract.envelope import ENVELOPE_HEADER, MAX_MESSAGE_BYTES, SIGNATURE_HEADER
from contract.faults import ContractFault, Malformed, TooLarge
from contract.sender import SENDER_HEADER, Claim, read_sender
from contract.signing import base64_bytes
from regulator.base.intake.opening import SMALL_BYTES
from regulator.base.intake.reception import ENROL_ADDRESS, Answer, Coming, Reception, Request

MAX_PART_BYTES = 8 * 1024 * 1024
MAX_THROWN_BYTES = 4 * MAX_PART_BYTES
"""How much of an unwanted body is read before the connection is cut."""

MAX_ENROL_BYTES = 16 * 1024
MAX_HEADER_CHARACTERS = 16 * 1024
_SIGNATURE = SIGNATURE_HEADER.lower().encode()
_SENDER = SENDER_HEADER.lower().encode()
_READ = frozenset({_SIGNATURE, _SENDER, b"content-length"})

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
        """One request. Whoever is turned away before his body is not listened to: the connection ends where the body
        is large."""
        head = _Head.of(scope)
        body, request = _Body(receive), Request(b"", head.signature, head.address, caller=head.caller)
        try:
            if head.address == ENROL_ADDRESS:
                self._reception.hold_back_enrolment(head.caller)
                request = replace(request, raw=await body.read(MAX_ENROL_BYTES))
            else:
                async with self._reception.arriving(Coming(head.caller, head.sender, head.large)) as claim:
                    request = replace(request, claim=claim, raw=await body.read(MAX_MESSAGE_BYTES))
        except TooLarge as fault:
            thrown = await body.throw_away()
            await _send(send, await self._reception.turn_away(fault, request, MAX_MESSAGE_BYTES + thrown))
        except ContractFault as fault:
            request = replace(request, claim=head.claim)
            await _send(send, await self._reception.turn_away(fault, request), last=head.large)
        else:
            await _send(send, await self._answer(request))


@dataclass(frozen=True, slots=True)
class _Head:
    """What a request says before its body."""

    address: str
    caller: str
    signature: str
    sender: str
    large: bool

    @classmethod
    def of(cls, scope: Scope) -> "_Head":
        found = {name: value for name, value in scope["headers"] if name in _READ}
        length = found.get(b"content-length", b"")
        large = not (length.isdigit() and len(length) <= 9 and int(length) <= SMALL_BYTES)
        signature, sender = (bytes(found.get(name, b"")).decode("latin-1") for name in (_SIGNATURE, _SENDER))
        return cls(str(scope["path"]), _caller(scope), signature, sender, large)

    @property
    def claim(self) -> Claim | None:
        """Who the sender says that he is, when he says so here."""
        try:
            return read_sender(self.sender).claim
        except Malformed:
            return None


def _short(text: str) -> str:
    if len(text) > MAX_HEADER_CHARACTERS:
        raise Malformed(ENVELOPE_HEADER, f"at most {MAX_HEADER_CHARACTERS} characters")
    return text


def _caller(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


async def _send(send: Send, answer: Answer, *, last: bool = False) -> None:
    """`last`: the connection ends with it."""
    raw = answer.sealed.raw
    headers = [(name.encode(), value.encode()) for name, value in _headers(answer).items()]
    headers += [(b"connection", b"close")] if last else []
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


def _blob(reception: Reception, answer: Answering) -> Callable[[HttpRequest, str], Awaitable[Response]]:
    async def handle(request: HttpRequest, sha256: str) -> Response:
        body, head = _Body(request.receive), _Head.of(request.scope)
        asked = Request(
            b"", head.signature, head.address, sha256, partial(body.read, MAX_PART_BYTES), None, head.caller
        )
        try:
            raw = base64_bytes(_short(request.headers.get(ENVELOPE_HEADER, "")), ENVELOPE_HEADER)
        except Malformed as fault:
            answered = await reception.turn_away(fault, asked)
        else:
            answered = await answer(replace(asked, raw=raw))
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

    async def throw_away(self) -> int:
        """Read what is left, up to a bound, so that the sender hears the answer; how many bytes that was."""
        thrown = 0
        while not self._ended and thrown < MAX_THROWN_BYTES:
            thrown += len(await self._next())
        return thrown

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        return bytes(message.get("body", b""))
