"""The pictures of an alarm on S3: the frame that fired, the strip that led to it, the clip, on one time axis.

    GET  /parts/alarms/{id}/pictures            the section alone, while bodies are still coming
    GET  /alarms/{id}/pictures/{sha256}         a still, faces blurred (VIEWER)
    GET  /alarms/{id}/pictures/{sha256}?faces=1 as captured: SUPERVISOR, an open case, and each look is on record
    GET  /alarms/{id}/clips/{sha256}            the clip as the camera encoded it: SUPERVISOR, each look is on record
    POST /alarms/{id}/case/open | close         forms (SAFETY_OFFICER): a reason

In: the desk of media. Out: a section for the alarm's page and its sheet, pictures, refusals in words. What lies on the
disk and is not what was sealed is never shown; the page says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import FastAPI, Query
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.media.desk import MediaDesk
from gateway.media.kept import MediaBody, MediaCase, MediaClass, MediaError, MediaItem, MediaRefusal, MediaState
from gateway.parts.camera.cameras_page import boxes_text
from gateway.web.alarm_desk import AlarmDesk
from gateway.web.answer_fields import AlarmId, Sha256
from gateway.web.pages import Pages
from gateway.web.reasons import ReasonError, clean_reason
from gateway.web.view_log import VIDEO_ROLE, Viewed, ViewLog
from gateway.web.visitor import RefusedError, Role, require
from screens.published import JPEG, MP4, operation

CASE_ROLE: Final = Role.SAFETY_OFFICER
BEFORE_MS: Final = 10_000
AFTER_MS: Final = 10_000
REFUSALS: Final = {
    MediaRefusal.NOT_KEPT: (404, "没有保存这份影像", "this picture is not kept"),
    MediaRefusal.DAMAGED: (410, "影像与存证记录不符，不予显示", "what is kept is not what was sealed: not shown"),
    MediaRefusal.NO_CASE: (403, "须先立案才能查看未模糊的画面", "open the case first: faces stay blurred without it"),
    MediaRefusal.NOT_BLURRED: (500, "无法模糊人脸，不予显示", "faces could not be blurred: not shown"),
    MediaRefusal.NO_RECORD: (503, "尚未写入记录，请稍后重试", "it could not be put on record: try again"),
    MediaRefusal.ALREADY: (409, "已经是这个状态", "it is so already"),
}

MEDIA_ERRORS: Final = {
    404: "This picture is not kept",
    410: "What is kept is not what was sealed: not shown",
    500: "Faces could not be blurred: not shown",
    503: "The look could not be put on record",
}
Faces = Annotated[str, Query(max_length=1, description="1: with faces, for whoever may; the look is put on record")]


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A body on the page. `sound`: what lies on the disk has the digest that was sealed; None where nothing is kept."""

    item: MediaItem
    sound: bool | None

    @property
    def at_ms(self) -> int:
        """When it was captured, UTC ms: what a browser counts in."""
        return self.item.captured_at_ns // 1_000_000

    @property
    def boxes(self) -> str:
        """Beside the pixels, as `boxes.js` reads them."""
        return boxes_text(self.item.boxes)

    @property
    def coming(self) -> bool:
        """Whether the picture is still being kept, and will be there soon."""
        return self.item.state in (MediaState.BEGUN, MediaState.STORED)


@dataclass(frozen=True, slots=True)
class AlarmPictures:
    """Everything of one alarm. `from_ms` to `to_ms` is the time axis of strip, clip and curve."""

    alarm_id: str
    frame: ShownItem | None
    strip: tuple[ShownItem, ...]
    clip: ShownItem | None
    case: MediaCase | None
    from_ms: int
    to_ms: int

    @property
    def pending(self) -> bool:
        """Whether anything of the alarm is still to come."""
        return any(each.coming for each in (self.frame, *self.strip, self.clip) if each is not None)

    @property
    def case_open(self) -> bool:
        """Faces may be seen by whoever has the right."""
        return self.case is not None and self.case.open


class PictureAnswers:
    """Finds the pictures and clips that belong to an alarm."""

    def __init__(self, media: MediaDesk, views: ViewLog) -> None:
        self.media = media
        self.views = views

    async def of_alarm(self, alarm_id: str, raised_at_ns: int) -> AlarmPictures | None:
        """For the page; None for an alarm that no camera raised."""
        items = self.media.of_alarm(alarm_id)
        if not items:
            return None
        shown = [ShownItem(item, await self._sound(item)) for item in items]
        frame, clip = _first(shown, MediaClass.FRAME), _first(shown, MediaClass.CLIP)
        strip = tuple(each for each in shown if each.item.media_class is MediaClass.STRIP)
        at_ms = frame.at_ms if frame is not None and frame.at_ms else raised_at_ns // 1_000_000
        span = at_ms - BEFORE_MS, at_ms + AFTER_MS
        return AlarmPictures(alarm_id, frame, strip, clip, self.media.case(alarm_id), *span)

    async def still(self, request: Request, alarm_id: str, sha256: str, *, faces: bool) -> Response:
        """A still, with or without faces."""
        item = self._item(alarm_id, sha256)
        if item.media_class is MediaClass.CLIP:
            raise _refusal(MediaRefusal.NOT_KEPT)
        if faces:
            require(request, VIDEO_ROLE)
        body = await self._body(alarm_id, sha256, unblurred=faces)
        if faces:
            await self.views.seal(request, Viewed.FACES, item.camera, alarm_id)
        return Response(body.body, media_type=item.media_type, headers={"cache-control": "no-store"})

    async def clip(self, request: Request, alarm_id: str, sha256: str) -> Response:
        """A clip, in one piece: one look is one record."""
        require(request, VIDEO_ROLE)
        item = self._item(alarm_id, sha256)
        if item.media_class is not MediaClass.CLIP:
            raise _refusal(MediaRefusal.NOT_KEPT)
        body = await self._body(alarm_id, sha256, unblurred=True)
        await self.views.seal(request, Viewed.CLIP, item.camera, alarm_id)
        return Response(body.body, media_type=item.media_type, headers={"accept-ranges": "none"})

    async def _body(self, alarm_id: str, sha256: str, *, unblurred: bool) -> MediaBody:
        try:
            return await self.media.body(alarm_id, sha256, unblurred=unblurred)
        except MediaError as error:
            raise _refusal(error.refusal) from None

    def _item(self, alarm_id: str, sha256: str) -> MediaItem:
        found = next((item for item in self.media.of_alarm(alarm_id) if item.sha256 == sha256), None)
        if found is None or not sha256:
            raise _refusal(MediaRefusal.NOT_KEPT)
        return found

    async def _sound(self, item: MediaItem) -> bool | None:
        if item.state not in (MediaState.STORED, MediaState.KEPT):
            return None
        return await self.media.sound(item.sha256)


def alarm_picture_routes(app: FastAPI, pages: Pages, desk: AlarmDesk, media: MediaDesk) -> None:
    """Add the pictures to S3. Before this call, and without it, the page says that no camera is connected."""
    parts = pages.view.parts
    answers = PictureAnswers(media, ViewLog(parts.recorder, parts.clock))
    desk.pictures = answers.of_alarm

    @app.get("/parts/alarms/{alarm_id}/pictures")
    async def section(request: Request, alarm_id: str) -> Response:
        """The part of an alarm's page that shows its pictures."""
        require(request, Role.VIEWER)
        row = desk.row(alarm_id)
        if row is None:
            raise RefusedError(404, "no_such_alarm", "没有这个报警", "no such alarm", "alarm_id")
        pictures = await answers.of_alarm(alarm_id, row["raised_at_ns"])
        return pages.render(request, "alarm_pictures.html", alarm=row, pictures=pictures)

    @app.get("/alarms/{alarm_id}/pictures/{sha256}", **operation("cameras", "A still of an alarm", JPEG, MEDIA_ERRORS))
    async def still(request: Request, alarm_id: AlarmId, sha256: Sha256, faces: Faces = "") -> Response:
        require(request, Role.VIEWER)
        return await answers.still(request, alarm_id, sha256, faces=faces == "1")

    @app.get("/alarms/{alarm_id}/clips/{sha256}", **operation("cameras", "A clip of an alarm", MP4, MEDIA_ERRORS))
    async def clip(request: Request, alarm_id: AlarmId, sha256: Sha256) -> Response:
        return await answers.clip(request, alarm_id, sha256)

    _case_routes(app, pages, media)


def _case_routes(app: FastAPI, pages: Pages, media: MediaDesk) -> None:
    @app.post("/alarms/{alarm_id}/case/{name}")
    async def case(request: Request, alarm_id: str, name: str) -> Response:
        """Open or close the case of an alarm."""
        visitor = require(request, CASE_ROLE)
        change = {"open": media.open_case, "close": media.close_case}.get(name)
        if change is None:
            raise RefusedError(404, "no_such_page", "没有这个地址或方法", "no such address")
        fields = await pages.form(request)
        try:
            await change(alarm_id, visitor.name or visitor.kind.value, clean_reason(fields.get("reason", "")))
        except ReasonError as error:
            raise RefusedError(422, "bad_reason", error.message_zh, error.message_en, "reason") from None
        except ValueError as error:
            raise RefusedError(422, "bad_reason", "原因过长，请删减", str(error), "reason") from None
        except MediaError as error:
            if error.refusal is not MediaRefusal.ALREADY:  # what was wanted is so: no reason to refuse a second press
                raise _refusal(error.refusal) from None
        return RedirectResponse(f"/alarms/{alarm_id}#pictures", 303)


def _first(shown: Sequence[ShownItem], wanted: MediaClass) -> ShownItem | None:
    return next((each for each in shown if each.item.media_class is wanted), None)


def _refusal(refusal: MediaRefusal) -> RefusedError:
    status, zh, en = REFUSALS[refusal]
    return RefusedError(status, str(refusal), zh, en)
