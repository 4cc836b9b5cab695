"""The capture's parts on a film made here, without a process: packets kept, decoded, cut and put together again."""

import io
import subprocess
import sys
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vision.camera.arrival import Arrival
from vision.camera.decoding import Decoding
from vision.camera.faults import CaptureFault
from vision.camera.folder_input import FolderInput
from vision.camera.mp4 import LiveMuxer, write_clip
from vision.camera.packet_keeper import PacketKeeper
from vision.camera.packet_ring import EncodedPacket, PacketRing
from vision.camera.plan import CapturePlan
from vision.camera.video_input import VideoInput

SECOND_NS = 1_000_000_000
FPS = 10
PICTURES = 40


@pytest.fixture(scope="module", params=[0, 2], ids=["no B-frames", "B-frames"])
def film_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "site.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 96, 64, "yuv420p", FPS
        stream.max_b_frames, stream.thread_count = request.param, 1
        for number in range(PICTURES):
            picture = av.VideoFrame.from_ndarray(np.full((64, 96, 3), number * 5, np.uint8), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def no_wait(_seconds: float) -> None:
    """The film is read as fast as it can be."""


def packets_of(path: Path, ring: PacketRing, **more: Any) -> tuple[Decoding, str]:
    """Everything through decoder and keeper, as the capture loop does it; with the fault that ended it."""
    source = VideoInput(CapturePlan("cam-1", str(path), realtime=False, **more), str(path))
    decoding, keeper = Decoding(1.0), PacketKeeper(ring, 1, source.stream)
    decoding.begin(source.decoder)
    try:
        for arrival in source.packets(no_wait):
            decoding.pictures_of(arrival)
            assert arrival.timeline_s is not None
            keeper.keep(arrival, round(arrival.timeline_s * SECOND_NS), source.offset_s)
            if arrival.timeline_s > 9:
                return decoding, "long enough"
    except CaptureFault as fault:
        return decoding, str(fault)
    finally:
        source.close()
    raise AssertionError("an input ends with a fault")


def greys(body: bytes) -> list[int]:
    with av.open(io.BytesIO(body)) as container:
        return [round(float(picture.to_ndarray(format="gray").mean())) for picture in container.decode(video=0)]


def test_a_clip_holds_the_pictures_of_its_time_in_their_order(film_file: Path, tmp_path: Path) -> None:
    ring = PacketRing(30, 10**7)
    decoding, end = packets_of(film_file, ring)
    assert end == "the file has ended"
    assert decoding.pictures >= PICTURES - 3, "a decoder with B-frames holds back the last ones"
    assert decoding.bad == 0
    head = write_clip(ring.span(round(1.5 * SECOND_NS), 3 * SECOND_NS), tmp_path / "clip.mp4")
    assert head.from_ns == pytest.approx(1.0 * SECOND_NS, abs=0.25 * SECOND_NS)
    shown = greys((tmp_path / "clip.mp4").read_bytes())
    assert len(shown) == head.frames == pytest.approx(21, abs=2)
    assert shown == sorted(shown)
    assert shown[0] < 80


def test_time_goes_on_when_a_file_begins_again(film_file: Path) -> None:
    ring = PacketRing(30, 10**7)
    _, end = packets_of(film_file, ring, loop=True)
    assert end == "long enough"
    kept = ring.span(0, 20 * SECOND_NS)
    steps = np.diff([packet.dts for packet in kept]) / 90_000
    assert len(kept) > 2 * PICTURES
    assert steps.min() > 0
    assert steps.max() < 0.35


def test_live_fragments_are_one_film(film_file: Path) -> None:
    ring = PacketRing(30, 10**7)
    packets_of(film_file, ring)
    packets = ring.span(0, 20 * SECOND_NS)
    muxer = LiveMuxer(packets[0])
    parts = [muxer.feed(packet) for packet in packets]
    early, body = b"".join(parts[: FPS + 3]), b"".join([*parts, muxer.close()])
    assert early[4:8] == b"ftyp"
    assert b"moof" in early, "nobody waits for the end of a group of pictures"
    assert greys(body) == sorted(greys(body))
    assert len(greys(body)) == PICTURES


def test_a_key_frame_that_is_none_makes_no_clip(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="key frame cannot be read"):
        write_clip([EncodedPacket(bytes(range(200)), 0, 0, 0, True, 1)], tmp_path / "clip.mp4")


@dataclass
class ScriptedPacket:
    """A packet that says what becomes of it."""

    result: str = "picture"
    is_keyframe: bool = False
    size: int = 1


@dataclass
class ScriptedPicture:
    is_corrupt: bool = False


@dataclass
class ScriptedDecoder:
    """A decoder that does what each packet says, and remembers what it was told to leave out."""

    skip_frame: str = "DEFAULT"
    told: list[str] = field(default_factory=list)

    def decode(self, packet: ScriptedPacket) -> list[ScriptedPicture]:
        self.told.append(self.skip_frame)
        if packet.result == "error":
            raise av.error.InvalidDataError(1, "x")
        return [] if packet.result == "nothing" else [ScriptedPicture(packet.result == "corrupt")]


def decode(decoding: Decoding, packet: ScriptedPacket, timeline_s: float | None = None) -> int:
    return len(decoding.pictures_of(Arrival(packet, 0, timeline_s)))


def test_nothing_is_decoded_before_the_first_key_frame_and_what_is_broken_is_counted() -> None:
    decoding, decoder = Decoding(5.0), ScriptedDecoder()
    decoding.begin(decoder)
    assert decode(decoding, ScriptedPacket()) == 0
    assert decoder.told == []
    assert decode(decoding, ScriptedPacket(is_keyframe=True)) == 1
    assert [decode(decoding, ScriptedPacket(result)) for result in ("error", "corrupt", "nothing", "picture")] == [
        0,
        0,
        0,
        1,
    ]
    assert (decoding.pictures, decoding.bad) == (2, 2)


@pytest.mark.parametrize("result", ["error", "corrupt", "nothing"])
def test_packets_that_make_no_picture_for_the_read_timeout_are_no_video(result: str) -> None:
    decoding = Decoding(0.05)
    decoding.begin(ScriptedDecoder())
    decode(decoding, ScriptedPacket(is_keyframe=True))
    until_s = time.monotonic() + 20

    def go_on() -> None:
        while time.monotonic() < until_s:
            decode(decoding, ScriptedPacket(result))

    with pytest.raises(CaptureFault, match="the stream is not video"):
        go_on()
    assert decoding.bad >= 4, "also what the decoder swallowed without a word"


def test_decoding_that_is_behind_leaves_out_all_but_key_frames_until_it_caught_up() -> None:
    decoding, decoder = Decoding(5.0), ScriptedDecoder()
    decoding.begin(decoder)
    now_s = time.monotonic()
    decode(decoding, ScriptedPacket(is_keyframe=True), now_s)
    assert not decoding.key_frames_only
    decode(decoding, ScriptedPacket(), now_s - 2.0)
    assert decoding.key_frames_only
    assert decoder.skip_frame == "NONKEY"
    decode(decoding, ScriptedPacket(), time.monotonic())
    assert decoder.skip_frame == "NONKEY", "not in the middle of a group of pictures"
    decode(decoding, ScriptedPacket(is_keyframe=True), time.monotonic())
    assert decoder.skip_frame == "DEFAULT"
    assert not decoding.key_frames_only


def test_a_folder_gives_its_pictures_and_says_what_is_none(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "b.png"), "w", format="image2") as container:
        stream: Any = container.add_stream("png", 1)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 no picture")
    (tmp_path / "c.jpg").write_bytes((tmp_path / "b.png").read_bytes()[:20])
    folder = FolderInput(tmp_path, fps=1, loop=False, realtime=False)
    pictures = folder.pictures(no_wait)
    assert next(pictures) is None
    second = next(pictures)
    assert (second.width, second.height) == (32, 16)
    assert next(pictures) is None
    with pytest.raises(CaptureFault, match="the folder has ended") as caught:
        next(pictures)
    assert caught.value.final
    with pytest.raises(CaptureFault, match="the folder cannot be read"):
        FolderInput(tmp_path / "missing", fps=1, loop=False, realtime=False)


@pytest.mark.parametrize(
    ("module", "kept_out"),
    [
        ("vision.camera.capture", "numpy pydantic cv2 onnxruntime gateway.ports"),
        ("vision.camera.capture_handle", "av cv2 onnxruntime"),
        ("vision.camera.frame_slot", "av cv2 onnxruntime pydantic"),
    ],
)
def test_no_process_pays_for_what_another_needs(module: str, kept_out: str) -> None:
    program = f"import sys, {module}; print(*[name for name in {kept_out.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
