"""What boxes say most goes past the pages, and is answered as the application would: same status, headers and bytes."""

from itertools import repeat

import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from contract.envelope import MAX_MESSAGE_BYTES, SIGNATURE_HEADER
from contract.signing import SignKey
from regulator.base.intake.contract_routes import MAX_THROWN_BYTES, ContractFront, add_contract
from regulator.base.intake.reception import Request
from tests.fakes.sending_box import DeskIntake, SendingBox

PIECE = bytes(1 << 20)


class Pages:
    """The whole application behind the front: notes what reaches it."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(f"{scope['type']} {scope.get('method', '')} {scope.get('path', '')}")


class Wire:
    """One request as a server hands it over: body in pieces, answer noted."""

    def __init__(self, request: Request, path: str = "/v1/messages", method: str = "POST", many: int = 0) -> None:
        """`many`: so many mebibytes instead of the request's own body."""
        signature = (SIGNATURE_HEADER.lower().encode(), request.signature.encode("latin-1"))
        self.scope: Scope = {"type": "http", "method": method, "path": path, "headers": [signature]}
        self.scope |= {"query_string": b"", "root_path": "", "http_version": "1.1", "scheme": "http"}
        half = len(request.raw) // 2
        self._parts = repeat(PIECE, many) if many else iter([request.raw[:half], request.raw[half:]])
        self.given = 0
        self.answer: list[Message] = []

    async def receive(self) -> Message:
        part = next(self._parts, None)
        self.given += len(part or b"")
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def send(self, message: Message) -> None:
        self.answer.append(message)

    async def through(self, app: ContractFront | FastAPI) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body."""
        await app(self.scope, self.receive, self.send)
        start, body = self.answer
        return start["status"], dict(start["headers"]), body["body"]


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def front(intake: DeskIntake, pages: Pages) -> ContractFront:
    return ContractFront(pages, intake.intake.reception)


@pytest.mark.parametrize("path", ["/v1/enrol", "/v1/messages", "/v1/mailbox"])
async def test_a_post_of_a_box_never_reaches_the_pages(front: ContractFront, pages: Pages, path: str) -> None:
    status, headers, body = await Wire(Request(b"{}", "nonsense", path), path).through(front)
    assert (status, pages.reached) == (400, [])
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[SIGNATURE_HEADER.lower().encode()]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/messages"), ("PUT", "/v1/blobs/00"), ("POST", "/v1/messages/"), ("POST", "/login"), ("GET", "/")],
)
async def test_whatever_else_comes_is_the_pages(front: ContractFront, pages: Pages, method: str, path: str) -> None:
    wire = Wire(Request(b"", "", path), path, method)
    await front(wire.scope, wire.receive, wire.send)
    assert (pages.reached, wire.answer) == ([f"http {method} {path}"], [])


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_what_is_no_request_is_the_pages_too(front: ContractFront, pages: Pages, kind: str) -> None:
    wire = Wire(Request(b"", ""))
    await front(
        {"type": kind, "path": "/v1/messages"} if kind == "websocket" else {"type": kind}, wire.receive, wire.send
    )
    assert [each.split()[0] for each in pages.reached] == [kind]


async def test_the_front_and_the_application_answer_alike(
    intake: DeskIntake, box: SendingBox, front: ContractFront, desk_key: SignKey
) -> None:
    """One message by each way: a box that is told twice of the same thing gets the same receipt; a refusal is one."""
    app = FastAPI()
    add_contract(app, intake.intake.reception)
    said = {"chain": {"seq": 0, "sha256": "0" * 64}, "started_at_ns": 1, "counters": {}}
    for spoil in ("", "x"):
        answers = []
        for way in (front, app):
            request = box.request("heartbeat", "heartbeat", said)
            spoilt = Request(request.raw + spoil.encode(), request.signature, request.address)
            status, headers, body = await Wire(spoilt).through(way)
            signature = headers.pop(SIGNATURE_HEADER.lower().encode())
            desk_key.public.verify(signature.decode(), body)
            answers.append((status, sorted(headers)))
        assert answers[0] == answers[1]
        assert answers[0][0] == (400 if spoil else 200)


@pytest.mark.parametrize(("many", "read"), [(3, 3), (100, 35)])
async def test_a_body_that_is_too_long_is_thrown_away_up_to_a_bound(
    front: ContractFront, pages: Pages, many: int, read: int
) -> None:
    """Read on, so that the box hears the signed refusal, and cut where it is more than a sender in error would send."""
    assert (2 * len(PIECE), 32 * len(PIECE)) == (MAX_MESSAGE_BYTES, MAX_THROWN_BYTES)
    wire = Wire(Request(b"", ""), many=many)
    status, headers, body = await wire.through(front)
    assert (status, pages.reached) == (413, [])
    assert b"too_large" in body
    assert headers[SIGNATURE_HEADER.lower().encode()]
    assert wire.given == read * len(PIECE)
