"""Files by their SHA-256, on disk beside the database.

    <folder>/partial/<box_id>/<sha256>     arriving, part by part
    <folder>/ab/abcdef...                  complete, digest checked, never changed

In: parts. Out: how much is held. Raises BlobOffset, DigestMismatch or TooLarge. Knows no HTTP and no database.
"""

import hashlib
import os
import threading
from pathlib import Path

from contract.faults import BlobOffset, DigestMismatch, InvalidBody, TooLarge
from contract.messages import Blob, BlobState


class BlobShelf:
    """`max_bytes` bounds one file."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def path(self, sha256: str) -> Path:
        """Where a complete file lies."""
        return self._folder / sha256[:2] / sha256

    def state(self, box_id: str, sha256: str) -> BlobState:
        """How much of the file is held from this box."""
        if self.path(sha256).exists():
            return BlobState(sha256=sha256, received_bytes=self.path(sha256).stat().st_size, complete=True)
        partial = self._partial(box_id, sha256)
        held = partial.stat().st_size if partial.exists() else 0
        return BlobState(sha256=sha256, received_bytes=held, complete=False)

    def add(self, box_id: str, part: Blob, content: bytes) -> BlobState:
        """Take one part; the last one completes the file. A part that is held already changes nothing."""
        if part.size_bytes > self._max_bytes:
            raise TooLarge("body.size_bytes", str(self._max_bytes))
        if hashlib.sha256(content).hexdigest() != part.part_sha256:
            raise DigestMismatch("body.part_sha256", "the SHA-256 of the bytes in this request")
        end = part.offset_bytes + len(content)
        if not content or end > part.size_bytes:
            raise InvalidBody("body.offset_bytes", f"a part within {part.size_bytes} bytes")
        with self._lock:
            return self._append(box_id, part, content, end)

    def _append(self, box_id: str, part: Blob, content: bytes, end: int) -> BlobState:
        held = self.state(box_id, part.sha256)
        if held.complete:
            return held
        partial = self._partial(box_id, part.sha256)
        if end > held.received_bytes:
            if part.offset_bytes != held.received_bytes:
                raise BlobOffset("body.offset_bytes", str(held.received_bytes))
            _append_durably(partial, content)
        if partial.stat().st_size >= part.size_bytes:
            self._complete(partial, part.sha256)
        return self.state(box_id, part.sha256)

    def _complete(self, partial: Path, sha256: str) -> None:
        with partial.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256:
            partial.unlink()
            raise DigestMismatch("body.sha256", "the SHA-256 of the whole file; send it again from the start")
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _partial(self, box_id: str, sha256: str) -> Path:
        return self._folder / "partial" / box_id / sha256


def _append_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
