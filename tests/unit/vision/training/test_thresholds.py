"""Thresholds are chosen on pictures that are not reported."""

import numpy
import pytest

from vision.detection_scores import Matches
from vision.training.pictures import Source
from vision.training.thresholds import choose, kept_back, measured


def sources():
    names = [f"images/{number}.jpg" for number in range(200)]
    sets = ["blast", "css_test", "css_valid", "scut_a"]
    return [Source(name, sets[number % 4], True, True) for number, name in enumerate(names)]


def matches(scores, hits):
    heights = numpy.full(len(scores), 30.0)
    return Matches(numpy.array(scores), numpy.array(hits), heights, numpy.full(sum(hits), 30.0))


def test_a_set_left_out_is_measured_whole_and_nothing_is_chosen_on_it():
    chosen_on, reported = kept_back(sources(), ("css",)), measured(sources(), ("css",))
    assert {source.set_name for source in reported} == {"css_test", "css_valid"}
    assert len(reported) == 100
    assert {source.set_name for source in chosen_on} == {"blast"}


def test_a_training_on_all_sets_is_measured_on_what_was_kept_back():
    reported = measured(sources(), ())
    assert 0 < len(reported) < 30
    assert all(source.kept_back for source in reported)
    assert "scut_a" not in {source.set_name for source in reported}


def test_the_threshold_lies_in_the_middle_of_the_best_scores():
    assert choose([matches([0.9, 0.8, 0.3, 0.2], [True, True, False, False])]) == pytest.approx(0.8)
    level = [matches([0.9, 0.7, 0.5], [True, True, True]), matches([0.2], [False])]
    assert choose(level) == pytest.approx(0.5)
