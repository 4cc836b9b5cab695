"""One frame's content, taken apart: who calls, what kind of message it is, its fields. Pure.

In: the content of a sound frame. Out: a `Message`, or DecodeError with the reason. A pair's name that stands twice
makes a frame ambiguous: refused, because readers differ in which one they believe. Knows no device and no value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from drivers.frames.cutter import Frame, unescaping
from drivers.frames.grammar import MAX_FIELD_BYTES, FrameField, Grammar, MessageKind, Place, mark_bytes
from gateway.model.errors import DecodeError

_BLOT = b"\0"

_NOWHERE = slice(0, 0)

Parts = Mapping[int | str, slice]


@dataclass(frozen=True, slots=True)
class Message:
    """A frame that was understood. `identity` is '' where this kind of message does not say who calls.

    `parts` says where in the content its text fields lie, by index or by name; empty for a binary body.
    """

    kind: MessageKind
    identity: str
    content: bytes
    wire: bytes
    parts: Parts


class MessageReader:
    """A grammar's fields, compiled once a link."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._split = _splitter(grammar)
        self._kinds = {code: message for message in grammar.messages for code in message.is_}
        self._private = [field for field in grammar.fields.values() if field.private]
        self._start = len(mark_bytes(grammar.frame.start))

    @property
    def all_keepable(self) -> bool:
        """Whether bytes that cannot be taken apart may be kept: the grammar calls nothing private."""
        return not self._private

    def read(self, frame: Frame) -> Message:
        """Take a frame apart. Raises DecodeError when it is none of the grammar's messages."""
        parts = self._split(frame.content)
        kind = self._kind(frame.content, parts)
        message = Message(kind, "", frame.content, frame.wire, parts)
        if not kind.names_caller:
            return message
        return replace(message, identity="/".join(self.text(message, name) for name in self._grammar.identity))

    def raw(self, message: Message, name: str) -> bytes:
        """A field's bytes as they came. Raises DecodeError when it is not there, or longer than a field may be."""
        return self._raw(message.content, message.parts, name)

    def text(self, message: Message, name: str) -> str:
        """A field as text. Raises DecodeError as `raw` does, and for text that cannot be read or shown."""
        return self._text(message.content, message.parts, name)

    def keepable(self, message: Message) -> bytes:
        """The frame as it came, what the grammar calls private as NUL; of an escaped frame only the content then.

        Nothing of a message without readings in a grammar that calls something private.
        """
        if self.all_keepable:
            return message.wire
        if not message.kind.values:
            return b""
        kept = bytearray(message.content)
        for field in self._private:
            span = _span(field, message.parts)
            kept[span] = _BLOT * len(kept[span])
        if self._grammar.frame.escape is not None:
            return bytes(kept)
        return message.wire[: self._start] + kept + message.wire[self._start + len(kept) :]

    def written(self, place: Place, width: int, kept: bytes) -> str:
        """What a kept frame of readings said at a place: the text, or `width` bytes in hexadecimal; '' for nothing."""
        framing = self._grammar.frame
        content = kept
        if framing.escape is None or self.all_keepable:
            content = kept[self._start : len(kept) - (len(mark_bytes(framing.end)) if framing.end else 0)]
            content = unescaping(framing.escape)(content) if framing.escape is not None else content
        if place.at is not None:
            return content[place.at : place.at + width].hex(" ").upper()
        return content[place_of(place, self._split(content))].decode(self._grammar.body.encoding, "replace").strip()

    def _kind(self, content: bytes, parts: Parts) -> MessageKind:
        if self._grammar.kind is None:
            return self._grammar.messages[0]
        code = self._text(content, parts, self._grammar.kind)
        kind = self._kinds.get(code)
        if kind is None:
            raise DecodeError(f"{self._grammar.kind} {code!r} is none of {', '.join(sorted(self._kinds))}")
        return kind

    def _raw(self, content: bytes, parts: Parts, name: str) -> bytes:
        field = self._grammar.fields[name]
        span = _span(field, parts)
        if span.stop > len(content) or span == _NOWHERE:
            raise DecodeError(f"field {name} is missing")
        found = content[span]
        if len(found) > MAX_FIELD_BYTES:
            raise DecodeError(f"field {name} has {len(found)} bytes, at most {MAX_FIELD_BYTES} are taken")
        return found

    def _text(self, content: bytes, parts: Parts, name: str) -> str:
        raw, field = self._raw(content, parts, name), self._grammar.fields[name]
        if field.as_ == "hex":
            return raw.hex().upper()
        if field.as_ in ("uint", "uint_le"):
            return str(int.from_bytes(raw, "big" if field.as_ == "uint" else "little"))
        try:
            text = raw.decode(self._grammar.body.encoding).strip(" \0")
        except UnicodeDecodeError:
            raise DecodeError(f"field {name}: {raw.hex(' ')} is no {self._grammar.body.encoding} text") from None
        if not text.isprintable():
            raise DecodeError(f"field {name}: {raw.hex(' ')} cannot be shown")
        return text


def place_of(place: Place, parts: Parts) -> slice:
    """Where a text field lies in the content; an empty slice where there is none."""
    return parts.get(place.name if place.name is not None else place.index or 0, _NOWHERE)


def _span(field: FrameField, parts: Parts) -> slice:
    if field.at is not None and field.bytes is not None:
        return slice(field.at, field.at + field.bytes)
    return place_of(field, parts)


def _splitter(grammar: Grammar) -> Callable[[bytes], Parts]:
    body = grammar.body
    if body.kind == "binary":
        return lambda _content: {}
    cut = re.compile(b"|".join(re.escape(mark_bytes(mark)) for mark in body.separators))
    if body.kind == "separated":
        return lambda content: dict(enumerate(_spans(cut, content, body.first)))
    assign = mark_bytes(body.assign)
    return lambda content: _pairs(content, _spans(cut, content, body.first), assign)


def _spans(cut: re.Pattern[bytes], content: bytes, first: int) -> Iterator[slice]:
    for found in cut.finditer(content, first):
        yield slice(first, found.start())
        first = found.end()
    yield slice(first, len(content))


def _pairs(content: bytes, spans: Iterator[slice], assign: bytes) -> Parts:
    pairs: dict[int | str, slice] = {}
    for span in spans:
        place = content.find(assign, span.start, span.stop)
        if place < 0:
            continue
        name = content[span.start : place].decode("latin-1").strip()
        if name in pairs:
            raise DecodeError(f"the name {name!r} stands twice")
        pairs[name] = slice(place + len(assign), span.stop)
    return pairs
