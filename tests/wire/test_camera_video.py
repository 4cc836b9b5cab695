"""Clips and live video of cameras against a real RTSP server: not re-encoded, they play, and they know their time."""

import asyncio
import contextlib
import io
import time
from collections.abc import Iterator

import av
import pytest

from tests.fakes.rtsp_server import RtspServer, film
from tests.fakes.rtsp_viewer import Viewer

pytestmark = pytest.mark.services

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def site() -> Iterator[RtspServer]:
    """A camera that nothing is done to."""
    with RtspServer(film()) as camera:
        yield camera


def pictures_of(body: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(body)) as container:
        return list(container.decode(video=0))


async def test_the_resolution_changes_in_the_middle_of_a_stream() -> None:
    with RtspServer(film()) as camera:
        async with Viewer(camera.url) as viewer:
            await viewer.live()
            camera.play(film(width=320, height=240))
            await viewer.until(lambda: viewer.newest.image.shape == (240, 320, 3), "the new size")
            assert viewer.state.report.session == 1
            changed_ns = viewer.newest.received_at_ns
            clip = await viewer.handle.clip(changed_ns + SECOND_NS // 2, changed_ns + SECOND_NS)
            assert (clip.width_px, clip.height_px) == (320, 240)
            assert {(picture.width, picture.height) for picture in pictures_of(clip.body)} == {(320, 240)}


async def test_a_clip_plays_begins_in_time_and_knows_its_time(site: RtspServer) -> None:
    async with Viewer(site.url) as viewer:
        await viewer.live()
        await viewer.more_frames(40)
        now_ns = time.time_ns()
        clip = await viewer.handle.clip(now_ns - SECOND_NS, now_ns + SECOND_NS)
        with pytest.raises(LookupError, match="nothing has been kept of that time"):
            await viewer.handle.clip(SECOND_NS, 2 * SECOND_NS)
    pictures = pictures_of(clip.body)
    assert len(pictures) == clip.frames
    assert clip.from_ns <= now_ns - SECOND_NS
    assert now_ns + SECOND_NS - clip.to_ns < SECOND_NS // 5
    most = (clip.to_ns - clip.from_ns) / SECOND_NS * 15
    assert most / 2 <= clip.frames <= most + 4, "a busy server encodes fewer than 15 a second, never more"
    with av.open(io.BytesIO(clip.body)) as container:
        assert container.duration / 1e6 == pytest.approx((clip.to_ns - clip.from_ns) / SECOND_NS, abs=0.3)
        assert container.metadata["creation_time"].startswith(
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(clip.from_ns // SECOND_NS))
        )
    assert clip.body.index(b"moov") < clip.body.index(b"mdat"), "a browser plays it before it has it all"


async def test_live_video_is_fragments_that_play(site: RtspServer) -> None:
    async with Viewer(site.url) as viewer:
        await viewer.live()
        body = b""
        async with contextlib.aclosing(viewer.handle.live()) as parts, asyncio.timeout(20):
            async for part in parts:
                body += part
                if body.count(b"moof") > 4:
                    break
        assert viewer.state.report.browser_codec.startswith("avc1.")
    assert body[4:8] == b"ftyp"
    assert body.index(b"moov") < body.index(b"moof")
    whole = body[: body.rindex(b"moof") - 4]
    assert len(pictures_of(whole)) >= 15


@pytest.mark.parametrize("how", ["another size", "mute"])
async def test_live_video_ends_when_the_stream_changes_or_stops(how: str) -> None:
    with RtspServer(film()) as camera:
        async with Viewer(camera.url) as viewer:
            await viewer.live()
            async with contextlib.aclosing(viewer.handle.live()) as parts, asyncio.timeout(20):
                await anext(parts)
                if how == "mute":
                    camera.mute()
                else:
                    camera.play(film(width=320, height=240))
                async for _ in parts:
                    pass
            if how == "mute":
                with pytest.raises(LookupError, match="nothing came"):
                    await anext(viewer.handle.live())


async def test_live_video_comes_from_the_sub_stream_and_clips_from_the_main_one(site: RtspServer) -> None:
    with RtspServer(film(width=320, height=240)) as small:
        async with Viewer(site.url, sub_source=small.url) as viewer:
            await viewer.live()
            now_ns = time.time_ns()
            clip = await viewer.handle.clip(now_ns, now_ns + SECOND_NS)
            body = b""
            async with contextlib.aclosing(viewer.handle.live()) as parts, asyncio.timeout(20):
                async for part in parts:
                    body += part
                    if body.count(b"moof") > 1:
                        break
    assert clip.width_px == 640
    assert {picture.width for picture in pictures_of(body[: body.rindex(b"moof") - 4])} == {320}


async def test_h265_needs_a_sub_stream_for_video_in_a_browser() -> None:
    with RtspServer(film("h265")) as camera, RtspServer(film(width=320, height=240)) as small:
        async with Viewer(camera.url, "cam-1") as alone, Viewer(camera.url, "cam-2", sub_source=small.url) as both:
            await alone.live()
            with pytest.raises(LookupError, match=r"H\.265 only"):
                await alone.handle.clip(time.time_ns() - SECOND_NS, time.time_ns())
            with pytest.raises(LookupError, match="sub_source"):
                await anext(alone.handle.live())
            assert not alone.state.browser_video
            await both.live()
            await both.until(lambda: both.state.browser_video, "the sub-stream")
            clip = await both.handle.clip(time.time_ns(), time.time_ns() + SECOND_NS)
            assert (clip.width_px, clip.height_px) == (320, 240)
