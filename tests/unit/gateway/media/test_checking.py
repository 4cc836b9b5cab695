"""The command line's word on the pictures of a folder: sound, damaged, gone; and what an export shows of faces."""

import argparse

import pytest

from gateway.media.arguments import add_chain_commands
from gateway.media.checking import check_bodies
from tests.fakes.media_box import CAMERA, MediaBox, camera_alarm, not_blurred, scene
from tests.fakes.site import until

ALARM = camera_alarm().alarm_id


@pytest.fixture
async def box(tmp_path):
    box = MediaBox(tmp_path / "box")
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.eyes.release.set()
    box.start()
    await box.raise_alarm(camera_alarm())
    await until(lambda: len([item for item in box.desk.of_alarm(ALARM) if item.record_seq]) == 10)
    yield box
    await box.stop()


def command(*words):
    parser = argparse.ArgumentParser()
    add_chain_commands(parser.add_subparsers(required=True), not_blurred, lambda path, key_id: 7)
    args = parser.parse_args([str(word) for word in words])
    return args.command(args)


def frame(box):
    return box.desk.of_alarm(ALARM)[0].sha256


async def test_a_sound_folder_is_said_to_be(box, tmp_path, capsys):
    assert command("verify", tmp_path / "box") == 0
    said = capsys.readouterr().out
    assert "chain holds: 3 records" in said
    assert "media: 10 sound, 0 expired, 0 never kept" in said


async def test_an_altered_and_a_lost_body_are_named(box, tmp_path, capsys):
    clip = box.desk.of_alarm(ALARM)[-1].sha256
    box.shelf.path(frame(box)).write_bytes(b"another picture")
    box.shelf.remove(clip)

    assert command("verify", tmp_path / "box") == 1
    said = capsys.readouterr().out
    assert f"media damaged: {frame(box)}" in said
    assert f"media gone: {clip}" in said
    assert check_bodies(tmp_path / "box").sound == 8


async def test_an_export_outside_a_case_shows_no_face(box, tmp_path, capsys):
    assert command("export", tmp_path / "box", "--bodies", tmp_path / "out", "--alarm", ALARM) == 0

    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(files) == 9
    assert all(name.endswith("-blurred.jpg") for name in files)
    assert all(path.read_bytes().startswith(b"faces blurred") for path in (tmp_path / "out").iterdir())
    assert "left out: no case is open: a clip shows faces" in capsys.readouterr().out


async def test_an_export_of_an_open_case_holds_exactly_the_evidence(box, tmp_path):
    await box.desk.open_case(ALARM, "li", "accident inquiry")
    command("export", tmp_path / "box", "--bodies", tmp_path / "out")

    bodies = {path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert bodies == {box.shelf.read(item.sha256) for item in box.desk.of_alarm(ALARM)}


async def test_of_another_alarm_nothing_is_exported(box, tmp_path):
    command("export", tmp_path / "box", "--bodies", tmp_path / "out", "--alarm", "another")
    assert list((tmp_path / "out").iterdir()) == []


async def test_the_records_are_printed_as_before(box, tmp_path, capsys):
    assert command("export", tmp_path / "box") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_file_is_an_evidence_package_and_goes_to_who_knows_them(tmp_path):
    (tmp_path / "package.zip").write_bytes(b"")
    assert command("verify", tmp_path / "package.zip") == 7
