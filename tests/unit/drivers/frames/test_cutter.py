"""Frames out of a stream: marks, lengths, escapes, checksums, and what happens when they are wrong."""

from typing import Any

import pytest

from drivers.frames.answers import framed
from drivers.frames.cutter import Cutter, Frame, Refused
from drivers.frames.grammar import Framing

MARKED = {"start": "<", "end": ">", "max_bytes": 16}
COUNTED = {"start": "##", "end": "\r\n", "length": {"at": 0, "type": "digits", "digits": 2, "plus": 2}, "max_bytes": 64}
SUMMED = {
    "start": "0xAA",
    "length": {"at": 0, "type": "uint8", "plus": 2},
    "checksum": {"kind": "sum8"},
    "max_bytes": 64,
}
ESCAPED = {
    "start": "0x7E",
    "end": "0x7E",
    "escape": {"mark": "0x7D", "codes": {"0x01": "0x7D", "0x02": "0x7E"}},
    "checksum": {"kind": "crc16-modbus", "form": "little"},
    "max_bytes": 64,
}


def cut(framing: dict[str, Any], *chunks: bytes) -> tuple[list[bytes | str], int]:
    """Contents of sound frames and reasons of refusals, in order; bytes of noise."""
    cutter = Cutter(Framing.model_validate(framing))
    found = [one for chunk in chunks for one in cutter.feed(chunk)]
    return [one.content if isinstance(one, Frame) else one.reason for one in found], cutter.noise


def test_frames_between_marks_with_noise_around_them() -> None:
    assert cut(MARKED, b"x<a>yy<b><c") == ([b"a", b"b"], 3)


def test_a_half_frame_does_not_take_the_next_one_with_it() -> None:
    assert cut(MARKED, b"<half<whole>") == ([b"whole"], 5)


def test_what_has_no_end_is_given_up_at_the_longest_frame() -> None:
    found, noise = cut(MARKED, b"<" + b"a" * 30 + b"<b>")
    assert found == ["no end mark within 16 bytes", b"b"]
    assert noise == 31


def test_an_empty_frame_is_none() -> None:
    assert cut(MARKED, b"<><a>")[0] == ["0 bytes of content; a frame has at least 1", b"a"]


def test_frames_by_their_length() -> None:
    assert cut(COUNTED, b"##03abc\r\n##01d\r\n") == ([b"03abc", b"01d"], 0)


def test_an_end_mark_inside_a_counted_frame_is_content() -> None:
    assert cut(COUNTED, b"##05a\r\nbc\r\n")[0] == [b"05a\r\nbc"]


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"##xx##02ab\r\n", "its length says -1 bytes"),
        (b"##99##02ab\r\n", "its length says 101 bytes"),
        (b"##04##02ab\r\n", "no end mark after the 6 bytes"),
    ],
)
def test_a_wrong_length_is_refused_and_the_next_frame_found(stream: bytes, reason: str) -> None:
    found, _ = cut(COUNTED, stream)
    assert str(found[0]).startswith(reason)
    assert found[-1] == b"02ab"


def test_a_wrong_checksum_is_refused_with_both_figures() -> None:
    sound = framed(b"abc", Framing.model_validate(SUMMED))
    found, noise = cut(SUMMED, sound[:-1] + b"\0" + sound)
    assert found == ["checksum 00, computed 29", b"\3abc"]
    assert noise == len(sound)


def test_a_frame_inside_a_broken_frame_is_found() -> None:
    inner = framed(b"x", Framing.model_validate(SUMMED))
    assert cut(SUMMED, b"\xaa\x05" + inner + b"\0\0\0")[0][-1] == b"\1x"


def test_escapes_are_undone_and_unknown_ones_refused() -> None:
    framing = Framing.model_validate(ESCAPED)
    content = b"a\x7d\x7eb"
    wire = framed(content, framing)
    assert wire[1:-1].count(b"\x7e") == 0
    assert cut(ESCAPED, wire)[0] == [content]
    assert cut(ESCAPED, b"\x7ea\x7d\x03bcd\x7e")[0][0] == "escape 7d 03 stands for nothing"
    assert cut(ESCAPED, b"\x7eabc\x7d\x7e")[0][0] == "escape 7d stands for nothing"


def test_one_mark_for_both_ends_is_brought_back_into_step() -> None:
    framing = Framing.model_validate(ESCAPED)
    wire = framed(b"abc", framing)
    found, _ = cut(ESCAPED, b"tail of a frame\x7e" + wire + wire)
    assert [one for one in found if isinstance(one, bytes)] == [b"abc", b"abc"]


def test_bytes_one_at_a_time_and_what_is_kept_of_noise() -> None:
    cutter = Cutter(Framing.model_validate(COUNTED))
    assert [one for byte in b"#noise##02ab\r\n" for one in cutter.feed(bytes([byte]))] == [
        Frame(b"02ab", b"##02ab\r\n")
    ]
    assert (cutter.noise, cutter.last_noise) == (6, b"#noise")
    assert not cutter.in_frame
    assert list(cutter.feed(b"##02")) == []
    assert cutter.in_frame


def test_a_refusal_holds_the_bytes_that_were_looked_at() -> None:
    (refused,) = Cutter(Framing.model_validate(MARKED)).feed(b"<>tail")
    assert refused == Refused(b"<>", "0 bytes of content; a frame has at least 1")
