"""Small pictures: the newest wins, within the scope, bounded, and one from a broken clock never sticks."""

import base64
import hashlib

import pytest
from sqlalchemy import func, select

from contract.messages import CameraStill
from regulator.base.days import day_of
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.wall import wall_stills
from regulator.parts.wall.stills import MOST_CAMERAS, Still, newest_still, take_still
from tests.fakes.desk_database import HOUR_NS, DeskClock
from tests.fakes.wall_world import CITIES, code_of, plant_set

PROVINCE = Actor("u", "甲", Scope(Level.PROVINCE, ""), frozenset({Duty.REVIEWER}))


@pytest.fixture
def at_ns(database: DeskDatabase, clock: DeskClock) -> int:
    plant_set(database, 3, day_of(clock()), clock())
    return clock()


def send(database: DeskDatabase, camera: str, body: bytes, captured_ns: int, now_ns: int) -> None:
    said = CameraStill(
        camera_id=camera, captured_at_ns=captured_ns, media_type="image/jpeg", width_px=160, height_px=90,
        sha256=hashlib.sha256(body).hexdigest(), data_base64=base64.b64encode(body).decode(),
    )  # fmt: skip
    with database.transaction() as db:
        take_still(db, Heard("box-0", code_of(0), said), now_ns)


def shown(database: DeskDatabase, actor: Actor = PROVINCE, camera: str = "") -> Still | None:
    with database.reading() as db:
        return newest_still(db, actor, code_of(0), camera)


def test_the_newest_of_a_camera_is_kept_whatever_order_they_come_in(database: DeskDatabase, at_ns: int) -> None:
    assert shown(database) is None
    for captured, body in ((2, b"two"), (1, b"one"), (3, b"three")):
        send(database, "cam-1", body, at_ns + captured, at_ns)
    send(database, "cam-2", b"other", at_ns, at_ns)
    found = shown(database)
    assert found is not None
    assert (found.camera_id, found.body) == ("cam-1", b"three")
    other = shown(database, camera="cam-2")
    assert other is not None
    assert other.body == b"other"
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(wall_stills)) == 2


def test_nobody_outside_the_scope_is_told_of_it(database: DeskDatabase, at_ns: int) -> None:
    send(database, "cam-1", b"one", at_ns, at_ns)
    elsewhere = Actor("u", "乙", Scope(Level.CITY, CITIES[2]), frozenset({Duty.REVIEWER}))
    with pytest.raises(RefusedError) as refused:
        shown(database, elsewhere)
    assert refused.value.status == 404


def test_a_picture_from_tomorrow_does_not_stick(database: DeskDatabase, at_ns: int) -> None:
    send(database, "cam-1", b"tomorrow", at_ns + 24 * HOUR_NS, at_ns)
    send(database, "cam-1", b"now", at_ns, at_ns)
    found = shown(database)
    assert found is not None
    assert found.body == b"now"


def test_a_box_with_endless_cameras_fills_no_table(database: DeskDatabase, at_ns: int) -> None:
    for number in range(MOST_CAMERAS + 3):
        send(database, f"cam-{number}", b"x", at_ns + number, at_ns)
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(wall_stills)) == MOST_CAMERAS
    send(database, "cam-1", b"newer", at_ns + 1000, at_ns)
    found = shown(database, camera="cam-1")
    assert found is not None
    assert found.body == b"newer"
