"""The HTTP server of the box's web face: leaves signals to the gateway and ends open requests in order."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

GRACE_S = 2


class WebServer(uvicorn.Server):
    """Serves one application on one listening socket until cancelled."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        self._listener = listener
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE_S
        )
        super().__init__(config)

    async def run_until_cancelled(self) -> None:
        """Serve; a cancellation ends open requests within `GRACE_S` before it goes on."""
        serving = asyncio.ensure_future(self.serve(sockets=[self._listener]))
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
