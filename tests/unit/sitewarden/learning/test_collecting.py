"""What the desk judged becomes a labelled set of the site's own: of this box, blurred, as the verdict says, bounded."""

import argparse
import csv
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sitewarden.learning import collect_command
from sitewarden.learning.labels import read_labels
from tests.fakes.block_model import CELL, SIZE
from tests.fakes.judged_site import AT, JudgedSite
from tests.fakes.media_box import CAMERA
from vision.evaluation import evaluate
from vision.privacy.still import blurred_still


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[JudgedSite]:
    made = JudgedSite(tmp_path)
    yield made
    await made.box.stop()


def collected(site: JudgedSite, out: Path, *more: str) -> int:
    parser = argparse.ArgumentParser()
    collect_command.add_arguments(parser)
    return collect_command.run(parser.parse_args(["--site", str(site.file), "--out", str(out), *more]))


def manifest(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "manifest.json").read_text(encoding="utf-8")))


def labels_of(out: Path, row: dict[str, Any]) -> list[list[str]]:
    text = (out / row["file"].replace("images/", "labels/").replace(".jpg", ".txt")).read_text()
    return [line.split() for line in text.splitlines()]


async def test_the_class_is_the_verdicts(site: JudgedSite, tmp_path: Path) -> None:
    await site.judge(await site.alarm(), "true")
    await site.judge(await site.alarm(), "false", "helmet_worn")
    await site.judge(await site.alarm(), "false", "not_a_person")
    out = tmp_path / "set"
    assert collected(site, out) == 0
    rows = {row["reason"] or row["verdict"]: row for row in manifest(out)["pictures"]}
    assert labels_of(out, rows["true"])[0][0] == "1"
    assert labels_of(out, rows["helmet_worn"])[0][0] == "0"
    assert labels_of(out, rows["not_a_person"]) == []
    x, y, width, height = (float(each) for each in labels_of(out, rows["true"])[0][1:])
    assert [x * SIZE[0], y * SIZE[1]] == pytest.approx([(AT[0] + 0.5) * CELL, (AT[1] + 0.5) * CELL], abs=0.01)
    assert [width * SIZE[0], height * SIZE[1]] == pytest.approx([CELL, CELL], abs=0.01)


async def test_what_the_detector_said_beside_it_is_marked_as_machine_made(site: JudgedSite, tmp_path: Path) -> None:
    await site.judge(await site.alarm(others=["helmet", "person"]), "true")
    out = tmp_path / "set"
    collected(site, out)
    (row,) = manifest(out)["pictures"]
    lines = labels_of(out, row)
    assert [line[0] for line in lines] == ["1", "0", "2"]
    assert [len(line) for line in lines] == [5, 6, 6]


async def test_evaluate_and_the_training_read_it(
    site: JudgedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await site.judge(await site.alarm(others=["helmet"]), "true")
    out = tmp_path / "set"
    collected(site, out)
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    asked = ["--images", str(out / "images"), "--labels", str(out / "labels"), "--model", str(site.entry), "--json"]
    assert evaluate.run(parser.parse_args(asked)) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["classes"]["head"]["n"] == 1
    assert figures["classes"]["helmet"]["found"] == 1
    (source,) = csv.DictReader((out / "sources.csv").read_text(encoding="utf-8").splitlines())
    assert source["set"] == f"site_{CAMERA}"
    assert (source["core"], source["person_labels"]) == ("1", "pseudo")
    assert (out / source["file"]).is_file()


async def test_faces_stay_blurred(site: JudgedSite, tmp_path: Path) -> None:
    await site.judge(await site.alarm(), "true")
    out = tmp_path / "set"
    collected(site, out)
    (row,) = manifest(out)["pictures"]
    kept = site.box.shelf.read(row["evidence_sha256"])
    body = (out / row["file"]).read_bytes()
    assert row["sha256"] == hashlib.sha256(body).hexdigest() != row["evidence_sha256"]
    (frame, *_) = site.box.desk.of_alarm(row["alarm_id"])
    assert body == blurred_still(kept, frame.boxes)


async def test_what_says_nothing_of_the_box_is_left_out_and_counted(site: JudgedSite, tmp_path: Path) -> None:
    await site.judge(await site.alarm(), "true")
    await site.judge(await site.alarm(), "false", "light")
    await site.judge(await site.alarm(), "false", "duplicate")
    await site.judge(await site.alarm(), "doubtful")
    await site.judge("another-box-000001", "true")
    await site.alarm()  # nobody has judged it
    out = tmp_path / "set"
    assert collected(site, out) == 0
    assert len(manifest(out)["pictures"]) == 1
    assert manifest(out)["left_out"] == {"the verdict does not say what is in the box": 2}
    assert read_labels(site.data).left_out == {"no alarm of a camera of this box": 1, "doubtful": 1}


async def test_a_verdict_that_was_taken_back_or_changed_counts_as_it_stands(site: JudgedSite, tmp_path: Path) -> None:
    taken_back, changed = await site.alarm(), await site.alarm()
    await site.judge(taken_back, "true", version=2)
    await site.judge(taken_back, "open", version=3)
    await site.judge(changed, "true", version=4)
    await site.judge(changed, "false", "not_a_person", version=2)  # it was overtaken on the way
    await site.judge(changed, "true", version=4)  # sealed twice by a kill
    out = tmp_path / "set"
    collected(site, out)
    assert [(row["alarm_id"], row["verdict"]) for row in manifest(out)["pictures"]] == [(changed, "true")]


async def test_it_is_bounded_and_the_newest_come_first(site: JudgedSite, tmp_path: Path) -> None:
    alarms = [await site.alarm() for _ in range(3)]
    for alarm in alarms:
        await site.judge(alarm, "true")
    out = tmp_path / "set"
    collected(site, out, "--most", "2")
    assert [row["alarm_id"] for row in manifest(out)["pictures"]] == [alarms[2], alarms[1]]
    assert manifest(out)["left_out"] == {"beyond the bound": 1}
    assert len(list((out / "images").iterdir())) == 2


async def test_a_picture_that_is_gone_or_damaged_is_left_out(site: JudgedSite, tmp_path: Path) -> None:
    gone, damaged = await site.alarm(), await site.alarm()
    for alarm in (gone, damaged):
        await site.judge(alarm, "true")
    digests = [site.box.desk.of_alarm(alarm)[0].sha256 for alarm in (gone, damaged)]
    site.box.shelf.remove(digests[0])
    site.box.shelf.path(digests[1]).write_bytes(b"another picture")
    out = tmp_path / "set"
    assert collected(site, out) == 1
    assert manifest(out)["left_out"] == {"picture is kept no more": 1, "picture is not what was sealed": 1}


async def test_a_folder_that_holds_something_is_not_written_into(
    site: JudgedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert collected(site, out) == 2
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert "is not empty" in capsys.readouterr().err


async def test_an_unknown_camera_is_told_with_those_that_there_are(site: JudgedSite, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=f"cam-9: no such camera; this site has {CAMERA}"):
        collected(site, tmp_path / "set", "--camera", "cam-9")
