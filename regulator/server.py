"""The HTTP server that carries the receiver: keep-alive for boxes that call often, and a stop that does not hang.

In: the application. Out: served sockets.
"""

import asyncio
import sys
from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp

from regulator.base.intake.contract_routes import ContractFront
from screens.connections import limits_of
from screens.server import BoundedServer, WatchedHttpTools

KEEP_ALIVE_S = 75
MOST_CONNECTIONS = 8192


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop of a process that serves many boxes; None, asyncio's own, where there is no other."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - there is none for Windows

    return uvloop.new_event_loop


class ReceiverServer(BoundedServer):
    """`serve(sockets)` until `stop`. Long polls are answered before the connections are closed."""

    def __init__(self, app: FastAPI, pages: ASGIApp | None = None) -> None:
        """`pages`: what answers everything but boxes' messages, when that is not `app` alone."""
        self._app = app
        front = ContractFront(pages or app, app.state.reception)
        super().__init__(
            front,
            limits_of(MOST_CONNECTIONS),
            WatchedHttpTools,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=3,
        )

    def stop(self) -> None:
        """End `serve`; to be called on its event loop."""
        self._app.state.reception.end_waiting()
        self.should_exit = True
