"""Back-off, lag, true time, parameter sets, libav's options and faults, messages: the capture's small parts."""

import asyncio
import socket
import struct
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.camera.arrival import StreamClock, believed_ns
from vision.camera.backoff import BackOff
from vision.camera.capture_state import CaptureReport
from vision.camera.conversation import Conversation
from vision.camera.faults import fault_of
from vision.camera.heard import Done, Part
from vision.camera.lag import LagMeter
from vision.camera.packet_keeper import not_kept_because
from vision.camera.parameter_sets import browser_codec, parameter_sets
from vision.camera.plan import CapturePlan
from vision.camera.video_input import libav_options
from vision.camera.wire import LENGTHS, Message, decode, lengths, receive

SECOND_NS = 1_000_000_000


@settings(deadline=None)
@given(st.floats(0.01, 10), st.floats(1, 100), st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_waits_double_up_to_the_longest_and_are_never_together(
    min_s: float, factor: float, shares: list[float]
) -> None:
    taken = iter(shares)
    back_off = BackOff(min_s, min_s * factor, lambda: next(taken))
    for number, share in enumerate(shares):
        ceiling_s = min(min_s * factor, min_s * 2.0 ** min(number, 20))
        assert back_off.next_s() == pytest.approx(ceiling_s * (0.5 + share / 2))


def test_a_success_makes_the_next_wait_short() -> None:
    back_off = BackOff(1, 60, lambda: 1.0)
    assert [back_off.next_s() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    back_off.reset()
    assert back_off.next_s() == 1


def test_decoding_that_cannot_keep_up_is_noticed_and_ends_when_caught_up() -> None:
    lag = LagMeter()
    assert not any(lag.note(number / 15, 100 + number / 15) for number in range(100))
    slow = [lag.note(100 / 15 + number / 15, 106.7 + number / 10) for number in range(60)]
    assert not slow[5]
    assert slow[-1]
    assert not lag.note(13.0, 113.05)


def test_a_camera_whose_clock_is_slow_is_not_behind() -> None:
    """By 100 ppm, for a day: 8.6 s."""
    lag = LagMeter()
    assert not any(lag.note(second * (1 - 1e-4), 100.0 + second) for second in range(86_400))


def test_a_wrong_clock_is_not_believed_and_a_good_one_is() -> None:
    now_ns = 1_700_000_000 * SECOND_NS
    assert believed_ns(now_ns - SECOND_NS, now_ns) == now_ns - SECOND_NS
    assert believed_ns(now_ns - 3600 * SECOND_NS, now_ns) == now_ns
    assert StreamClock(10.0, now_ns).at(12.5) == now_ns + 2.5 * SECOND_NS


SPS, PPS, IDR = b"\x67\x64\x00\x28\xac\xb4", b"\x68\xee\x3c\x80", b"\x65" + b"\x88" * 50
START = b"\0\0\0\1"


def test_parameter_sets_before_the_first_slice() -> None:
    body = START + b"\x09\x10" + START + SPS + START + PPS + b"\0\0\1" + IDR + START + b"\x67late"
    assert parameter_sets(body, "h264") == START + SPS + START + PPS
    assert browser_codec(parameter_sets(body, "h264")) == "avc1.640028"
    assert parameter_sets(START + IDR, "h264") == b""
    assert browser_codec(b"") == ""
    vps, sps, slice_ = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x26\x01" + b"\x11" * 20
    assert parameter_sets(START + vps + START + sps + START + slice_, "hevc") == START + vps + START + sps


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_search_for_parameter_sets(body: bytes) -> None:
    for codec in ("h264", "hevc"):
        browser_codec(parameter_sets(body, codec))


def test_why_there_is_no_clip() -> None:
    assert not_kept_because("h264") == ""
    assert "H.264 sub_source" in not_kept_because("hevc")
    assert "mjpeg" in not_kept_because("mjpeg")


def plan(source: str, **more: Any) -> CapturePlan:
    return CapturePlan("cam-1", source, **more)


def test_how_libav_is_asked_for_a_stream() -> None:
    address, form, options = libav_options(
        plan("rtsp://h/x", username="u", password="p", read_timeout_s=2.5), "rtsp://h/x"
    )
    assert (address, form) == ("rtsp://u:p@h/x", None)
    assert (options["rtsp_transport"], options["timeout"], options["allowed_media_types"]) == (
        "tcp",
        "2500000",
        "video",
    )
    assert "tls_verify" not in options
    assert libav_options(plan("rtsps://h/x", tls_ca_file="/ca.pem"), "rtsps://h/x")[2]["ca_file"] == "/ca.pem"


def test_how_libav_is_asked_for_a_device_and_a_file() -> None:
    address, form, options = libav_options(plan("v4l2:/dev/video2"), "v4l2:/dev/video2")
    assert (address, form) == ("/dev/video2", "video4linux2")
    assert options["input_format"] == "mjpeg"
    assert libav_options(plan("file:///a/b.mp4"), "file:///a/b.mp4") == ("/a/b.mp4", None, {})


@pytest.mark.parametrize(
    ("error", "said", "slow"),
    [
        (av.error.HTTPUnauthorizedError(1, "x", "rtsp://u:hunter2@h"), "user name or password (401)", True),
        (av.error.HTTPForbiddenError(1, "x", "rtsp://u:hunter2@h"), "403", True),
        (av.error.HTTPNotFoundError(1, "x", "rtsp://u:hunter2@h"), "404", False),
        (av.error.ExitError(1, "x", "rtsp://u:hunter2@h"), "nothing came for 5 s", False),
        (TimeoutError("hunter2"), "nothing came for 5 s", False),
        (ConnectionRefusedError("hunter2"), "connection refused", False),
        (av.error.InvalidDataError(1, "x", "rtsp://u:hunter2@h"), "what came is no video", False),
        (av.error.EOFError(1, "x", "rtsp://u:hunter2@h"), "ended the stream", False),
        (OSError(113, "No route to host", "rtsp://u:hunter2@h"), "No route to host", False),
        (ValueError("hunter2"), "ValueError", False),
    ],
)
def test_faults_are_said_without_libavs_text(error: BaseException, said: str, slow: bool) -> None:
    fault = fault_of(error, 5.0)
    assert said in str(fault)
    assert "hunter2" not in str(fault)
    assert fault.slow is slow


def test_messages_travel() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(Message("clip", {"id": 3, "from_ns": 1}, b"body").encode())
        assert receive(theirs) == Message("clip", {"id": 3, "from_ns": 1}, b"body")
        ours.sendall(b"\0\0\0\7\0\0\0\0half")
        ours.close()
        assert receive(theirs) is None


@pytest.mark.parametrize("octets", [struct.pack("!II", 0, 0), struct.pack("!II", 2**31, 0), b"GET / HT"])
def test_what_is_no_message_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="no message begins"):
        lengths(octets)


@pytest.mark.parametrize("head", [b"", b"[]", b"{}", b'{"kind": 3}', b"\xff"])
def test_a_head_that_is_none(head: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  JSON's own words
        decode(head, b"")


def test_the_body_of_a_message_is_not_shown() -> None:
    assert "hunter2" not in repr(Message("plan", body=b"hunter2"))


async def test_a_viewer_that_reads_too_slowly_is_dropped_and_the_others_go_on() -> None:
    ours, theirs = socket.socketpair()
    reports: list[CaptureReport] = []
    talk = Conversation(ours, reports.append)
    running = asyncio.create_task(talk.run(Message("plan")))
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_recv(theirs, 4096)
    slow, quick = talk.ask("live", {}, 1000), talk.ask("live", {}, 1000)
    first_slow, first_quick = asyncio.ensure_future(anext(slow)), asyncio.ensure_future(anext(quick))
    await loop.sock_recv(theirs, 4096)
    for number in (1, 2):
        await loop.sock_sendall(theirs, Message("part", {"id": number}, b"head").encode())
    assert await first_slow == Part(1, b"head")
    assert await first_quick == Part(2, b"head")
    for _ in range(5):
        await loop.sock_sendall(theirs, Message("part", {"id": 1}, bytes(400)).encode())
        await loop.sock_sendall(theirs, Message("part", {"id": 2}, bytes(400)).encode())
        assert await anext(quick) == Part(2, bytes(400))
    with pytest.raises(LookupError, match="too slowly"):
        await anext(slow)
    await loop.sock_sendall(theirs, Message("report", CaptureReport(frames=7).to_plain()).encode())
    await loop.sock_sendall(theirs, Message("done", {"id": 2}).encode())
    assert [message async for message in quick] == [Done(2)]
    assert [report.frames for report in reports] == [7]
    theirs.close()
    await running


@pytest.mark.parametrize(
    "message", [Message("part", {"id": 1}), Message("part", {"id": 1}, b"x"), Message("done", {"id": 1})]
)
async def test_messages_that_bring_next_to_nothing_do_not_wait_without_end(message: Message) -> None:
    """What a capture that was taken over may send while a viewer reads nothing."""
    ours, theirs = socket.socketpair()
    talk = Conversation(ours, lambda said: None)
    running = asyncio.create_task(talk.run(Message("plan")))
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    viewer = talk.ask("live", {}, 100_000)
    first = asyncio.ensure_future(anext(viewer))
    await loop.sock_recv(theirs, 4096)
    await loop.sock_sendall(theirs, Message("part", {"id": 1}, b"head").encode())
    assert await first == Part(1, b"head")
    await loop.sock_sendall(theirs, message.encode() * 1000)
    theirs.close()
    await running
    with pytest.raises(LookupError, match="too slowly"):
        await anext(viewer)


async def test_whoever_waits_is_told_when_the_capture_goes_away() -> None:
    ours, theirs = socket.socketpair()
    talk = Conversation(ours, lambda said: None)
    running = asyncio.create_task(talk.run(Message("plan")))
    theirs.setblocking(False)
    await asyncio.get_running_loop().sock_recv(theirs, LENGTHS.size)
    waiting = asyncio.ensure_future(anext(talk.ask("clip", {}, 1000)))
    await asyncio.sleep(0)
    theirs.close()
    await running
    with pytest.raises(LookupError, match="capture ended"):
        await waiting
