"""RTU frames against bytes of the standard and of others; timing against the standard's figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.plan import Request
from drivers.modbus.rtu import (
    BrokenFrameError,
    Frame,
    first_frame,
    reply_bytes,
    request_frame,
    silence_s,
    wire_s,
    with_checksum,
)


def test_a_request_is_the_bytes_that_mbpoll_sends() -> None:
    # captured from `mbpoll -m rtu -a 17 -0 -r 107 -c 3 -t 4 -1` on a pseudo-terminal
    assert request_frame(17, Request(3, 107, 3)) == bytes.fromhex("11 03 00 6b 00 03 76 87")


@pytest.mark.parametrize("function", [0, 5, 6, 15, 16, 22, 23, 43])
def test_only_reads_can_be_framed(function: int) -> None:
    with pytest.raises(ValueError, match="nothing else is sent"):
        request_frame(1, Request(function, 0, 1))


def test_a_reply_and_what_follows_it_come_apart() -> None:
    frame = with_checksum(bytes((17, 3, 4, 0xAE, 0x41, 0x56, 0x52)))
    assert first_frame(frame + b"\x01") == (Frame(17, 3, bytes((4, 0xAE, 0x41, 0x56, 0x52))), b"\x01")


def test_an_exception_reply_is_five_bytes() -> None:
    assert first_frame(with_checksum(bytes((10, 0x81, 2)))) == (Frame(10, 0x81, b"\x02"), b"")


@pytest.mark.parametrize("length", range(9))
def test_a_frame_that_is_not_whole_is_waited_for(length: int) -> None:
    frame = with_checksum(bytes((17, 3, 4, 1, 2, 3, 4)))
    assert first_frame(frame[:length]) is None


@pytest.mark.parametrize("function", [0, 5, 6, 16, 0x7F, 0x80, 0x85, 0xFF])
def test_a_function_that_nobody_asked_for_is_no_frame(function: int) -> None:
    with pytest.raises(BrokenFrameError, match=f"function code {function}"):
        first_frame(with_checksum(bytes((1, function, 2, 0, 0))))


@given(body=st.binary(min_size=2, max_size=250), bit=st.integers(0, 8 * 255))
def test_one_wrong_bit_is_always_found(body: bytes, bit: int) -> None:
    frame = bytearray(with_checksum(bytes((1, 3, len(body))) + body))
    place = 3 + bit // 8 % (len(frame) - 3)  # data and checksum: a wrong length or function shows by itself
    frame[place] ^= 1 << bit % 8
    with pytest.raises(BrokenFrameError, match="checksum"):
        first_frame(bytes(frame))


@given(noise=st.binary(max_size=300))
def test_noise_gives_a_frame_a_refusal_or_a_wait_and_nothing_else(noise: bytes) -> None:
    try:
        found = first_frame(noise)
    except BrokenFrameError:
        return
    if found is not None:
        frame, rest = found
        assert noise.endswith(rest)
        assert with_checksum(noise[: len(noise) - len(rest)][:-2]) == noise[: len(noise) - len(rest)]
        assert frame.unit_id == noise[0]


@pytest.mark.parametrize(
    ("request_", "length"), [(Request(3, 0, 1), 7), (Request(1, 0, 9), 7), (Request(4, 0, 125), 255)]
)
def test_the_length_of_a_reply_is_known_before_it_comes(request_: Request, length: int) -> None:
    assert reply_bytes(request_) == length


@pytest.mark.parametrize(
    ("baud", "expected_ms"), [(1200, 32.08), (9600, 4.01), (19_200, 2.005), (38_400, 1.75), (115_200, 1.75)]
)
def test_the_silence_between_frames_is_the_standards(baud: int, expected_ms: float) -> None:
    assert silence_s(baud) * 1000 == pytest.approx(expected_ms, abs=0.01)
    assert silence_s(baud, extra_ms=5) * 1000 == pytest.approx(expected_ms + 5, abs=0.01)


def test_bytes_take_eleven_bits_each() -> None:
    assert wire_s(9600, 96) == pytest.approx(0.11)
