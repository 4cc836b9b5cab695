"""Files, folders of pictures and devices as cameras: what plays, what ends, and what is none."""

import io
import time
from pathlib import Path

import av
import numpy as np
import pytest

from gateway.model.picture import CameraLink
from tests.fakes.rtsp_viewer import Viewer
from vision.camera.measure import capture_footprint, decode_cost, make_film

SECOND_NS = 1_000_000_000
FPS = 15


@pytest.fixture(scope="module")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "site.mp4"
    make_film(path, "h264", (320, 180), FPS, 2.0)
    return path


def write_picture(path: Path, level: int) -> None:
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("mjpeg", 1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="bgr24")
        container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode(None))


def shortened(source: Path, target: Path, length: int) -> Path:
    target.write_bytes(source.read_bytes()[:length])
    return target


async def test_a_file_plays_at_its_own_pace_over_and_over(film_file: Path) -> None:
    async with Viewer(str(film_file), loop=True) as viewer:
        await viewer.live()
        began_s, first = time.monotonic(), viewer.state.report.frames
        await viewer.more_frames(3 * FPS)
        frames, took_s = viewer.state.report.frames - first, time.monotonic() - began_s
        assert frames / took_s == pytest.approx(FPS, rel=0.25)
        assert viewer.newest.image.shape == (180, 320, 3)
        assert not viewer.newest.stream_time
        report = viewer.state.report
        assert (report.session, report.bad) == (1, 0), "the seam is no new connection, and breaks no picture"
        now_ns = time.time_ns()
        clip = await viewer.handle.clip(now_ns - 2 * SECOND_NS, now_ns)
    with av.open(io.BytesIO(clip.body)) as container:
        times = [float(picture.pts * picture.time_base) for picture in container.decode(video=0)]
    assert clip.from_ns <= now_ns - 2 * SECOND_NS
    assert np.diff(times) == pytest.approx(1 / FPS, abs=0.02), "time goes on over the seam"


async def test_a_file_that_does_not_begin_again_ends(film_file: Path) -> None:
    async with Viewer(str(film_file), realtime=False) as viewer:
        await viewer.until(lambda: viewer.state.report.ended, "the end")
        assert viewer.state.link is CameraLink.OFFLINE
        assert viewer.state.last_error == "the file has ended"
        assert viewer.state.report.frames == 2 * FPS
        assert viewer.state.starts == 1


async def test_a_file_cut_off_in_the_middle_plays_to_the_cut(film_file: Path, tmp_path: Path) -> None:
    """As a transport stream: an MP4 has its index at the end, and none without it."""
    whole, cut = tmp_path / "whole.ts", tmp_path / "cut.ts"
    with av.open(str(film_file)) as source, av.open(str(whole), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    shortened(whole, cut, whole.stat().st_size * 2 // 3)
    async with Viewer(str(cut), realtime=False) as viewer:
        await viewer.until(lambda: viewer.state.report.ended, "the end")
        assert 0 < viewer.state.report.frames < 2 * FPS


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("noise.mp4", bytes(range(256)) * 40, "what came is no video"),
        ("empty.mp4", b"", "what came is no video"),
        ("missing.mp4", None, "no such file or device"),
    ],
)
async def test_a_file_that_is_no_film(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    async with Viewer(str(path)) as viewer:
        await viewer.offline()
        assert viewer.state.last_error == said


async def test_a_truncated_mp4_says_so_and_another_camera_plays_on(film_file: Path, tmp_path: Path) -> None:
    path = shortened(film_file, tmp_path / "cut.mp4", 2000)
    async with Viewer(str(path), "cam-1") as viewer, Viewer(str(film_file), "cam-2", loop=True) as beside:
        await viewer.offline()
        assert viewer.state.last_error == "what came is no video"
        await beside.live()
        await beside.more_frames(FPS)
        assert beside.links == [CameraLink.CONNECTING, CameraLink.LIVE]


async def test_a_folder_of_pictures_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number, level in enumerate((20, 120, 220)):
        write_picture(tmp_path / f"{number}.jpg", level)
    (tmp_path / "1-is-none.jpg").write_bytes(b"not a picture")
    (tmp_path / "notes.txt").write_text("not looked at")
    async with Viewer(f"{tmp_path}/", fps_cap=5) as viewer:
        await viewer.until(lambda: viewer.state.report.ended, "the end")
        assert viewer.state.last_error == "the folder has ended"
        report = viewer.state.report
        assert (report.codec, report.frames, report.bad) == ("files", 3, 1)
        await viewer.until(lambda: viewer.newest.seq == 3, "the last picture")
        assert viewer.newest.image.mean() == pytest.approx(220, abs=4)
        with pytest.raises(LookupError, match="pictures from a folder make no clip"):
            await viewer.handle.clip(0, time.time_ns())


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "the folder holds no picture"), (("a.jpg", "b.png"), "none of the 2 files in the folder is a picture")],
)
async def test_a_folder_without_a_picture(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"nothing")
    async with Viewer(f"{tmp_path}/", fps_cap=30) as viewer:
        await viewer.offline()
        assert said in viewer.state.last_error


async def test_a_video_device_that_is_not_plugged_in() -> None:
    async with Viewer("v4l2:/dev/video97") as viewer:
        await viewer.offline()
        assert viewer.state.last_error == "no such file or device"


async def test_what_capturing_costs_can_be_measured(film_file: Path) -> None:
    cost = decode_cost(film_file, 20)
    assert (cost.codec, cost.width_px, cost.pictures) == ("h264", 320, 20)
    assert cost.decode_ms > 0
    async with Viewer(str(film_file), loop=True) as viewer:
        settings = viewer.handle.settings
    footprint = await capture_footprint(settings, 1.0)
    assert 10 < footprint.own_mb < footprint.peak_rss_mb < 100
    assert footprint.frames_per_s == pytest.approx(FPS, rel=0.4)
