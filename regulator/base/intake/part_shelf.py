"""A shelf that takes files part by part, as boxes send them; on disk or in an S3-compatible store.

In: parts. Out: how much is held. A part that is held already changes nothing; a file is complete only when the digest
of the whole was found right. It waits beside the shelf until a message names it: what is on the shelf stays. What one
box sent is no other's: a box that names a file which somebody else has sent is asked for all of its bytes. Knows no
HTTP and no database.
"""

import hashlib
from typing import Protocol

from contract.faults import DigestMismatch, InvalidBody, TooLarge
from contract.messages import Blob, BlobState
from regulator.base.model.shelf import Shelf

WHOLE_FILE = "the SHA-256 of the whole file; send it again from the start"


class PartShelf(Shelf, Protocol):
    """Raises OSError when the store cannot be reached."""

    max_bytes: int
    """The longest file that is taken."""

    def state(self, box_id: str, sha256: str, *, sent: bool) -> BlobState:
        """How much of the file is held from this box. `sent`: it has sent the whole before."""
        ...

    def add(self, box_id: str, part: Blob, content: bytes, *, sent: bool) -> BlobState:
        """Take one part; the last one completes the file. Raises BlobOffset, DigestMismatch ..."""
        ...

    def keep(self, box_id: str, sha256: str) -> bool:
        """Move a complete file of this box onto the shelf for good; whether it is there now."""
        ...

    def clear(self, box_id: str, sha256: str) -> None:
        """Let go of what this box has sent of a file and what is not on the shelf."""
        ...


def check_part(part: Blob, content: bytes, max_bytes: int) -> int:
    """Where in the file the part ends. Raises TooLarge, DigestMismatch or InvalidBody."""
    if part.size_bytes > max_bytes:
        raise TooLarge("body.size_bytes", str(max_bytes))
    if hashlib.sha256(content).hexdigest() != part.part_sha256:
        raise DigestMismatch("body.part_sha256", "the SHA-256 of the bytes in this request")
    end = part.offset_bytes + len(content)
    if not content or end > part.size_bytes:
        raise InvalidBody("body.offset_bytes", f"a part within {part.size_bytes} bytes")
    return end


def check_read(content: bytes, sha256: str) -> bytes:
    """The bytes as they are. Raises ValueError when they are not what they were."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{sha256}: the bytes on the shelf have another digest")
    return content
