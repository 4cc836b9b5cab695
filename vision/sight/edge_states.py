"""Kept state of the edge check on disk: one file a camera, the newest only. `vision.sight` keeps its own the same way.

    edge_states/<camera>.edges             written whole and synced (`kit.durable`), replaced about once a minute
    edge_states/<camera>.<preset>.edges    of a preset: the beginning of its name's digest
    sight_states/<camera>.sight

No record and no evidence: losing it costs the minute in which every edge is unknown until it is confirmed again. The
bytes are not looked into here; the eye checks them before it takes anything up. Blocking: `flush` from a thread.
"""

import hashlib
import logging
import re
import threading
from pathlib import Path
from typing import Final

from kit.durable import write_whole

log = logging.getLogger(__name__)
ENDINGS: Final = {"edge": "edges", "sight": "sight"}
MOST_BYTES: Final = 48 * 2**20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class EdgeStates:
    """The newest state by camera and preset (empty for a camera that stands), in memory and, where a folder is given,
    on the disk. `what`: a key of `ENDINGS`."""

    def __init__(self, folder: Path | None = None, what: str = "edge") -> None:
        self._folder = folder / f"{what}_states" if folder is not None else None
        self._what, self._ending = what, ENDINGS[what]
        self._newest: dict[tuple[str, str], bytes] = {}
        self._waiting: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def newest(self, camera: str, preset: str = "") -> bytes:
        """The last one that was taken; at first what a file holds, empty when there is none to be read."""
        whose = (camera, preset)
        if whose not in self._newest:
            self._newest[whose] = self._read(whose)
        return self._newest[whose]

    def take(self, camera: str, state: bytes, preset: str = "") -> None:
        """This one counts from now on; on the disk after the next `flush`."""
        self._newest[camera, preset] = state
        self._waiting.add((camera, preset))

    @property
    def unwritten(self) -> bool:
        """Whether something waits for a `flush`."""
        return bool(self._waiting)

    def flush(self) -> None:
        """Write what was taken. A disk that refuses is logged: judging goes on."""
        with self._lock:
            while self._waiting:
                whose = self._waiting.pop()
                try:
                    self._write(whose, self._newest[whose])
                except OSError as error:
                    log.error("event=%s_state_not_kept camera=%s reason=%r", self._what, whose[0], str(error))

    def _write(self, whose: tuple[str, str], state: bytes) -> None:
        if (file := self._file(whose)) is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, state)

    def _read(self, whose: tuple[str, str]) -> bytes:
        if (path := self._file(whose)) is None:
            return b""
        try:
            with path.open("rb") as file:
                return file.read(MOST_BYTES)
        except FileNotFoundError:
            return b""
        except OSError as error:
            log.error("event=%s_state_not_read camera=%s reason=%r", self._what, whose[0], str(error))
            return b""

    def _file(self, whose: tuple[str, str]) -> Path | None:
        camera, preset = whose
        if self._folder is None or not _NAME.fullmatch(camera):
            return None
        part = f".{hashlib.sha256(preset.encode()).hexdigest()[:16]}" if preset else ""
        return self._folder / f"{camera}{part}.{self._ending}"
