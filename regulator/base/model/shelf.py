"""Where bytes lie under their SHA-256: on disk beside the database, or in an S3-compatible store."""

from typing import Protocol


class Shelf(Protocol):
    """Content-addressed, never changed. Thread-safe. Raises OSError when the store cannot be reached."""

    def put(self, content: bytes, media_type: str) -> str:
        """Keep; the SHA-256 in lower-case hex. The same content twice is kept once."""
        ...

    def read(self, sha256: str) -> bytes:
        """The bytes, their digest checked again. Raises LookupError: there are none, ValueError: they changed."""
        ...

    def holds(self, sha256: str) -> bool:
        """Whether the whole file is there."""
        ...


class _NoShelf:
    def put(self, content: bytes, media_type: str) -> str:  # noqa: ARG002 - the protocol's shape
        """Nothing can be kept: this desk has no shelf."""
        raise LookupError("no shelf")

    def read(self, sha256: str) -> bytes:  # noqa: ARG002 - the protocol's shape
        """Nothing can be read: this desk has no shelf."""
        raise LookupError("no shelf")

    def holds(self, sha256: str) -> bool:  # noqa: ARG002 - the protocol's shape
        """Nothing is held: this desk has no shelf."""
        return False


NO_SHELF: Shelf = _NoShelf()
"""Until the intake is built."""
