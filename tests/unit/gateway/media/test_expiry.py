"""Bodies go by class, after the receipt, without a case; digests and records stay."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from gateway.evidence.evidence import RecordKind
from gateway.media.expiry import DAY_NS, MediaExpiry
from gateway.media.kept import MediaState
from gateway.model.alarm import Transition, TransitionKind
from gateway.model.alert import Receipt
from tests.fakes.media_box import CAMERA, NS, MediaBox, camera_alarm, scene
from tests.fakes.site import NOW_NS, until

ALARM = camera_alarm().alarm_id


@pytest.fixture
async def box(tmp_path):
    box = MediaBox(tmp_path)
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.eyes.release.set()
    box.start()
    await box.raise_alarm(camera_alarm())
    await until(lambda: len(kept(box)) == 10)
    yield box
    await box.stop()


def kept(box):
    return [item for item in box.desk.of_alarm(ALARM) if item.state is MediaState.KEPT]


def expired_records(box):
    return [record for record in box.alerts.all_evidence() if record.kind == RecordKind.MEDIA_EXPIRED]


async def returned(box):
    alarm = replace(camera_alarm(), active=False, acknowledged=True, returned_at_ns=NOW_NS + NS)
    await box.recorder.record_transition(Transition(TransitionKind.RETURNED, alarm, NOW_NS + NS, 0.0), None, ())


async def receipted(box, media_too=True):
    for media in (False, True) if media_too else (False,):
        items = box.alerts.pending("regulator", 1000, media=media)
        answers = [(item, Receipt.accepted(f"receipt of {item.key}")) for item in items]
        await asyncio.wrap_future(box.alerts.resolve(answers, NOW_NS))


async def test_a_clip_goes_first_and_leaves_its_digest_and_the_receipts_in_the_chain(box):
    await returned(box)
    await receipted(box)
    clip = kept(box)[-1]
    box.clock.move_to(NOW_NS + 91 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 1

    said = orjson.loads(expired_records(box)[0].body)["content"]
    assert said["items"][0]["sha256"] == clip.sha256
    assert sorted(said["receipts"].values())[0].startswith("receipt of ")
    assert len(said["receipts"]) == 2
    assert not box.shelf.holds(clip.sha256)
    assert box.desk.of_alarm(ALARM)[-1].state is MediaState.EXPIRED
    assert len(kept(box)) == 9
    assert box.alerts.verify() == box.alerts.head()

    box.clock.move_to(NOW_NS + 366 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 9
    assert list(box.shelf.bodies()) == []


async def test_before_its_time_nothing_goes(box):
    await returned(box)
    await receipted(box)
    box.clock.move_to(NOW_NS + 89 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 0


@pytest.mark.parametrize("media_too", [True, False])
async def test_without_the_receipt_nothing_goes(box, media_too):
    await returned(box)
    if not media_too:
        await receipted(box, media_too=False)
    box.clock.move_to(NOW_NS + 1000 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 0
    assert len(kept(box)) == 10


async def test_of_an_open_alarm_nothing_goes(box):
    await receipted(box)
    box.clock.move_to(NOW_NS + 1000 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 0


async def test_of_an_open_case_nothing_goes_until_it_is_closed(box):
    await returned(box)
    await box.desk.open_case(ALARM, "li", "accident inquiry")
    await receipted(box)
    box.clock.move_to(NOW_NS + 1000 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 0

    await box.desk.close_case(ALARM, "li", "inquiry ended")
    assert await MediaExpiry(box.stores).expire_due() == 10


async def test_without_a_regulator_nothing_goes(box):
    await returned(box)
    await receipted(box)
    box.recorder._routes = ()
    box.clock.move_to(NOW_NS + 1000 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 0


async def test_a_kill_between_record_and_removal_is_made_good_at_the_next_start(box):
    await returned(box)
    await receipted(box)
    clip = kept(box)[-1]
    body = box.shelf.read(clip.sha256)
    box.clock.move_to(NOW_NS + 91 * DAY_NS)
    await MediaExpiry(box.stores).expire_due()
    box.shelf.put(body)  # as if the kill had come before the removal

    await MediaExpiry(box.stores).finish()
    assert not box.shelf.holds(clip.sha256)


async def test_a_body_that_two_alarms_share_stays_for_the_other(box):
    again = camera_alarm(at_ns=NOW_NS + NS)
    await box.raise_alarm(again)
    await until(lambda: len([i for i in box.desk.of_alarm(again.alarm_id) if i.state is MediaState.KEPT]) == 10)
    await returned(box)
    await receipted(box)
    box.clock.move_to(NOW_NS + 366 * DAY_NS)
    assert await MediaExpiry(box.stores).expire_due() == 10

    frame = box.desk.of_alarm(again.alarm_id)[0]
    assert box.shelf.read(frame.sha256)
