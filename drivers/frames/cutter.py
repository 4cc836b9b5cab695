"""Bytes as they arrive -> frames. Pure and incremental: however the bytes are split, the frames are the same.

In: chunks of a stream. Out: sound frames, and what looked like one and was none, with the reason. Knows no field.

Theory of operation. Only one thing is ever decided at a time: what begins at the first start mark in the buffer.

    noise | start | content | end | ...
            sound              -> a frame; go on behind it
            broken, or too long-> refused, with the reason; go on one byte behind its start mark
            not all there yet  -> wait

Going on one byte behind a broken start (not behind its supposed end) is what brings the cutter back in step: a half
frame, or a wrong length, takes no sound frame with it. Each decision depends only on bytes that can no longer change,
so that it is the same for every split. Frames that are cut by marks alone begin at the last start mark before their
end, because a content cannot hold one. The buffer never holds more than one frame and one chunk.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.frames.checksums import checksum
from drivers.frames.grammar import ChecksumField, Escape, Framing, LengthField, mark_bytes

KEPT_NOISE_BYTES = 64
_EMPTY = b""


@dataclass(frozen=True, slots=True)
class Frame:
    """A sound frame: `content` between the marks, escapes undone, without the checksum; `wire` is what came."""

    content: bytes
    wire: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """What began like a frame and was none."""

    wire: bytes
    reason: str


class _BrokenError(Exception):
    """No sound frame begins here; the message says why. `size` bytes were looked at."""

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message)
        self.size = size


class Cutter:
    """One caller's stream. `noise` counts bytes that belong to no frame; `last_noise` are the newest of them."""

    def __init__(self, framing: Framing) -> None:
        self.noise = 0
        self.last_noise = _EMPTY
        self._buffer = bytearray()
        self._start = mark_bytes(framing.start)
        self._shape = _Shape(framing)

    @property
    def in_frame(self) -> bool:
        """Whether the buffer holds the beginning of a frame."""
        return self._buffer.startswith(self._start)

    def feed(self, chunk: bytes) -> Iterator[Frame | Refused]:
        """What the chunk completes, in order, worked out as it is asked for. Never raises, whatever the bytes are."""
        self._buffer += chunk
        while self._at_a_start():
            try:
                size = self._shape.size(self._buffer)
                if size is None:
                    break
                frame = self._taken(size)
            except _BrokenError as error:
                wire = bytes(self._buffer[: error.size])
                self._drop(1)
                yield Refused(wire, str(error))
            else:
                del self._buffer[: len(frame.wire)]
                yield frame

    def _at_a_start(self) -> bool:
        """Drop what comes before the first start mark; whether there is one."""
        place = self._buffer.find(self._start)
        if place >= 0:
            self._drop(place)
            return True
        self._drop(len(self._buffer) - _overlap(self._buffer, self._start))
        return False

    def _taken(self, size: int) -> Frame:
        """The frame that ends after `size` bytes; it stays in the buffer. Raises _BrokenError."""
        first = self._shape.first(self._buffer, size)
        self._drop(first)
        wire = bytes(self._buffer[: size - first])
        return Frame(self._shape.content(wire), wire)

    def _drop(self, count: int) -> None:
        if count:
            self.noise += count
            self.last_noise = (self.last_noise + bytes(self._buffer[:count]))[-KEPT_NOISE_BYTES:]
            del self._buffer[:count]


class _Shape:
    """A framing, compiled. Offsets count from the first byte of the start mark."""

    def __init__(self, framing: Framing) -> None:
        self.max_bytes = framing.max_bytes
        self._start = mark_bytes(framing.start)
        self._end = mark_bytes(framing.end) if framing.end else _EMPTY
        self._length = framing.length
        self._checksum = framing.checksum
        self._unescape = unescaping(framing.escape) if framing.escape else None
        self._counted = framing.length is not None and framing.escape is None
        self._least = (framing.checksum.width if framing.checksum else 0) + (
            framing.length.at + framing.length.width if framing.length else 0
        )

    def size(self, buffer: bytearray) -> int | None:
        """Bytes of the frame in front, marks included; None while that is not known. Raises _BrokenError."""
        return self._counted_size(buffer) if self._counted else self._marked_size(buffer)

    def first(self, buffer: bytearray, size: int) -> int:
        """Where the frame begins: for frames without a length, at the last start mark before its end."""
        if self._counted or self._start == self._end:
            return 0
        return buffer.rfind(self._start, 0, size - len(self._end))

    def content(self, wire: bytes) -> bytes:
        """The checked content without its checksum. Raises _BrokenError."""
        content = wire[len(self._start) : len(wire) - len(self._end)]
        reason = ""
        try:
            content = self._unescape(content) if self._unescape is not None else content
        except ValueError as error:
            reason = str(error)
        reason = reason or self._wrong_length(content)
        if not reason and self._checksum is not None:
            content, found = content[: -self._checksum.width], content[-self._checksum.width :]
            reason = _wrong_checksum(self._checksum, content, found, self._start)
        if reason:
            raise _BrokenError(reason, len(wire))
        return content

    def _wrong_length(self, content: bytes) -> str:
        if len(content) < max(1, self._least):
            return f"{len(content)} bytes of content; a frame has at least {max(1, self._least)}"
        said = length_of(content, self._length) if self._length is not None else len(content)
        if said != len(content):
            return f"its length says {said} bytes of content, and there are {len(content)}"
        return ""

    def _counted_size(self, buffer: bytearray) -> int | None:
        assert self._length is not None
        field_end = len(self._start) + self._length.at + self._length.width
        if len(buffer) < field_end:
            return None
        length = length_of(bytes(buffer[len(self._start) : field_end]), self._length)
        size = len(self._start) + length + len(self._end)
        if length < self._least or size > self.max_bytes:
            bounds = f"a frame has {self._least} or more, and at most {self.max_bytes} with its marks"
            raise _BrokenError(f"its length says {length} bytes of content; {bounds}", field_end)
        if len(buffer) < size:
            return None
        if not buffer.endswith(self._end, 0, size):
            raise _BrokenError(f"no end mark after the {length} bytes that its length says", size)
        return size

    def _marked_size(self, buffer: bytearray) -> int | None:
        place = buffer.find(self._end, len(self._start), self.max_bytes)
        if place >= 0:
            return place + len(self._end)
        if len(buffer) >= self.max_bytes:
            raise _BrokenError(f"no end mark within {self.max_bytes} bytes", self.max_bytes)
        return None


def length_of(content: bytes, field: LengthField) -> int:
    """Bytes that the whole content should have by its length field; -1 where that is no number."""
    raw = content[field.at : field.at + field.width]
    if field.type == "digits":
        return int(raw) + field.plus if raw.isdigit() else -1
    return int.from_bytes(raw, "little" if field.type.endswith("_le") else "big") + field.plus


def checksum_bytes(field: ChecksumField, content: bytes, start: bytes) -> bytes:
    """The checksum of a content (without its checksum), as it stands on the wire; hexadecimal in capitals."""
    covered = start + content if field.with_start else content[field.first :]
    number = checksum(field.kind, covered)
    if field.form == "hex":
        return b"%0*X" % (field.width, number)
    return number.to_bytes(field.width, field.form)


def _wrong_checksum(field: ChecksumField, content: bytes, found: bytes, start: bytes) -> str:
    expected = checksum_bytes(field, content, start)
    if (found.upper() if field.form == "hex" else found) == expected:
        return ""
    return f"checksum {found.hex(' ')}, computed {expected.hex(' ')}"


def unescaping(escape: Escape) -> Callable[[bytes], bytes]:
    """What undoes escapes. It raises ValueError for one that stands for nothing."""
    mark = mark_bytes(escape.mark)
    stands_for = {mark + mark_bytes(code): mark_bytes(byte) for code, byte in escape.codes.items()}
    pattern = re.compile(re.escape(mark) + b".?", re.DOTALL)

    def undone(found: re.Match[bytes]) -> bytes:
        """The bytes that an escape stands for."""
        byte = stands_for.get(found[0])
        if byte is None:
            raise ValueError(f"escape {found[0].hex(' ')} stands for nothing")
        return byte

    return lambda content: pattern.sub(undone, content)


def escaped(content: bytes, escape: Escape) -> bytes:
    """The content with everything hidden that an escape code stands for."""
    mark = mark_bytes(escape.mark)
    hidden = {mark_bytes(byte): mark + mark_bytes(code) for code, byte in escape.codes.items()}
    return b"".join(hidden.get(bytes([byte]), bytes([byte])) for byte in content)


def _overlap(buffer: bytearray, mark: bytes) -> int:
    """How many bytes at the end of the buffer could begin the mark."""
    return next((n for n in range(min(len(mark) - 1, len(buffer)), 0, -1) if buffer.endswith(mark[:n])), 0)
