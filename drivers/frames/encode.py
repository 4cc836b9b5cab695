"""Values -> a frame: the inverse of decode, for device twins and tests. Pure; the gateway's own path never calls it.

In: a table, the texts of its fields and engineering values by point key. Out: the bytes that a device would send.
"""

from collections.abc import Mapping

from drivers.frames.answers import framed
from drivers.frames.decode import byte_places
from drivers.frames.grammar import FrameField, Grammar, mark_bytes
from drivers.frames.settings import FramesTable
from drivers.modbus.encode import encode_point


def encode_frame(table: FramesTable, message: str, fields: Mapping[str, str], values: Mapping[str, float]) -> bytes:
    """A frame of this message. Fields and points that are not given are zero bytes, `0`, or not there at all.

    NaN becomes the point's first sentinel, in texts without one nothing. Raises KeyError for a field or a point that
    the table does not have, and ValueError for what a type or a field cannot hold.
    """
    positions = {table.points[i].key: i for i in table.points_of(message)}
    unknown = sorted({*values} - {*positions})
    if unknown:
        raise KeyError(unknown[0])
    raw = {name: _field_bytes(table.grammar, table.grammar.fields[name], text) for name, text in fields.items()}
    build = {"binary": _binary, "separated": _separated, "pairs": _pairs}[table.grammar.body.kind]
    return framed(build(table, message, raw, values), table.grammar.frame)


def _binary(table: FramesTable, message: str, raw: Mapping[str, bytes], values: Mapping[str, float]) -> bytes:
    """Bits that share a byte are merged. The length is left out: framing puts it in."""
    grammar = table.grammar
    points = [table.points[i] for i in table.points_of(message)]
    ends = [(point.at or 0) + point.width for point in points]
    ends += [(field.at or 0) + (field.bytes or 0) for field in grammar.fields.values()]
    content = bytearray(max(ends))
    for name, value in raw.items():
        at = grammar.fields[name].at or 0
        content[at : at + len(value)] = value
    registers = table.registers_of(message) if points else None
    for point, register in zip(points, registers.points if registers else (), strict=True):
        if point.key in values and registers is not None:
            words = encode_point(registers, register, values[point.key]).astype(">u2").tobytes()
            for place, byte in zip(byte_places(point), words, strict=True):
                if place >= 0:
                    content[place] |= byte
    if grammar.frame.length is not None:
        del content[grammar.frame.length.at : grammar.frame.length.at + grammar.frame.length.width]
    return bytes(content)


def _separated(table: FramesTable, message: str, raw: Mapping[str, bytes], values: Mapping[str, float]) -> bytes:
    grammar = table.grammar
    said = {grammar.fields[name].index or 0: value for name, value in raw.items()}
    for i in table.points_of(message):
        point = table.points[i]
        said[point.index or 0] = _number(values.get(point.key, 0.0), point.scale, point.offset, point.sentinels)
    parts = [said.get(i, b"0") for i in range(max(said) + 1)]
    return mark_bytes(grammar.body.separators[0]).join(parts)


def _pairs(table: FramesTable, message: str, raw: Mapping[str, bytes], values: Mapping[str, float]) -> bytes:
    grammar = table.grammar
    assign = mark_bytes(grammar.body.assign)
    said = {grammar.fields[name].name or "": value for name, value in raw.items()}
    for i in table.points_of(message):
        point = table.points[i]
        if point.key in values:
            said[point.name or ""] = _number(values[point.key], point.scale, point.offset, point.sentinels)
    return mark_bytes(grammar.body.separators[0]).join(k.encode("latin-1") + assign + v for k, v in said.items())


def _number(value: float, scale: float, offset: float, sentinels: tuple[float, ...]) -> bytes:
    if value != value:  # noqa: PLR0124 - NaN is the one number that differs from itself
        return b"%.10g" % sentinels[0] if sentinels else b""
    return b"%.10g" % ((value - offset) / scale)


def _field_bytes(grammar: Grammar, field: FrameField, text: str) -> bytes:
    if field.as_ == "hex":
        raw = bytes.fromhex(text)
    elif field.as_ in ("uint", "uint_le"):
        raw = int(text).to_bytes(field.bytes or 0, "big" if field.as_ == "uint" else "little")
    else:
        raw = text.encode(grammar.body.encoding).ljust(field.bytes or 0, b"\0")
    if field.bytes is not None and len(raw) != field.bytes:
        raise ValueError(f"{text!r} has {len(raw)} bytes, expected {field.bytes}")
    return raw
