"""The HTTP servers of the box's web face: leave signals to the gateway and end open requests in order.

In: an application, a listening socket, and for HTTPS the context that its certificate's watch keeps. Knows no pages and
no certificates.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

GRACE_S = 2


class WebServer(uvicorn.Server):
    """Serves one application on one listening socket until cancelled; with a context by TLS, and only so."""

    def __init__(self, app: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self.listener = listener
        config = uvicorn.Config(
            app,
            http="h11",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        )
        super().__init__(config)

    async def run_until_cancelled(self) -> None:
        """Serve; a cancellation ends open requests within `GRACE_S` before it goes on."""
        serving = asyncio.ensure_future(self.serve(sockets=[self.listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.should_exit = True
            await serving
            raise

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process that runs the gateway."""
        yield
