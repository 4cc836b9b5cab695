"""A preallocated file beside `alerts.db`: given up when the disk is full, so that alerts can still be kept and leave.

History stops first: it refuses to write while less than `floor_bytes` are free, so what the reserve gives back goes
to alerts alone.
"""

import contextlib
import logging
import os
import shutil
from pathlib import Path

log = logging.getLogger(__name__)
START_ROOM_BYTES = 2 * 2**20


class DiskReserve:
    """`path` holds `size_bytes` of real blocks while the disk has room."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self.released = False

    @property
    def floor_bytes(self) -> int:
        """Free space below which history must not write."""
        return 2 * self._size_bytes

    def free_bytes(self) -> int:
        """Free space of the disk that holds the reserve; 0 of a disk that cannot be asked."""
        try:
            return shutil.disk_usage(self._path.parent).free
        except OSError:
            return 0

    def history_may_write(self) -> bool:
        """Whether the disk has room for anything but alerts."""
        return self.free_bytes() >= self.floor_bytes

    def settle(self) -> None:
        """At a start, before any file is opened: take the reserve only where room is left beside it, and give it up
        where the disk is so full that the databases could not even be opened."""
        free = self.free_bytes()
        if self._path.exists() and free < START_ROOM_BYTES:
            self.release()
        elif self._path.exists() or free >= self._size_bytes + START_ROOM_BYTES:
            self.take()
        else:
            self.released = True
            log.warning("event=reserve_not_taken file=%s free_bytes=%d", self._path, free)

    def take(self) -> bool:
        """Allocate the reserve where it is missing; False when the disk has no room for it."""
        if self._path.exists() and self._path.stat().st_size == self._size_bytes:
            self.released = False
            return True
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size_bytes)
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            log.warning("event=reserve_not_taken file=%s reason=%r", self._path, error.strerror)
            return False
        self.released = False
        return True

    def release(self) -> bool:
        """Give the space back; False when there was nothing to give, or the disk lets nothing be removed."""
        if not self._path.exists():
            return False
        try:
            self._path.unlink()
        except OSError as error:
            log.error("event=reserve_not_released file=%s reason=%r", self._path, error.strerror)
            return False
        self.released = True
        log.error("event=reserve_released file=%s bytes=%d reason='disk full'", self._path, self._size_bytes)
        return True

    def restore_when_possible(self) -> None:
        """Take the reserve again once the disk has room for it twice over."""
        if not self._path.exists() and self.free_bytes() >= 2 * self.floor_bytes:
            self.take()
