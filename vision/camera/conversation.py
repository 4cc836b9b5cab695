"""The gateway's end of the control socket of one capture process: reports come in, requests go out, answers by number.

In: a connected socket. Out: every report to a callback; each request an iterator over its parts. A reader that is
slower than its camera is dropped, so that the socket never fills: behind it waits the capture's control thread. What is
no message, or an answer that nobody asked for, ends the conversation with `GarbageError`.
"""

import asyncio
import itertools
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

from vision.camera.capture_state import CaptureReport
from vision.camera.heard import Answer, Done, Part, Refused, heard
from vision.camera.wire import LENGTHS, Message, decode, lengths
from vision.process.garbage import Allowance, GarbageError

_BURST, _PER_S = 20_000, 100
"""Reports, and parts of requests that were taken back: a whole clip may still be on its way when it is."""
_MESSAGE_BYTES = 256
"""What a message takes in memory beside what it brings."""


class _Answer:
    """What has come for one request, waiting to be taken; at most `max_bytes` of memory."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: deque[Answer] = deque()
        self._news = asyncio.Event()

    def put(self, message: Answer) -> bool:
        """False when the reader is too slow: it gets a refusal after what it has not taken yet is thrown away."""
        self._bytes += _size(message)
        fits = self._bytes <= self._max_bytes
        if not fits:
            self._waiting.clear()
            self._bytes = 0
            message = Refused(message.id, "read too slowly")
        self._waiting.append(message)
        self._news.set()
        return fits

    async def take(self) -> Answer:
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        message = self._waiting.popleft()
        self._bytes -= _size(message)
        return message


def _size(message: Answer) -> int:
    return _MESSAGE_BYTES + (len(message.body) if isinstance(message, Part) else 0)


class Conversation:
    """One capture process's socket. `run` reads until the other side is gone."""

    def __init__(self, sock: socket.socket, on_report: Callable[[CaptureReport], None]) -> None:
        self._sock = sock
        self._on_report = on_report
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._asked = 0
        self._unasked = Allowance(_BURST, _PER_S)
        self._answers: dict[int, _Answer] = {}

    async def run(self, first: Message) -> None:
        """Send the first message, then read. Ends when the process closes its end. Raises GarbageError when it says
        what is no message."""
        reader, self._writer = await asyncio.open_connection(sock=self._sock)
        try:
            self._send(first)
            while True:
                self._sort(await self._next(reader))
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self._end()

    @staticmethod
    async def _next(reader: asyncio.StreamReader) -> CaptureReport | Answer:
        octets = await reader.readexactly(LENGTHS.size)
        try:
            head, body = lengths(octets)
            return heard(decode(await reader.readexactly(head), await reader.readexactly(body)))
        except GarbageError:
            raise
        except ValueError as error:
            raise GarbageError(str(error)) from None

    def _sort(self, message: CaptureReport | Answer) -> None:
        if isinstance(message, CaptureReport):
            self._unasked.take(time.monotonic_ns())
            self._on_report(message)
            return
        if message.id > self._asked:
            raise GarbageError(f"an answer to request {message.id}, which nobody made")
        answer = self._answers.get(message.id)
        if answer is None:
            self._unasked.take(time.monotonic_ns())
        elif not answer.put(message):
            self._forget(message.id)

    async def ask(self, kind: str, about: dict[str, Any], max_bytes: int) -> AsyncGenerator[Part | Done, None]:
        """Send a request; its parts, and the `done` that ends them. Raises LookupError with the reason when it is
        refused, or when the process goes away. Leaving the iterator cancels the request."""
        number = self._asked = next(self._numbers)
        answer = self._answers[number] = _Answer(max_bytes)
        try:
            self._send(Message(kind, {"id": number, **about}))
            while True:
                message = await answer.take()
                if isinstance(message, Refused):
                    raise LookupError(message.reason)
                yield message
                if isinstance(message, Done):
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
        for number, answer in self._answers.items():
            answer.put(Refused(number, "the camera's capture ended"))
        self._answers.clear()
