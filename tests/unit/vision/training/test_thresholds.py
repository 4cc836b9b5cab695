"""Thresholds are chosen on pictures that are not reported."""

from pathlib import Path

import numpy
import pytest

from vision.picture.detection_scores import Matches
from vision.training.pictures import Source
from vision.training.thresholds import choose, choose_for_recall, divide


def sources():
    names = [f"images/{number}.jpg" for number in range(200)]
    sets = ["blast", "css_test", "css_valid", "scut_a"]
    return [Source(Path("photographs"), name, sets[number % 4], True, True) for number, name in enumerate(names)]


def matches(scores, hits):
    heights = numpy.full(len(scores), 30.0)
    return Matches(numpy.array(scores), numpy.array(hits), heights, numpy.full(sum(hits), 30.0))


def test_a_set_left_out_is_measured_whole_and_nothing_is_chosen_on_it():
    chosen_on, reported = divide(sources(), ("css",))
    assert {source.set_name for source in reported} == {"css_test", "css_valid"}
    assert len(reported) == 100
    assert {source.set_name for source in chosen_on} == {"blast"}


def test_what_a_training_on_all_sets_keeps_back_is_divided():
    chosen_on, reported = divide(sources(), ())
    assert chosen_on
    assert reported
    assert not {source.name for source in chosen_on} & {source.name for source in reported}
    assert all(source.kept_back for source in chosen_on + reported)
    assert "scut_a" not in {source.set_name for source in chosen_on + reported}


def test_a_class_that_was_never_found_gets_the_middle():
    assert choose([matches([], []), matches([0.4], [False])]) == 0.5


def test_the_threshold_lies_in_the_middle_of_the_best_scores():
    assert choose([matches([0.9, 0.8, 0.3, 0.2], [True, True, False, False])]) == pytest.approx(0.8)
    level = [matches([0.9, 0.7, 0.5], [True, True, True]), matches([0.2], [False])]
    assert choose(level * 100) == pytest.approx(0.5)


def test_few_heads_do_not_tell_a_peak_from_what_lies_beside_it():
    hard = [matches([0.9], [True]), matches([0.6], [True]), matches([0.58, 0.5], [False, True])]
    many, few = choose(hard * 400), choose(hard * 2)
    assert many == pytest.approx(0.5)
    assert few == pytest.approx(0.55)


def test_persons_are_cut_where_nine_in_ten_are_found():
    found = [matches([0.9 - 0.05 * place], [True]) for place in range(10)]
    assert choose_for_recall(found) == pytest.approx(0.5)
    assert choose_for_recall([matches([0.4], [False])]) == 0.5


def test_thresholds_are_not_chosen_on_a_fixed_camera_because_its_pictures_are_alike():
    cameras = [
        Source(Path("cctv"), f"images/c_1_1_{n}.jpg", "c_1_1", True, True, fixed_camera=True) for n in range(200)
    ]
    chosen_on, reported = divide(sources() + cameras, ())
    assert not [source for source in chosen_on + reported if source.fixed_camera]
