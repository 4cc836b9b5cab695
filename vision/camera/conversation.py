"""The gateway's end of the control socket of one capture process: reports come in, requests go out, answers by number.

In: a connected socket. Out: every report to a callback; each request an iterator over its parts. A reader that is
slower than its camera is dropped, so that the socket never fills: behind it waits the capture's control thread.
"""

import asyncio
import itertools
import socket
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

from vision.camera.wire import LENGTHS, Message, decode, lengths


class _Answer:
    """What has come for one request, waiting to be taken; at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: deque[Message] = deque()
        self._news = asyncio.Event()

    def put(self, message: Message) -> bool:
        """False when the reader is too slow: it gets a refusal after what it has not taken yet is thrown away."""
        self._bytes += len(message.body)
        fits = self._bytes <= self._max_bytes
        if not fits:
            self._waiting.clear()
            self._bytes = 0
            message = Message("refused", {"reason": "read too slowly"})
        self._waiting.append(message)
        self._news.set()
        return fits

    async def take(self) -> Message:
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message.body)
        return message


class Conversation:
    """One capture process's socket. `run` reads until the other side is gone."""

    def __init__(self, sock: socket.socket, on_report: Callable[[dict[str, Any]], None]) -> None:
        self._sock = sock
        self._on_report = on_report
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, _Answer] = {}

    async def run(self, first: Message) -> None:
        """Send the first message, then read. Ends when the process closes its end or says what is no message."""
        reader, self._writer = await asyncio.open_connection(sock=self._sock)
        try:
            self._send(first)
            while True:
                self._sort(await self._next(reader))
        except (OSError, ValueError, KeyError, asyncio.IncompleteReadError):
            return
        finally:
            self._end()

    @staticmethod
    async def _next(reader: asyncio.StreamReader) -> Message:
        head, body = lengths(await reader.readexactly(LENGTHS.size))
        return decode(await reader.readexactly(head), await reader.readexactly(body))

    def _sort(self, message: Message) -> None:
        if message.kind == "report":
            self._on_report(message.about)
            return
        number = message.about["id"]
        answer = self._answers.get(number)
        if answer is not None and not answer.put(message):
            self._forget(number)

    async def ask(self, kind: str, about: dict[str, Any], max_bytes: int) -> AsyncGenerator[Message, None]:
        """Send a request; its parts, and the `done` that ends them. Raises LookupError with the reason when it is
        refused, or when the process goes away. Leaving the iterator cancels the request."""
        number = next(self._numbers)
        answer = self._answers[number] = _Answer(max_bytes)
        try:
            self._send(Message(kind, {"id": number, **about}))
            while True:
                message = await answer.take()
                if message.kind == "refused":
                    raise LookupError(str(message.about.get("reason", "refused")))
                yield message
                if message.kind == "done":
                    return
        finally:
            self._forget(number)

    def _forget(self, number: int) -> None:
        if self._answers.pop(number, None) is not None:
            self._send(Message("cancel", {"id": number}))

    def _send(self, message: Message) -> None:
        if self._writer is None or self._writer.is_closing():
            return
        self._writer.write(message.encode())

    def _end(self) -> None:
        """Tell everybody who waits, and close."""
        if self._writer is not None:
            self._writer.close()
        for answer in self._answers.values():
            answer.put(Message("refused", {"reason": "the camera's capture ended"}))
        self._answers.clear()
