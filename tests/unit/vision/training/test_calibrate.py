"""One command gives an entry its calibration: the same boxes are seen, and a second run begins from the network."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from tests.fakes.block_model import CELL, SIZE, write_block_model
from vision.detector import open_detector
from vision.detector.registry import read_entry
from vision.training import calibrate

PICTURES = 40
CELL_PX = 2 * CELL  # the picture is twice as large as what the network is fed: heads of 32 px


def shaded(strength: float, labelled: bool, folder: Path, name: str) -> None:
    """A picture with two blocks, `strength` of each is blue: the block model scores them so. The second is labelled
    never."""
    width, height = 2 * SIZE[0], 2 * SIZE[1]
    picture = np.zeros((height, width, 3), np.uint8)
    for column in (2, 8):
        left = column * CELL_PX
        picture[2 * CELL_PX : 3 * CELL_PX, left : left + round(strength * CELL_PX)] = (255, 0, 0)
    cv2.imwrite(str(folder / "images" / f"{name}.png"), picture)
    row = f"0 {2.5 * CELL_PX / width} {2.5 * CELL_PX / height} {CELL_PX / width} {CELL_PX / height}\n"
    (folder / "labels" / f"{name}.txt").write_text(row if labelled else "")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    for number in range(PICTURES):
        shaded(0.5 + number % 4 / 8, number % 4 > 0, folder, f"p{number}")
    return folder


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return write_block_model(tmp_path / "model", thresholds={"helmet": 0.6, "head": 0.5, "person": 0.5})


def calibrated(entry: Path, data: Path) -> int:
    return calibrate.main([str(entry), "--images", str(data / "images"), "--labels", str(data / "labels")])


def seen_in(entry: Path, data: Path) -> list[list[list[float]]]:
    detector = open_detector(entry)
    pictures = [np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted((data / "images").iterdir())]
    return [boxes.xyxy.tolist() for boxes in detector.see(pictures)]


def test_the_same_boxes_are_seen_as_before(entry: Path, data: Path) -> None:
    before, name = seen_in(entry, data), read_entry(entry).label
    assert sum(map(len, before)) == 60
    assert calibrated(entry, data) == 0
    said = yaml.safe_load(entry.read_text())
    assert set(said["calibration"]) == {"helmet"}
    assert said["thresholds"]["head"] == 0.5
    assert said["thresholds"]["helmet"] != 0.6
    assert read_entry(entry).label != name
    assert seen_in(entry, data) == before


def test_a_second_run_begins_anew_from_the_networks_own_scores(entry: Path, data: Path) -> None:
    calibrated(entry, data)
    once = yaml.safe_load(entry.read_text())
    assert calibrated(entry, data) == 0
    twice = yaml.safe_load(entry.read_text())
    assert twice["calibration"] == once["calibration"]
    assert twice["thresholds"]["helmet"] == pytest.approx(once["thresholds"]["helmet"], abs=2e-3)
    assert sorted(path.name for path in entry.parent.iterdir()) == ["blocks.onnx", "blocks.yaml"]


def test_folds_are_fitted_together(entry: Path, data: Path) -> None:
    fold = {"name": "own", "model": str(entry), "images": str(data / "images"), "labels": str(data / "labels")}
    folds = data / "folds.json"
    folds.write_text(json.dumps([fold]))
    assert calibrate.main([str(entry), "--folds", str(folds)]) == 0
    assert set(yaml.safe_load(entry.read_text())["calibration"]) == {"helmet"}


def test_with_too_few_boxes_nothing_is_written(entry: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = entry.read_bytes()
    for path in sorted((data / "images").iterdir())[4:]:
        path.unlink()
    assert calibrated(entry, data) == 1
    assert entry.read_bytes() == before
    assert "at least 20 and 20 are needed" in capsys.readouterr().err
