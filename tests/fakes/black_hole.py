"""A receiver that takes every connection and every byte and never answers, as a firewall or a hung server does."""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self

from screens.listener import listen


class BlackHole:
    """`port` on 127.0.0.1; `heard_bytes` counts what was sent to it."""

    def __init__(self) -> None:
        self._listener = listen("127.0.0.1", 0)
        self.port: int = self._listener.getsockname()[1]
        self.heard_bytes = 0
        self._ends, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._swallow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.send(b".")
        self._thread.join(10)
        self._end.close()

    def _swallow(self) -> None:
        with selectors.DefaultSelector() as ready:
            for each in (self._listener, self._ends):
                ready.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._ends:
                        for known in list(ready.get_map().values()):
                            known.fileobj.close()  # type: ignore[union-attr]
                        return
                    self._take(ready, key.fileobj)  # type: ignore[arg-type]

    def _take(self, ready: selectors.BaseSelector, from_socket: socket.socket) -> None:
        if from_socket is self._listener:
            ready.register(self._listener.accept()[0], selectors.EVENT_READ)
            return
        try:
            heard = from_socket.recv(65536)
        except ConnectionError:
            heard = b""
        self.heard_bytes += len(heard)
        if not heard:
            ready.unregister(from_socket)
            from_socket.close()
