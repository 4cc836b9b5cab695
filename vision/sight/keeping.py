"""The books of all cameras of a box, by camera, over reloads and restarts: `sight_states/<camera>.sight`.

In: which camera. Out: its `SightBook`. `stage` from the event loop, `flush` from a thread. No record and no evidence: a
crash costs what was learnt in the last minute.
"""

import logging
from collections.abc import Iterable

from vision.sight.edge_states import EdgeStates
from vision.sight.ledger import SightBook

log = logging.getLogger(__name__)


class SightBooks:
    """`files` None: kept for this run only."""

    def __init__(self, files: EdgeStates | None = None) -> None:
        self._files = files or EdgeStates(what="sight")
        self._books: dict[str, SightBook] = {}

    def of(self, camera: str) -> SightBook:
        """The camera's, which goes on where it was kept."""
        if camera not in self._books:
            self._books[camera] = self._read(camera)
        return self._books[camera]

    def stage(self, cameras: Iterable[str]) -> None:
        """What is known of these now goes to the disk with the next `flush`."""
        for camera in cameras:
            self._files.take(camera, self.of(camera).kept())

    def flush(self) -> None:
        """Write it. A disk that refuses is logged."""
        self._files.flush()

    def _read(self, camera: str) -> SightBook:
        try:
            return SightBook(self._files.newest(camera))
        except ValueError as error:
            log.warning("event=sight_begun_anew camera=%s reason=%r", camera, str(error))
            return SightBook()
