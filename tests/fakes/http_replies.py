"""An HTTP server that answers a script: for the answers that no real server gives on demand.

    with HttpReplies([Reply(429, {"Retry-After": "7"})]) as server:
        ... server.url ...
        assert server.requests[0].path == "/api/v2/write?..."

After the script's end, the last reply is repeated. A reply of None accepts the request and never answers it; one with
`after` waits for that event. `asked` is set once a request has come in.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: threading.Event | None = None


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


class HttpReplies:
    def __init__(self, script: Sequence[Reply | None]) -> None:
        self.requests: list[Request] = []
        self.asked = threading.Event()
        self._script = list(script)
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next_reply(self) -> Reply | None:
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replies = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                replies.requests.append(Request(self.path, dict(self.headers), body, self.command))
                replies.asked.set()
                reply = replies._next_reply()
                if reply is None:
                    replies._released.wait(30)
                    return
                if reply.after is not None:
                    reply.after.wait(30)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler
