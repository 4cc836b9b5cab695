"""The HTTP server that carries the receiver: keep-alive for boxes that call often, and a stop that does not hang.

In: the application. Out: served sockets. Signals are left to whoever starts it.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from regulator.intake.contract_routes import ContractFront

KEEP_ALIVE_S = 75


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop of a process that serves many boxes; None, asyncio's own, where there is no other."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - there is none for Windows

    return uvloop.new_event_loop


class ReceiverServer(uvicorn.Server):
    """`serve(sockets)` until `stop`. Long polls are answered before the connections are closed."""

    def __init__(self, app: FastAPI, pages: ASGIApp | None = None) -> None:
        """`pages`: what answers everything but boxes' messages, when that is not `app` alone."""
        self._app = app
        front = ContractFront(pages or app, app.state.reception)
        config = uvicorn.Config(
            front,
            http="httptools",
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=3,
        )
        super().__init__(config)

    def stop(self) -> None:
        """End `serve`; to be called on its event loop."""
        self._app.state.reception.end_waiting()
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal: the process that owns this server decides."""
        yield
