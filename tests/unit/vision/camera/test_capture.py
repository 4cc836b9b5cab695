"""The capture loop and its answering threads in this process, on files: what is reported, kept, shown and refused."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np
import pytest

from gateway.model.picture import CameraLink
from tests.fakes.waiting import wait_until
from vision.camera.capture import Capture
from vision.camera.capture_state import CaptureReport
from vision.camera.control import Control
from vision.camera.frame_slot import FrameSlotReader
from vision.camera.heard import heard
from vision.camera.packet_ring import EncodedPacket, PacketRing
from vision.camera.plan import CapturePlan
from vision.camera.slot_file import create_slot
from vision.camera.sub_stream import SubStream
from vision.camera.wire import Message, receive

FPS = 10
PICTURES = 30


@pytest.fixture(scope="module")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "site.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 96, 64, "yuv420p", FPS
        stream.max_b_frames, stream.thread_count = 0, 1
        for number in range(PICTURES):
            picture = av.VideoFrame.from_ndarray(np.full((64, 96, 3), number * 8, np.uint8), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


class EnoughError(Exception):
    """Raised out of a capture that would run for ever."""


class Gateway:
    """The other end of a capture's socket; every one that was made is closed after its test."""

    made: ClassVar[list["Gateway"]] = []

    def __init__(self) -> None:
        Gateway.made.append(self)
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(20)
        self.left: list[int] = []
        self.control = Control(theirs, 0.3, self.left.append)
        self.reports: list[CaptureReport] = []
        self._theirs = theirs

    def ask(self, kind: str, number: int, **about: int) -> None:
        self.control.take(Message(kind, {"id": number, **about}))

    def next(self) -> Message:
        """The next answer; reports are put aside."""
        while True:
            message = receive(self._ours)
            assert message is not None
            if message.kind != "report":
                return message
            report = heard(message)
            assert isinstance(report, CaptureReport)
            self.reports.append(report)

    def answer(self) -> tuple[bytes, Message]:
        """All parts of one answer, and what ended it."""
        body = b""
        while (message := self.next()).kind == "part":
            body += message.body
        return body, message

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


@pytest.fixture(autouse=True)
def _close_gateways() -> Iterator[None]:
    yield
    while Gateway.made:
        Gateway.made.pop().close()


class EndingGateway(Gateway):
    """Stops the capture with the first report that it wants to see."""

    def __init__(self, until: str) -> None:
        super().__init__()
        self._until = until
        self.control.tell = self._hear  # type: ignore[method-assign]

    def _hear(self, report: CaptureReport) -> None:
        self.reports.append(report)
        if self._until in report.last_error and report.phase == "waiting":
            raise EnoughError


def run(plan: CapturePlan, until: str) -> tuple[list[CaptureReport], Gateway]:
    gateway = EndingGateway(until)
    with pytest.raises(EnoughError):
        Capture(plan, gateway.control).run()
    return gateway.reports, gateway


def test_a_film_is_reported_from_opening_to_its_end(film_file: Path, tmp_path: Path) -> None:
    slot = create_slot("cam-1", 96, 64, [tmp_path])
    plan = CapturePlan("cam-1", str(film_file), str(slot), realtime=False, fps_cap=60, first_session=4)
    reports, _ = run(plan, "the file has ended")
    assert (reports[0].link, reports[0].phase) == (CameraLink.CONNECTING, "opening")
    phases = list(dict.fromkeys(report.phase for report in reports))
    assert phases == ["opening", "reading", "waiting"]
    assert CameraLink.LIVE in {report.link for report in reports}
    last = reports[-1]
    assert (last.link, last.ended, last.codec, last.session) == (CameraLink.OFFLINE, True, "h264", 4)
    assert (last.frames, last.packets, last.bad) == (PICTURES, PICTURES, 0)
    assert (last.width_px, last.height_px, last.frames_per_s) == (96, 64, 0)
    assert last.browser_codec.startswith("avc1.")
    assert not last.no_video_reason
    frame = FrameSlotReader(slot, "cam-1").newest()
    assert frame is not None
    assert frame.image.shape == (64, 96, 3)
    assert frame.session == 4


def test_numbers_of_pictures_go_on_in_the_next_process(film_file: Path, tmp_path: Path) -> None:
    slot = create_slot("cam-1", 96, 64, [tmp_path])
    plan = CapturePlan("cam-1", str(film_file), str(slot), realtime=False, fps_cap=60)
    run(plan, "the file has ended")
    reader = FrameSlotReader(slot, "cam-1")
    first = reader.newest()
    assert first is not None
    run(replace(plan, first_session=2), "the file has ended")
    second = reader.newest(first.seq)
    assert second is not None
    assert second.seq > first.seq
    assert second.session == 2


def test_a_film_is_paced_and_the_heart_beats_meanwhile(film_file: Path) -> None:
    began_s = time.monotonic()
    reports, _ = run(CapturePlan("cam-1", str(film_file)), "the file has ended")
    assert time.monotonic() - began_s > 0.9 * (PICTURES - 1) / FPS
    assert sum(report.phase == "reading" for report in reports) >= 5


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("missing.mp4", "no such file or device"),
        ("nothing/", "the folder cannot be read"),
        ("v4l2:/dev/video98", "no such file"),
    ],
)
def test_what_cannot_be_opened_is_reported_and_tried_again(tmp_path: Path, source: str, said: str) -> None:
    source = source if source.startswith("v4l2") else f"{tmp_path}/{source}"
    reports, _ = run(CapturePlan("cam-1", source), said)
    assert reports[-1].link is CameraLink.OFFLINE
    assert not reports[-1].ended
    assert reports[-1].session == 0


def test_a_folder_is_a_camera_without_clips(tmp_path: Path) -> None:
    for number in range(3):
        picture = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 80 * number, np.uint8), format="bgr24")
        with av.open(str(tmp_path / f"{number}.png"), "w", format="image2") as container:
            stream: Any = container.add_stream("png", 1)
            stream.width, stream.height, stream.pix_fmt = 48, 32, "rgb24"
            container.mux(stream.encode(picture.reformat(format="rgb24")))
            container.mux(stream.encode(None))
    (tmp_path / "3.jpg").write_bytes(b"none")
    reports, gateway = run(CapturePlan("cam-1", f"{tmp_path}/", realtime=False), "the folder has ended")
    last = reports[-1]
    assert (last.codec, last.frames, last.bad, last.width_px) == ("files", 3, 1, 48)
    gateway.ask("clip", 1, from_ns=0, to_ns=1)
    assert gateway.next().about == {"id": 1, "reason": "pictures from a folder make no clip"}


def kept(film_file: Path) -> tuple[Gateway, PacketRing]:
    """A control whose ring holds the film, as taken just now."""
    gateway, ring = Gateway(), PacketRing(30, 10**7)
    gateway.control.offer(ring, "", None)
    reports, ended = run(CapturePlan("cam-1", str(film_file), realtime=False), "the file has ended")
    source = ended.control.usable_ring()
    now_ns = time.time_ns()
    for number, packet in enumerate(source.span(0, 2 * now_ns)):
        ring.append(replace(packet, at_ns=now_ns - (PICTURES - number) * 10**8))
    assert reports[-1].packets == PICTURES
    return gateway, ring


def test_clips_and_live_video_are_answered_by_number(film_file: Path) -> None:
    gateway, _ = kept(film_file)
    now_ns = time.time_ns()
    gateway.ask("clip", 7, from_ns=now_ns - 10**9, to_ns=now_ns - 5 * 10**8)
    body, done = gateway.answer()
    assert body[4:8] == b"ftyp"
    assert done.kind == "done"
    assert done.about["id"] == 7
    assert done.about["from_ns"] <= now_ns - 10**9
    gateway.ask("live", 8)
    body, done = gateway.answer()
    assert b"moof" in body
    assert (done.kind, done.about) == ("done", {"id": 8}), "the stream stands still, and that ends it"


def test_what_there_is_no_video_of_is_refused_with_the_reason(film_file: Path) -> None:
    gateway, _ = kept(film_file)
    gateway.ask("clip", 1, from_ns=5, to_ns=6)
    assert gateway.next().about["reason"] == "nothing has been kept of that time"
    gateway.control.offer(PacketRing(30, 1000), "the camera sends H.265 only", None)
    gateway.ask("live", 2)
    assert gateway.next().about["reason"] == "the camera sends H.265 only"
    broken = PacketRing(30, 1000)
    broken.append(EncodedPacket(b"no key frame", time.time_ns(), 0, 0, True, 1))
    gateway.control.offer(broken, "", None)
    gateway.ask("live", 3)
    assert gateway.next().about["reason"] == "the stream's key frame cannot be read"


def test_a_viewer_that_leaves_is_let_go(film_file: Path) -> None:
    gateway, ring = kept(film_file)
    gateway.ask("live", 4)
    assert gateway.next().kind == "part"
    gateway.ask("cancel", 4)
    ring.append(replace(ring.span(0, 2 * time.time_ns())[-1], at_ns=time.time_ns()))
    assert gateway.answer()[1].kind == "done"


def test_no_more_than_eight_watch_one_camera_live() -> None:
    gateway = Gateway()
    for number in range(1, 10):
        gateway.control.wanted.add(number)
    gateway.ask("live", 10)
    assert "more than 8 viewers" in str(gateway.next().about["reason"])


def test_a_sub_stream_fills_a_ring_of_its_own(film_file: Path) -> None:
    plan = CapturePlan(
        "cam-1", "rtsp://127.0.0.1:1/x", sub_source=str(film_file), reconnect_min_s=600, reconnect_max_s=600
    )
    sub = SubStream(replace(plan, realtime=False))
    gateway = Gateway()
    gateway.control.offer(PacketRing(30, 1000), "the camera sends H.265 only", sub)
    assert gateway.control.no_video_reason == "the sub-stream has not come yet"
    sub.start()
    wait_until(lambda: "the file has ended" in sub.reason, "the sub-stream's end")
    assert len(sub.ring.span(0, 2 * time.time_ns())) == PICTURES
    assert gateway.control.video_codec.startswith("avc1.")


def test_a_sub_stream_that_does_not_come_says_why(tmp_path: Path) -> None:
    plan = CapturePlan("cam-1", "rtsp://127.0.0.1:1/x", sub_source=f"{tmp_path}/missing.mp4", reconnect_min_s=600)
    sub = SubStream(replace(plan, reconnect_max_s=600))
    sub.start()
    wait_until(lambda: "does not come" in sub.reason, "the reason")
    assert sub.reason == "the sub-stream does not come: no such file or device"


def test_a_control_whose_gateway_is_gone_ends_the_process() -> None:
    gateway = Gateway()
    gateway.close()
    gateway.control.tell(CaptureReport())
    assert gateway.left == [0]
    gateway.control.serve()
    assert gateway.left == [0, 0]
