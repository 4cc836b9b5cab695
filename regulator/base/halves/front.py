"""The process that owns the port: what asks for a page is passed on to the other process, one frame at a time.

In: an application and, while it lives, the line to the process that makes pages. Out: an application that answers the
same. While there is no other process this one makes the pages itself; a request that was under way when the other
process died is begun anew here if it only asks, and answered with 503 if it may have changed something.
"""

import asyncio
import contextlib
import itertools
import json
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regulator.base.halves.frames import Frame, Kind, Line, piece_bytes, piece_of, scope_bytes, start_of
from screens.log_limit import PASSED

log = logging.getLogger(__name__)
OWN = ("/v1/", "/healthz")
"""What boxes say, and whether this process lives: never passed on."""
ASKING = ("GET", "HEAD")
AGAIN: Message = {
    "type": "http.response.start",
    "status": 503,
    "headers": [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", b"1"),
        (b"cache-control", b"no-store"),
    ],
}
AGAIN_WORDS = "请稍后重试；刚才的操作可能已完成\nplease try again; what was asked for may have been done".encode()


class PagesFront:
    """`app` answers what is not passed on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._back: Back | None = None

    @property
    def passes_on(self) -> bool:
        """Whether another process makes the pages now."""
        return self._back is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's own events."""
        back = self._back
        passing = back is not None and scope["type"] == "http" and not scope["path"].startswith(OWN)
        if not (passing and back and await back.pass_on(scope, receive, send)):
            await self._app(scope, receive, send)

    async def follow(self, line: Line) -> None:
        """Pass on over this line until its end."""
        self._back = back = Back(line)
        try:
            await back.listen()
        finally:
            self._back = None


class Back:
    """The other process, as this one knows it: its line and the requests that are under way there."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._numbers = itertools.count(1)
        self._under_way: dict[int, asyncio.Queue[Frame | None]] = {}
        self._gone = False

    async def listen(self) -> None:
        """Hand every frame to the request that it is about, until the line ends."""
        try:
            while (frame := await self._line.read()) is not None:
                if frame.kind is Kind.LOG:
                    tell(frame.content)
                elif (inbox := self._under_way.get(frame.number)) is not None:
                    inbox.put_nowait(frame)
        finally:
            self._gone = True
            for inbox in self._under_way.values():
                inbox.put_nowait(None)

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer a request over there. False: the process died before anything was done with it."""
        if self._gone:
            return False
        number, inbox = next(self._numbers), asyncio.Queue[Frame | None]()
        self._under_way[number] = inbox
        request = _Request(self._line, number, receive, send)
        try:
            self._line.write(Kind.OPEN, number, scope_bytes(scope))
            while not request.ended:
                frame = await inbox.get()
                if frame is None:
                    return await request.give_up(asks=scope["method"] in ASKING)
                await request.take(frame)
        finally:
            del self._under_way[number]
            request.leave()
        return True


class _Request:
    """One request that is answered by the other process."""

    def __init__(self, line: Line, number: int, receive: Receive, send: Send) -> None:
        self._line, self._number, self._receive, self._send = line, number, receive, send
        self._giving: asyncio.Task[None] | None = None
        self._began = self._whole = False
        self.ended = False

    async def take(self, frame: Frame) -> None:
        """Do what a frame says. Raises ConnectionError for a response that is not whole."""
        if frame.kind is Kind.WANT:
            if self._giving is None or self._giving.done():
                self._giving = asyncio.create_task(self._give())
        elif frame.kind is Kind.START:
            self._began = True
            await self._send(start_of(frame.content))
        elif frame.kind is Kind.BODY:
            piece = piece_of(frame.content, "http.response.body")
            await self._send(piece)
            self._whole = not piece["more_body"]
            if not self._whole:
                self._line.write(Kind.SENT, self._number)
        elif frame.kind is Kind.END:
            self.ended = True
            if not self._began:
                await self._say_again()
            elif not self._whole:
                raise ConnectionError("a page ended before its end")

    async def give_up(self, *, asks: bool) -> bool:
        """The process is gone: whether the request was dealt with all the same. Raises as `take`."""
        self.ended = True
        if self._began:
            raise ConnectionError("the process that made the page is gone")
        if asks and self._giving is None:
            return False
        await self._say_again()
        return True

    def leave(self) -> None:
        """Nobody waits for it any more."""
        if self._giving is not None:
            self._giving.cancel()
        if not self.ended:
            self._line.write(Kind.CLOSE, self._number)

    async def _give(self) -> None:
        piece = await self._receive()
        self._line.write(Kind.GAVE, self._number, piece_bytes(piece))
        with contextlib.suppress(OSError):
            await self._line.drain()

    async def _say_again(self) -> None:
        await self._send(AGAIN)
        await self._send({"type": "http.response.body", "body": AGAIN_WORDS})


def tell(content: bytes) -> None:
    """What the other process has to say, into the log of this one."""
    said = json.loads(content)
    logging.getLogger(said["logger"]).log(said["level"], "%s", said["message"], extra={PASSED: True})
