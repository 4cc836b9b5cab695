"""Whatever a node sends: numbers come out as they were packed, or nothing comes out and it is said why."""

import base64
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder, PassedOver
from drivers.mqtt.json_path import NoValue, compile_path, value_at
from drivers.mqtt.settings import MqttDevice, MqttTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality
from gateway.ports import BoundDevice

ABOUT = {"version": 1, "model": "m", "title_zh": "表", "title_en": "Table", "source": "test", "certainty": "PD"}
CODES = {
    "uint8": "B",
    "int8": "b",
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "value", "s", "x"]), inner),
    max_leaves=20,
)


def reader(points: list[dict[str, Any]], **more: Any) -> MessageDecoder:
    titled = [{"title_zh": "值", "title_en": "Value", **point} for point in points]
    table = MqttTable.model_validate({**ABOUT, "points": titled, **more})
    device = MqttDevice(id="node-1", link="l", asset="mast-1", table="m", topic="up")
    return MessageDecoder(BoundDevice(device, table, (), np.arange(len(points), dtype=np.int32)))


def message(payload: bytes) -> FieldMessage:
    return FieldMessage("up", payload, False, 1_700_000_000_000_000_000)


def numbers(type_: str) -> st.SearchStrategy[float]:
    if type_.startswith("float"):
        return st.floats(width=int(type_[5:]), allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    bits = int(type_.strip("uint"))
    low, high = (0, 2**bits - 1) if type_[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return st.integers(max(low, -(2**53)), min(high, 2**53)).map(float)


def rearranged(big_endian: bytes, order: str) -> bytes:
    """The bytes AABBCCDD of a value in one of the four orders, by the letters' definition."""
    pairs = [big_endian[i : i + 2] for i in range(0, len(big_endian), 2)]
    if order in ("CDAB", "DCBA"):
        pairs.reverse()
    return b"".join(pair[::-1] if order in ("BADC", "DCBA") else pair for pair in pairs)


@st.composite
def frames(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[float], bytes]:
    """Points in any order with gaps between them, their values, and the frame that `struct` packs."""
    points: list[dict[str, Any]] = []
    values: list[float] = []
    frame = b""
    for i, type_ in enumerate(draw(st.lists(st.sampled_from(sorted(CODES)), min_size=1, max_size=8))):
        frame += draw(st.binary(max_size=3))
        order = draw(st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"]))
        value = draw(numbers(type_).filter(lambda number: abs(number) <= 1e300))
        packed = struct.pack(f">{CODES[type_]}", value if type_.startswith("float") else int(value))
        points.append({"key": f"p{i}", "byte": len(frame), "type": type_, "order": order})
        values.append(value)
        frame += rearranged(packed, order)
    places = draw(st.permutations(range(len(points))))
    return [points[i] for i in places], [values[i] for i in places], frame


def written(frame: bytes, payload: str) -> bytes:
    if payload == "hex":
        return frame.hex().encode()
    return base64.b64encode(frame) if payload == "base64" else frame


@given(frames(), st.sampled_from(["hex", "base64", "binary"]))
@settings(max_examples=200, deadline=None)
def test_what_struct_packed_comes_out(packed: tuple[list[dict[str, Any]], list[float], bytes], payload: str) -> None:
    points, values, frame = packed
    said = reader(points, payload=payload).decode(message(written(frame, payload)))
    assert isinstance(said, Decoded)
    assert said.readings.value.tolist() == values
    assert not said.readings.quality.any()


@given(frames(), st.sampled_from(["hex", "base64"]), st.integers(1, 200))
@settings(max_examples=150, deadline=None)
def test_a_frame_that_was_cut_anywhere_gives_no_number(
    packed: tuple[list[dict[str, Any]], list[float], bytes], encoding: str, cut: int
) -> None:
    points, _, frame = packed
    text = written(frame, encoding).decode()
    short = text[: max(0, len(text) - cut)]
    where = {"path": "$.data", "encoding": encoding, "length": len(frame)}
    said = reader(points, bytes=where).decode(message(json.dumps({"data": short}).encode()))
    assert isinstance(said, Decoded)
    assert (said.readings.quality == Quality.BAD).all()
    assert np.isnan(said.readings.value).all()
    assert len(said.doubts) == 1
    assert "expected" in said.doubts[0]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(["hex", "base64", "binary"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_frame_or_are_refused(payload: bytes, kind: str) -> None:
    points = [{"key": "a", "byte": 3, "type": "float32", "max": 1e6}, {"key": "b", "byte": 0, "type": "bcd16"}]
    try:
        said = reader(points, payload=kind).decode(message(payload))
    except DecodeError:
        return
    assert isinstance(said, Decoded)
    assert np.array_equal(np.isnan(said.readings.value), said.readings.quality == Quality.BAD)
    assert not np.isinf(said.readings.value).any()


@given(json_values)
@settings(max_examples=300, deadline=None)
def test_any_document_gives_numbers_or_says_why_not(document: Any) -> None:
    points = [
        {"key": "by_id", "path": '$.s[id="x"].value'},
        {"key": "any", "path": "$.*.value", "type": "number_or_text"},
        {"key": "flag", "path": "$[*]", "type": "boolean"},
        {"key": "raw", "byte": 0, "type": "int16"},
    ]
    where = {"path": "$.x", "encoding": "hex"}
    more = {"bytes": where, "unless": {"path": "$.id", "equals": 1}, "repeats": {"paths": ["$.id", "$.*.id"]}}
    try:
        said = reader(points, **more).decode(message(json.dumps(document).encode()))
    except DecodeError:
        return
    if isinstance(said, PassedOver):
        assert document["id"] == 1
        return
    value, quality = said.readings.value, said.readings.quality
    assert np.array_equal(np.isnan(value), quality == Quality.BAD)
    told = [point for point in ("by_id", "any", "flag") if any(f"point {point}:" in doubt for doubt in said.doubts)]
    read = [point["key"] for point, number in zip(points, value, strict=True) if not math.isnan(number)]
    assert set(told) | set(read) >= {"by_id", "any", "flag"} - _not_finite(document)
    assert not set(told) & set(read)


def _not_finite(document: Any) -> set[str]:
    """Points whose value is a number that JSON has no word for: BAD by its value, which the message itself shows."""
    paths = {"by_id": '$.s[id="x"].value', "any": "$.*.value"}
    found = {key: value_at(document, compile_path(path)) for key, path in paths.items()}
    return {key for key, value in found.items() if isinstance(value, float) and not math.isfinite(value)}


entries = st.lists(st.tuples(st.sampled_from(["wind", "temp", "rain", ""]), st.floats(-100, 100)), max_size=6)


@given(entries, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_an_id_is_read_when_it_stands_once_in_any_order(sensors: list[tuple[str, float]], order: Any) -> None:
    listed = [{"id": name, "value": value} for name, value in sensors]
    order.shuffle(listed)
    said = reader([{"key": "wind", "path": '$.s[id="wind"].value'}]).decode(message(json.dumps({"s": listed}).encode()))
    assert isinstance(said, Decoded)
    values = [value for name, value in sensors if name == "wind"]
    if len(values) == 1:
        assert (said.readings.value.tolist(), said.doubts) == (values, ())
    else:
        assert (said.readings.quality.tolist(), len(said.doubts)) == ([Quality.BAD], 1)


@given(st.text(alphabet="$.[]\"'*=abid12-? @()", max_size=20), json_values)
@settings(max_examples=400, deadline=None)
def test_any_path_leads_to_a_place_in_the_document_or_to_no_value(text: str, document: Any) -> None:
    try:
        steps = compile_path("$" + text)
    except ValueError:
        return
    found = value_at(document, steps)
    assert isinstance(found, NoValue) or any(found is node for node in _nodes(document))


def _nodes(document: Any) -> Iterator[Any]:
    yield document
    for child in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from _nodes(child)
