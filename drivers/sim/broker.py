"""An embedded MQTT 3.1.1 broker for demonstrations: no installation, loopback only, anonymous, nothing kept on disk.

In: a port. Out: a running broker. Not for a real site: use Mosquitto there (deploy/). Knows nothing of topics.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from amqtt.broker import Broker

_LOOPBACK = "127.0.0.1"
_LISTENER = "default"
_HANG_UP_S = 5.0
_CONFIG = {
    "listeners": {_LISTENER: {"type": "external", "bind": "unused"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


class DemoBroker:
    """The listening socket is ours, so that port 0 works and the port is known; the protocol is the library's."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._broker: Any = None
        self._listener: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen; afterwards `port` is the real port. Raises OSError when the port is taken."""
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._listener = await asyncio.start_server(self._accept, _LOOPBACK, self.port)
        self.port = int(self._listener.sockets[0].getsockname()[1])
        self._broker = Broker(_CONFIG)
        await self._broker.start()

    async def stop(self) -> None:
        """Close the listener and every session.

        We hang up first and let each session end by itself: the library's own shutdown cancels its readers, and on
        Python before 3.12 a cancel that meets an arriving packet is lost, which would leave it waiting.
        """
        if self._listener is None:
            return
        self._listener.close()
        for writer in self._sessions.values():
            writer.close()
        if self._sessions:
            await asyncio.wait(self._sessions, timeout=_HANG_UP_S)
        await self._broker.shutdown()
        await self._listener.wait_closed()
        self._listener = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._sessions[session] = writer
        session.add_done_callback(self._sessions.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation: Coroutine[Any, Any, None] = self._broker.stream_connected(reader, writer, _LISTENER)
        try:
            await conversation
        finally:
            writer.close()
