"""The test regulator: the real receiver on a free loopback port, in a thread, with its own database and with faults.

Faults are queued (`fail_next`) and each spoils one request to `/v1/messages` (or the address that is named), at the
wire: what a box sees is what a broken regulator, a load balancer or a captive portal would send.
"""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel

from contract.canonical import canonical_bytes
from contract.envelope import SIGNATURE_HEADER
from contract.faults import FAULTS, ContractFault
from contract.signing import SignKey, generate_key
from regulator.base.intake.disk_shelf import DiskShelf
from regulator.base.intake.receiver import receiver_app
from regulator.base.intake.store import ReceiverStore, open_database, sqlite_url
from regulator.server import ReceiverServer
from screens.listener import listen

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Fault(Enum):
    """What happens to a request. Those marked * were taken: only the answer is spoilt."""

    SIGNED_ERROR = auto()  # a refusal that the regulator itself signs; `code` is the contract's error code
    BARE_STATUS = auto()  # a status without a signature, as a proxy gives; `status`, `retry_after_s`
    GARBAGE = auto()  # 200 with a portal's page
    SILENCE = auto()  # no answer until `release`
    CLOSED = auto()  # the connection breaks before the request is looked at
    LOST_REPLY = auto()  # * the connection breaks before the answer
    SLOW = auto()  # * the answer waits for `release`
    BAD_SIGNATURE = auto()  # *
    OTHERS_REPLY = auto()  # * a well-signed answer to an earlier request
    OTHERS_RECEIPT = auto()  # * a well-signed answer with the receipt of an earlier item


@dataclass(frozen=True)
class PlannedFault:
    fault: Fault
    code: str = ""
    status: int = 503
    retry_after_s: int = 0
    address: str = "/v1/messages"


class FakeRegulator:
    """`with FakeRegulator(folder) as regulator:` — `.url`, `.code_for(box_id, project_code)`, `.store`, `.key`."""

    def __init__(self, folder: Path, *, port: int = 0, max_blob_bytes: int = 1 << 20, database_url: str = "") -> None:
        self.folder = folder
        self.key: SignKey = generate_key()
        self.requests = 0
        self.ahead_ns = 0  # its clock before the machine's
        self._port = port
        self._max_blob_bytes = max_blob_bytes
        self._database_url = database_url or sqlite_url(folder / "regulator.db")
        self._planned: deque[PlannedFault] = deque()
        self._last_reply: list[Message] = []
        self._changed = threading.Condition()
        self._held: list[asyncio.Event] = []
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serve; after `stop` on the same port with the same database and key."""
        self.store = ReceiverStore(open_database(self._database_url), self.key, lambda: time.time_ns() + self.ahead_ns)
        app = receiver_app(self.store, self.key, DiskShelf(self.folder / "blobs", self._max_blob_bytes))
        self._loop_ready = threading.Event()
        self._listener = listen("127.0.0.1", self._port)
        self._port = self._listener.getsockname()[1]
        self._server = ReceiverServer(app)
        self._server.config.app = self._spoilt(app)
        self._reception = app.state.reception
        self._thread = threading.Thread(target=self._serve, name="fake-regulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, connections and all. The store can be read again after `start`."""
        if self._thread is None:
            return
        self._loop_ready.wait(10)
        self.release()
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(20)
        assert not self._thread.is_alive(), "the test regulator does not stop"
        self._thread = None
        self._listener.close()
        self.store.close()

    def code_for(self, box_id: str, project_code: str = "P-1") -> str:
        """A new one-time code; the one before, if it was not used, is worth nothing."""
        return self.store.issue_code(box_id, project_code)

    def fail_next(self, fault: Fault, times: int = 1, **details: Any) -> None:
        """Spoil the next `times` requests to one address."""
        with self._changed:
            self._planned.extend([PlannedFault(fault, **details)] * times)

    def clear_faults(self) -> None:
        with self._changed:
            self._planned.clear()

    def release(self) -> None:
        """Let go of what SILENCE and SLOW hold back now."""
        with self._changed:
            for event in self._held:
                self._loop.call_soon_threadsafe(event.set)
            self._held.clear()

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        """Wait for something that follows from a request; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout_s):
                raise TimeoutError(f"not reached within {timeout_s} s")

    def post(self, box_id: str, kind: str, body: BaseModel) -> str:
        """Put a message into a box's mailbox."""
        return self.store.post(box_id, kind, body)

    def _serve(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop_ready.set()
            await self._server.serve([self._listener])

        asyncio.run(serve())

    def _spoilt(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> Any:
        async def serve(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            exchange = _Exchange(receive)
            with self._changed:  # counted before it is answered, so that whoever has the answer sees the count
                self.requests += 1
                self._changed.notify_all()
            await self._exchange(app, scope, exchange, send)

        return serve

    async def _exchange(self, app: Any, scope: Message, exchange: "_Exchange", send: Send) -> None:
        planned = self._take(scope["path"])
        if planned is None:
            await app(scope, exchange.receive, exchange.send)
            self._last_reply = exchange.sent
            await _replay(exchange.sent, send)
        elif planned.fault in _BEFORE:
            await exchange.drain()
            await self._spoil(planned, exchange, send)
        else:
            await app(scope, exchange.receive, exchange.send)
            await self._spoil(planned, exchange, send)

    async def _spoil(self, planned: PlannedFault, exchange: "_Exchange", send: Send) -> None:
        if planned.fault is Fault.SIGNED_ERROR:
            kind = FAULTS[planned.code]
            await self._answer_error(kind(retry_after_s=planned.retry_after_s), exchange, send)
        elif planned.fault is Fault.BARE_STATUS:
            headers = {"Retry-After": str(planned.retry_after_s)} if planned.retry_after_s else {}
            content = b"" if planned.status == 204 else b"upstream trouble"
            await _answer(send, planned.status, content, headers)
        elif planned.fault is Fault.GARBAGE:
            await _answer(send, 200, b"<html>please log in</html>", {"Content-Type": "text/html"})
        elif planned.fault in (Fault.SILENCE, Fault.SLOW):
            await self._hold()
            if planned.fault is Fault.SLOW:
                await _replay(exchange.sent, send)
        elif planned.fault in (Fault.CLOSED, Fault.LOST_REPLY):
            await _break(send)
        elif planned.fault is Fault.BAD_SIGNATURE:
            await _replay(_with_other_signature(exchange.sent), send)
        elif planned.fault is Fault.OTHERS_RECEIPT:
            await self._answer_with_last_receipt(exchange.sent, send)
        else:
            await _replay(self._last_reply, send)

    async def _answer_with_last_receipt(self, sent: list[Message], send: Send) -> None:
        reply, last = json.loads(_content(sent)), json.loads(_content(self._last_reply))
        reply["body"]["receipt"] = last["body"]["receipt"]
        raw = canonical_bytes(reply)
        await _answer(send, 200, raw, {SIGNATURE_HEADER: self.key.sign(raw)})

    async def _answer_error(self, fault: ContractFault, exchange: "_Exchange", send: Send) -> None:
        answer = self._reception.refuse(fault, exchange.body)
        headers = {SIGNATURE_HEADER: answer.sealed.signature}
        if answer.retry_after_s:
            headers["Retry-After"] = str(answer.retry_after_s)
        await _answer(send, answer.status, answer.sealed.raw, headers)

    async def _hold(self) -> None:
        event = asyncio.Event()
        with self._changed:
            self._held.append(event)
            self._changed.notify_all()
        await event.wait()

    def _take(self, path: str) -> PlannedFault | None:
        with self._changed:
            if self._planned and path == self._planned[0].address:
                return self._planned.popleft()
        return None


_BEFORE = (Fault.SIGNED_ERROR, Fault.BARE_STATUS, Fault.GARBAGE, Fault.SILENCE, Fault.CLOSED)


class _Exchange:
    """One request as it passes: keeps what was received, and the answer until it is decided what to do with it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.body = b""
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        message = await self._receive()
        self.body += message.get("body", b"")
        return message

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def drain(self) -> None:
        while (await self.receive()).get("more_body"):
            pass


def _content(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


async def _replay(messages: list[Message], send: Send) -> None:
    for message in messages:
        await send(message)


async def _answer(send: Send, status: int, content: bytes, headers: dict[str, str]) -> None:
    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    lines.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": content})


async def _break(send: Send) -> None:
    """Promise more than is sent: the server then cuts the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})


def _with_other_signature(messages: list[Message]) -> list[Message]:
    name = SIGNATURE_HEADER.lower().encode()
    start = dict(messages[0])
    other = generate_key().sign(b"something else").encode()
    start["headers"] = [(key, other if key == name else value) for key, value in start["headers"]]
    return [start, *messages[1:]]
