"""One request to an application in this process, without a socket: its answer's status and head, and how it begins.

    answer = await ask(app, "POST", "/projects", headers={"cookie": "..."}, body=b"...")

A feed that never ends is left after its first piece, as a browser leaves that closes the page.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Scope

HOST = "127.0.0.1"


@dataclass
class Asked:
    """An answer. `body`: all of it, or of a feed the first piece."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body, as a page."""
        return self.body.decode(errors="replace")


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    scheme: str = "http",
    address: str = HOST,
) -> Asked:
    """The answer. `headers` may name another host than `127.0.0.1`."""
    answer, left = Asked(), asyncio.Event()
    sent = {"host": HOST} | dict(headers or {})
    if body or method in ("POST", "PUT", "PATCH"):
        sent |= {"content-length": str(len(body))}
    where, _, query = path.partition("?")
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": scheme,
        "path": where, "raw_path": where.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": (address, 50_000), "server": (HOST, 80),
    }  # fmt: skip
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if asked:
            return asked.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            return
        answer.body += message.get("body", b"")
        if answer.headers.get("content-type", "").startswith("text/event-stream") or not message.get("more_body"):
            left.set()

    await app(scope, receive, send)
    return answer
