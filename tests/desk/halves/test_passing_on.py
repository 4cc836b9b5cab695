"""A page that another process makes is the same page: what goes over the line, and what happens when the line ends."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regulator.base.halves.back import LineLog, answer_all
from regulator.base.halves.frames import Kind, Line
from regulator.base.halves.front import PagesFront

WITHIN_S = 10


async def here(_scope: Scope, _receive: Receive, send: Send) -> None:
    """The application of the process that owns the port."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


@dataclass
class Pair:
    """Both ends; `over` ends the far one as a kill does."""

    front: PagesFront
    near: Line
    far: Line
    answering: "asyncio.Task[None]"

    async def over(self) -> None:
        self.answering.cancel()
        await asyncio.gather(self.answering, return_exceptions=True)
        self.far.close()
        async with asyncio.timeout(WITHIN_S):
            while self.front.passes_on:
                await asyncio.sleep(0)


@asynccontextmanager
async def paired(app: ASGIApp) -> AsyncIterator[Pair]:
    sockets = socket.socketpair()
    near, far = [Line(*await asyncio.open_unix_connection(sock=each)) for each in sockets]
    front = PagesFront(here)
    following = asyncio.create_task(front.follow(near))
    answering = asyncio.create_task(answer_all(far, app))
    await asyncio.sleep(0)
    try:
        yield Pair(front, near, far, answering)
    finally:
        far.close()
        near.close()
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(following, answering, return_exceptions=True)


def browser(front: PagesFront) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(front, client=("192.0.2.7", 4711))
    return httpx.AsyncClient(transport=transport, base_url="https://desk.example")


@dataclass
class Visitor:
    """A request whose pieces are seen as they come. `says`: what the server would say of it."""

    method: str = "GET"
    says: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)
    hears: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)

    @property
    def scope(self) -> dict[str, Any]:
        said: dict[str, Any] = {"type": "http", "method": self.method, "path": "/page", "headers": []}
        return said | {"query_string": b"", "client": None, "server": None, "http_version": "1.1", "scheme": "http"}

    def ask(self, front: PagesFront) -> "asyncio.Task[None]":
        async def hear(message: Message) -> None:
            self.hears.put_nowait(message)

        return asyncio.create_task(front(self.scope, self.says.get, hear))

    async def heard(self) -> Message:
        async with asyncio.timeout(WITHIN_S):
            return await self.hears.get()


async def whole_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    return body


async def test_what_is_asked_and_what_is_answered_arrive_unchanged() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        body = await whole_body(receive)
        headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=\xe9")]
        await send({"type": "http.response.start", "status": 418, "headers": headers})
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:]})

    sent = bytes(range(256)) * 1000
    async with paired(app) as pair, browser(pair.front) as asking:
        answer = await asking.post("/审/a%2Fb?x=%E5%AE%A1&y", content=sent, headers={"x-part": "1"})
    assert (answer.status_code, answer.content) == (418, sent)
    assert [value for name, value in answer.headers.raw if name == b"set-cookie"] == [b"a=1", b"b=\xe9"]
    scope = seen[0]
    assert (scope["type"], scope["method"], scope["scheme"]) == ("http", "POST", "https")
    assert (scope["path"], scope["query_string"]) == ("/审/a/b", b"x=%E5%AE%A1&y")
    assert scope["client"] == ("192.0.2.7", 4711)
    assert (b"x-part", b"1") in scope["headers"]


async def test_many_at_once_do_not_get_mixed_up() -> None:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for letter in scope["path"][1:]:
            await send({"type": "http.response.body", "body": letter.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with paired(app) as pair, browser(pair.front) as asking:
        answers = await asyncio.gather(*(asking.get(f"/page-{number}") for number in range(50)))
    assert [answer.text for answer in answers] == [f"page-{number}" for number in range(50)]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/anything", "/healthz"])
async def test_what_boxes_say_and_whether_the_process_lives_is_never_passed_on(path: str) -> None:
    async def app(*_: Any) -> None:
        raise AssertionError(path)

    async with paired(app) as pair, browser(pair.front) as asking:
        assert pair.front.passes_on
        assert (await asking.get(path)).text == "here"


async def test_the_next_piece_waits_until_the_visitor_has_the_one_before() -> None:
    made: list[int] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(3):
            made.append(number)
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": number < 2})

    slow = asyncio.Event()
    heard: list[bytes] = []

    async def send(message: Message) -> None:
        heard.append(message.get("body", b""))
        if message.get("body") == b"0":
            await slow.wait()

    async with paired(app) as pair:
        asking = asyncio.create_task(pair.front(Visitor().scope, asyncio.Queue[Message]().get, send))
        async with asyncio.timeout(WITHIN_S):
            while b"0" not in heard:
                await asyncio.sleep(0)
            for _ in range(50):
                await asyncio.sleep(0)
            assert made == [0]
            slow.set()
            await asking
    assert heard == [b"", b"0", b"1", b"2"]


async def test_a_visitor_who_leaves_is_known_to_have_left() -> None:
    left = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        assert (await receive())["type"] == "http.disconnect"
        left.set()
        await send({"type": "http.response.body", "body": b""})

    visitor = Visitor()
    async with paired(app) as pair:
        asking = visitor.ask(pair.front)
        assert (await visitor.heard())["status"] == 200
        visitor.says.put_nowait({"type": "http.disconnect"})
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(left.wait(), asking)


async def test_a_request_that_the_server_gives_up_is_given_up_over_there() -> None:
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    async with paired(app) as pair:
        asking = Visitor().ask(pair.front)
        async with asyncio.timeout(WITHIN_S):
            await begun.wait()
            asking.cancel()
            await given_up.wait()


async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def test_without_another_process_the_pages_are_made_here() -> None:
    async with paired(never) as pair, browser(pair.front) as asking:
        await pair.over()
        assert (await asking.get("/page")).text == "here"


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 503)])
async def test_when_the_process_dies_what_only_asks_is_begun_anew(method: str, status: int) -> None:
    async with paired(never) as pair:
        visitor = Visitor(method)
        asking = visitor.ask(pair.front)
        await asyncio.sleep(0)
        await pair.over()
        async with asyncio.timeout(WITHIN_S):
            await asking
        assert (await visitor.heard())["status"] == status
        body = (await visitor.heard())["body"]
    assert (body == b"here") is (status == 200)


@pytest.mark.parametrize("dies", [True, False])
async def test_a_page_that_is_not_whole_is_not_taken_for_a_whole_one(dies: bool) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if dies:
            await asyncio.Event().wait()

    async with paired(app) as pair:
        visitor = Visitor()
        asking = visitor.ask(pair.front)
        await visitor.heard()
        assert (await visitor.heard())["body"] == b"half"
        if dies:
            await pair.over()
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(WITHIN_S):
                await asking


async def test_a_page_that_fails_is_answered_and_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def app(*_: Any) -> None:
        raise LookupError("no such leaf")

    async with paired(app) as pair, browser(pair.front) as asking:
        assert (await asking.get("/page")).status_code == 503
    assert "no such leaf" in caplog.text


async def test_what_is_logged_over_there_is_in_the_one_log(caplog: pytest.LogCaptureFixture) -> None:
    async with paired(never) as pair, browser(pair.front):
        there = LineLog(pair.far, asyncio.get_running_loop())
        there.setFormatter(logging.Formatter("%(message)s"))
        there.handle(logging.LogRecord("regulator.parts.review", logging.WARNING, __file__, 1, "late: %d", (7,), None))
        async with asyncio.timeout(WITHIN_S):
            while not caplog.records:
                await asyncio.sleep(0)
    assert [(each.name, each.levelname, each.message) for each in caplog.records] == [
        ("regulator.parts.review", "WARNING", "late: 7")
    ]


async def test_what_is_said_of_a_request_that_is_over_is_passed_over() -> None:
    async with paired(never) as pair, browser(pair.front):
        for kind in (Kind.SENT, Kind.GAVE, Kind.CLOSE):
            pair.near.write(kind, 999)
        for kind in (Kind.BODY, Kind.END):
            pair.far.write(kind, 999)
        visitor = Visitor()
        asking = visitor.ask(pair.front)
        await asyncio.sleep(0)
        assert not asking.done()
        asking.cancel()
