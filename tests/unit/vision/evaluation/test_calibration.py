"""Scores against the share right: measured, fitted, and applied without changing which boxes are seen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from tests.fakes.block_model import paint, write_block_model
from vision.detector import ModelError, open_detector
from vision.detector.calibrated import mapped, raw_thresholds
from vision.detector.registry import read_entry
from vision.evaluation.calibration import TooFewBoxesError, fit_knots, reliability, scored_boxes
from vision.picture.detection_scores import Matches, Sizes

HELMET = SeenClass.HELMET


def drawn(n: int, share_right: float, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Boxes of a network whose score is right in `share_right` times its score."""
    chance = np.random.default_rng(seed)
    score = chance.uniform(0.1, 1.0, n)
    return score, chance.uniform(size=n) < share_right * score


def test_a_score_that_is_right_as_often_as_it_says_is_not_off() -> None:
    score = np.repeat([0.25, 0.75], [400, 400])
    right = np.concatenate([np.arange(400) < 100, np.arange(400) < 300])
    told = reliability(score, right)
    assert told.ece == pytest.approx(0.0)
    assert [(each.n, each.right) for each in told.bins if each.n] == [(400, 0.25), (400, 0.75)]


def test_half_as_often_right_is_off_by_half_the_score() -> None:
    told = reliability(np.full(200, 0.8), np.arange(200) < 80)
    assert told.ece == pytest.approx(0.4)
    assert told.n == 200


def test_without_boxes_nothing_is_known() -> None:
    told = reliability(np.zeros(0), np.zeros(0, bool))
    assert np.isnan(told.ece)
    assert told.n == 0


def test_small_heads_and_the_weakest_boxes_do_not_count() -> None:
    image = Matches(
        np.array([0.9, 0.5, 0.05]), np.array([True, False, False]), np.array([30.0, 10.0, 30.0]), np.array([30.0])
    )
    score, right = scored_boxes([image], Sizes(20.0))
    assert score.tolist() == [0.9]
    assert right.tolist() == [True]


def test_a_mapping_fitted_on_some_holds_on_others() -> None:
    knots = fit_knots(*drawn(3000, 0.6))
    score, right = drawn(3000, 0.6, seed=2)
    before, after = reliability(score, right).ece, reliability(mapped(score, knots).astype(np.float64), right).ece
    assert before > 0.15
    assert after < 0.04


def test_a_mapping_rises_from_end_to_end() -> None:
    """Also where every strong box is right and every weak one wrong: no two scores become one."""
    score = np.concatenate([np.linspace(0.1, 0.4, 60), np.linspace(0.6, 0.99, 60)])
    knots = np.array(fit_knots(score, score > 0.5))
    assert (np.diff(knots, axis=0) > 0).all()
    assert knots[0].tolist() == [0.0, 0.0]
    assert knots[-1, 0] == 1.0
    assert knots[-1, 1] <= 1.0


def test_too_few_boxes_are_told_with_what_is_needed() -> None:
    with pytest.raises(TooFewBoxesError, match=r"5 right and 35 wrong boxes .*at least 20 and 20"):
        fit_knots(np.full(40, 0.5), np.arange(40) < 5)


def entry_with(path: Path, **changes: Any) -> Path:
    """The block model's entry with other keys."""
    said = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    other = path.with_name("other.yaml")
    other.write_text(yaml.safe_dump(said), encoding="utf-8")
    return other


KNOTS = [[0.0, 0.0], [0.5, 0.2], [0.9, 0.8], [1.0, 1.0]]


def test_the_same_boxes_are_seen_with_scores_that_were_mapped(tmp_path: Path) -> None:
    plain = write_block_model(tmp_path / "model")
    threshold = float(np.interp(0.5, *np.array(KNOTS).T))
    thresholds = {"helmet": threshold, "head": 0.5, "person": 0.5}
    entry = entry_with(plain, calibration={"helmet": KNOTS}, thresholds=thresholds)
    picture = paint([("helmet", 1, 1), ("head", 5, 5), ("person", 8, 3)])
    (before,), (after,) = open_detector(plain).see([picture]), open_detector(entry).see([picture])
    assert np.array_equal(before.xyxy, after.xyxy)
    assert np.array_equal(before.class_id, after.class_id)
    helmets = before.class_id == HELMET
    assert helmets.any()
    assert after.score[helmets] == pytest.approx(mapped(before.score[helmets], read_entry(entry).calibration[HELMET]))
    assert np.array_equal(before.score[~helmets], after.score[~helmets])


def test_a_threshold_has_its_raw_score_and_an_unknown_class_keeps_none() -> None:
    calibration = {HELMET: tuple((low, high) for low, high in KNOTS)}
    raw = raw_thresholds(np.array([0.2, 0.4, np.inf], np.float32), calibration)
    assert raw.tolist() == pytest.approx([0.5, 0.4, np.inf])


@pytest.mark.parametrize(
    ("knots", "why"),
    [
        ([[0.0, 0.0], [0.5, 0.5], [0.5, 0.6], [1.0, 1.0]], "rise in both"),
        ([[0.0, 0.0], [0.5, 0.5], [0.6, 0.5], [1.0, 1.0]], "rise in both"),
        ([[0.1, 0.0], [1.0, 1.0]], "from score 0 to score 1"),
        ([[0.0, 0.0], [1.0, 1.5]], "less than or equal to 1"),
    ],
)
def test_knots_that_are_no_mapping_are_refused(tmp_path: Path, knots: list[list[float]], why: str) -> None:
    entry = entry_with(write_block_model(tmp_path / "model"), calibration={"helmet": knots})
    with pytest.raises(ModelError, match=why):
        read_entry(entry)


def test_scores_that_mean_something_else_have_another_name(tmp_path: Path) -> None:
    plain = read_entry(write_block_model(tmp_path / "model"))
    mapped_entry = plain.model_copy(update={"calibration": {HELMET: tuple((a, b) for a, b in KNOTS)}})
    assert plain.label == f"blocks 1 {plain.sha256[:12]}"
    assert mapped_entry.label.startswith("blocks 1 cal-")
    assert mapped_entry.label.endswith(f" {plain.sha256[:12]}")
