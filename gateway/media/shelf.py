"""Bodies on the disk by their SHA-256: written once, read with their digest checked, removed only by expiry.

    <data>/media/ab/abcdef...          complete, never changed
    <data>/media/partial/...           being written; swept at the start

A body is complete once it has its name: it is written aside, synced, renamed, and the folder is synced. What does not
match its name is reported and never given out. Below the disk's floor nothing is written: alerts come first.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from kit.durable import sync_folder

log = logging.getLogger(__name__)
MEDIA_FOLDER = "media"
DEFAULT_MAX_BYTES = 20 * 2**30


class NoRoomError(OSError):
    """The body was not written: the disk, or what media may take of it, is full."""


class DamagedError(Exception):
    """What lies on the shelf is not what its name says."""


class NotKeptError(LookupError):
    """No body of this digest is on the shelf."""


class MediaShelf:
    """`may_write` says whether the disk has room for anything but alerts; `max_bytes` bounds all bodies together.

    May be asked in any thread; one body is put at a time."""

    def __init__(
        self, folder: Path, max_bytes: int = DEFAULT_MAX_BYTES, may_write: Callable[[], bool] = lambda: True
    ) -> None:
        self.folder = folder / MEDIA_FOLDER
        self._partial = self.folder / "partial"
        self._max_bytes = max_bytes
        self._may_write = may_write
        self._held_bytes: int | None = None
        self._putting = threading.Lock()

    def path(self, sha256: str) -> Path:
        """Where a body lies. Raises ValueError for what is no digest: a name must not lead out of the folder."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError(f"a digest: expected 64 hexadecimal digits, got {sha256[:80]!r}")
        return self.folder / sha256[:2] / sha256

    @property
    def held_bytes(self) -> int:
        """How many bytes all bodies together take."""
        if self._held_bytes is None:
            self._held_bytes = sum(path.stat().st_size for path in self.bodies())
        return self._held_bytes

    @property
    def max_bytes(self) -> int:
        """How many bytes they may take at most."""
        return self._max_bytes

    def put(self, body: bytes) -> str:
        """Keep a body; its digest, once it survives a power cut. Raises NoRoomError, OSError; ValueError when empty."""
        if not body:
            raise ValueError("an empty body is no evidence")
        with self._putting:
            return self._put(body)

    def _put(self, body: bytes) -> str:
        sha256 = hashlib.sha256(body).hexdigest()
        path = self.path(sha256)
        if path.exists() and self._sound(sha256):
            return sha256
        self._check_room(len(body))
        try:
            self._write(path, body)
        except OSError as error:
            raise NoRoomError(f"a body of {len(body)} bytes could not be written: {error.strerror}") from None
        self._held_bytes = self.held_bytes + len(body) if self._held_bytes is not None else None
        return sha256

    def read(self, sha256: str) -> bytes:
        """A body whose digest was checked just now. Raises NotKeptError, DamagedError."""
        try:
            body = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotKeptError(sha256) from None
        except OSError as error:
            raise DamagedError(f"{sha256} cannot be read: {error.strerror}") from None
        found = hashlib.sha256(body).hexdigest()
        if found != sha256:
            log.error("event=media_damaged sha256=%s found=%s bytes=%d", sha256, found, len(body))
            raise DamagedError(f"{sha256}: what lies there has the digest {found}")
        return body

    def holds(self, sha256: str) -> bool:
        """Whether there is a body of that name; unchecked."""
        return self.path(sha256).is_file()

    def remove(self, sha256: str) -> int:
        """Let go of a body; how many bytes that frees."""
        path = self.path(sha256)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        if self._held_bytes is not None:
            self._held_bytes -= size
        return size

    def bodies(self) -> Iterator[Path]:
        """The files of every complete body, in no order."""
        return (path for path in self.folder.glob("[0-9a-f][0-9a-f]/*") if len(path.name) == 64)

    def sweep_partial(self) -> int:
        """Remove what was never finished; how many files."""
        found = list(self._partial.glob("*")) if self._partial.is_dir() else []
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _check_room(self, size: int) -> None:
        if not self._may_write():
            raise NoRoomError("the disk is almost full: alerts come first")
        if self.held_bytes + size > self._max_bytes:
            raise NoRoomError(f"media may take {self._max_bytes} bytes, {self.held_bytes} are taken")

    def _write(self, path: Path, body: bytes) -> None:
        self._partial.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._partial)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        sync_folder(path.parent)

    def _sound(self, sha256: str) -> bool:
        try:
            self.read(sha256)
        except (DamagedError, NotKeptError):
            return False
        return True
