"""What is sent back: the protocol's own acknowledgement of one received frame, and nothing else. Pure.

In: a message. Out: bytes, or nothing. A reply is put together from what its table says (`drivers.frames.grammar`):
constants, and fields of the very frame that it answers. No other value can get in here.
"""

from drivers.frames.cutter import checksum_bytes, escaped
from drivers.frames.grammar import MAX_REPLY_BYTES, Framing, Grammar, LengthField, Reply, mark_bytes
from drivers.frames.message import Message, MessageReader
from gateway.model.errors import DecodeError


class Answerer:
    """Makes the replies that a grammar asks for."""

    def __init__(self, grammar: Grammar, reader: MessageReader) -> None:
        self._grammar = grammar
        self._reader = reader

    def answer(self, message: Message) -> bytes:
        """The reply to a message; empty when it wants none. Raises DecodeError when what it has to echo is missing."""
        kind = message.kind
        if kind.reply is None or not self._is_asked(message):
            return b""
        content = b"".join(self._parts(self._grammar.replies[kind.reply], message))
        wire = framed(content, self._grammar.answer_framing)
        if len(wire) > MAX_REPLY_BYTES:
            raise DecodeError(f"the reply would have {len(wire)} bytes, at most {MAX_REPLY_BYTES} are sent")
        return wire

    def _parts(self, reply: Reply, message: Message) -> list[bytes]:
        return [
            mark_bytes(part.constant) if part.constant is not None else self._reader.raw(message, part.echo or "")
            for part in reply.parts
        ]

    def _is_asked(self, message: Message) -> bool:
        if message.kind.reply_if_bit is None:
            return True
        text = self._reader.text(message, self._grammar.asks or "")
        if not text.isdecimal():
            raise DecodeError(f"{self._grammar.asks} {text!r} is no whole number")
        return bool(int(text) >> message.kind.reply_if_bit & 1)


def framed(content: bytes, framing: Framing) -> bytes:
    """A content (without length and checksum) as it goes on the wire."""
    start = mark_bytes(framing.start)
    if framing.length is not None:
        tail = framing.checksum.width if framing.checksum is not None else 0
        content = _with_length(content, framing.length, tail)
    if framing.checksum is not None:
        content += checksum_bytes(framing.checksum, content, start)
    if framing.escape is not None:
        content = escaped(content, framing.escape)
    return start + content + (mark_bytes(framing.end) if framing.end else b"")


def _with_length(content: bytes, field: LengthField, tail: int) -> bytes:
    number = len(content) + field.width + tail - field.plus
    if field.type == "digits":
        said = b"%0*d" % (field.width, number)
    else:
        said = number.to_bytes(field.width, "little" if field.type.endswith("_le") else "big")
    return content[: field.at] + said + content[field.at :]
