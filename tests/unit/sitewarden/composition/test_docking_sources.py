"""What docking borrows: the blurred picture out of the real picture store, a driver out of the real identity file."""

import pytest

from gateway.parts.identity.identity import Identities, create_identities
from gateway.parts.identity.watch import IdentityWatch
from gateway.uplinks.docking_records import Driver
from sitewarden.composition.docking_sources import DeskPhotos, VaultDrivers
from tests.fakes.media_box import CAMERA, MediaBox, camera_alarm, scene
from tests.fakes.site import until
from tests.unit.gateway.parts.identity.test_identity import NUMBERS, person

ALARM = camera_alarm().alarm_id


@pytest.fixture
async def box(tmp_path):
    box = MediaBox(tmp_path)
    yield box
    await box.stop()


async def test_a_picture_comes_blurred_and_only_once_it_is_kept(box):
    photos = DeskPhotos(box.desk)
    assert await photos.photo(ALARM) is None, "nothing was begun"
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.eyes.release.set()
    box.start()
    await box.raise_alarm(camera_alarm())
    await until(lambda: any(item.record_seq for item in box.desk.of_alarm(ALARM)))
    photo = await photos.photo(ALARM)
    assert photo is not None
    assert photo.body.startswith(b"faces blurred: ")


async def test_a_picture_that_is_missing_is_not_waited_for(box):
    box.start()
    await box.raise_alarm(camera_alarm())
    await until(lambda: any(item.record_seq for item in box.desk.of_alarm(ALARM)))
    with pytest.raises(LookupError):
        await DeskPhotos(box.desk).photo(ALARM)


def test_a_driver_is_revealed_at_the_send_and_the_audit_is_told_first(tmp_path):
    told = []
    create_identities(tmp_path)
    known = Identities(tmp_path).add(person())
    drivers = VaultDrivers(IdentityWatch(tmp_path, None, lambda who, why: told.append((who, why))))
    driver = drivers.driver(known, "docking town")
    assert (driver.number, driver.id_number) == ("7", NUMBERS[0])
    assert told == [(known, "docking town")]
    assert NUMBERS[0] not in repr(driver)


def test_nobody_is_invented_for_an_unknown_driver_or_a_box_without_a_file(tmp_path):
    drivers = VaultDrivers(IdentityWatch(tmp_path, None, lambda *_: None))
    assert drivers.driver("7", "docking town") == Driver()
    create_identities(tmp_path)
    watch = IdentityWatch(tmp_path, None, lambda *_: None)
    assert VaultDrivers(watch).driver("nobody", "docking town") == Driver()
