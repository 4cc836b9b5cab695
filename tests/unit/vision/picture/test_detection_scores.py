import math

import numpy as np
import pytest

from vision.picture.detection_scores import (
    Matches,
    Sizes,
    average_precision,
    best_threshold,
    bootstrap,
    curve,
    iou_matrix,
    match_image,
    scores_at,
)


def _matches(hits: list[tuple[float, bool]], labels: int, height_px: float = 30.0) -> Matches:
    score, hit = np.array([s for s, _ in hits]), np.array([h for _, h in hits], dtype=bool)
    return Matches(score, hit, np.full(len(hits), height_px), np.full(labels, height_px))


def test_iou_of_known_boxes() -> None:
    overlap = iou_matrix([[0, 0, 10, 10]], [[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]])
    assert overlap[0] == pytest.approx([1.0, 50 / 150, 0.0, 0.0])


def test_two_empty_boxes_do_not_overlap_and_do_not_divide_by_zero() -> None:
    assert iou_matrix([[1, 1, 1, 1]], [[1, 1, 1, 1]])[0, 0] == 0.0


def test_a_label_is_taken_once_and_by_the_best_score() -> None:
    label = [[0, 0, 10, 10]]
    matches = match_image([[0, 0, 10, 9], [0, 0, 10, 10]], [0.6, 0.9], label)
    assert matches.hit.tolist() == [False, True]


def test_a_box_chooses_the_label_it_overlaps_most() -> None:
    matches = match_image([[1, 0, 11, 10]], [0.9], [[4, 0, 14, 10], [0, 0, 10, 12]])
    assert matches.hit.tolist() == [True]
    assert matches.height_px.tolist() == [12.0], "the height is that of the label it hit"


@pytest.mark.parametrize(("high", "hit"), [(5.0, True), (4.99, False)])
def test_half_an_overlap_is_enough_and_less_is_not(high: float, hit: bool) -> None:
    assert match_image([[0, 0, 10, high]], [0.9], [[0, 0, 10, 10]]).hit.tolist() == [hit]


def test_counts_at_a_threshold_of_a_worked_example() -> None:
    images = [_matches([(0.9, True), (0.8, False), (0.4, True)], labels=3), _matches([(0.7, True)], labels=1)]
    scores = scores_at(images, 0.5)
    assert (scores.found, scores.false, scores.n) == (2, 1, 4)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.recall == pytest.approx(2 / 4)
    assert scores.f1 == pytest.approx(4 / 7)


def test_a_score_on_the_threshold_counts() -> None:
    assert scores_at([_matches([(0.5, True)], 1)], 0.5).found == 1


def test_average_precision_of_a_worked_example() -> None:
    # by falling score: hit, miss, hit; 4 labels. Envelope 1 up to recall 1/4, then 2/3 up to 2/4, then nothing.
    images = [_matches([(0.9, True), (0.8, False), (0.7, True)], labels=4)]
    assert average_precision(images) == pytest.approx(1 / 4 * 1 + 1 / 4 * 2 / 3)


def test_equal_scores_come_together_whatever_their_order() -> None:
    one = [_matches([(0.9, True), (0.9, False)], labels=1)]
    other = [_matches([(0.9, False), (0.9, True)], labels=1)]
    assert average_precision(one) == average_precision(other) == pytest.approx(0.5)
    assert curve(one).precision.tolist() == [0.5]


def test_nothing_labelled_and_nothing_found_has_no_value() -> None:
    scores = scores_at([_matches([], 0)], 0.5)
    assert math.isnan(scores.precision)
    assert math.isnan(scores.recall)
    assert math.isnan(scores.f1)
    assert math.isnan(average_precision([_matches([], 0)]))
    assert math.isnan(average_precision([]))
    assert math.isnan(best_threshold([_matches([(0.9, False)], 0)]))


def test_labels_of_which_none_is_found_are_zero_recall_and_no_precision() -> None:
    scores = scores_at([_matches([], 2)], 0.5)
    assert scores.recall == 0.0
    assert math.isnan(scores.precision)
    assert average_precision([_matches([], 2)]) == 0.0


def test_the_best_threshold_keeps_what_raises_f1() -> None:
    images = [_matches([(0.9, True), (0.6, True), (0.5, False), (0.4, False)], labels=2)]
    assert best_threshold(images) == 0.6


def test_a_small_label_is_neither_missed_nor_false_when_found() -> None:
    label = [[0, 0, 10, 10], [50, 50, 90, 90]]
    found = match_image([[50, 50, 90, 90], [0, 0, 10, 10]], [0.9, 0.8], label)
    missed = match_image([[50, 50, 90, 90]], [0.9], label)
    for matches in (found, missed):
        scores = scores_at([matches], 0.5, Sizes(20.0))
        assert (scores.n, scores.found, scores.false) == (1, 1, 0)


def test_a_big_label_found_with_a_box_below_the_limit_counts_as_found() -> None:
    matches = match_image([[0, 0, 20, 19]], [0.9], [[0, 0, 20, 21]])
    scores = scores_at([matches], 0.5, Sizes(20.0))
    assert (scores.n, scores.found, scores.false) == (1, 1, 0)


def test_a_box_on_nothing_is_false_only_inside_the_sizes() -> None:
    matches = match_image([[0, 0, 30, 30], [100, 0, 110, 10]], [0.9, 0.9], np.zeros((0, 4)))
    assert scores_at([matches], 0.5, Sizes(20.0)).false == 1
    assert scores_at([matches], 0.5, Sizes(0.0, 20.0)).false == 1
    assert scores_at([matches], 0.5).false == 2


def test_the_interval_holds_the_value_and_shrinks_with_more_images() -> None:
    def images(count: int) -> list[Matches]:
        return [_matches([(0.9, True), (0.8, number % 3 != 0)], labels=2) for number in range(count)]

    few, many = bootstrap(images(20), 0.5, rounds=300), bootstrap(images(600), 0.5, rounds=300)
    for interval, pooled in ((few, images(20)), (many, images(600))):
        assert interval.f1[0] <= scores_at(pooled, 0.5).f1 <= interval.f1[1]
        assert interval.ap50[0] <= average_precision(pooled) <= interval.ap50[1]
    assert many.f1[1] - many.f1[0] < (few.f1[1] - few.f1[0]) / 3


def test_the_same_seed_draws_the_same_interval() -> None:
    images = [_matches([(0.9, number % 2 == 0)], labels=1) for number in range(30)]
    assert bootstrap(images, 0.5, rounds=200, seed=7) == bootstrap(images, 0.5, rounds=200, seed=7)


def test_an_interval_of_identical_images_has_no_width_and_of_none_no_value() -> None:
    same = bootstrap([_matches([(0.9, True)], labels=1)] * 5, 0.5, rounds=50)
    assert same.f1 == same.ap50 == (1.0, 1.0)
    assert all(math.isnan(edge) for edge in bootstrap([], 0.5, rounds=50).f1)


def test_resampled_ap_equals_ap_of_the_resample() -> None:
    """One round checked by hand: the weighted curve is the curve of the images written out as often as drawn."""
    images = [
        _matches([(0.9, True), (0.3, False)], labels=2),
        _matches([(0.8, False), (0.6, True)], labels=1),
        _matches([(0.7, True)], labels=1),
    ]
    chance = np.random.default_rng(1)
    drawn = chance.multinomial(3, np.full(3, 1 / 3), size=1)[0]
    written_out = [image for image, times in zip(images, drawn, strict=True) for _ in range(times)]
    assert bootstrap(images, 0.5, rounds=1, seed=1).ap50[0] == pytest.approx(average_precision(written_out))
