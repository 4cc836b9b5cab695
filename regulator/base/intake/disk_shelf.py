"""Files by their SHA-256, on disk beside the database.

    <folder>/partial/<box_id>/<sha256>     arriving, part by part
    <folder>/waiting/<box_id>/<sha256>     complete, digest checked; no message names it yet
    <folder>/ab/abcdef...                  complete, digest checked, never changed

In: parts, or whole files. Out: how much is held. Knows no HTTP and no database.
"""

import hashlib
import os
import threading
from pathlib import Path

from contract.faults import BlobOffset, DigestMismatch
from contract.keyfile import write_durably
from contract.messages import Blob, BlobState
from regulator.base.intake.part_shelf import WHOLE_FILE, check_part, check_read


class DiskShelf:
    """Files on a disk, by digest; `max_bytes` bounds one file."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self.max_bytes = max_bytes
        self._lock = threading.Lock()

    def path(self, sha256: str) -> Path:
        """The path at which a complete file lies."""
        return self._folder / sha256[:2] / sha256

    def holds(self, sha256: str) -> bool:
        """Whether the whole file lies there, as `Shelf.holds` says."""
        return self.path(sha256).exists()

    def put(self, content: bytes, media_type: str) -> str:  # noqa: ARG002 - a disk keeps no type
        """Keep a whole file; its digest, as `Shelf.put` says."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self.holds(sha256):
            write_durably(self.path(sha256), content)
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes of a file, checked as `Shelf.read` says."""
        try:
            return check_read(self.path(sha256).read_bytes(), sha256)
        except FileNotFoundError:
            raise LookupError(f"{sha256}: no such file on the shelf") from None

    def state(self, box_id: str, sha256: str, *, sent: bool) -> BlobState:
        """How much of a file is there, as `PartShelf.state` says."""
        whole = self._whole(box_id, sha256) if sent else None
        if whole is not None:
            return whole
        partial = self._partial(box_id, sha256)
        held = partial.stat().st_size if partial.exists() else 0
        return BlobState(sha256=sha256, received_bytes=held, complete=False)

    def add(self, box_id: str, part: Blob, content: bytes, *, sent: bool) -> BlobState:
        """Add a part to its file, as `PartShelf.add` says."""
        end = check_part(part, content, self.max_bytes)
        with self._lock:
            held = self.state(box_id, part.sha256, sent=sent)
            return self._append(box_id, part, content, end, held)

    def _append(self, box_id: str, part: Blob, content: bytes, end: int, held: BlobState) -> BlobState:
        if held.complete:
            return held
        partial = self._partial(box_id, part.sha256)
        if end > held.received_bytes:
            if part.offset_bytes != held.received_bytes:
                raise BlobOffset("body.offset_bytes", str(held.received_bytes))
            _append_durably(partial, content)
        if partial.stat().st_size < part.size_bytes:
            return self.state(box_id, part.sha256, sent=False)
        self._complete(box_id, partial, part.sha256)
        return BlobState(sha256=part.sha256, received_bytes=part.size_bytes, complete=True)

    def keep(self, box_id: str, sha256: str) -> bool:
        """Take a file over for good, as `PartShelf.keep` says."""
        with self._lock:
            waiting = self._waiting(box_id, sha256)
            if waiting.exists():
                _move_durably(waiting, self.path(sha256))
        return self.holds(sha256)

    def clear(self, box_id: str, sha256: str) -> None:
        """Drop a file that nobody named, as `PartShelf.clear` says."""
        with self._lock:
            for path in (self._partial(box_id, sha256), self._waiting(box_id, sha256)):
                path.unlink(missing_ok=True)

    def _whole(self, box_id: str, sha256: str) -> BlobState | None:
        for path in (self.path(sha256), self._waiting(box_id, sha256)):
            if path.exists():
                return BlobState(sha256=sha256, received_bytes=path.stat().st_size, complete=True)
        return None

    def _complete(self, box_id: str, partial: Path, sha256: str) -> None:
        with partial.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256:
            partial.unlink()
            raise DigestMismatch("body.sha256", WHOLE_FILE)
        _move_durably(partial, self._waiting(box_id, sha256))

    def _partial(self, box_id: str, sha256: str) -> Path:
        return self._folder / "partial" / box_id / sha256

    def _waiting(self, box_id: str, sha256: str) -> Path:
        return self._folder / "waiting" / box_id / sha256


def _move_durably(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _append_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
