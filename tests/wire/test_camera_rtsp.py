"""Cameras against a real RTSP server (gst-rtsp-server): both codecs, both kinds of password, every fault."""

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from gateway.model.picture import CameraLink
from kit.secret import Secret
from tests.fakes.certificates import make_certificates
from tests.fakes.rtsp_server import RtspServer, film
from tests.fakes.rtsp_viewer import READ_TIMEOUT_S, Viewer
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.services

PASSWORD = "p@ss:w/ö rd%41"
NOTICED_S = 1.5 * READ_TIMEOUT_S
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def site() -> Iterator[RtspServer]:
    """A camera that nothing is done to."""
    with RtspServer(film()) as camera:
        yield camera


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(PASSWORD)
    return path


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@contextlib.asynccontextmanager
async def unharmed(site: RtspServer) -> AsyncIterator[None]:
    """Another camera of the same gateway: every packet that comes meanwhile becomes a picture, in one session of
    one process."""
    async with Viewer(site.url, "cam-2") as beside:
        await beside.live()
        await beside.more_frames(2)
        first = beside.state.report
        yield
        await beside.more_frames(10)
        last = beside.state.report
        assert last.frames - first.frames == last.packets - first.packets
        assert (last.bad, last.session, last.key_frames_only, beside.state.starts) == (0, 1, False, 1)
        assert beside.links == [CameraLink.CONNECTING, CameraLink.LIVE]


@pytest.mark.parametrize(("codec", "said"), [("h264", "h264"), ("h265", "hevc")])
async def test_pictures_arrive_with_the_streams_own_time(codec: str, said: str) -> None:
    with RtspServer(film(codec)) as camera:
        async with Viewer(camera.url) as viewer:
            await viewer.live()
            assert viewer.newest is not None
            assert viewer.newest.image.shape == (360, 640, 3)
            assert np.ptp(viewer.newest.image) > 200, "the test pattern has black and white in it"
            report = viewer.state.report
            assert (report.codec, report.width_px, report.height_px, report.session) == (said, 640, 360, 1)
            await viewer.until(lambda: viewer.newest and viewer.newest.stream_time, "the first sender report")
            assert 0 <= viewer.newest.received_at_ns - viewer.newest.captured_at_ns < SECOND_NS
            await viewer.until(lambda: viewer.state.report.frames_per_s > 0, "a rate")
            assert 10 < viewer.state.report.frames_per_s < 25


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_the_right_password_opens_and_is_shown_nowhere(
    auth: str, password_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RtspServer(film(), auth=auth, user="viewer", password=PASSWORD) as camera:
        async with Viewer(camera.url, username="viewer", password=Secret(file=password_file)) as viewer:
            await viewer.live()
            process = Path(f"/proc/{viewer.state.pid}")
            assert PASSWORD.encode() not in (process / "cmdline").read_bytes()
            assert PASSWORD.encode() not in (process / "environ").read_bytes()
            camera.kill()
            await viewer.offline()
            shown = repr(viewer.state) + caplog.text
    assert "p@ss" not in shown
    assert "p%40ss" not in shown


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_a_wrong_password_says_so_and_is_shown_nowhere(
    auth: str, password_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RtspServer(film(), auth=auth, user="viewer", password="another") as camera:
        async with Viewer(
            camera.url, username="viewer", password=Secret(file=password_file), reconnect_max_s=600.0
        ) as viewer:
            await viewer.offline()
            assert viewer.state.last_error == "the camera refuses the user name or password (401)"
            await viewer.until(lambda: viewer.state.report.phase == "waiting", "it waits: cameras lock accounts")
            assert viewer.state.report.session == 0
            shown = repr(viewer.state) + caplog.text
            with pytest.raises(LookupError):
                await viewer.handle.clip(0, 1)
    assert "p@ss" not in shown
    assert "p%40ss" not in shown


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_camera_that_speaks_tls_is_believed_by_its_certificate(tmp_path: Path, trusted: bool) -> None:
    certificates = make_certificates(tmp_path)
    pair = certificates.server if trusted else certificates.stranger
    with RtspServer(film(), auth="digest", tls=pair) as camera:
        (tmp_path / "password").write_text("s3cret")
        password = Secret(file=tmp_path / "password")
        async with Viewer(camera.url, username="viewer", password=password, tls_ca_file=certificates.ca_file) as viewer:
            if trusted:
                await viewer.live()
            else:
                await viewer.offline()
                assert viewer.state.report.session == 0
                assert viewer.state.last_error


async def test_a_password_that_is_not_there_starts_nothing(tmp_path: Path) -> None:
    missing = Secret(file=tmp_path / "nowhere")
    async with Viewer("rtsp://127.0.0.1:1/site", username="viewer", password=missing) as viewer:
        await viewer.offline()
        assert viewer.state.last_error == f"secret file {missing.file}: No such file or directory"
        assert viewer.state.starts == 0


@pytest.mark.alone
@pytest.mark.parametrize("how", ["freeze", "mute"])
async def test_a_frozen_camera_is_noticed_in_time_and_holds_up_no_other(how: str, site: RtspServer) -> None:
    with RtspServer(film()) as frozen:
        async with unharmed(site), Viewer(frozen.url) as viewer:
            await viewer.live()
            await viewer.more_frames(5)
            getattr(frozen, how)()
            assert await viewer.offline() < NOTICED_S
            assert viewer.state.last_error == "nothing came for 1 s"
            if how == "freeze":
                frozen.thaw()
            else:
                frozen.play(film())
            await viewer.live()
            assert viewer.state.report.session >= 2


@pytest.mark.alone
async def test_a_camera_that_goes_away_and_comes_back(site: RtspServer) -> None:
    with RtspServer(film()) as camera:
        async with unharmed(site), Viewer(camera.url) as viewer:
            await viewer.live()
            camera.kill()
            assert await viewer.offline() < NOTICED_S
            await viewer.until(lambda: "refused" in viewer.state.last_error, "nothing listens")
            before = viewer.newest.seq
            camera.start()
            await viewer.live()
            await viewer.until(lambda: viewer.newest.seq > before, "numbers go on")
            assert viewer.newest.session == 2
            assert viewer.state.starts == 1, "the same process connects again"


@pytest.mark.alone
@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_noise_instead_of_video_is_counted_and_gone_on_from(codec: str, site: RtspServer) -> None:
    with RtspServer(film(codec)) as camera:
        async with unharmed(site), Viewer(camera.url) as viewer:
            await viewer.live()
            await viewer.more_frames(3)
            camera.noise()
            assert await viewer.offline() < 2 * NOTICED_S
            assert "not video" in viewer.state.last_error
            camera.play(film(codec))
            await viewer.until(lambda: viewer.state.link is CameraLink.LIVE, "live again")
            assert viewer.state.report.session >= 2
            assert viewer.state.report.bad >= 3
            assert viewer.state.starts == 1


async def test_a_picture_larger_than_the_slot_is_scaled_down(site: RtspServer) -> None:
    async with Viewer(site.url, max_width_px=320, max_height_px=180) as viewer:
        await viewer.live()
        height, width, _ = viewer.newest.image.shape
        assert height * width <= 320 * 180
        assert width / height == pytest.approx(16 / 9, abs=0.05)
        assert viewer.state.report.width_px == 640


@pytest.mark.alone
async def test_a_capture_that_hangs_is_killed_and_started_again(site: RtspServer) -> None:
    async with Viewer(site.url) as viewer:
        await viewer.live()
        hung = viewer.state.pid
        before = viewer.newest
        os.kill(hung, signal.SIGSTOP)
        assert await viewer.offline() < NOTICED_S
        assert "no sign of life while reading" in viewer.state.last_error
        await viewer.live()
        await viewer.until(lambda: viewer.newest.seq > before.seq, "numbers go on")
        assert viewer.newest.session == before.session + 1
        assert (viewer.state.kills, viewer.state.starts) == (1, 2)
        assert gone(hung)


async def test_something_else_listens_on_the_port(site: RtspServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(20)
        async with unharmed(site), Viewer(f"rtsp://127.0.0.1:{other.getsockname()[1]}/site") as viewer:
            connection, _ = await asyncio.to_thread(other.accept)
            with connection:
                connection.sendall(b"SSH-2.0-nothing to see\r\n\r\n" * 20)
                await viewer.offline()
            assert viewer.state.last_error
            assert viewer.state.starts == 1


def test_a_capture_ends_with_its_gateway(site: RtspServer) -> None:
    program = (
        "import asyncio, sys\n"
        "from kit.clock import SystemClock\n"
        "from tests.fakes.rtsp_viewer import camera_settings\n"
        "from vision.camera.capture_handle import CaptureHandle\n"
        "async def main():\n"
        "    handle = CaptureHandle(camera_settings(sys.argv[1]), SystemClock())\n"
        "    task = asyncio.create_task(handle.run())\n"
        "    while not handle.state().report.frames:\n"
        "        await asyncio.sleep(0.01)\n"
        "    print(handle.state().pid, handle.slot_path, flush=True)\n"
        "    await task\n"
        "asyncio.run(main())\n"
    )
    gateway = subprocess.Popen(
        [sys.executable, "-c", program, site.url], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    with gateway:
        assert gateway.stdout is not None
        pid, slot = gateway.stdout.readline().split()
        gateway.kill()
    wait_until(lambda: gone(int(pid)), "the capture ends as well")
    from vision.camera.slot_file import remove_stale_slots

    assert Path(slot).exists()
    assert remove_stale_slots([Path(slot).parent]) >= 1
    assert not Path(slot).exists()


def test_the_state_can_be_shown() -> None:
    """Nothing in it is a secret: it may go to a log as it is."""
    from vision.camera.capture_state import CaptureReport

    assert json.dumps(CaptureReport().to_plain())
    assert "password" not in {entry.name for entry in dataclasses.fields(CaptureReport)}
