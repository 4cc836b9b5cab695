"""Bytes in messages: hex, base64, raw, and a field of a document; every way in which they can be wrong."""

import base64
import json
import struct
from typing import Any

import numpy as np
import pytest

from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder
from drivers.mqtt.payload_bytes import NotBytesError, bytes_written
from drivers.mqtt.settings import MqttDevice, MqttTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality
from gateway.ports import BoundDevice

GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD
ABOUT = {"version": 1, "model": "m", "title_zh": "表", "title_en": "Table", "source": "test", "certainty": "PD"}
WIND = {"key": "wind", "byte": 1, "type": "uint16", "scale": 0.01, "max": 60, "sentinels": [0xFFFF], "fault": "broken"}
TILT = {"key": "tilt", "byte": 3, "type": "int16", "scale": 0.01, "min": -90, "max": 90, "order": "DCBA"}
BROKEN = {"key": "broken", "byte": 0, "type": "bit", "bit": 7}
NODE = [WIND, TILT, BROKEN]
FRAME = struct.pack(">BH", 0, 642) + struct.pack("<h", -35)
IN_HEX = {"path": "$.data", "encoding": "hex"}


def decoder(points: list[dict[str, Any]], **more: Any) -> MessageDecoder:
    titled = [{"title_zh": "值", "title_en": "Value", **point} for point in points]
    table = MqttTable.model_validate({**ABOUT, "points": titled, **more})
    device = MqttDevice(id="node-1", link="l", asset="mast-1", table="m", topic="up")
    return MessageDecoder(BoundDevice(device, table, (), np.arange(len(points), dtype=np.int32)), 10_000)


def read(message: bytes | dict[str, Any], points: list[dict[str, Any]] = NODE, **more: Any) -> Decoded:
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    said = decoder(points, **more).decode(FieldMessage("up", raw, False, 1))
    assert isinstance(said, Decoded)
    return said


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        ("hex", FRAME.hex().encode()),
        ("hex", FRAME.hex(" ").upper().encode() + b"\n"),
        ("base64", base64.b64encode(FRAME)),
        ("binary", FRAME),
    ],
)
def test_a_message_that_is_nothing_but_bytes_is_read_at_its_positions(payload: str, written: bytes) -> None:
    said = read(written, payload=payload)
    assert said.readings.value.tolist() == pytest.approx([6.42, -0.35, 0])
    assert said.readings.quality.tolist() == [GOOD, GOOD, GOOD]
    assert said.readings.raw.payload == written


@pytest.mark.parametrize(("encoding", "text"), [("hex", FRAME.hex()), ("base64", base64.b64encode(FRAME).decode())])
def test_a_field_of_a_document_holds_the_bytes_and_other_points_stay_in_the_document(encoding: str, text: str) -> None:
    battery = {"key": "battery", "path": "$.bat"}
    message = {"bat": 3.6, "node": {"data": text}}
    said = read(message, [WIND, battery, TILT, BROKEN], bytes={"path": "$.node.data", "encoding": encoding})
    assert said.readings.value.tolist() == pytest.approx([6.42, 3.6, -0.35, 0])
    assert (said.readings.quality.tolist(), said.doubts) == ([GOOD] * 4, ())


def test_a_fault_bit_among_the_bytes_casts_doubt_also_on_a_point_of_the_document() -> None:
    frame = b"\x80" + FRAME[1:]
    battery = {"key": "battery", "path": "$.bat", "fault": "broken"}
    said = read({"bat": 3.6, "data": frame.hex()}, [WIND, battery, TILT, BROKEN], bytes=IN_HEX)
    assert said.readings.quality.tolist() == [SUSPECT, SUSPECT, GOOD, GOOD]


def test_a_sentinel_and_what_the_instrument_cannot_say_are_bad_alone() -> None:
    for wind in (0xFFFF, 6001):
        said = read(struct.pack(">BH", 0, wind) + FRAME[3:], payload="binary")
        assert (said.readings.quality.tolist(), said.doubts) == ([BAD, GOOD, GOOD], ())


@pytest.mark.parametrize(
    ("point", "data", "value"),
    [
        ({"byte": 0, "type": "uint8"}, b"\xfe", 254),
        ({"byte": 0, "type": "int8"}, b"\xfe", -2),
        ({"byte": 1, "type": "float32"}, b"\0" + struct.pack(">f", 1.5), 1.5),
        ({"byte": 1, "type": "float32", "order": "DCBA"}, b"\0" + struct.pack("<f", 1.5), 1.5),
        ({"byte": 1, "type": "uint32", "order": "CDAB"}, b"\0" + bytes([0x33, 0x44, 0x11, 0x22]), 0x11223344),
        ({"byte": 1, "type": "uint32", "order": "BADC"}, b"\0" + bytes([0x22, 0x11, 0x44, 0x33]), 0x11223344),
        ({"byte": 0, "type": "bcd16"}, b"\x12\x34", 1234),
        ({"byte": 0, "type": "float64"}, struct.pack(">d", -2.25), -2.25),
        ({"byte": 1, "type": "bits", "bit": 2, "bit_count": 3}, b"\0\x14", 5),
        ({"byte": 0, "type": "bits", "bit": 6, "bit_count": 4, "field_bytes": 2}, b"\x02\x40", 9),
        ({"byte": 0, "type": "bits", "bit": 6, "bit_count": 4, "field_bytes": 2, "order": "DCBA"}, b"\x40\x02", 9),
        ({"byte": 0, "type": "bit", "bit": 15, "field_bytes": 2}, b"\x80\x00", 1),
    ],
)
def test_every_type_of_the_registers_is_read_from_bytes(point: dict[str, Any], data: bytes, value: float) -> None:
    said = read(data, [{"key": "p", **point}], payload="binary")
    assert (said.readings.value.tolist(), said.readings.quality.tolist()) == ([value], [GOOD])


def test_the_order_of_the_bytes_holds_for_points_that_name_none() -> None:
    points = [{"key": "a", "byte": 0, "type": "uint16"}, {"key": "b", "byte": 0, "type": "uint16", "order": "ABCD"}]
    said = read(b"\x01\x00", points, payload="binary", bytes={"order": "DCBA"})
    assert said.readings.value.tolist() == [1, 256]


def test_a_point_says_how_many_decimals_another_has() -> None:
    points = [
        {"key": "level", "byte": 1, "type": "uint16", "decimals": "places"},
        {"key": "places", "byte": 0, "type": "uint8", "min": 0, "max": 4},
    ]
    assert read(b"\x02\x04\xd2", points, payload="binary").readings.value.tolist() == [12.34, 2]
    assert read(b"\x09\x04\xd2", points, payload="binary").readings.quality.tolist() == [BAD, BAD]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"data": "0802a"}, "bytes at $.data: found an odd number of digits (5), expected hex of two digits a byte"),
        ({"data": "0 80 2a"}, "bytes at $.data: found an odd number of digits (5), expected hex of two digits a byte"),
        ({"data": "0 802 a1"}, "bytes at $.data: found a blank inside a byte, expected hex of two digits a byte"),
        ({"data": "08G2"}, "bytes at $.data: found no hex digit at character 3, expected hex"),
        ({"data": "08０2"}, "bytes at $.data: found no hex digit at character 3, expected hex"),
        ({"data": FRAME[:4].hex()}, "bytes at $.data: found 4 bytes, expected 5 or more"),
        ({"data": ""}, "bytes at $.data: found 0 bytes, expected 5 or more"),
        ({"data": 802}, "bytes at $.data: found no text, expected hex"),
        ({"data": None}, "bytes at $.data: found no text, expected hex"),
        ({}, "bytes at $.data: found nothing, expected hex"),
    ],
)
def test_bytes_of_a_document_that_are_none_make_their_points_bad_and_are_told(message: Any, told: str) -> None:
    said = read({"bat": 3.6, **message}, [*NODE, {"key": "battery", "path": "$.bat"}], bytes=IN_HEX)
    assert said.readings.quality.tolist() == [BAD, BAD, BAD, GOOD]
    assert np.isnan(said.readings.value[:3]).all()
    assert said.doubts == (told,)


@pytest.mark.parametrize("text", ["qg", "qg=", "=", "q===", "qg==x", "qg\n==", "_-8=", "é"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(NotBytesError, match="expected base64"):
        bytes_written(text, "base64")


def test_the_words_of_a_refusal_never_hold_what_was_found() -> None:
    for encoding in ("hex", "base64"):
        with pytest.raises(NotBytesError) as caught:
            bytes_written("SECRET-7!", encoding)
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "written", "words"),
    [
        ("hex", b"08028", "odd number of digits"),
        ("hex", b"\xff\xfe", "no hex digit at character 1"),
        ("hex", b"  ", "empty payload"),
        ("base64", b"qg", "no base64"),
        ("hex", FRAME[:4].hex().encode(), "found 4 bytes, expected 5 or more"),
        ("binary", FRAME[:4], "found 4 bytes, expected 5 or more"),
        ("binary", b"", "found 0 bytes, expected 5 or more"),
        ("binary", b"x" * 10_001, "at most 10000"),
    ],
)
def test_a_message_that_is_no_frame_is_refused_with_the_reason(payload: str, written: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        read(written, payload=payload)


@pytest.mark.parametrize("frame", [FRAME[:4], FRAME + b"\0"])
def test_with_a_length_every_other_number_of_bytes_is_refused(frame: bytes) -> None:
    with pytest.raises(DecodeError, match=f"found {len(frame)} bytes, expected 5$"):
        read(frame, payload="binary", bytes={"length": 5})


def test_without_a_length_more_bytes_may_follow() -> None:
    assert read(FRAME + b"later firmware", payload="binary").readings.quality.tolist() == [GOOD] * 3


def test_a_frame_of_blanks_is_bytes_too() -> None:
    assert read(b"     ", payload="binary").readings.value[2] == 0


def test_what_a_person_sees_of_a_point_is_its_bytes() -> None:
    reader = decoder([*NODE, {"key": "battery", "path": "$.bat"}], bytes=IN_HEX)
    message = json.dumps({"bat": 3.6, "data": FRAME.hex()}).encode()
    assert [reader.written(i, message) for i in range(4)] == ["02 82", "DD FF", "00", "3.6"]
    assert decoder(NODE, payload="base64").written(0, base64.b64encode(FRAME)) == "02 82"
    assert decoder(NODE, payload="binary").written(1, FRAME) == "DD FF"
    assert decoder([{"key": "wind"}], payload="plain").written(0, b" 3.5\n") == "3.5"
