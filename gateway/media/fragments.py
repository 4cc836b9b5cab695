"""Fragmented MP4 as it comes out of a muxer, cut into what a player can begin with and what follows. Pure.

    ftyp moov | moof mdat | moof mdat | ...   ->   number 0: initialisation; 1, 2, 3 ...: one fragment each

A fragment that begins with a key frame is marked: whoever joins later begins there. Read from ISO/IEC 14496-12: the
first sample's flags in `trun`, else the default in `tfhd`; a sample is a key frame unless it says that it is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_PENDING: Final = 8 * 1024 * 1024
_NOT_SYNC: Final = 0x00010000
_TFHD_FIELDS: Final = ((0x000001, 8), (0x000002, 4), (0x000008, 4), (0x000010, 4))
_TFHD_FLAGS: Final = 0x000020
_TRUN_FIRST_FLAGS, _TRUN_FLAGS, _TRUN_OFFSET = 0x000004, 0x000400, 0x000001


@dataclass(frozen=True, slots=True)
class Fragment:
    """`number` 0 is the initialisation segment. `key`: it begins with a key frame."""

    number: int
    key: bool
    body: bytes


class FragmentCutter:
    """Takes bytes as they come, in pieces of any length."""

    def __init__(self) -> None:
        self._pending = b""
        self._head = b""
        self._number = 0

    def feed(self, octets: bytes) -> Iterator[Fragment]:
        """What is whole now. Raises LookupError for what is no fragmented MP4."""
        self._pending += octets
        while (box := self._next_box()) is not None:
            name, body = box
            if name == b"mdat" and self._head:
                yield self._fragment(self._head + body, self._number > 0 and _begins_with_key(self._head))
            elif name == b"moof" and self._number == 0:
                yield self._fragment(self._head, key=False)
                self._head = body
            else:
                self._head += body if name != b"mfra" else b""

    def _fragment(self, body: bytes, key: bool) -> Fragment:
        made = Fragment(self._number, key, body)
        self._number, self._head = self._number + 1, b""
        return made

    def _next_box(self) -> tuple[bytes, bytes] | None:
        if len(self._pending) < 8:
            return None
        size, name = int.from_bytes(self._pending[:4], "big"), self._pending[4:8]
        if size < 8 or size > MOST_PENDING:
            raise LookupError(f"no fragmented MP4: a box of {size} bytes")
        if len(self._pending) < size:
            return None
        body, self._pending = self._pending[:size], self._pending[size:]
        return name, body


def _begins_with_key(moof: bytes) -> bool:
    """Whether the first sample of the fragment is a key frame."""
    traf = next((body for name, body in _boxes(moof, 8) if name == b"traf"), b"")
    found = dict(_boxes(traf, 8))
    default = _default_flags(found.get(b"tfhd", b""))
    return not _first_flags(found.get(b"trun", b""), default) & _NOT_SYNC


def _default_flags(tfhd: bytes) -> int:
    flags = int.from_bytes(tfhd[9:12], "big")
    at = 16 + sum(size for flag, size in _TFHD_FIELDS if flags & flag)
    return int.from_bytes(tfhd[at : at + 4], "big") if flags & _TFHD_FLAGS else 0


def _first_flags(trun: bytes, default: int) -> int:
    flags = int.from_bytes(trun[9:12], "big")
    at = 16 + (4 if flags & _TRUN_OFFSET else 0)
    if flags & _TRUN_FIRST_FLAGS:
        return int.from_bytes(trun[at : at + 4], "big")
    if not flags & _TRUN_FLAGS:
        return default
    at += sum(4 for flag in (0x000100, 0x000200) if flags & flag)
    return int.from_bytes(trun[at : at + 4], "big")


def _boxes(content: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8:
            return
        yield content[at + 4 : at + 8], content[at : at + size]
        at += size
