"""At which preset a camera looks: by outlines, twice in a row, and at none where two look alike."""

import numpy as np
from numpy.typing import NDArray

from tests.fakes.edge_site import painted
from vision.health.preset_match import PresetFinder

SECOND_NS = 1_000_000_000
Grey = NDArray[np.uint8]


def grey(seed: int = 0) -> Grey:
    return np.ascontiguousarray(painted(seed=seed)[:, :, 0])


def lower(picture: Grey) -> Grey:
    return np.ascontiguousarray(np.roll(picture[:, ::-1], 70, axis=0))


def looks(finder: PresetFinder, picture: Grey, seconds: range) -> list[int | None]:
    return [finder.step(picture, second * SECOND_NS) for second in seconds]


def test_the_second_look_makes_it_certain_in_any_light() -> None:
    finder = PresetFinder([[grey(1)], [lower(grey(1))]])
    assert looks(finder, (grey(2) * 0.4).astype(np.uint8), range(2)) == [None, 0]
    assert looks(finder, lower(grey(3)), range(2, 5)) == [0, 1, 1]


def test_a_reference_by_night_finds_the_preset_too() -> None:
    blind = np.random.default_rng(1).integers(0, 255, grey().shape).astype(np.uint8)
    assert looks(PresetFinder([[blind, lower(grey(1))]]), lower(grey(2)), range(2)) == [None, 0]


def test_two_presets_that_look_alike_are_told_apart_by_nobody() -> None:
    assert looks(PresetFinder([[grey(1)], [grey(2)]]), grey(3), range(4)) == [None] * 4


def test_it_looks_once_a_second() -> None:
    finder = PresetFinder([[grey()]])
    assert finder.due(0)
    finder.step(grey(), 0)
    assert not finder.due(SECOND_NS - 1)
    assert finder.due(SECOND_NS)
