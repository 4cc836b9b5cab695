"""The answers about an alarm's pictures: blurred by default, on record before a look, and no body that was altered."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.media.catching_up import Chain
from gateway.media.desk import MediaDesk
from gateway.media.index import MediaIndex
from gateway.media.kept import MediaClass, MediaItem, MediaState
from gateway.media.shelf import MediaShelf
from gateway.media.stores import MediaStores
from gateway.parts.camera.alarm_pictures import alarm_picture_routes
from tests.fakes.alarm_media import damage, keep_pictures
from tests.fakes.site import NOW_NS
from tests.fakes.web_face import Face, is_house_error

CSRF = 'name="csrf" value="'


class PictureFace(Face):
    """A face whose alarm has pictures. `blur` stands in for the one of vision."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        site = self.site
        self.folder = folder
        self.index = MediaIndex(folder)
        chain = Chain(site.alerts.path)
        stores = MediaStores(self.index, MediaShelf(folder), chain, site.recorder, site.clock)
        self.unblurrable = False
        alarm_picture_routes(self.app, self.app.state.pages, self.desk, MediaDesk(stores, self.blur, site.alerts))
        self.client.headers["accept"] = "text/html"

    def blur(self, body: bytes, item: MediaItem) -> bytes:
        if self.unblurrable:
            raise ValueError("no JPEG")
        return b"blurred " + body[:4]

    async def pictured(self) -> list[MediaItem]:
        """An alarm with a frame, a strip and a clip."""
        self.alarm_id = await self.raised()
        return keep_pictures(self.folder, self.alarm_id, NOW_NS)

    async def answer(self, path: str, status: int = 200) -> bytes:
        reply = await self.client.get(f"/alarms/{self.alarm_id}{path}")
        assert reply.status_code == status, reply.text[:500]
        return reply.content

    async def page(self) -> str:
        return (await self.answer("?lang=en")).decode()

    async def change_case(self, name: str, reason: str, status: int = 303) -> None:
        page = await self.page()
        token = page[page.index(CSRF) + len(CSRF) :].split('"')[0]
        form = {"csrf": token, "reason": reason}
        reply = await self.client.post(f"/alarms/{self.alarm_id}/case/{name}", data=form)
        assert reply.status_code == status, reply.text[:500]

    def sealed(self, kind: str) -> list[dict[str, Any]]:
        kept = self.site.alerts.evidence_after(0, 10_000)
        return [json.loads(record.body)["content"] for record in kept if record.kind == kind]

    async def close(self) -> None:
        await super().close()
        self.index.close()


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[PictureFace]:
    face = PictureFace(tmp_path)
    face.site.start()
    yield face
    await face.close()


async def test_a_still_is_blurred_and_a_clip_is_whole_and_on_record(face: PictureFace) -> None:
    items = await face.pictured()
    assert (await face.answer(f"/pictures/{items[0].sha256}")).startswith(b"blurred ")
    assert len(await face.answer(f"/clips/{items[-1].sha256}")) == items[-1].size_bytes
    (look,) = face.sealed("media_viewed")
    assert (look["event"], look["target"], look["detail"]) == ("clip", "cam-1", face.alarm_id)


async def test_faces_are_seen_in_an_open_case_alone_and_closing_it_blurs_again(face: PictureFace) -> None:
    items = await face.pictured()
    faces = f"/pictures/{items[0].sha256}?faces=1"
    await face.answer(faces, 403)
    await face.change_case("open", "checked with the foreman")
    assert len(await face.answer(faces)) == items[0].size_bytes
    assert (await face.answer(f"/pictures/{items[0].sha256}")).startswith(b"blurred ")
    assert "checked with the foreman" in await face.page()
    await face.change_case("open", "pressed twice")
    await face.change_case("close", "done")
    await face.answer(faces, 403)
    assert [case["event"] for case in face.sealed("media_case")] == ["case_opened", "case_closed"]
    assert [look["event"] for look in face.sealed("media_viewed")] == ["faces"]


async def test_a_case_needs_a_reason_and_pictures(face: PictureFace) -> None:
    await face.pictured()
    await face.change_case("open", "  ", 422)
    await face.change_case("open", "x" * 600, 422)
    await face.change_case("forget", "why", 404)
    assert face.sealed("media_case") == []


async def test_no_digest_of_another_alarm_and_no_still_by_the_way_of_clips(face: PictureFace) -> None:
    items = await face.pictured()
    for path in (f"/clips/{items[0].sha256}", f"/pictures/{items[-1].sha256}", f"/pictures/{'ab' * 32}", "/pictures/x"):
        await face.answer(path, 404)
    assert face.sealed("media_viewed") == []


async def test_what_was_altered_or_cannot_be_blurred_is_not_shown(face: PictureFace) -> None:
    items = await face.pictured()
    face.unblurrable = True
    await face.answer(f"/pictures/{items[1].sha256}", 500)
    damage(face.folder, [items[0], items[-1]])
    await face.answer(f"/pictures/{items[0].sha256}", 410)
    await face.answer(f"/clips/{items[-1].sha256}", 410)
    assert face.sealed("media_viewed") == [], "what is not shown is no look"
    page = await face.page()
    assert page.count("the file on the disk differs from the sealed record") >= 2
    assert f'src="/alarms/{face.alarm_id}/pictures/{items[0].sha256}"' not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MediaState.BEGUN, "still being kept"),
        (MediaState.EXPIRED, "deleted after its time; its digest stays in the chain"),
        (MediaState.MISSING, "the ring held nothing"),
    ],
)
async def test_a_body_that_is_not_there_says_why(face: PictureFace, state: MediaState, words: str) -> None:
    items = await face.pictured()
    reason = "the ring held nothing" if state is MediaState.MISSING else ""
    clip = next(item for item in items if item.media_class is MediaClass.CLIP)
    face.index.keep([replace(clip, state=state, reason=reason)]).result(timeout=20)
    page = await face.page()
    assert words in page
    assert ("data-pending" in page) == (state is MediaState.BEGUN)


async def test_an_alarm_that_no_camera_raised_has_no_pictures(face: PictureFace) -> None:
    face.alarm_id = await face.raised()
    assert "This alarm has no camera" in await face.page()
    face.client.headers["accept"] = "application/json"
    assert is_house_error(await face.get(f"/alarms/{face.alarm_id}/pictures/{'ab' * 32}", 404), "not_kept", "")
