"""Check 20: a user without the role cannot see raw video of another city; all viewing is logged."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.ledger import entries_about, verify_ledger
from regulator.base.records.tables.hazards import hazard_evidence, hazards
from regulator.base.records.tables.intake import alarm_media, alarms
from regulator.base.records.tables.registry import projects
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace

GUANGZHOU, SHENZHEN = Scope(Level.CITY, "440100"), Scope(Level.CITY, "440300")
PROVINCE, PROJECT = Scope(Level.PROVINCE, ""), Scope(Level.PROJECT, "GZ-1")
CLIP, STILL, PHOTO = b"the clip of ten seconds", b"the still as captured", b"a photo from the site"


class World:
    """Two cities with a project each; one alarm in Guangzhou with a still and a clip, one hazard with a photo."""

    def __init__(self, face: DeskFace) -> None:
        self.face = face
        shelf = face.desk.shelf
        self.clip, self.still = shelf.put(CLIP, "video/mp4"), shelf.put(STILL, "image/jpeg")
        self.photo = shelf.put(PHOTO, "image/jpeg")
        with face.database.transaction() as db:
            for code, city in (("GZ-1", "440100"), ("SZ-1", "440300")):
                db.execute(insert(projects).values(project_code=code, name=code, city_code=city))
            alarm = {"box_id": "box-1", "alarm_id": "alarm-1", "project_code": "GZ-1"}
            db.execute(insert(alarms).values(**_filled(alarms, alarm)))
            for key, sha256, media_type in (("c", self.clip, "video/mp4"), ("s", self.still, "image/jpeg")):
                media = {"box_id": "box-1", "item_key": key, "alarm_id": "alarm-1", "sha256": sha256}
                media |= {"media_type": media_type, "kind": "segment"}
                db.execute(insert(alarm_media).values(**_filled(alarm_media, media)))
            hazard = {"hazard_id": "hazard-1", "project_code": "GZ-1", "number": "h1", "event_key": "k1"}
            db.execute(insert(hazards).values(**_filled(hazards, hazard)))
            photo = {"hazard_id": "hazard-1", "number": 1, "sha256": self.photo, "media_type": "image/jpeg"}
            db.execute(insert(hazard_evidence).values(**_filled(hazard_evidence, photo)))

    def look(self, duty: Duty, scope: Scope, sha256: str, **headers: str) -> httpx.Response:
        return self.face.client(duty, scope).get(f"/media/{sha256}", headers={"accept": "*/*"} | headers)

    def viewings(self) -> list[tuple[str, str]]:
        """Who looked at what of the alarm, and of the hazard."""
        with self.face.database.reading() as db:
            entries = [*entries_about(db, "alarm-1"), *entries_about(db, "hazard-1")]
            end = verify_ledger(db, "project:GZ-1", {self.face.desk.key.public.key_id: self.face.desk.key.public})
        assert not entries or end.seq == len(entries)
        seen = [entry.fields for entry in entries]
        assert {fields["kind"] for fields in seen} <= {"media_viewed"}
        return [(fields["actor"]["name"], fields["content"]["sha256"]) for fields in seen]  # type: ignore[index,call-overload]


def _filled(table, values):  # type: ignore[no-untyped-def]
    """A row with something in every column that has no default."""
    return {
        column.name: column.name for column in table.columns if column.server_default is None and not column.nullable
    } | values


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with DeskFace(tmp_path, DeskClock()) as face:
        yield World(face)


def test_another_city_sees_neither_clip_nor_still_whatever_the_duty(world: World) -> None:
    for duty in Duty:
        for sha256 in (world.clip, world.still, world.photo):
            answer = world.look(duty, SHENZHEN, sha256)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_media")
    assert world.viewings() == []


@pytest.mark.parametrize(
    ("duty", "clip", "still"),
    [
        (Duty.VIEWER, 403, 200),
        (Duty.RESPONDER, 403, 200),
        (Duty.INSPECTOR, 200, 200),
        (Duty.REVIEWER, 200, 200),
        (Duty.APPROVER, 200, 200),
        (Duty.AUDITOR, 200, 200),
        (Duty.ADMINISTRATOR, 403, 403),
    ],
)
def test_the_duty_decides_in_the_own_city_and_every_viewing_is_in_the_ledger(
    world: World, duty: Duty, clip: int, still: int
) -> None:
    assert world.look(duty, GUANGZHOU, world.clip).status_code == clip
    assert world.look(duty, GUANGZHOU, world.still).status_code == still
    name = world.face.person(duty, GUANGZHOU).name
    expected = [(name, world.clip)] * (clip == 200) + [(name, world.still)] * (still == 200)
    assert sorted(world.viewings()) == sorted(expected)


def test_province_and_project_see_what_is_theirs(world: World) -> None:
    assert world.look(Duty.REVIEWER, PROVINCE, world.clip).content == CLIP
    assert world.look(Duty.RESPONDER, PROJECT, world.photo).content == PHOTO
    assert world.look(Duty.RESPONDER, Scope(Level.PROJECT, "SZ-1"), world.photo).status_code == 404
    assert len(world.viewings()) == 2


def test_nobody_sees_anything_without_a_login(world: World) -> None:
    answer = world.face.client().get(f"/media/{world.clip}", headers={"accept": "*/*"})
    assert (answer.status_code, world.viewings()) == (401, [])


def test_a_clip_played_in_pieces_is_one_viewing_and_a_later_look_another(world: World) -> None:
    client = world.face.client(Duty.REVIEWER, GUANGZHOU)
    pieces = []
    for span in ("bytes=0-3", "bytes=4-7", "bytes=8-", "bytes=-4"):
        answer = client.get(f"/media/{world.clip}", headers={"range": span})
        assert answer.status_code == 206
        pieces.append(answer.content)
    assert pieces == [CLIP[:4], CLIP[4:8], CLIP[8:], CLIP[-4:]]
    assert len(world.viewings()) == 1
    world.face.clock.move(seconds=601)  # type: ignore[attr-defined]
    assert client.get(f"/media/{world.clip}").content == CLIP
    assert len(world.viewings()) == 2
    assert client.get(f"/media/{world.clip}", headers={"range": "bytes=900-"}).status_code == 416


def test_bytes_that_changed_on_the_disk_are_not_shown(world: World) -> None:
    path = world.face.desk.shelf.path(world.clip)  # type: ignore[attr-defined]
    path.chmod(0o600)
    path.write_bytes(CLIP[:-1] + b"!")
    answer = world.look(Duty.REVIEWER, GUANGZHOU, world.clip)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "media_damaged")
    assert world.viewings() == []
