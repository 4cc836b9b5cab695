"""What the encoder writes, an independent reader of the line protocol reads back: same doubles, times and names."""

import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.uplinks.line_protocol import LATE_AFTER_NS, LineEncoder, escape_key
from tests.fakes.blocks import ASSETS, NOW_NS, block

doubles = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
qualities = st.sampled_from([0, 1, 2])
times = st.integers(min_value=-(2**62), max_value=2**62)


def read_until(text, stops):
    """The text up to the first stop character that no backslash escapes, unescaped; and the rest."""
    taken = []
    at = 0
    while at < len(text) and text[at] not in stops:
        if text[at] == "\\" and at + 1 < len(text) and text[at + 1] in ",= ":
            at += 1
        taken.append(text[at])
        at += 1
    return "".join(taken), text[at:]


def read_line(line):
    measurement, rest = read_until(line, ", ")
    tags, fields = {}, {}
    while rest.startswith(","):
        key, rest = read_until(rest[1:], "=")
        tags[key], rest = read_until(rest[1:], ", ")
    rest = "," + rest[1:]
    while rest.startswith(","):
        key, rest = read_until(rest[1:], "=")
        fields[key], rest = read_until(rest[1:], ", ")
    return measurement, tags, fields, int(rest[1:])


def same_double(a, b):
    return struct.pack(">d", a) == struct.pack(">d", b)


@st.composite
def polls(draw, asset):
    width = draw(st.integers(1, 6))
    count = draw(st.integers(0, 8))
    rows = st.lists(doubles, min_size=width, max_size=width)
    marks = st.lists(qualities, min_size=width, max_size=width)
    names = [f"{asset}.f{i}_x" for i in range(width)]
    values = draw(st.lists(rows, min_size=count, max_size=count))
    quality = draw(st.lists(marks, min_size=count, max_size=count))
    return block(names, values, quality, draw(st.lists(times, min_size=count, max_size=count)))


def expected_quality(blk):
    return np.where(np.isfinite(blk.value), blk.quality, 2)


@given(polls("crane-1"))
def test_a_row_reads_back_as_it_was(blk):
    lines = LineEncoder("P", ASSETS).lines(blk, NOW_NS)
    assert len(lines) == len(blk.value)
    quality = expected_quality(blk)
    for i, line in enumerate(lines):
        _, _, fields, time_ns = read_line(line)
        assert time_ns == int(blk.observed_at_ns[i])
        assert fields.pop("q") == f"{quality[i].max()}i"
        assert (fields.pop("late", "") == "true") == (NOW_NS - time_ns > LATE_AFTER_NS)
        written = {f"f{j}_x": blk.value[i, j] for j in range(len(blk.points)) if quality[i, j] < 2}
        assert fields.keys() == written.keys()
        assert all(same_double(float(fields[key]), written[key]) for key in written)


@given(polls("pit-1"))
def test_every_pit_point_of_every_poll_is_one_line_that_reads_back(blk):
    lines = LineEncoder("P", ASSETS).lines(blk, NOW_NS)
    quality = expected_quality(blk)
    seen = {}
    for line in lines:
        measurement, tags, fields, time_ns = read_line(line)
        assert measurement == "pit_point"
        seen.setdefault(tags["point"], []).append((time_ns, fields["q"], fields.get("value")))
    for j, point in enumerate(blk.points):
        got = seen.pop(point.quantity, [])
        assert [(t, q) for t, q, _ in got] == [
            (int(t), f"{q}i") for t, q in zip(blk.observed_at_ns, quality[:, j], strict=True)
        ]
        for i, (_, _, text) in enumerate(got):
            assert (text is None) == (quality[i, j] == 2)
            assert text is None or same_double(float(text), blk.value[i, j])
    assert seen == {}


@given(st.text(min_size=1))
def test_an_escaped_key_ends_where_it_should_and_reads_back_except_for_what_cannot_be_said(text):
    escaped = escape_key(text)
    back, rest = read_until(f"{escaped}=1 2", "=")
    assert rest == "=1 2"
    assert "\n" not in escaped
    sayable = not any(ord(c) < 32 or ord(c) == 127 for c in text) and "\\" not in text
    assert len(back) == len(text)
    assert not sayable or back == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_is_written_in_the_shortest_text_that_reads_back(value):
    (line,) = LineEncoder("P", ASSETS).lines(block(["crane-1.a"], [[value]]), NOW_NS)
    text = read_line(line)[2]["a"]
    digits = text.lower().split("e")[0].strip("-").replace(".", "").strip("0")
    shortest = repr(value).lower().split("e")[0].strip("-").replace(".", "").strip("0")
    assert digits == shortest
    assert math.copysign(1, float(text)) == math.copysign(1, value)
