import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from gateway.model.survey import Protection, Survey, Zone, ZoneUse
from tests.fakes.block_clip import CELL_PX, HEIGHT, WIDTH, picture, write_clip, write_pictures
from tests.fakes.block_model import write_block_model
from tests.fakes.edge_site import rail
from tests.fakes.edge_site import survey as drawn_on_the_site
from vision.camera.faults import CaptureFault
from vision.camera.plan import CapturePlan
from vision.picture.scene_cut import SceneCut
from vision.watch import watch
from vision.watch.source import frames_of

EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


SMALL = ("--min-head-px", "12")
"""The model's input is half as wide as the clip: its heads of 32 px are 16 px there."""


def _run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[dict[str, Any]], str]:
    parser = argparse.ArgumentParser()
    watch.add_arguments(parser)
    status = watch.run(parser.parse_args([*argv, *SMALL, "--json"]))
    said = capsys.readouterr()
    return status, [json.loads(line) for line in said.out.splitlines()], said.err


def _story(at_s: float) -> list[tuple[str, int, int]]:
    """Bare for seven seconds, then with a helmet."""
    return [("head" if at_s < 7.0 else "helmet", 7, 4)]


def _survey(folder: Path, *zones: Zone) -> Path:
    path = folder / "survey.json"
    path.write_text(json.dumps(Survey("cam-1", 1, 1, "tester", "0" * 64, zones).document()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "story.mp4", _story, 11.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_block_model(tmp_path_factory.mktemp("model")))


def test_a_clip_is_told_line_by_line(capsys: pytest.CaptureFixture[str], clip: Path, model: str) -> None:
    status, lines, errors = _run(capsys, str(clip), "--model", model)
    assert (status, errors) == (0, "")
    health, fired, cleared, summary = lines
    assert health == {"at_s": 0.0, "frame": 0, "usable": True, "ailing": []}
    assert (fired["at_s"], fired["key"], fired["truth"], fired["fired"]) == (5.0, "bare_head_1", "true", True)
    assert fired["box_px"] == pytest.approx([224, 128, 256, 160], abs=1.5)
    assert (cleared["key"], cleared["truth"], cleared["about"]["cleared"]) == ("bare_head_1", "false", "seen safe")
    assert 8.6 <= cleared["at_s"] <= 9.2
    assert (summary["frames_judged"], summary["fired"], summary["unusable_frames"]) == (55, 1, 0)
    assert summary["looks"]["bare"] == 35


def test_the_same_in_words(capsys: pytest.CaptureFixture[str], clip: Path, model: str) -> None:
    parser = argparse.ArgumentParser()
    watch.add_arguments(parser)
    assert watch.run(parser.parse_args([str(clip), "--model", model, *SMALL, "--frames", "30"])) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("at_s=5.0  frame=25  key=bare_head_1  truth=true  fired=True")
    assert lines[-1].startswith("frames_judged=30")


def test_what_was_seen_is_drawn_into_a_video(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, clip: Path, model: str
) -> None:
    out = tmp_path / "seen.mp4"
    status, _, _ = _run(capsys, str(clip), "--model", model, "--out", str(out), "--frames", "28")
    assert status == 0
    with av.open(str(out)) as file:
        pictures = [each.to_ndarray(format="bgr24") for each in file.decode(video=0)]
    assert len(pictures) == 28
    assert pictures[0].shape == (2 * HEIGHT, 2 * WIDTH, 3), "small pictures are enlarged"
    around = pictures[27][250:254, 455:505].reshape(-1, 3).mean(axis=0)
    assert around[2] > 150, "a red frame around the head that is a finding"
    assert around[1] < 120


def test_no_helmet_is_asked_for_in_a_zone_of_the_survey(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, clip: Path, model: str
) -> None:
    survey = _survey(tmp_path, Zone("office", "Office", ZoneUse.EXEMPT, EVERYWHERE))
    status, lines, _ = _run(capsys, str(clip), "--model", model, "--survey", str(survey))
    assert status == 0
    assert lines[-1]["fired"] == 0
    assert lines[-1]["looks"]["unwatched"] == 55


def test_an_edge_with_tape_only_is_told_as_open(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, clip: Path, model: str
) -> None:
    edge = replace(rail(), protection=Protection.TAPE)
    path = tmp_path / "survey.json"
    path.write_text(json.dumps(drawn_on_the_site(edge).document()), encoding="utf-8")
    cv2.imwrite(str(tmp_path / "day.png"), picture([], 0))
    asked = ("--survey", str(path), "--reference", str(tmp_path / "day.png"), "--frames", "3")
    _, lines, _ = _run(capsys, str(clip), "--model", model, *asked)
    told = next(line for line in lines if line.get("key") == "edge_open_1")
    assert (told["truth"], told["about"]["why"]) == ("true", "tape is no protection")


def test_a_folder_of_pictures(capsys: pytest.CaptureFixture[str], tmp_path: Path, model: str) -> None:
    folder = tmp_path / "stills"
    folder.mkdir()
    for n in range(30):
        cv2.imwrite(str(folder / f"{n:03}.png"), picture([("head", 3, 3)], n))
    (folder / "011.png").write_bytes(b"no picture")
    status, lines, _ = _run(capsys, str(folder), "--model", model)
    assert status == 0
    assert lines[-1]["frames_judged"] == 29
    assert lines[-1]["fired"] == 1


def test_another_scene_is_told_and_begins_new_tracks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: str
) -> None:
    yard = [picture([("head", 3, 3)], n) for n in range(15)]
    hall = [np.ascontiguousarray(picture([("head", 3, 3)], n)[:, ::-1]) for n in range(15)]
    for image in hall:
        image[HEIGHT // 2 :] = 220
        image[HEIGHT // 2 :: 6] = 40
        image[3 * CELL_PX : 4 * CELL_PX, 3 * CELL_PX : 4 * CELL_PX] = (0, 255, 0)
    path = write_pictures(tmp_path / "cut.mp4", yard + hall)
    status, lines, _ = _run(capsys, str(path), "--model", model)
    assert status == 0
    assert lines[-1]["cuts"] == 1
    assert lines[-1]["fired"] == 0, "three seconds here and three there are not six seconds of one head"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["missing.mp4"], "no such file or device"),
        (["notes.mp4"], "what came is no video"),
        (["clip", "--survey", "notes.mp4"], "notes.mp4: not JSON"),
        (["clip", "--survey", "list.json"], "expected an object"),
        (["clip", "--out", "nowhere/seen.mp4"], "cannot be written as a video"),
        (["clip", "--out", "clip"], "--out is the source itself"),
        (["clip", "--fps", "0"], "--fps is 0, expected more than 0"),
        (["clip", "--reference", "notes.mp4"], "not a picture (JPEG or PNG expected)"),
        (["clip", "--night-reference", "notes.mp4"], "notes.mp4: not a picture"),
        (["clip", "--night-reference", "still.png"], "--night-reference without --reference"),
        (["clip", "--reference", "still.png", "--night-reference", "small.png"], "reference by night: (20, 30)"),
        (["clip", "--window"], "pip install 'sitewarden[box-desktop]'"),
        (["clip", "--model", "notes.mp4"], "notes.mp4"),
        (["rtsp://user:secret@camera/1"], "source: expected an address without user name and password"),
        (["clip", "--password-file", "missing.txt"], "missing.txt"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_a_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clip: Path,
    model: str,
    argv: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.mp4").write_text("these are notes")
    Path("list.json").write_text("[]")
    for name, size in (("still.png", (40, 60, 3)), ("small.png", (20, 30, 3))):
        cv2.imwrite(name, np.zeros(size, np.uint8))
    argv = [str(clip) if word == "clip" else word for word in argv]
    status, _, errors = _run(capsys, *argv, *([] if "--model" in argv else ["--model", model]))
    assert status == 2
    assert says in errors
    assert errors.count("\n") == 1
    assert "secret" not in errors


def test_a_clip_that_is_cut_off_is_watched_as_far_as_it_goes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: str
) -> None:
    whole = write_clip(tmp_path / "whole.ts", _story, 11.0)
    short = tmp_path / "short.ts"
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    status, lines, _ = _run(capsys, str(short), "--model", model)
    assert status == 0
    assert 20 < lines[-1]["frames_judged"] < 55


@pytest.mark.parametrize(("fps", "numbers"), [(5.0, [0, 5, 10, 15, 20]), (10.0, [0, 2, 5, 7, 10]), (100.0, [0, 1, 2])])
def test_frames_keep_the_numbers_they_have_in_the_clip(tmp_path: Path, fps: float, numbers: list[int]) -> None:
    path = write_pictures(tmp_path / "fast.mp4", (picture([], n) for n in range(25)), fps=25)
    frames = list(frames_of(CapturePlan("c", str(path), realtime=False), fps))
    assert [frame.seq for frame in frames][: len(numbers)] == numbers
    assert [frame.captured_at_ns for frame in frames] == [frame.seq * 40_000_000 for frame in frames]


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CaptureFault, match="holds no picture"):
        list(frames_of(CapturePlan("c", f"{tmp_path}/"), 5.0))


def _scene(seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    coarse = chance.integers(20, 230, (9, 16, 3), dtype=np.uint8)
    return cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC)


def test_another_scene_is_a_cut_and_light_noise_and_passers_by_are_none() -> None:
    scene = _scene(1)
    cut = SceneCut()
    assert not cut.step(scene)
    assert not cut.step(scene)
    assert not cut.step(cv2.convertScaleAbs(scene, alpha=0.6, beta=10))
    noise = np.random.default_rng(3).normal(0, 25, scene.shape)
    assert not cut.step(np.clip(scene + noise, 0, 255).astype(np.uint8))
    passing = scene.copy()
    passing[60:360, 200:380] = 15
    assert not cut.step(passing)
    assert not cut.step(np.roll(scene, 12, axis=1))
    assert cut.step(_scene(2))
    assert not cut.step(_scene(2))


def test_pictures_without_contrast_are_no_cuts() -> None:
    cut = SceneCut()
    chance = np.random.default_rng(1)
    assert not any(cut.step(chance.integers(8, 14, (360, 640, 3), dtype=np.uint8)) for _ in range(20))
