"""Who sees what: blurred without a case, as captured with one, damaged never."""

import pytest

from gateway.media.kept import MediaError, MediaRefusal
from tests.fakes.media_box import CAMERA, MediaBox, camera_alarm, scene
from tests.fakes.site import until


@pytest.fixture
async def box(tmp_path):
    box = MediaBox(tmp_path)
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.eyes.release.set()
    box.start()
    await box.raise_alarm(camera_alarm())
    await until(lambda: len(kept(box)) == 10 and all(item.record_seq for item in kept(box)))
    yield box
    await box.stop()


def kept(box):
    return box.desk.of_alarm(camera_alarm().alarm_id)


ALARM = camera_alarm().alarm_id


async def test_a_still_is_blurred_and_a_clip_is_as_it_was(box):
    frame = await box.desk.body(ALARM, kept(box)[0].sha256)
    clip = await box.desk.body(ALARM, kept(box)[-1].sha256)

    assert frame.blurred
    assert frame.body.startswith(b"faces blurred: ")
    assert not clip.blurred
    assert clip.item.media_type == "video/mp4"


async def test_faces_are_seen_only_while_a_case_is_open_and_the_case_is_on_record(box):
    sha256 = kept(box)[0].sha256
    with pytest.raises(MediaError) as refused:
        await box.desk.body(ALARM, sha256, unblurred=True)
    assert refused.value.refusal is MediaRefusal.NO_CASE

    seq = await box.desk.open_case(ALARM, "li", "who was it")
    assert not (await box.desk.body(ALARM, sha256, unblurred=True)).blurred
    case = box.desk.case(ALARM)
    assert (case.opened_by, case.reason, case.record_seq, case.open) == ("li", "who was it", seq, True)

    await box.desk.close_case(ALARM, "li", "settled")
    with pytest.raises(MediaError):
        await box.desk.body(ALARM, sha256, unblurred=True)
    assert box.desk.case(ALARM).closed_by == "li"


async def test_a_case_is_opened_once_with_a_reason_and_only_of_pictures(box):
    with pytest.raises(ValueError, match="reason"):
        await box.desk.open_case(ALARM, "li", "   ")
    with pytest.raises(MediaError) as none:
        await box.desk.open_case("no such alarm", "li", "why")
    assert none.value.refusal is MediaRefusal.NOT_KEPT
    await box.desk.open_case(ALARM, "li", "why")
    with pytest.raises(MediaError) as again:
        await box.desk.open_case(ALARM, "wang", "me too")
    assert again.value.refusal is MediaRefusal.ALREADY


async def test_the_case_of_one_alarm_opens_no_other(box):
    await box.desk.open_case(ALARM, "li", "why")
    with pytest.raises(MediaError) as refused:
        await box.desk.body("another alarm", kept(box)[0].sha256, unblurred=True)
    assert refused.value.refusal is MediaRefusal.NOT_KEPT


async def test_a_body_that_was_altered_is_reported_and_never_shown(box):
    frame = kept(box)[0]
    box.shelf.path(frame.sha256).write_bytes(b"another picture")

    with pytest.raises(MediaError, match="digest") as refused:
        await box.desk.body(ALARM, frame.sha256)
    assert refused.value.refusal is MediaRefusal.DAMAGED


async def test_a_body_that_is_gone_is_said_to_be(box):
    frame = kept(box)[0]
    box.shelf.remove(frame.sha256)

    with pytest.raises(MediaError) as refused:
        await box.desk.body(ALARM, frame.sha256)
    assert refused.value.refusal is MediaRefusal.NOT_KEPT


async def test_where_faces_cannot_be_blurred_nothing_is_shown(box):
    def broken(_body, _item):
        raise ValueError("no picture")

    box.desk._blur = broken
    with pytest.raises(MediaError) as refused:
        await box.desk.body(ALARM, kept(box)[0].sha256)
    assert refused.value.refusal is MediaRefusal.NOT_BLURRED


async def test_the_chain_still_verifies(box):
    await box.desk.open_case(ALARM, "li", "why")
    assert box.alerts.verify() == box.alerts.head()
