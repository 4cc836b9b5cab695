"""Frames of known devices as readings: types, texts, flags, times, what is missing, what is private."""

import math
from typing import Any

import numpy as np
import pytest

from drivers.frames.answers import Answerer, framed
from drivers.frames.cutter import Cutter, Frame
from drivers.frames.decode import FrameDecoder, time_ns
from drivers.frames.encode import encode_frame
from drivers.frames.grammar import FrameTime, mark_bytes
from drivers.frames.message import Message, MessageReader
from drivers.frames.settings import FramesDevice, FramesTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice
from tests.fakes.frames_box import BINARY, DUST, TEXT, frame, shipped

NOW_NS = 1_700_000_000_000_000_000
GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD
BODY = {"frame": {"start": "<", "end": ">"}, "body": {"kind": "binary"}, "fields": {"who": {"at": 0, "bytes": 2}}}
WHO = {"identity": ["who"], "messages": [{"name": "all", "values": True}]}


def table(points: list[dict[str, Any]], **grammar: Any) -> FramesTable:
    about = {"version": 1, "model": "m", "driver": "tcp-frames", "title_zh": "测", "title_en": "T", "source": "s"}
    titled = [{"key": f"p{i}", "title_zh": "点", "title_en": "P", **point} for i, point in enumerate(points)]
    return FramesTable.model_validate(about | {"certainty": "PD", "grammar": BODY | WHO | grammar, "points": titled})


def read(table: FramesTable, wire: bytes, now_ns: int = NOW_NS) -> tuple[Message, Readings | None]:
    reader = MessageReader(table.grammar)
    device = FramesDevice(id="d", link="l", asset="a", table=table.model, identity="x")
    index = np.arange(100, 100 + len(table.points), dtype=np.int32)
    decoder = FrameDecoder(BoundDevice(device, table, (), index), reader)
    (cut,) = Cutter(table.grammar.frame).feed(wire)
    assert isinstance(cut, Frame), cut
    message = reader.read(cut)
    return message, decoder.decode(message, now_ns)


def readings(table: FramesTable, wire: bytes, now_ns: int = NOW_NS) -> Readings:
    found = read(table, wire, now_ns)[1]
    assert found is not None
    return found


def text_frame(*parts: str) -> bytes:
    return b"&$" + "$".join(parts).encode() + b"$!"


def dust_frame(segment: str) -> bytes:
    return framed(segment.encode(), shipped(DUST).grammar.frame)


@pytest.mark.parametrize(
    ("point", "data", "value"),
    [
        ({"at": 2, "type": "uint8"}, "fe", 254),
        ({"at": 2, "type": "int8"}, "fe", -2),
        ({"at": 2, "type": "int8", "scale": 0.5, "offset": 10}, "fe", 9),
        ({"at": 3, "type": "int16"}, "00 ff 85", -123),
        ({"at": 3, "type": "int16", "order": "BADC"}, "00 85 ff", -123),
        ({"at": 3, "type": "uint32", "order": "DCBA"}, "00 04 03 02 01", 0x01020304),
        ({"at": 2, "type": "float32", "scale": 2}, "41 48 00 00", 25),
        ({"at": 2, "type": "float64", "order": "DCBA"}, "00 00 00 00 00 00 29 40", 12.5),
        ({"at": 2, "type": "bcd16"}, "12 34", 1234),
        ({"at": 2, "type": "bit", "bit": 8}, "01 00", 1),
        ({"at": 3, "type": "bits", "bit": 4, "bit_count": 4}, "00 00 a5", 10),
        ({"at": 2, "type": "uint8", "sentinels": [255]}, "ff", math.nan),
        ({"at": 2, "type": "int8", "sentinels": [-128]}, "80", math.nan),
        ({"at": 2, "type": "int8", "min": -5, "max": 5}, "80", math.nan),
        ({"at": 2, "type": "float32"}, "7f c0 00 00", math.nan),
        ({"at": 2, "type": "bcd16"}, "1a 34", math.nan),
        ({"at": 2, "type": "uint16"}, "12", math.nan),
        ({"at": 40, "type": "uint16"}, "12", math.nan),
    ],
)
def test_a_number_in_a_binary_body(point: dict[str, Any], data: str, value: float) -> None:
    found = readings(table([point]), b"<ID" + bytes.fromhex(data) + b">")
    assert found.value.tolist() == pytest.approx([value], nan_ok=True)
    assert found.quality.tolist() == [BAD if math.isnan(value) else GOOD]
    assert found.point_index.tolist() == [100]


def test_a_number_of_decimals_of_its_own() -> None:
    points = [{"at": 2, "type": "uint16", "decimals": "p1"}, {"at": 4, "type": "uint8", "min": 0, "max": 3}]
    assert readings(table(points), b"<ID\x04\xd2\x02>").value.tolist() == [12.34, 2]
    assert readings(table(points), b"<ID\x04\xd2\x09>").quality.tolist() == [BAD, BAD]


def test_a_number_whose_decimals_the_frame_is_too_short_for_is_bad() -> None:
    points = [{"at": 2, "type": "uint16", "decimals": "p1"}, {"at": 4, "type": "uint8", "min": 0, "max": 3}]
    found = readings(table(points), b"<ID\x04\xd2>")
    assert np.isnan(found.value).all()
    assert found.quality.tolist() == [BAD, BAD]


def test_a_point_belongs_to_its_message_and_the_index_is_the_same_object_each_time() -> None:
    two = [{"name": n, "is": [n.upper()], "values": True} for n in ("a", "b")]
    fields = {"who": {"at": 0, "bytes": 2}, "what": {"at": 2, "bytes": 1}}
    points = [{"at": 3, "type": "uint8", "message": "a"}, {"at": 3, "type": "uint8", "message": "b"}]
    both = table(points, fields=fields, kind="what", messages=two)
    reader = MessageReader(both.grammar)
    device = FramesDevice(id="d", link="l", asset="a", table="m", identity="ID")
    decoder = FrameDecoder(BoundDevice(device, both, (), np.array([7, 8], dtype=np.int32)), reader)
    found = []
    for cut in Cutter(both.grammar.frame).feed(b"<IDA\1><IDB\2><IDB\3>"):
        assert isinstance(cut, Frame)
        found.append(decoder.decode(reader.read(cut), NOW_NS))
    assert [(r.point_index.tolist(), r.value.tolist()) for r in found if r] == [([7], [1]), ([8], [2]), ([8], [3])]
    assert found[1] is not None
    assert found[2] is not None
    assert found[1].point_index is found[2].point_index


@pytest.mark.parametrize(
    ("text", "value"),
    [("3.5", 3.5), (" -0.5 ", -0.5), ("+7", 7), ("1e1", 10), (".5", 0.5), ("", None), ("-", None), ("nan", None),
     ("inf", None), ("0x10", None), ("1_0", None), ("3,5", None), ("99999", None), ("٣", None)],
)  # fmt: skip
def test_a_number_in_a_text_is_a_plain_decimal(text: str, value: float | None) -> None:
    spec = {"index": 1, "min": -10, "max": 100}
    body = {"kind": "separated", "separators": [";"], "encoding": "utf-8"}
    found = readings(table([spec], body=body, fields={"who": {"index": 0}}), b"<ID;" + text.encode() + b">")
    assert found.quality.tolist() == [BAD if value is None else GOOD]
    assert found.value.tolist() == pytest.approx([math.nan if value is None else value], nan_ok=True)


def test_what_a_text_does_not_say_is_bad_and_the_rest_is_good() -> None:
    wire = text_frame("SIM", "1", "V", "3", "2023-11-15", "06:13:20", "7", "2", "53.3", "3.2")
    found = readings(shipped(TEXT), wire)
    assert found.value.tolist()[:4] == [7, 2, 53.3, 3.2]
    assert set(found.quality.tolist()[4:]) == {BAD}


def test_a_flag_that_is_not_a_good_one_makes_a_value_suspect() -> None:
    head = "QN=1;ST=22;CN=2011;PW=1;MN=A;Flag=4;CP=&&DataTime=20231115061320;"
    found = readings(shipped(DUST), dust_frame(head + "LA-Rtd=60,LA-Flag=D;a01007-Rtd=4,a01007-Flag=N;a01001-Rtd=9&&"))
    quality = dict(zip((point.key for point in shipped(DUST).points), found.quality.tolist(), strict=True))
    assert (quality["noise_db"], quality["wind"], quality["temp"], quality["pm10_ugm3"]) == (SUSPECT, GOOD, GOOD, BAD)


def test_the_devices_own_time_counts() -> None:
    assert readings(shipped(BINARY), frame(), NOW_NS + 10**9).observed_at_ns == NOW_NS


@pytest.mark.parametrize(
    ("received_after_s", "observed_after_s", "quality"),
    [(0, 0, GOOD), (-5, 0, GOOD), (-5.001, -5.001, SUSPECT), (300, 0, GOOD), (300.001, 0, SUSPECT)],
)
def test_a_clock_that_is_off_makes_every_value_suspect(
    received_after_s: float, observed_after_s: float, quality: Quality
) -> None:
    """Ahead: the time of receipt counts. Behind: the frame may be an old one, and keeps its time."""
    received_ns = NOW_NS + int(received_after_s * 1e9)
    found = readings(shipped(BINARY), frame(), received_ns)
    assert found.observed_at_ns == NOW_NS + int(observed_after_s * 1e9)
    assert set(found.quality.tolist()) == {quality}


def test_a_clock_before_2000_is_not_believed() -> None:
    wire = text_frame("SIM", "1", "V", "3", "1999-12-31", "23:59:59", "7")
    found = readings(shipped(TEXT), wire)
    assert found.observed_at_ns == NOW_NS
    assert found.quality.tolist()[0] == SUSPECT


def test_a_required_time_that_is_missing_or_none_refuses_the_frame() -> None:
    for date in ("", "2023-11-31", "tomorrow"):
        with pytest.raises(DecodeError, match="time"):
            readings(shipped(TEXT), text_frame("SIM", "1", "V", "3", date, "06:13:20", "7"))
    with pytest.raises(DecodeError, match="field date is missing"):
        readings(shipped(TEXT), text_frame("SIM", "1", "V", "3"))


def test_a_time_that_is_not_required_may_be_missing() -> None:
    when = {"fields": ["clock"], "format": "s", "required": False}
    fields = {"who": {"at": 0, "bytes": 2}, "clock": {"at": 3, "bytes": 4, "as": "uint"}}
    both = table([{"at": 2, "type": "uint8"}], fields=fields, time=when)
    assert readings(both, b"<ID\7>").observed_at_ns == NOW_NS
    stamped = b"<ID\7" + (1_699_999_999).to_bytes(4, "big") + b">"
    assert readings(both, stamped).observed_at_ns == 1_699_999_999_000_000_000


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("20231115061320123", "%Y%m%d%H%M%S%f", NOW_NS + 123_000_000),
        ("231115061320", "%y%m%d%H%M%S", NOW_NS),
        ("1700000000123", "ms", NOW_NS + 123_000_000),
    ],
)
def test_times_in_their_formats(text: str, form: str, expected: int) -> None:
    assert time_ns(text, FrameTime(fields=("x",), format=form)) == expected


def test_a_heartbeat_carries_no_readings() -> None:
    message, found = read(shipped(BINARY), frame("heartbeat"))
    assert found is None
    assert message.identity == "SIM-0001"


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (text_frame("SIM", "1", "V", "Z"), "command 'Z' is none of 0, 1, 2"),
        (text_frame("SIM", "1", "V"), "field command is missing"),
        (text_frame("S" * 65, "1", "V", "3"), "field maker has 65 bytes"),
        (text_frame("S\1M", "1", "V", "3"), "field maker: 53 01 4d cannot be shown"),
        (b"&$S\xff$1$V$3$!", "field maker: 53 ff is no ascii text"),
        (dust_frame("CN=2011;MN=A;MN=B"), "the name 'MN' stands twice"),
        (dust_frame("CN=2011;QN=1"), "field station is missing"),
    ],
)
def test_what_is_no_message_is_said(wire: bytes, why: str) -> None:
    with pytest.raises(DecodeError) as error:
        read(shipped(DUST if wire.startswith(b"##") else TEXT), wire)
    assert why in str(error.value)


def test_private_fields_are_blotted_where_they_lie_and_nowhere_else() -> None:
    head = ["SIM", "1", "V", "3", "2023-11-15", "06:13:20"]
    parts = [*head, *["7"] * 99, "7", "7", "1"]
    kept = readings(shipped(TEXT), text_frame(*parts)).raw.payload.split(b"$")
    assert kept[1:7] == [part.encode() for part in head]
    assert set(kept[7:106]) == {b"7"}
    assert kept[106:109] == [b"\0", b"\0", b"1"]


def test_of_a_message_without_readings_nothing_is_kept_where_something_is_private() -> None:
    reader = MessageReader(shipped(TEXT).grammar)
    message, _ = read(shipped(TEXT), text_frame("SIM", "1", "V", "1", "name"))
    assert reader.keepable(message) == b""
    assert not reader.all_keepable
    beat, _ = read(shipped(BINARY), frame("heartbeat"))
    assert MessageReader(shipped(BINARY).grammar).keepable(beat) == frame("heartbeat")


def test_of_an_escaped_frame_with_something_private_the_content_is_kept() -> None:
    escape = {"mark": "%", "codes": {"a": "%", "b": "<", "c": ">"}}
    fields = {"who": {"at": 0, "bytes": 2}, "pin": {"at": 3, "bytes": 2, "private": True}}
    both = table([{"at": 2, "type": "uint8"}], frame={"start": "<", "end": ">", "escape": escape}, fields=fields)
    assert readings(both, b"<ID%b12>").raw.payload == b"ID<\0\0"


def answer(model: str, wire: bytes) -> bytes:
    grammar = shipped(model).grammar
    reader = MessageReader(grammar)
    (cut,) = Cutter(grammar.frame).feed(wire)
    assert isinstance(cut, Frame)
    return Answerer(grammar, reader).answer(reader.read(cut))


@pytest.mark.parametrize(("command", "answered"), [*((c, True) for c in "123457J"), ("0", False)])
def test_every_command_of_a_text_host_is_echoed_but_its_registration(command: str, answered: bool) -> None:
    """The platform's answer to a registration would carry a lock flag and settings."""
    wire = text_frame("SIM", "1", "V2.F", command, "2023-11-15")
    assert answer(TEXT, wire) == (b"*$SIM$1$V2.F$%s$@" % command.encode() if answered else b"")


@pytest.mark.parametrize(("flag", "answered"), [("5", True), ("1", True), ("4", False), ("0", False)])
def test_hj212_is_answered_only_when_it_asks(flag: str, answered: bool) -> None:
    said = answer(DUST, dust_frame(f"QN=20231115061320123;ST=22;CN=2051;PW=12;MN=A;Flag={flag};CP=&&&&"))
    assert said.startswith(b"##0060QN=20231115061320123;ST=91;CN=9014;PW=12;MN=A;Flag=4;CP=&&&&") is answered
    assert bool(said) is answered


def test_an_echo_that_is_missing_is_no_reply() -> None:
    with pytest.raises(DecodeError, match="field password is missing"):
        answer(DUST, dust_frame("QN=1;CN=2011;MN=A;Flag=5"))
    with pytest.raises(DecodeError, match="flag 'x' is no whole number"):
        answer(DUST, dust_frame("QN=1;CN=2011;MN=A;Flag=x"))


def test_a_twin_says_no_value_with_the_first_sentinel() -> None:
    fields = {"command": "2011", "station": "A", "data_time": "20231115061320"}
    wire = encode_frame(shipped(DUST), "realtime", fields, {"wind": math.nan, "temp": 20})
    assert b"a01007-Rtd=-999" in wire
    assert readings(shipped(DUST), wire).value.tolist()[4] == 20
    with pytest.raises(KeyError, match="load_t"):
        encode_frame(shipped(DUST), "realtime", fields, {"load_t": 1})
    assert mark_bytes("0x00") == b"\0"
