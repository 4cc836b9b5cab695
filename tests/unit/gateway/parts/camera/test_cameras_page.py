"""S4's answers: what a still says of itself, which live video is given, and that a look is first on record."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from math import nan
from pathlib import Path

import pytest

from gateway.model.picture import CameraLink
from gateway.model.sight import CameraSight, Reach, SightHour, Why, added
from gateway.model.survey import Edge, EdgeKind, Protection, empty_survey
from gateway.parts.camera.camera_desk import ShownCamera
from gateway.parts.camera.live_page import ROOM, LiveVideo
from gateway.parts.camera.routes import LOOKS, LookBounds, camera_routes
from gateway.parts.camera.sight_view import HOUR_NS, SightRow, sight_view
from gateway.parts.camera.survey_desk import SurveyDesk
from gateway.parts.camera.survey_store import SurveyStore
from screens.stream_quota import Limit, Room, Watcher
from tests.fakes.eyes import StillEyes, boxes_of, camera, sight_of, three_cameras
from tests.fakes.site import NOW_NS
from tests.fakes.web_face import Face, is_house_error
from vision.edges.survey_night import night_look
from vision.survey.parsing import read_survey

HTML = {"accept": "text/html"}


class CameraFace(Face):
    """A face with cameras; the last one bears the name of the device that the site's points belong to."""

    def __init__(self, folder: Path, looks: LookBounds = LOOKS) -> None:
        super().__init__(folder)
        site = self.site
        self.eyes: StillEyes | None = StillEyes(
            [*three_cameras(NOW_NS), camera("host-1", NOW_NS, asset="crane-1")], site.clock.now_ns, pace_s=0.0
        )
        parts = site.alerts, site.recorder, site.clock
        surveys = SurveyDesk(SurveyStore(folder, read_survey), read_survey, *parts, night_look)
        self.cameras = camera_routes(self.app, self.app.state.pages, lambda: self.eyes, surveys, looks)

    async def page(self, path: str, status: int = 200) -> str:
        reply = await self.client.get(f"{path}{'&' if '?' in path else '?'}lang=en", headers=HTML)
        assert reply.status_code == status, reply.text
        return reply.text

    def views(self) -> list[str]:
        kept = self.site.alerts.evidence_after(0, 10_000)
        return [json.loads(record.body)["content"]["event"] for record in kept if record.kind == "media_viewed"]


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[CameraFace]:
    face = CameraFace(tmp_path)
    face.site.start()
    yield face
    await face.close()


def fake(face: CameraFace) -> StillEyes:
    assert face.eyes is not None
    return face.eyes


async def test_a_box_without_cameras_says_how_to_configure_one(face: CameraFace) -> None:
    face.eyes = None
    page = await face.page("/cameras")
    assert "No camera is configured" in page
    assert "driver: camera" in page
    await face.page("/cameras/cam-1", 404)
    assert is_house_error(await face.get("/cameras/cam-1/still.jpg", 404), "no_such_camera", "camera")


async def test_a_cameras_page_says_whom_it_can_judge_and_draws_from_where_on(face: CameraFace) -> None:
    page = await face.page("/cameras/cam-1")
    assert "58 %" in page
    assert "head too small: too far away <span" in page
    assert '<line class="judged" x1="0" x2="100%" y1="47.0%" y2="47.0%"/>' in page
    assert "move the camera closer" not in page
    fake(face).sights["cam-1"] = sight_of(NOW_NS, judged=0.31, reach=Reach(0.3, 0.9, None))
    page = await face.page("/cameras/cam-1")
    assert "31 %" in page
    assert "move the camera closer, lower it or zoom in" in page
    assert 'class="judged"' not in page
    assert "their heads were too small to be judged" in page


async def test_too_few_people_are_no_share_and_no_line(face: CameraFace) -> None:
    few = SightHour(NOW_NS // HOUR_NS, {Why.JUDGED: 300.0})
    fake(face).sights["cam-1"] = CameraSight((few,), few, None)
    page = await face.page("/cameras/cam-1")
    assert "Only 5 person-minutes were seen in the last 24 hours" in page
    assert "100 %" not in page.split('class="sight-share"')[0].split('id="sight-title"')[1].split("<details")[0]
    assert '<svg class="reach"' not in page


def test_a_day_is_the_sites_and_no_share_is_rounded_up() -> None:
    """Beijing's 25 December begins at 16:00 UTC."""
    first = int(datetime(2026, 12, 24, 14, tzinfo=UTC).timestamp()) // 3600
    hours = [SightHour(first + n, {Why.JUDGED: 2999.0, Why.CUT: 1.0, Why.TOO_SMALL: n * 1.0}) for n in range(4)]
    view = sight_view(CameraSight(tuple(hours), added(hours, first), None))
    assert [(row.title, row.asked_min) for row in view.days] == [("2026-12-25", 100), ("2026-12-24", 100)]
    assert [row.title for row in view.hours] == ["12-25 01:00", "12-25 00:00", "12-24 23:00", "12-24 22:00"]
    assert (view.day.percent("judged"), view.day.percent("no_head"), view.enough, view.low) == (
        "99 %",
        "0 %",
        True,
        False,
    )
    assert view.reasons == (Why.TOO_SMALL, Why.CUT)
    assert SightRow("", added((), 0)).percent("judged") == "–"


async def test_a_still_says_what_is_in_it_and_how_old_it_is(face: CameraFace) -> None:
    reply = await face.client.get("/cameras/cam-1/still.jpg")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
    rows = json.loads(reply.headers["x-boxes"])
    assert [row[4] for row in rows if row[4] != 2] == [0, 1]
    assert reply.headers["x-size"] == "640 360"
    assert 0 <= int(reply.headers["x-age-ms"]) < 1000
    same = await face.client.get("/cameras/cam-1/still.jpg", headers={"if-none-match": reply.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert "x-age-ms" in same.headers


async def test_a_camera_without_a_picture_and_one_that_is_none_are_told_apart(face: CameraFace) -> None:
    assert (await face.client.get("/cameras/cam-3/still.jpg")).status_code == 204
    assert (await face.client.get("/cameras/cam-9/still.jpg")).status_code == 404


async def test_live_video_begins_with_its_description_and_is_on_record_once(face: CameraFace) -> None:
    reply = await face.client.get("/cameras/cam-1/live.mp4")
    names = [name for name, _ in boxes_of(reply.content)]
    assert names[:4] == [b"ftyp", b"moov", b"moof", b"mdat"]
    assert face.views() == ["live"]
    assert fake(face).live_open == 0


async def test_a_stream_that_breaks_off_ends_the_look_and_nothing_else(face: CameraFace) -> None:
    fake(face).breaks_off = "the viewer is slower than the camera"
    reply = await face.client.get("/cameras/cam-1/live.mp4")
    assert [name for name, _ in boxes_of(reply.content)] == [b"ftyp", b"moov", *[b"moof", b"mdat"] * 2]
    assert fake(face).live_open == 0


async def test_what_no_browser_plays_is_refused_with_the_reason_and_not_on_record(face: CameraFace) -> None:
    answer = await face.get("/cameras/cam-2/live.mp4", 409)
    assert is_house_error(answer, "no_live_video", "camera")
    assert "H.265" in json.dumps(answer)
    assert face.views() == []


@pytest.mark.parametrize(
    ("looks", "code"),
    [
        (LookBounds(on_record_within_s=0.0), "not_on_record"),
        (LookBounds(room=Room(0, 4, 4)), "too_many_live"),
    ],
)
async def test_a_look_that_is_not_on_record_or_one_too_many_is_not_given(
    tmp_path: Path, looks: LookBounds, code: str
) -> None:
    face = CameraFace(tmp_path, looks)
    face.site.start()
    assert is_house_error(await face.get("/cameras/cam-1/live.mp4", 503), code, "")
    assert fake(face).live_open == 0
    await face.close()


async def test_one_login_has_its_share_of_the_live_views_and_leaves_room_for_others(face: CameraFace) -> None:
    video, li, wang = LiveVideo(face.site.clock, ROOM), Watcher("person li", "a"), Watcher("person wang", "a")

    async def camera() -> AsyncIterator[bytes]:
        yield b"moof"

    async def begun(who: Watcher) -> tuple[AsyncIterator[bytes], bytes]:
        passing = video.passing(b"moov", camera(), None, who)
        return passing, await anext(passing, b"")

    views = [await begun(li) for _ in range(ROOM.a_login + 1)]
    assert [first for _, first in views] == [b"moov"] * ROOM.a_login + [b""]
    assert video.quota.full(li) is Limit.A_LOGIN
    assert (await begun(wang))[1] == b"moov"
    assert [part async for part in views[0][0]] == [b"moof"]
    assert (await begun(li))[1] == b"moov"


async def test_a_decoder_that_is_not_fully_shut_in_is_said_on_its_cameras_page(face: CameraFace) -> None:
    assert "not fully shut in" not in await face.page("/cameras/cam-1")
    states = fake(face).states
    states["cam-1"] = replace(states["cam-1"], not_shut_in="limits")
    page = await face.page("/cameras/cam-1")
    assert "not fully shut in</span> <code>limits</code>" in page


async def test_alarms_of_a_camera_stand_on_it_and_on_no_other(face: CameraFace) -> None:
    alarm_id = await face.raised()
    page = await face.page("/cameras")
    own, others = page[page.index('id="camera-host-1"') :], page[: page.index('id="camera-host-1"')]
    assert alarm_id in own
    assert alarm_id not in others
    assert alarm_id in await face.page("/cameras/host-1")


async def test_the_plan_says_of_a_post_what_is_wrong_with_its_cameras(face: CameraFace) -> None:
    environment = face.app.state.pages.environment
    template = environment.from_string(
        '{% import "overview_marks.html" as own with context %}{{ own.camera_word(seen) }}'
    )
    words = [
        template.render(language="en", seen=face.cameras.of_asset(asset)) for asset in ("cam-1", "cam-2", "cam-3", "x")
    ]
    assert words == ["", "not judged", "offline", ""]


async def test_closed_alarms_stay_with_their_camera(face: CameraFace) -> None:
    alarm_id = await face.raised()
    await face.value(1.0, at_s=1)
    await face.acknowledge(alarm_id, {"user": "li", "reason": "seen"})
    shown = face.cameras.camera("host-1")
    assert shown is not None
    past = [alarm.alarm_id for alarm in face.cameras.past(shown)]
    assert past == [alarm_id]
    assert alarm_id not in [alarm.alarm_id for alarm in shown.alarms]


async def test_what_is_measured_of_a_camera_is_shown_and_what_is_not_known_is_no_number(face: CameraFace) -> None:
    assert all(not figure.known for figure in face.cameras.figures("host-1"))
    await face.value(42.5)
    known = [figure.value for figure in face.cameras.figures("host-1") if figure.known]
    assert 42.5 in known
    assert face.cameras.figures("cam-1") == []


async def test_the_page_says_which_thresholds_are_in_force_and_since_when(face: CameraFace) -> None:
    own = await face.page("/cameras/cam-1")
    assert "bare head 0.612" in own
    assert "the camera's own, version 3, since" in own.replace("&#39;", "'")
    left = await face.page("/cameras/cam-2")
    assert "bare head 0.478" in left
    assert "as the model says" in left
    assert "was made for another model" in left
    eyes = fake(face)
    eyes.states["cam-2"] = replace(eyes.states["cam-2"], own_scores_undone=True)
    back = await face.page("/cameras/cam-2")
    assert "taken back with version 2 at" in back
    assert "another model" not in back
    gone = await face.page("/cameras/cam-3")
    thresholds = gone[gone.index("Thresholds") :][:200]
    assert "unknown" in thresholds
    assert "as the model says" not in thresholds


async def test_a_camera_without_figures_shows_no_zero(face: CameraFace) -> None:
    page = await face.page("/cameras")
    assert "not judged" in page[page.index('id="camera-cam-3"') :]
    assert "nan" not in page


@pytest.mark.parametrize(
    ("changed", "blind"),
    [
        ({}, False),
        ({"link": CameraLink.OFFLINE}, True),
        ({"link": CameraLink.CONNECTING}, True),
        ({"ailing": ("frozen",)}, True),
        ({"ailing": ("moved",)}, False),
        ({"judged_per_s": nan}, False),
    ],
)
def test_a_camera_that_sees_nothing_where_works_are_dangerous_is_grave(changed: dict[str, object], blind: bool) -> None:
    state = replace(camera("cam-1", NOW_NS), **changed)  # type: ignore[arg-type]
    shown = ShownCamera(state, 1.0, ())
    assert (shown.blind, shown.grave) == (blind, blind)
    assert not ShownCamera(replace(state, dangerous_works=False), 1.0, ()).grave


async def test_no_address_shows_more_than_the_camera_says(face: CameraFace) -> None:
    fake(face).states["cam-1"] = replace(fake(face).states["cam-1"], title_en="<script>alert(1)</script>")
    page = await face.page("/cameras/cam-1")
    assert "<script>alert" not in page
    assert "rtsp://192.168.1.64/ch1" in page


async def test_a_camera_that_turns_says_where_it_looks_and_that_tape_is_no_protection(face: CameraFace) -> None:
    eyes, line = fake(face), ((0.1, 0.6), (0.9, 0.6))
    edge = Edge("edge-1", "East", EdgeKind.FLOOR_EDGE, line, 12.0, protection=Protection.TAPE)
    eyes.use_survey(replace(empty_survey("cam-1"), version=3, preset="gate", edges=(edge,)), b"jpeg")
    page = await face.page("/cameras/cam-1")
    assert "not at a preset: edges are not judged; helmets are checked in the whole picture" in page
    assert "tape only: not protected" in page
    eyes.turned_to = "gate"
    page = await face.page("/cameras")
    assert "at preset gate" in page
    assert page.count("not at a preset") == 0
