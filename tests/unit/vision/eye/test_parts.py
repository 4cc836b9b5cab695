"""What one camera is judged with: the edge check is given both reference pictures, or the one that can be used."""

import logging
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fakes.edge_site import painted, survey
from tests.fakes.eye_parts import watched
from vision.edges.watch import EdgeWatch
from vision.eye import parts
from vision.eye.parts import ModelShelf, open_parts
from vision.eye.watched import Watched

Image = NDArray[np.uint8]


def jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])


def camera(night: bytes) -> Watched:
    return replace(watched(survey=survey()), reference=jpeg(painted()), night=night)


def no_model(*_: object) -> None:
    raise ValueError("no model in this test")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Image | None]:
    """The pictures by night that the edge check is opened with."""
    pictures: list[Image | None] = []

    def opened(survey: object, reference: Image, settings: object, night: Image | None = None) -> EdgeWatch:
        pictures.append(night)
        return EdgeWatch(survey, reference, settings, night)  # type: ignore[arg-type]

    monkeypatch.setattr(parts, "EdgeWatch", opened)
    return pictures


def test_the_edge_check_is_given_the_reference_by_night(given: list[Image | None]) -> None:
    opened = open_parts(camera(jpeg(painted() // 4)), ModelShelf(no_model), 0, 0)
    assert opened.edges is not None
    (night,) = given
    assert night is not None
    assert abs(float(night.mean()) - float(painted().mean()) / 4) < 2


@pytest.mark.parametrize(
    ("night", "told"),
    [(b"", ""), (b"no picture", "event=reference_unusable"), (jpeg(painted()[::2, ::2]), "night_reference_unusable")],
    ids=["none", "no picture", "another size"],
)
def test_one_that_cannot_be_used_is_said_and_the_one_by_day_counts(
    given: list[Image | None], caplog: pytest.LogCaptureFixture, night: bytes, told: str
) -> None:
    with caplog.at_level(logging.ERROR):
        assert open_parts(camera(night), ModelShelf(no_model), 0, 0).edges is not None
    assert given == [None]
    words = ("night_reference_unusable", "event=reference_unusable")
    assert [word for word in words if word in caplog.text] == ([told] if told else [])
