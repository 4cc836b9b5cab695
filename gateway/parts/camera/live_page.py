"""Live video of a camera: fragmented MP4 as the camera encoded it, for whoever may, each start on record.

    GET /cameras/{camera}/live.mp4      the stream (SUPERVISOR); 409 with the reason where there is none

In: the eyes and the log of views. Out: bytes as they come, never re-encoded. A stream ends when the login ends, when
the camera's stream ends or when the page goes. At most `ROOM` run at once: in all, for one login, from one address.
Knows no picture and no model.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request

from gateway.parts.camera.camera_desk import CameraDesk
from gateway.parts.camera.cameras_page import found
from gateway.ports import Clock, Eyes
from gateway.web.answer_fields import CameraId
from gateway.web.pages import Pages
from gateway.web.view_log import VIDEO_ROLE, Viewed, ViewLog
from gateway.web.visitor import require, watcher_of
from screens.answers import error_answer
from screens.published import MP4, operation
from screens.stream_quota import Limit, Quota, Room, Watcher

log = logging.getLogger(__name__)
ROOM: Final = Room(in_all=16, a_login=4, an_address=12)
"""Live views at once: each costs the box a copy of a stream. A browser opens six connections to a box at most."""
WELCOME_EVERY_S: Final = 5.0
LIVE_ERRORS: Final = {
    404: "No camera has this id",
    409: "The camera gives no live video now",
    503: "Too many look, or the look could not be put on record",
}
Welcome = Callable[[], Awaitable[bool]]


class LiveVideo:
    """Hands a stream to one browser at a time. `quota` counts those that run."""

    def __init__(self, clock: Clock, room: Room) -> None:
        self._clock = clock
        self.quota = Quota(room)

    async def passing(
        self, first: bytes, stream: AsyncIterator[bytes], welcome: Welcome | None, who: Watcher
    ) -> AsyncIterator[bytes]:
        """What the camera sends, until its end or the login's; nothing when others took the room meanwhile."""
        if not self.quota.enter(who):
            await _close(stream)
            return
        asked_ns = self._clock.monotonic_ns()
        try:
            yield first
            async for part in stream:
                if self._clock.monotonic_ns() - asked_ns > WELCOME_EVERY_S * 1e9:
                    asked_ns = self._clock.monotonic_ns()
                    if welcome is not None and not await welcome():
                        return
                yield part
        except LookupError as error:  # the camera went, or this browser reads slower than the camera sends
            log.info("event=live_video_ended reason=%r", str(error))
        finally:
            self.quota.leave(who)
            await _close(stream)


def live_routes(app: FastAPI, pages: Pages, desk: CameraDesk, views: ViewLog, room: Room = ROOM) -> LiveVideo:
    """Add the live stream of a camera to the application."""
    video = LiveVideo(pages.view.parts.clock, room)

    @app.get("/cameras/{camera}/live.mp4", **operation("cameras", "Live video", MP4, LIVE_ERRORS))
    async def live(request: Request, camera: CameraId) -> Response:
        require(request, VIDEO_ROLE)
        found(desk, camera)
        who = watcher_of(request)
        if (full := video.quota.full(who)) is not None:
            return error_answer(503, "too_many_live", *_refusal(full, room), "")
        eyes = desk.eyes
        assert eyes is not None  # `found` has seen it
        try:
            stream, first = await _begun(eyes, camera)
        except LookupError as error:
            return error_answer(409, "no_live_video", "没有可播放的实时视频", str(error), "camera")
        try:
            await views.seal(request, Viewed.LIVE, camera)
        except BaseException:
            await _close(stream)
            raise
        welcome: Welcome | None = getattr(request.state, "welcome", None)
        return StreamingResponse(video.passing(first, stream, welcome, who), media_type="video/mp4")

    return video


def _refusal(full: Limit, room: Room) -> tuple[str, str]:
    match full:
        case Limit.IN_ALL:
            return "同时打开的实时画面过多", f"too many live views run already: expected at most {room.in_all}"
        case Limit.A_LOGIN:
            zh = f"您的账号同时打开的实时画面过多（上限 {room.a_login}），请先关闭其他画面"
            return zh, f"this login has too many live views open: expected at most {room.a_login}, close one first"
        case Limit.AN_ADDRESS:
            zh = f"同一地址同时打开的实时画面过多（上限 {room.an_address}）"
            return zh, f"too many live views are open at this address: expected at most {room.an_address}"


async def _begun(eyes: Eyes, camera: str) -> tuple[AsyncIterator[bytes], bytes]:
    """The stream and its initialisation segment. Raises LookupError with the reason."""
    stream = eyes.live(camera)
    try:
        return stream, await anext(stream)
    except StopAsyncIteration:
        raise LookupError("the stream ended before it began") from None


async def _close(stream: AsyncIterator[bytes]) -> None:
    """Let go of it, where it can be let go of."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
