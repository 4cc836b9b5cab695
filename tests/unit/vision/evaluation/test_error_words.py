"""Errors of a detector in words: each kind once, with how many there were, and never a picture or a name."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.model.detections import SeenClass
from tests.fakes.block_model import CELL, SIZE, paint, write_block_model
from vision.detector.boxes import Boxes, no_boxes
from vision.evaluation.error_words import Words, error_figures, error_lines, error_words
from vision.evaluation.evaluate import add_arguments, run
from vision.evaluation.label_file import Labels

GREY = np.full((300, 400, 3), 120, np.uint8)
HEAD, HELMET, PERSON = SeenClass.HEAD, SeenClass.HELMET, SeenClass.PERSON
Row = tuple[SeenClass, tuple[float, float, float, float]]


def boxes(*rows: Row) -> Boxes:
    if not rows:
        return no_boxes()
    corners = np.array([box for _, box in rows], np.float32)
    return Boxes(corners, np.full(len(rows), 0.9, np.float32), np.array([code for code, _ in rows], np.uint8))


def labels(*rows: Row) -> Labels:
    corners = np.array([box for _, box in rows], np.float64).reshape(-1, 4)
    return Labels(corners, np.array([code for code, _ in rows], np.uint8))


def missed_as(seen: Boxes, weak: Boxes, *labelled: Row) -> dict[str, int]:
    figures = error_figures(error_words(GREY, seen, weak, labels(*labelled), 0.0))
    return dict(figures["helmet"]["missed"]["kind"])


def false_as(seen: Boxes, *labelled: Row) -> dict[str, int]:
    figures = error_figures(error_words(GREY, seen, seen, labels(*labelled), 0.0))
    return dict(figures["head"]["false"]["kind"])


AT = (100.0, 100.0, 130.0, 140.0)
NEAR = (112.0, 100.0, 142.0, 140.0)  # 0.43 of both together
ELSEWHERE = (300.0, 200.0, 330.0, 240.0)


def test_every_kind_of_missed_helmet_has_its_word() -> None:
    assert missed_as(boxes(), boxes(), (HELMET, AT)) == {"not seen": 1}
    assert missed_as(boxes(), boxes((HELMET, AT)), (HELMET, AT)) == {"seen below the threshold": 1}
    assert missed_as(boxes((HEAD, AT)), boxes(), (HELMET, AT)) == {"seen as the other class": 1}
    assert missed_as(boxes((HELMET, NEAR)), boxes(), (HELMET, AT)) == {"boxed loosely": 1}
    beside = (103.0, 100.0, 133.0, 140.0)
    assert missed_as(boxes((HELMET, AT)), boxes(), (HELMET, AT), (HELMET, beside)) == {"its box went to a neighbour": 1}


def test_every_kind_of_false_bare_head_has_its_word() -> None:
    assert false_as(boxes((HEAD, AT)), (HELMET, AT)) == {"on a head of the other class": 1}
    assert false_as(boxes((HEAD, AT), (HEAD, (101.0, 100.0, 131.0, 140.0))), (HEAD, AT)) == {"second box": 1}
    assert false_as(boxes((HEAD, NEAR)), (HEAD, AT)) == {"boxed loosely": 1}
    assert false_as(boxes((HEAD, AT)), (PERSON, (80.0, 90.0, 160.0, 290.0))) == {"on a person, beside the head": 1}
    assert false_as(boxes((HEAD, AT)), (HELMET, ELSEWHERE)) == {"on nothing that is labelled": 1}


def test_what_was_missed_is_told_with_how_many_there_were() -> None:
    picture = GREY.copy()
    picture[100:140, 100:130] = 20  # a dark head against a grey wall
    picture[200:240, 300:330] = 240
    picture[0:20, 0:20] = 40
    seen = boxes((HELMET, ELSEWHERE))
    given = labels((HELMET, AT), (HELMET, ELSEWHERE), (HELMET, (0.0, 0.0, 15.0, 15.0)))
    missed = error_figures(error_words(picture, seen, seen, given, 0.0))["helmet"]["missed"]
    assert (missed["n"], missed["of"]) == (2, 3)
    assert missed["light"] == {"against the light": [1, 1], "dark": [1, 1], "glare": [0, 1]}
    assert missed["size"] == {"32 to 64 px": [1, 2], "12 to 20 px": [1, 1]}
    assert missed["place"]["cut by the edge"] == [1, 1]
    assert missed["company"] == {"apart": [2, 3]}


def test_small_heads_are_neither_missed_nor_false() -> None:
    small = (10.0, 10.0, 20.0, 22.0)
    words = error_words(GREY, boxes((HEAD, small)), boxes(), labels((HELMET, (50.0, 50.0, 60.0, 62.0))), 20.0)
    assert error_figures(words) == {}


def test_words_of_pictures_add_up() -> None:
    one = error_words(GREY, boxes(), boxes(), labels((HELMET, AT)), 0.0)
    figures = error_figures(one + one + Words())
    assert figures["helmet"]["missed"]["n"] == 2
    assert "helmet: 2 of 2 missed" in error_lines(figures)


def test_the_command_tells_words_and_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images, label_folder = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    label_folder.mkdir()
    cv2.imwrite(str(images / "wang_xiaoming.png"), paint([("head", 1, 1)], *SIZE))
    width, height = SIZE
    row = f"0 {1.5 * CELL / width} {1.5 * CELL / height} {CELL / width} {CELL / height}"
    (label_folder / "wang_xiaoming.txt").write_text(row)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    model = write_block_model(tmp_path / "model")
    asked = ["--images", str(images), "--labels", str(label_folder), "--model", str(model), "--json", "--errors"]
    assert run(parser.parse_args(asked)) == 0
    told = capsys.readouterr()
    figures = json.loads(told.out.splitlines()[-1])
    assert figures["errors"]["helmet"]["missed"]["kind"] == {"seen as the other class": 1}
    assert figures["errors"]["head"]["false"]["kind"] == {"on a head of the other class": 1}
    assert figures["classes"]["head"]["calibration"]["n"] == 1
    assert "wang" not in json.dumps(figures) + told.err
