"""What is kept of a camera alarm, what is sealed and sent, and how a restart finishes what was begun."""

import asyncio

import orjson
import pytest

from contract.messages import MediaSegment
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.media.keeper import RESTART, CameraAlarm
from gateway.media.kept import MediaClass, MediaItem, MediaState
from gateway.media.sealing import MEDIA_KIND, media_content, media_filed, read_media
from gateway.model.alarm import TransitionKind
from gateway.model.alarm_note import AlarmNote, NoteKind
from tests.fakes.media_box import BOX_ROW, CAMERA, NS, MediaBox, camera_alarm, picture, scene
from tests.fakes.site import NOW_NS, until


def states(box, alarm):
    return [(str(item.media_class), item.place, str(item.state)) for item in box.desk.of_alarm(alarm.alarm_id)]


def media_records(box):
    return [record for record in box.alerts.all_evidence() if record.kind == RecordKind.MEDIA]


def segments(box):
    return [item for item in box.alerts.pending("regulator", 100, media=True) if item.kind == MEDIA_KIND]


@pytest.fixture
async def box(tmp_path):
    box = MediaBox(tmp_path)
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.start()
    yield box
    await box.stop()


async def test_frame_and_strip_are_kept_at_once_and_the_clip_when_it_is_there(box):
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: len(media_records(box)) == 1 and box.eyes.asked)

    stills = [("frame", 0, "kept"), *(("strip", place, "kept") for place in range(8))]
    await until(lambda: states(box, alarm) == [*stills, ("clip", 0, "begun")])
    box.eyes.release.set()
    await until(lambda: states(box, alarm) == [*stills, ("clip", 0, "kept")])
    assert box.eyes.asked == [(CAMERA, NOW_NS - 10 * NS, NOW_NS + 10 * NS)]
    assert box.keeper.kept == 10
    for item in box.desk.of_alarm(alarm.alarm_id):
        assert box.shelf.read(item.sha256)


async def test_the_record_holds_digest_boxes_versions_and_what_was_found(box):
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: len(media_records(box)) == 1)

    record = media_records(box)[0]
    said = orjson.loads(record.body)["content"]
    assert record.alarm_id == media_filed(alarm.alarm_id)
    assert (said["alarm_id"], said["camera"], said["key"]) == (alarm.alarm_id, CAMERA, "bare_head_1")
    assert said["versions"] == {"model": "site_heads 1", "survey": "3"}
    assert said["about"] == {"track": 17, "since_s": "5.25"}
    frame = said["items"][0]
    assert frame["sha256"] == picture("bare_head_1 frame").sha256
    assert frame["boxes"] == [[100, 50, 140, 96, 1, 913, 17]]
    assert (frame["width_px"], frame["captured_at_ns"]) == (1920, NOW_NS)
    assert box.alerts.verify() == box.alerts.head()


async def test_every_body_is_owed_to_the_regulator_in_the_same_commit(box):
    await box.raise_alarm(camera_alarm())
    await until(lambda: len(media_records(box)) == 1)

    bodies = [MediaSegment.model_validate(orjson.loads(item.body)) for item in segments(box)]
    assert len(bodies) == 9
    assert {body.event_id for body in bodies} == {f"{camera_alarm().alarm_id}:{TransitionKind.RAISED}"}
    assert bodies[0].blob_sha256 == picture("bare_head_1 frame").sha256
    assert all(item.kind != MEDIA_KIND for item in box.alerts.pending("regulator", 100))


async def test_of_an_alarm_that_is_not_reported_no_picture_leaves_the_site(box):
    alarm = camera_alarm(reportable=False)
    await box.raise_alarm(alarm)
    await until(lambda: len(media_records(box)) == 1)

    assert segments(box) == []


async def test_a_person_hands_it_over_and_its_pictures_go_with_it(box):
    alarm = camera_alarm(reportable=False)
    box.eyes.release.set()
    await box.raise_alarm(alarm)
    await until(lambda: len(states(box, alarm)) == 10 and states(box, alarm)[-1][2] == "kept")
    await box.recorder.record_note(AlarmNote(NoteKind.NOTE, alarm, NOW_NS, "li", "seen"))
    await box.recorder.record_note(AlarmNote(NoteKind.HANDED_OVER, alarm, NOW_NS, "li", "they should know"))
    await until(lambda: len(segments(box)) == 10)

    bodies = [MediaSegment.model_validate(orjson.loads(item.body)) for item in segments(box)]
    assert {body.event_id for body in bodies} == {f"{alarm.alarm_id}:handed_over"}
    await until(lambda: {item.record_seq for item in box.desk.of_alarm(alarm.alarm_id)} == {box.alerts.head().seq})


async def test_other_alarms_have_no_pictures(box):
    crane = camera_alarm()
    object.__setattr__(crane, "asset_kind", "tower-crane")
    await box.raise_alarm(crane)
    await box.raise_alarm(camera_alarm(at_ns=NOW_NS + 1))
    await until(lambda: len(media_records(box)) == 1)

    assert box.desk.of_alarm(crane.alarm_id) == []


async def test_a_clip_that_cannot_be_is_sealed_as_missing_with_the_reason(box):
    box.eyes.no_clip = "the stream is H.265"
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: len(media_records(box)) == 2)
    await until(lambda: box.desk.of_alarm(alarm.alarm_id)[-1].state is MediaState.MISSING)

    clip = box.desk.of_alarm(alarm.alarm_id)[-1]
    assert clip.media_class is MediaClass.CLIP
    assert clip.reason == "no clip: the stream is H.265"


async def test_an_ailing_camera_shows_its_newest_still_or_says_that_there_was_none(box):
    box.eyes.newest = picture("the newest still")
    alarm = camera_alarm("black")
    await box.raise_alarm(alarm)
    await until(lambda: states(box, alarm)[:1] == [("frame", 0, "kept")])
    assert box.desk.of_alarm(alarm.alarm_id)[0].about == {"what": "newest still"}

    box.eyes.newest = None
    blind = camera_alarm("black", NOW_NS + NS)
    await box.raise_alarm(blind)
    await until(lambda: states(box, blind)[:1] == [("frame", 0, "missing")])
    assert "no frame" in box.desk.of_alarm(blind.alarm_id)[0].reason


async def test_the_scene_of_another_day_is_not_this_alarms(box):
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene(at_ns=NOW_NS - 86_400 * NS)
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: states(box, alarm)[:1] == [("frame", 0, "missing")])


async def test_a_picture_that_is_not_its_digest_is_no_evidence(box):
    good = scene()
    false = good.frame
    object.__setattr__(false, "sha256", "0" * 64)
    box.eyes.scenes[CAMERA, "bare_head_1"] = good
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: states(box, alarm)[:1] == [("frame", 0, "missing")])
    assert "digest" in box.desk.of_alarm(alarm.alarm_id)[0].reason


async def test_without_room_the_record_says_so_and_the_alarm_has_left(box):
    box.room = False
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: len(media_records(box)) == 1)
    await until(lambda: states(box, alarm)[:1] == [("frame", 0, "missing")])

    assert "almost full" in box.desk.of_alarm(alarm.alarm_id)[0].reason
    assert segments(box) == []
    assert next(item.kind for item in box.alerts.pending("regulator", 100)) == "alarm_transition"


async def test_bounds_of_media_are_a_reason_too(tmp_path):
    box = MediaBox(tmp_path, max_bytes=40)
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.start()
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: len(states(box, alarm)) == 10 and states(box, alarm)[0] == ("frame", 0, "kept"))

    assert "may take 40 bytes" in box.desk.of_alarm(alarm.alarm_id)[1].reason
    await box.stop()


async def test_the_same_alarm_told_twice_is_kept_once(box):
    alarm = camera_alarm()
    await box.raise_alarm(alarm)
    await until(lambda: len(media_records(box)) == 1)
    await box.raise_alarm(alarm)
    box.eyes.release.set()
    await until(lambda: len(media_records(box)) == 2)
    await box.raise_alarm(camera_alarm(at_ns=NOW_NS + 1))
    await until(lambda: len(media_records(box)) == 4)

    assert [len(read_media(record).items) for record in media_records(box)] == [9, 1, 9, 1]


async def test_killed_while_the_clip_was_awaited_the_next_start_says_restart(tmp_path):
    first = MediaBox(tmp_path)
    first.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    first.start()
    alarm = camera_alarm()
    await first.raise_alarm(alarm)
    await until(lambda: bool(first.eyes.asked))
    await first.stop()

    second = MediaBox(tmp_path)
    second.start()
    await until(lambda: states(second, alarm)[-1] == ("clip", 0, "missing"))
    assert second.desk.of_alarm(alarm.alarm_id)[-1].reason == RESTART
    assert states(second, alarm)[0] == ("frame", 0, "kept")
    assert len(media_records(second)) == 2
    await second.stop()


async def test_killed_between_body_and_record_the_next_start_seals_it(tmp_path):
    """The body is on the shelf and noted; nothing is in the chain yet."""
    first = MediaBox(tmp_path)
    first.start(keeping=False)
    alarm = camera_alarm()
    await first.raise_alarm(alarm)
    asked = CameraAlarm(alarm.alarm_id, CAMERA, "bare_head_1", NOW_NS, reportable=True)
    first.shelf.put(picture("bare_head_1 frame").body)
    stored = asked.item(MediaClass.FRAME).of_picture(picture("bare_head_1 frame"))
    await asyncio.wrap_future(first.index.keep([stored, asked.item(MediaClass.CLIP)]))
    await first.stop()

    second = MediaBox(tmp_path)
    second.start()
    await until(lambda: states(second, alarm) == [("frame", 0, "kept"), ("clip", 0, "missing")])
    assert len(segments(second)) == 1
    assert second.desk.of_alarm(alarm.alarm_id)[0].boxes[0][:4] == (100, 50, 140, 96)
    await second.stop()


async def test_killed_between_record_and_index_nothing_is_sealed_twice(tmp_path):
    first = MediaBox(tmp_path)
    first.start(keeping=False)
    alarm = camera_alarm()
    await first.raise_alarm(alarm)
    item = MediaItem(alarm.alarm_id, CAMERA, "bare_head_1", MediaClass.FRAME, 0, MediaState.BEGUN)
    first.shelf.put(picture("x").body)
    stored = item.of_picture(picture("x"))
    await asyncio.wrap_future(first.index.keep([stored]))
    entry = Entry(RecordKind.MEDIA, NOW_NS, media_content([stored]), about=media_filed(alarm.alarm_id))
    await first.recorder.record(entry)
    await first.stop()

    second = MediaBox(tmp_path)
    second.start()
    await until(lambda: states(second, alarm) == [("frame", 0, "kept")])
    assert len(media_records(second)) == 1
    await second.stop()


async def test_killed_before_anything_was_begun_the_open_alarm_is_not_forgotten(tmp_path):
    first = MediaBox(tmp_path)
    first.start(keeping=False)
    alarm = camera_alarm()
    await first.raise_alarm(alarm)
    await first.stop()

    second = MediaBox(tmp_path)
    second.start()
    await until(lambda: states(second, alarm) == [("frame", 0, "missing"), ("clip", 0, "missing")])
    await second.stop()


async def test_a_lost_index_is_made_again_from_the_chain(tmp_path):
    first = MediaBox(tmp_path)
    first.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    first.eyes.release.set()
    first.start()
    alarm = camera_alarm()
    await first.raise_alarm(alarm)
    await until(lambda: len(states(first, alarm)) == 10 and states(first, alarm)[-1][2] == "kept")
    before = first.desk.of_alarm(alarm.alarm_id)
    await first.stop()
    for path in tmp_path.glob("media.db*"):
        path.unlink()

    second = MediaBox(tmp_path)
    second.start()
    await until(lambda: len(states(second, alarm)) == 10)
    assert second.desk.of_alarm(alarm.alarm_id) == before
    assert len(media_records(second)) == 2
    await second.stop()


def test_boxes_come_back_from_the_chain_in_whole_pixels_and_thousandths():
    assert BOX_ROW[5] == 0.913
    item = MediaItem("a", CAMERA, "black", MediaClass.FRAME, 0, MediaState.BEGUN).of_picture(picture("y"))
    content = media_content([item])
    assert content["items"][0]["boxes"] == [[100, 50, 140, 96, 1, 913, 17]]


async def test_a_fault_in_the_eyes_costs_one_alarm_its_pictures_and_the_next_none(box, tmp_path):
    """The supervisor starts the keeper again; what it had begun is then named missing."""
    await box.stop()
    again = MediaBox(tmp_path)
    again.start(keeping=False)
    again.recorder.listeners.append(again.keeper.told)
    good, again.eyes.scenes = {(CAMERA, "bare_head_1"): scene()}, None
    alarm, later = camera_alarm(), camera_alarm(at_ns=NOW_NS + NS)
    await again.raise_alarm(alarm)
    with pytest.raises(AttributeError):
        await again.keeper.run()

    again.eyes.scenes = good
    await again.raise_alarm(later)
    running = asyncio.create_task(again.keeper.run())
    await until(lambda: len(states(again, later)) == 10)
    assert {state for _, _, state in states(again, alarm)} == {"missing"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await again.stop()
