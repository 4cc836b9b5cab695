"""What is wrong with a picture by night is said in both languages, with the figures."""

import re

import pytest

from gateway.model.night_picture import NightFault, NightProblem
from gateway.parts.camera.survey_night_words import night_words


@pytest.mark.parametrize("problem", NightProblem)
def test_every_problem_has_words_in_both_languages(problem: NightProblem) -> None:
    ((zh, en),) = night_words([NightFault(problem, "a match of -0.008 with it", "0.02 or more")])
    assert re.search(r"[\u3400-\u9fff]", zh)
    assert "{" not in zh
    assert en.endswith("(found a match of -0.008 with it; expected 0.02 or more)")


def test_chinese_has_the_figures_and_no_english() -> None:
    faults = [
        NightFault(NightProblem.OTHER_SIZE, "320 x 180 pixels", "640 x 360 pixels as the reference by day"),
        NightFault(NightProblem.MOVED, "moved by 30.2 pixels", "at most 8.0"),
        NightFault(NightProblem.NO_LINES, "lines along 13% of the edge that shows most", "40% or more of one edge"),
    ]
    size, moved, lines = (zh for zh, _ in night_words(faults))
    assert "320 x 180，应为 640 x 360" in size
    assert "30.2 像素，至多 8.0" in moved
    assert "最多沿 13%，至少 40%" in lines
