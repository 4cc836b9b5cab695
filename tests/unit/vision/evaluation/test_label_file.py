from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.model.detections import SeenClass
from vision.detector import PictureError
from vision.evaluation.label_file import LabelError, parse_labels, read_labels
from vision.evaluation.picture_file import decode_picture, read_picture


def _encoded(suffix: str) -> bytes:
    picture = np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return cv2.imencode(suffix, picture)[1].tobytes()


def test_labels_become_boxes_in_pixels() -> None:
    labels = parse_labels("0 0.5 0.5 0.25 0.5\n\n2 0.25 0.25 0.5 0.5 0.83\n", 200, 100, "a.txt")
    assert labels.class_id.tolist() == [0, 2]
    assert labels.xyxy_px.tolist() == [[75.0, 25.0, 125.0, 75.0], [0.0, 0.0, 100.0, 50.0]]


def test_an_empty_label_file_says_that_nothing_is_there() -> None:
    assert parse_labels("\n", 200, 100, "a.txt").xyxy_px.shape == (0, 4)


def test_a_box_a_little_over_the_border_is_cut_there() -> None:
    assert parse_labels("1 0.99 0.5 0.04 0.5", 100, 100, "a.txt").xyxy_px[0].tolist() == [97.0, 25.0, 100.0, 75.0]


def test_clothes_are_passed_over_and_a_blurred_head_is_neither_right_nor_wrong() -> None:
    text = "3 0.5 0.5 0.2 0.2\n4 0.5 0.5 0.2 0.2\n5 0.5 0.5 0.2 0.2\n2 0.5 0.5 0.5 0.5"
    labels = parse_labels(text, 100, 100, "a.txt")
    assert labels.class_id.tolist() == [SeenClass.PERSON]
    assert labels.unsure_px.tolist() == [[40.0, 40.0, 60.0, 60.0]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5 0.25", "a.txt:2: class x y width height expected, found 4 columns"),
        ("0 0.5 0.5 0.25 half", "a.txt:2: could not convert"),
        ("helmet 0.5 0.5 0.25 0.25", "a.txt:2: invalid literal"),
        ("6 0.5 0.5 0.25 0.25", "a.txt:2: class 6; 0 helmet, 1 head, 2 person, 3 or 4 clothes, 5 blurred head"),
        ("-1 0.5 0.5 0.25 0.25", "a.txt:2: class -1;"),
        ("0 nan 0.5 0.25 0.25", "a.txt:2: box nan"),
        ("0 320 240 40 40", "a.txt:2: box 320 240 40 40; fractions"),
        ("0 0.5 0.5 0 0.25", "a.txt:2: box 0.5 0.5 0 0.25; fractions of the picture with a size above 0"),
        ("0 0.5 0.5 -0.2 0.25", "a.txt:2: box"),
    ],
)
def test_a_bad_label_is_named_with_its_line(line: str, reason: str) -> None:
    with pytest.raises(LabelError) as raised:
        parse_labels(f"0 0.5 0.5 0.25 0.25\n{line}", 200, 100, "a.txt")
    assert str(raised.value).startswith(reason)


def test_a_missing_label_file_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such label file"):
        read_labels(tmp_path / "none.txt", 10, 10)


def test_a_label_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(LabelError, match=r"a\.txt: 'utf-8' codec"):
        read_labels(tmp_path / "a.txt", 10, 10)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
def test_whole_pictures_are_read(suffix: str) -> None:
    assert decode_picture(_encoded(suffix), "a").shape == (48, 64, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_half_a_picture_is_no_picture(suffix: str, kept: float) -> None:
    body = _encoded(suffix)
    with pytest.raises(PictureError, match="truncated"):
        decode_picture(body[: int(len(body) * kept)], f"a{suffix}")


def test_what_follows_a_whole_picture_does_not_matter() -> None:
    assert decode_picture(_encoded(".jpg") + b"\0" * 500, "a.jpg").shape == (48, 64, 3)


@pytest.mark.parametrize(("body", "reason"), [(b"", "empty file"), (b"<html></html>", "no picture that can be")])
def test_what_is_no_picture_is_said_so(tmp_path: Path, body: bytes, reason: str) -> None:
    (tmp_path / "a.jpg").write_bytes(body)
    with pytest.raises(PictureError, match=rf"a\.jpg: {reason}"):
        read_picture(tmp_path / "a.jpg")


def test_a_picture_that_is_missing_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"a\.jpg: No such file"):
        read_picture(tmp_path / "a.jpg")
