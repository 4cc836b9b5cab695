"""Kept state of the edge check on disk: one file a camera, the newest only. `vision.sight` keeps its own the same way.

    edge_states/<camera>.edges      written whole and synced (`gateway.durable`), replaced about once a minute
    sight_states/<camera>.sight

No record and no evidence: losing it costs the minute in which every edge is unknown until it is confirmed again. The
bytes are not looked into here; the eye checks them before it takes anything up. Blocking: `flush` from a thread.
"""

import logging
import re
import threading
from pathlib import Path
from typing import Final

from gateway.durable import write_whole

log = logging.getLogger(__name__)
ENDINGS: Final = {"edge": "edges", "sight": "sight"}
MOST_BYTES: Final = 48 * 2**20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class EdgeStates:
    """The newest state by camera, in memory and, where a folder is given, on the disk. `what`: a key of `ENDINGS`."""

    def __init__(self, folder: Path | None = None, what: str = "edge") -> None:
        self._folder = folder / f"{what}_states" if folder is not None else None
        self._what, self._ending = what, ENDINGS[what]
        self._newest: dict[str, bytes] = {}
        self._waiting: set[str] = set()
        self._lock = threading.Lock()

    def newest(self, camera: str) -> bytes:
        """The last one that was taken; at first what a file holds, empty when there is none to be read."""
        if camera not in self._newest:
            self._newest[camera] = self._read(camera)
        return self._newest[camera]

    def take(self, camera: str, state: bytes) -> None:
        """This one counts from now on; on the disk after the next `flush`."""
        self._newest[camera] = state
        self._waiting.add(camera)

    @property
    def unwritten(self) -> bool:
        """Whether something waits for a `flush`."""
        return bool(self._waiting)

    def flush(self) -> None:
        """Write what was taken. A disk that refuses is logged: judging goes on."""
        with self._lock:
            while self._waiting:
                camera = self._waiting.pop()
                try:
                    self._write(camera, self._newest[camera])
                except OSError as error:
                    log.error("event=%s_state_not_kept camera=%s reason=%r", self._what, camera, str(error))

    def _write(self, camera: str, state: bytes) -> None:
        if self._folder is None or not _NAME.fullmatch(camera):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / f"{camera}.{self._ending}", state)

    def _read(self, camera: str) -> bytes:
        if self._folder is None or not _NAME.fullmatch(camera):
            return b""
        try:
            with (self._folder / f"{camera}.{self._ending}").open("rb") as file:
                return file.read(MOST_BYTES)
        except FileNotFoundError:
            return b""
        except OSError as error:
            log.error("event=%s_state_not_read camera=%s reason=%r", self._what, camera, str(error))
            return b""
