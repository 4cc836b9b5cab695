"""The process that makes pages: requests come over the line, the application answers them as it would a server's.

In: the line, an application. Out: responses over the line, piece by piece: the next piece is asked of the application
when the one before has gone to the visitor. When the line ends whatever is under way is given up.
"""

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message

from regulator.base.halves.frames import Frame, Kind, Line, piece_bytes, piece_of, scope_of, start_bytes

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Visit:
    """A request that is under way."""

    given: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None


async def answer_all(line: Line, app: ASGIApp) -> None:
    """Answer requests until the line to the other process ends."""
    visits: dict[int, _Visit] = {}
    while (frame := await line.read()) is not None:
        if frame.kind is Kind.OPEN:
            visit = visits[frame.number] = _Visit()
            visit.task = asyncio.create_task(_answered(line, app, frame, visit))
            visit.task.add_done_callback(lambda _, number=frame.number: visits.pop(number, None))  # type: ignore[misc]
        elif (known := visits.get(frame.number)) is not None:
            _hear(known, frame)
    left = [visit.task for visit in visits.values() if visit.task is not None]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _hear(visit: _Visit, frame: Frame) -> None:
    if frame.kind is Kind.GAVE:
        visit.given.put_nowait(piece_of(frame.content, "http.request"))
    elif frame.kind is Kind.SENT:
        visit.sent.set()
    elif frame.kind is Kind.CLOSE and visit.task is not None:
        visit.task.cancel()


async def _answered(line: Line, app: ASGIApp, opened: Frame, visit: _Visit) -> None:
    number = opened.number

    async def receive() -> Message:
        line.write(Kind.WANT, number)
        return await visit.given.get()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            line.write(Kind.START, number, start_bytes(message))
            return
        visit.sent.clear()
        line.write(Kind.BODY, number, piece_bytes(message))
        if message.get("more_body", False):
            await visit.sent.wait()

    try:
        await app(scope_of(opened.content), receive, send)
    except Exception:
        log.exception("a page failed")
    finally:
        line.write(Kind.END, number)


class LineLog(logging.Handler):
    """Sends what is logged to the process that has the desk's one log. From any thread."""

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._line, self._loop = line, loop

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record of the log over the line."""
        said = {"logger": record.name, "level": record.levelno, "message": self.format(record)}
        with contextlib.suppress(RuntimeError):  # the loop has ended: so has the process that would keep it
            self._loop.call_soon_threadsafe(self._line.write, Kind.LOG, 0, json.dumps(said).encode())
