"""Surveys on the disk: what was kept comes back to the byte, and what was damaged is named and passed over."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.errors import StoreError
from gateway.model.survey import Edge, EdgeKind, RailMark, Survey, Zone, ZoneUse
from gateway.parts.camera.survey_store import SurveyStore
from vision.survey.parsing import read_survey

PICTURE = b"\xff\xd8 a picture \xff\xd9"
DIGEST = hashlib.sha256(PICTURE).hexdigest()
ZONE = Zone("zone-1", "大门 <b>", ZoneUse.WATCHED, ((0.1, 0.2), (0.4, 0.2), (0.4, 0.6)))
MARKS = (RailMark((0.2, 0.8), (0.2, 0.6), 1.2), RailMark((0.8, 0.8), (0.8, 0.6), 1.2))
EDGE = Edge("edge-1", "东侧", EdgeKind.FLOOR_EDGE, ((0.1, 0.8), (0.9, 0.8)), 12.5, MARKS)


def survey(version: int, camera: str = "cam-1") -> Survey:
    return Survey(camera, version, 1_700_000_000_000_000_000, "安全员 (an)", DIGEST, (ZONE,), (EDGE,))


def opened(folder: Path) -> SurveyStore:
    return SurveyStore(folder, read_survey)


def file_of(folder: Path, version: int) -> Path:
    (path,) = (folder / "surveys" / "cam-1").glob(f"v{version:04d}-*.json")
    return path


def test_versions_come_back_as_they_were_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for version in (1, 2):
        store.keep(survey(version), PICTURE)
    again = opened(tmp_path)
    assert [kept.survey for kept in again.versions("cam-1")] == [survey(1), survey(2)]
    assert again.reference("cam-1", DIGEST) == PICTURE
    assert (again.next_number("cam-1"), again.newest("cam-2"), again.faults) == (3, None, {})


@pytest.mark.parametrize("damage", [b"", b'{"camera": "cam-1"', b"\x00" * 4096], ids=["empty", "torn", "zeroes"])
def test_a_damaged_version_is_named_and_the_one_before_counts(tmp_path: Path, damage: bytes) -> None:
    store = opened(tmp_path)
    store.keep(survey(1), PICTURE)
    store.keep(survey(2), PICTURE)
    file_of(tmp_path, 2).write_bytes(damage)
    again = opened(tmp_path)
    newest = again.newest("cam-1")
    assert newest is not None
    assert newest.survey == survey(1)
    (fault,) = again.faults["cam-1"]
    assert fault.startswith("v0002-")
    assert again.next_number("cam-1") == 3, "the damaged file keeps its number"
    assert file_of(tmp_path, 2).read_bytes() == damage, "it is left where it is"


def test_a_version_whose_picture_is_gone_does_not_count(tmp_path: Path) -> None:
    opened(tmp_path).keep(survey(1), PICTURE)
    (tmp_path / "surveys" / "cam-1" / f"{DIGEST}.jpg").unlink()
    again = opened(tmp_path)
    assert again.newest("cam-1") is None
    assert "cannot be read" in again.faults["cam-1"][0]


def test_a_version_of_another_camera_does_not_count(tmp_path: Path) -> None:
    opened(tmp_path).keep(survey(1, "cam-2"), PICTURE)
    (tmp_path / "surveys" / "cam-2").rename(tmp_path / "surveys" / "cam-1")
    assert "expected 0001 of cam-1" in opened(tmp_path).faults["cam-1"][0]


def test_the_picture_must_be_the_one_that_was_drawn_on(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(StoreError, match="is not the one that was drawn on"):
        store.keep(survey(1), b"another")
    assert store.versions("cam-1") == ()
    assert not (tmp_path / "surveys").exists()


@pytest.mark.parametrize("name", ["../cam", "a/b", "", "."])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="expected a device id"):
        opened(tmp_path).reference(name, DIGEST)
    with pytest.raises(StoreError, match="64 hexadecimal digits"):
        opened(tmp_path).reference("cam-1", "../../etc/passwd")


def test_what_is_left_half_written_by_a_kill_is_not_read(tmp_path: Path) -> None:
    opened(tmp_path).keep(survey(1), PICTURE)
    (tmp_path / "surveys" / "cam-1" / "v0002-abc.json.part").write_bytes(b"{")
    again = opened(tmp_path)
    assert len(again.versions("cam-1")) == 1
    assert again.faults == {}


NIGHT = b"\xff\xd8 by night \xff\xd9"
NIGHT_DIGEST = hashlib.sha256(NIGHT).hexdigest()


def test_a_reference_by_night_is_kept_beside_the_one_by_day(tmp_path: Path) -> None:
    with_night = replace(survey(2), night_sha256=NIGHT_DIGEST)
    store = opened(tmp_path)
    store.keep(survey(1), PICTURE)
    store.keep(with_night, PICTURE, NIGHT)
    again = opened(tmp_path)
    assert [kept.survey for kept in again.versions("cam-1")] == [survey(1), with_night]
    assert again.reference("cam-1", NIGHT_DIGEST) == NIGHT
    assert b"night_sha256" not in file_of(tmp_path, 1).read_bytes(), "a version without one is what it was before"


def test_a_version_whose_reference_by_night_is_spoilt_does_not_count(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.keep(survey(1), PICTURE)
    store.keep(replace(survey(2), night_sha256=NIGHT_DIGEST), PICTURE, NIGHT)
    (tmp_path / "surveys" / "cam-1" / f"{NIGHT_DIGEST}.jpg").write_bytes(b"another")
    again = opened(tmp_path)
    assert [kept.survey.version for kept in again.versions("cam-1")] == [1]
    (fault,) = again.faults["cam-1"]
    assert "is not the picture that was kept" in fault


def test_another_picture_than_the_one_confirmed_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the reference by night is not the one that was confirmed"):
        opened(tmp_path).keep(replace(survey(1), night_sha256=NIGHT_DIGEST), PICTURE, b"")
    assert opened(tmp_path).versions("cam-1") == ()
