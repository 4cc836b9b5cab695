"""A camera's own operating scores: used for the model they were made for, by that camera alone, and said."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.camera_scores import CameraScores, CameraScoresError, read_scores
from gateway.model.detections import SeenClass
from tests.fakes.block_model import CELL, paint, write_block_model
from tests.fakes.eye_parts import NOW_NS, HandSlot, ToldHelmets, ToldModel, opener, parts, watched
from tests.unit.vision.evaluation.test_calibration import KNOTS, entry_with
from vision.detector import open_detector
from vision.detector.registry import read_entry
from vision.eye.mind import MindParts
from vision.eye.models import ModelShelf, operating
from vision.eye.parts import SiteDetector, open_parts
from vision.eye.turn import Turn
from vision.eye.watched import Redraw, Watched
from vision.picture.frame import Frame
from vision.tracking.tracker import Tracker, TrackerSettings

HALF_BLUE = 0.75


def own(model: str, version: int = 3, camera: str = "cam-1", **scores: float) -> CameraScores:
    return CameraScores(camera, version, model, scores, 1_000, "wang")


def picture(camera: str, seq: int = 1) -> Frame:
    """A bare head of full score and one of 0.75."""
    image = paint([("head", 2, 2), ("head", 8, 2)])
    image[2 * CELL : 3 * CELL, 8 * CELL + round(HALF_BLUE * CELL) : 9 * CELL] = 0
    return Frame(camera, seq, NOW_NS, NOW_NS, False, 1, image)


@pytest.fixture
def detector(tmp_path: Path) -> SiteDetector:
    return SiteDetector(open_detector(write_block_model(tmp_path / "model")))


def test_own_scores_hold_for_the_model_they_were_made_for() -> None:
    model = ToldModel()
    assert operating(model, own(model.version, head=0.8)) == (0.5, 0.8, 0.5)
    assert operating(model, own("another model", head=0.8)) == model.thresholds
    assert operating(model, own(model.version)) == model.thresholds
    assert operating(model, None) == model.thresholds


def test_frames_of_one_batch_are_read_each_at_its_cameras_scores(tmp_path: Path) -> None:
    """A helmet and a bare head box lie on one head: which stays depends on how far each is above its own threshold."""
    entry = write_block_model(tmp_path / "model", one_head_iou=0.1)
    shared = SiteDetector(open_detector(entry))
    frames = [picture("cam-1"), picture("cam-2")]
    first, second = shared.detect(frames, [(), ()], [(0.5, 0.5, 0.5), (0.5, 0.95, 0.5)])
    assert first.score.tolist() == pytest.approx([1.0, HALF_BLUE], abs=0.01)
    assert second.score.tolist() == pytest.approx([1.0, HALF_BLUE], abs=0.01)  # weak, for the tracker: 0.4 of 0.95
    (third,) = shared.detect([picture("cam-1")], [()], [(0.5, 0.999, 0.5)])
    assert len(third) == 2
    settings = TrackerSettings(thresholds=(0.5, 0.95, 0.5), low=shared.low_scores((0.5, 0.95, 0.5)))
    tracked = Tracker(settings).step(second)
    assert tracked.track_id.tolist() == [1, -1]  # the weak one begins no track


def test_weak_boxes_are_as_weak_as_before_when_scores_are_mapped(tmp_path: Path) -> None:
    plain = write_block_model(tmp_path / "model")
    threshold = 0.2  # what 0.5 is mapped to
    entry = entry_with(plain, calibration={"head": KNOTS}, thresholds={"helmet": 0.5, "head": threshold, "person": 0.5})
    before, after = (SiteDetector(open_detector(path)) for path in (plain, entry))
    assert before.low_scores(before.thresholds) == pytest.approx((0.2, 0.2, 0.2))
    low = after.low_scores(after.thresholds)[SeenClass.HEAD]
    assert low == pytest.approx(0.08)  # 0.4 of the network's own 0.5, mapped
    one, other = before.detect([picture("cam-1")], [()])[0], after.detect([picture("cam-1")], [()])[0]
    assert one.boxes_xyxy_px.tolist() == other.boxes_xyxy_px.tolist()


def test_tracks_and_votes_are_opened_at_the_cameras_scores(tmp_path: Path) -> None:
    entry = write_block_model(tmp_path / "model")
    shelf = ModelShelf(lambda *_: SiteDetector(open_detector(entry)))
    label = read_entry(entry).label
    opened = open_parts(replace(watched(), scores=own(label, head=0.9)), shelf, 0, 0)
    assert opened.scores == pytest.approx((0.5, 0.9, 0.5))
    assert open_parts(watched(), shelf, 0, 0).scores == pytest.approx((0.5, 0.5, 0.5))


class TwoCameras:
    """A turn over two cameras that share a model; the first has scores of its own."""

    def __init__(self) -> None:
        self.model = ToldModel(heads={"cam-1": 1, "cam-2": 1})
        self.asked: list[dict[str, tuple[float, float, float]]] = []
        self.slots = {"cam-1": HandSlot(), "cam-2": HandSlot()}
        self.turn = Turn(ModelShelf(opener(self.model)), lambda _, camera: self.slots[camera], self._parts)
        self.turn.obey(replace(watched("cam-1"), scores=own(self.model.version, head=0.8)))
        self.turn.obey(watched("cam-2"))

    def _parts(self, each: Watched) -> MindParts:
        return parts(helmets=ToldHelmets(), scores=operating(self.model, each.scores))

    def said(self, seq: int) -> dict[str, dict[str, str]]:
        for camera, slot in self.slots.items():
            slot.newest_frame = picture(camera, seq)
        told = self.turn.step(NOW_NS + seq * 10**9, seq * 10**9)
        return {each.camera: json.loads(each.said) for each in told}


def test_the_evidence_says_at_which_scores_a_frame_was_judged() -> None:
    cameras = TwoCameras()
    said = cameras.said(1)
    assert said["cam-1"]["scores"] == "helmet 0.500, head 0.800, person 0.500"
    assert said["cam-1"]["scores_version"] == "3"
    assert said["cam-2"]["scores"] == "helmet 0.500, head 0.500, person 0.500"
    assert "scores_version" not in said["cam-2"]
    assert cameras.model.scores == [[(0.5, 0.8, 0.5), (0.5, 0.5, 0.5)]]


def test_another_drawing_leaves_the_scores_in_force() -> None:
    cameras = TwoCameras()
    cameras.turn.obey(Redraw(replace(watched("cam-1").survey, version=9), b""))
    assert cameras.said(1)["cam-1"]["scores_version"] == "3"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"scores": {"hat": 0.5}}, "helmet, head, person"),
        ({"scores": {"head": 1.5}}, "between 0 and 1"),
        ({"version": 0}, "whole numbers"),
        ({"camera": ""}, "texts"),
        ({"back_to": "2"}, "back_to"),
        ({"more": 1}, "all its keys and no other"),
    ],
)
def test_what_is_no_version_is_refused(changes: dict[str, object], why: str) -> None:
    document = own("m", head=0.6).document()
    assert read_scores(document) == own("m", head=0.6)
    with pytest.raises(CameraScoresError, match=why):
        read_scores(document | changes)
