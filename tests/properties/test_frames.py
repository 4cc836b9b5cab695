"""For every stream and every split: the same frames; garbage never raises anything but one error; nothing but
acknowledgements goes back."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames.answers import Answerer, framed
from drivers.frames.cutter import Cutter, Frame, Refused
from drivers.frames.decode import FrameDecoder
from drivers.frames.encode import encode_frame
from drivers.frames.grammar import Framing, mark_bytes
from drivers.frames.message import MessageReader
from drivers.frames.settings import FramesDevice, FramesTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality
from gateway.ports import BoundDevice
from tests.fakes.frames_box import BINARY, DUST, TEXT, shipped

NOW_NS = 1_700_000_001_000_000_000
TABLES = {model: shipped(model) for model in (BINARY, TEXT, DUST)}
FRAMINGS = [
    *(table.grammar.frame for table in TABLES.values()),
    Framing.model_validate(
        {
            "start": "0xAA 55",
            "length": {"at": 1, "type": "uint8", "plus": 3},
            "checksum": {"kind": "sum8", "with_start": True},
        }
    ),
    Framing.model_validate(
        {
            "start": "0x68",
            "end": "0x16",
            "length": {"at": 0, "type": "uint16_le"},
            "checksum": {"kind": "xor8"},
            "max_bytes": 64,
        }
    ),
    Framing.model_validate({"start": "<", "end": ">", "max_bytes": 32}),
]
MARKS = sorted({mark_bytes(mark) for framing in FRAMINGS for mark in (framing.start, framing.end) if mark})


def contents(framing: Framing) -> st.SearchStrategy[bytes]:
    """Contents that the framing can carry: without a mark where nothing hides it."""
    if framing.escape is None and framing.length is None:
        marks = mark_bytes(framing.start) + mark_bytes(framing.end or "")
        return st.lists(st.sampled_from([b for b in range(256) if b not in marks]), min_size=1, max_size=12).map(bytes)
    return st.binary(min_size=1, max_size=40)


@st.composite
def streams(draw: st.DrawFn) -> tuple[Framing, bytes]:
    """Sound frames, broken ones, marks and noise, one after the other."""
    framing = draw(st.sampled_from(FRAMINGS))
    sound = contents(framing).map(lambda content: framed(content, framing))
    half = st.tuples(sound, st.integers(0, 60)).map(lambda cut: cut[0][: cut[1]])
    broken = st.tuples(sound, st.integers(0, 60), st.integers(0, 255)).map(
        lambda bent: bent[0][: bent[1]] + bytes([bent[2]]) + bent[0][bent[1] + 1 :]
    )
    return framing, b"".join(
        draw(st.lists(st.one_of(sound, half, broken, st.binary(max_size=20), st.sampled_from(MARKS))))
    )


def fed(framing: Framing, chunks: Sequence[bytes]) -> tuple[list[Frame | Refused], int, bytes]:
    cutter = Cutter(framing)
    found = [cut for chunk in chunks for cut in cutter.feed(chunk)]
    return found, cutter.noise, cutter.last_noise


@given(streams(), st.data())
def test_every_split_gives_the_same_frames(stream: tuple[Framing, bytes], data: st.DataObject) -> None:
    framing, whole = stream
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    chunks = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]
    assert fed(framing, chunks) == fed(framing, [whole])
    assert fed(framing, [bytes([byte]) for byte in whole]) == fed(framing, [whole])


@given(streams(), st.data())
def test_a_sound_frame_behind_anything_is_found_once_the_next_one_is_whole(
    stream: tuple[Framing, bytes], data: st.DataObject
) -> None:
    """A half frame may swallow what follows until its length is through, or until its marks fit: never more."""
    framing, before = stream
    content = data.draw(contents(framing))
    frame = framed(content, framing)
    many = before + frame * (2 + framing.max_bytes // len(frame) * (framing.length is not None))
    found, noise, _ = fed(framing, [many])
    frames = [cut for cut in found if isinstance(cut, Frame)]
    assert frames[-1].wire == frame
    assert noise + sum(len(one.wire) for one in frames) <= len(many)


def read_all(table: FramesTable, wire: bytes) -> list[bytes]:
    """Everything that a driver would do with the bytes; the replies."""
    reader = MessageReader(table.grammar)
    answerer = Answerer(table.grammar, reader)
    device = FramesDevice(id="d", link="l", asset="a", table=table.model, identity="x")
    decoder = FrameDecoder(BoundDevice(device, table, (), np.arange(len(table.points), dtype=np.int32)), reader)
    replies = []
    for cut in Cutter(table.grammar.frame).feed(wire):
        try:
            assert isinstance(cut, Frame | Refused)
            if isinstance(cut, Frame):
                message = reader.read(cut)
                reader.keepable(message)
                readings = decoder.decode(message, NOW_NS)
                assert readings is None or set(readings.quality.tolist()) <= {0, 1, 2}
                replies.append(answerer.answer(message))
        except DecodeError:
            continue
    return replies


ACKNOWLEDGEMENTS = {
    TEXT: re.compile(rb"\*\$[^$!]{0,64}\$[^$!]{0,64}\$[^$!]{0,64}\$ *[123457J] *\0*\$@", re.DOTALL),
    BINARY: re.compile(rb"\x7e\x80\x00\x11.{8,16}.{2,4}[\x01\x02\x03]\x00.{2,4}\x7e", re.DOTALL),
    DUST: re.compile(rb"##\d{4}QN=[^;,]*;ST=91;CN=9014;PW=[^;,]*;MN=[^;,]*;Flag=4;CP=&&&&[0-9A-F]{4}\r\n", re.DOTALL),
}


@pytest.mark.parametrize("model", list(TABLES))
@given(data=st.data())
def test_only_acknowledgements_go_back_whatever_is_sent(model: str, data: st.DataObject) -> None:
    table = TABLES[model]
    word = st.one_of(st.sampled_from([b"3", b"2011", b"0", b"6", b"9", b"A", b"N", b"5"]), st.binary(max_size=8))
    if table.grammar.body.kind == "binary":
        content = data.draw(st.sampled_from([b"\1", b"\2", b"\3", b"\x90", b""])) + data.draw(st.binary(max_size=60))
    elif table.grammar.body.kind == "separated":
        content = b"$".join(data.draw(st.lists(word, max_size=12)))
    else:
        names = st.sampled_from([b"QN", b"CN", b"PW", b"MN", b"Flag", b"DataTime", b"LA-Rtd", b"LA-Flag"])
        pairs = data.draw(st.lists(st.tuples(names, word), max_size=12))
        content = b";".join(name + b"=" + value for name, value in pairs)
    for reply in read_all(table, framed(content, table.grammar.frame)):
        assert reply == b"" or ACKNOWLEDGEMENTS[model].fullmatch(reply)


@pytest.mark.parametrize("model", list(TABLES))
@given(wire=st.binary(max_size=300))
def test_garbage_raises_nothing(model: str, wire: bytes) -> None:
    read_all(TABLES[model], wire)
    start = mark_bytes(TABLES[model].grammar.frame.start)
    read_all(TABLES[model], start + wire + mark_bytes(TABLES[model].grammar.frame.end or "") + start + wire)


@given(st.data())
def test_decode_undoes_encode(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from([BINARY, TEXT]))
    table = TABLES[model]
    message = next(one.name for one in table.grammar.messages if one.values)
    values = {}
    for point in table.points:
        if point.type is not None and "bit" in point.type:
            values[point.key] = float(data.draw(st.integers(0, 1)))
            continue
        low, high = int(np.ceil(point.min / point.scale)), int(point.max / point.scale)
        raw = data.draw(st.integers(low, high).filter(lambda raw, point=point: raw not in point.sentinels))
        values[point.key] = raw * point.scale
    fields = {"kind": "03", "serial": "A", "number": "9", "clock": "231115061320"}
    if model == TEXT:
        fields = {
            "maker": "A",
            "number": "9",
            "version": "V2.F",
            "command": "3",
            "date": "2023-11-15",
            "time": "06:13:20",
        }
    reader = MessageReader(table.grammar)
    device = FramesDevice(id="d", link="l", asset="a", table=table.model, identity="A")
    decoder = FrameDecoder(BoundDevice(device, table, (), np.arange(len(table.points), dtype=np.int32)), reader)
    (frame,) = Cutter(table.grammar.frame).feed(encode_frame(table, message, fields, values))
    assert isinstance(frame, Frame)
    readings = decoder.decode(reader.read(frame), NOW_NS)
    assert readings is not None
    assert readings.value.tolist() == pytest.approx(list(values.values()), rel=1e-9)
    assert Quality.BAD not in readings.quality.tolist()
