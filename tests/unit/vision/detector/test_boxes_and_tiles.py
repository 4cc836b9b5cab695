from pathlib import Path

import numpy as np
import pytest

from gateway.model.detections import SeenClass
from tests.fakes.block_model import BLUE, paint, write_block_model
from vision.detector import Backend, Detector, Tiling, open_detector, read_model
from vision.detector.boxes import Boxes, no_boxes, one_box_a_head, suppress
from vision.detector.tiles import View, merge_views
from vision.picture.frame import Frame

HELMET, HEAD, PERSON = SeenClass
THRESHOLDS = np.array([0.6, 0.3, 0.5], np.float32)
Row = tuple[SeenClass, float, list[float]]


def _boxes(*rows: Row) -> Boxes:
    return Boxes(
        np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([code for code, _, _ in rows], np.uint8),
    )


def _kept(boxes: Boxes) -> list[tuple[int, float]]:
    return [(int(code), round(float(score), 2)) for code, score in zip(boxes.class_id, boxes.score, strict=True)]


def test_the_best_of_overlapping_boxes_stays_class_by_class() -> None:
    boxes = _boxes(
        (HELMET, 0.7, [0, 0, 20, 20]),
        (HELMET, 0.9, [1, 1, 21, 21]),
        (HELMET, 0.5, [100, 0, 120, 20]),
        (PERSON, 0.8, [0, 0, 20, 20]),
    )
    assert _kept(suppress(boxes, 0.6)) == [(0, 0.9), (2, 0.8), (0, 0.5)]


def test_boxes_that_overlap_less_than_the_limit_both_stay() -> None:
    boxes = _boxes((HEAD, 0.9, [0, 0, 20, 20]), (HEAD, 0.8, [10, 0, 30, 20]))
    assert len(suppress(boxes, 0.6)) == 2


def test_nothing_suppressed_is_nothing() -> None:
    assert len(suppress(no_boxes(), 0.6)) == 0
    assert len(one_box_a_head(no_boxes(), 0.6, THRESHOLDS)) == 0


@pytest.mark.parametrize(
    ("helmet", "head", "kept"),
    [(0.9, 0.4, [(0, 0.9)]), (0.65, 0.5, [(1, 0.5)]), (0.55, 0.4, [(1, 0.4)])],
)
def test_of_helmet_and_bare_head_on_one_head_the_one_further_above_its_threshold_stays(
    helmet: float, head: float, kept: list[tuple[int, float]]
) -> None:
    """In the last row the helmet has the better score, but does not reach its threshold: it takes nothing away."""
    boxes = _boxes((HELMET, helmet, [0, 0, 20, 20]), (HEAD, head, [1, 0, 20, 20]))
    assert _kept(one_box_a_head(boxes, 0.7, THRESHOLDS)) == kept


def test_two_heads_side_by_side_keep_their_own_boxes() -> None:
    boxes = _boxes((HELMET, 0.9, [0, 0, 20, 20]), (HEAD, 0.9, [12, 0, 32, 20]), (PERSON, 0.9, [0, 0, 20, 20]))
    assert len(one_box_a_head(boxes, 0.7, THRESHOLDS)) == 3


def test_tiles_cover_the_frame_and_share_their_overlap() -> None:
    full, *tiles = Tiling(3, 2, 0.2).views(1920, 1080)
    assert full == View(0, 0, 1920, 1080)
    covered = np.zeros((1080, 1920), bool)
    for tile in tiles:
        covered[tile.y0 : tile.y1, tile.x0 : tile.x1] = True
    assert covered.all()
    width = tiles[0].x1 - tiles[0].x0
    assert tiles[0].x1 - tiles[1].x0 == pytest.approx(0.2 * width, abs=1.5)
    assert (tiles[-1].x1, tiles[-1].y1) == (1920, 1080)


def test_one_tile_is_the_full_view_alone() -> None:
    assert Tiling(1, 1).views(640, 480) == (View(0, 0, 640, 480),)


@pytest.mark.parametrize(("columns", "rows", "overlap"), [(0, 1, 0.2), (1, 9, 0.2), (2, 2, 0.6), (2, 2, -0.1)])
def test_tiles_that_cannot_be_are_refused(columns: int, rows: int, overlap: float) -> None:
    with pytest.raises(ValueError, match="1 to 8 columns and rows"):
        Tiling(columns, rows, overlap)


VIEWS = (View(0, 0, 200, 100), View(0, 0, 110, 100), View(90, 0, 200, 100))


def test_boxes_of_tiles_come_back_to_the_frame() -> None:
    merged = merge_views(VIEWS, [no_boxes(), no_boxes(), _boxes((HEAD, 0.8, [30, 10, 40, 20]))])
    assert merged.xyxy.tolist() == [[120, 10, 130, 20]]


def test_one_head_in_two_tiles_and_the_full_view_is_one_head() -> None:
    seen = [
        _boxes((HEAD, 0.5, [93, 9, 106, 21])),
        _boxes((HEAD, 0.8, [95, 10, 105, 20])),
        _boxes((HEAD, 0.7, [5, 10, 15, 20])),
    ]
    assert _kept(merge_views(VIEWS, seen)) == [(1, 0.8)]


def test_what_a_tiles_inner_border_cuts_is_dropped_and_what_the_frames_border_cuts_is_not() -> None:
    cut = _boxes((PERSON, 0.9, [80, 10, 110, 50]), (PERSON, 0.8, [0, 10, 20, 50]))
    assert merge_views(VIEWS, [no_boxes(), cut, no_boxes()]).xyxy.tolist() == [[0, 10, 20, 50]]


@pytest.mark.parametrize(("code", "largest"), [(HELMET, 25), (HEAD, 25), (PERSON, 50)])
def test_what_is_near_is_the_full_views_matter(code: SeenClass, largest: float) -> None:
    seen = _boxes((code, 0.9, [10, 20, 30, 20 + largest]), (code, 0.8, [60, 20, 80, 21 + largest]))
    assert _kept(merge_views(VIEWS, [no_boxes(), seen, no_boxes()])) == [(code, 0.9)]
    assert len(merge_views(VIEWS, [seen, no_boxes(), no_boxes()])) == 2


def test_a_head_inside_a_better_one_is_the_same_and_persons_may_stand_before_each_other() -> None:
    heads = _boxes((HEAD, 0.9, [20, 20, 60, 60]), (HEAD, 0.6, [25, 25, 45, 45]))
    persons = _boxes((PERSON, 0.9, [20, 20, 60, 90]), (PERSON, 0.6, [25, 40, 45, 90]))
    assert _kept(merge_views(VIEWS, [heads, no_boxes(), no_boxes()])) == [(1, 0.9)]
    assert len(merge_views(VIEWS, [persons, no_boxes(), no_boxes()])) == 2


def test_tiles_see_a_far_block_that_the_full_view_does_not(tmp_path: Path) -> None:
    detector = open_detector(write_block_model(tmp_path))
    picture = paint([])
    picture[96:104, 144:152] = BLUE
    frame = Frame("cam-1", 1, 1, 1, True, 1, picture)
    assert len(detector.detect([frame])[0]) == 0
    (detections,) = detector.detect([frame], [Tiling(2, 2, 0.0).views(frame.width_px, frame.height_px)[1:]])
    assert detections.boxes_xyxy_px.tolist() == [[144, 96, 152, 104]]
    assert detector.spent.pictures == 1 + 5


class _Says:
    """An engine that says the same boxes of every picture: rows of x, y, width, height, three scores."""

    backend = Backend.ONNXRUNTIME

    def __init__(self, *rows: list[float]) -> None:
        self._output = np.array(rows, np.float32).T[None]

    def run(self, batch: np.ndarray) -> np.ndarray:
        return np.repeat(self._output, len(batch), axis=0)


def test_the_full_view_alone_is_read_as_the_eye_reads_it(tmp_path: Path) -> None:
    """A head within a larger one: merging views would drop it, looking at the whole frame does not. What is measured
    without tiles must be what the eye sees without tiles."""
    inner, outer = [50.0, 50, 20, 20, 0, 0.8, 0], [50.0, 50, 40, 40, 0, 0.9, 0]
    detector = Detector(read_model(write_block_model(tmp_path)), _Says(inner, outer))
    picture = paint([])
    views = Tiling(1, 1).views(256, 160)
    once = detector.see([picture])[0]
    assert len(once) == 2
    assert detector.read_tiled(views, detector.infer([picture])).xyxy.tolist() == once.xyxy.tolist()
