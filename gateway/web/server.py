"""The HTTP servers of the box's web face: end open requests in order.

In: an application, a listening socket, and for HTTPS the context that its certificate's watch keeps. Knows no pages and
no certificates.
"""

import asyncio
import socket
import ssl

from starlette.types import ASGIApp

from screens.connections import limits_of
from screens.server import BoundedServer, WatchedH11

GRACE_S = 2
MOST_CONNECTIONS = 1024


class WebServer(BoundedServer):
    """Serves one application on one listening socket until cancelled; with a context by TLS, and only so."""

    def __init__(self, app: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self.listener = listener
        super().__init__(
            app,
            limits_of(MOST_CONNECTIONS),
            WatchedH11,
            tls,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
        )

    async def run_until_cancelled(self) -> None:
        """Serve; a cancellation ends open requests within `GRACE_S` before it goes on."""
        serving = asyncio.ensure_future(self.serve(sockets=[self.listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.should_exit = True
            await serving
            raise
