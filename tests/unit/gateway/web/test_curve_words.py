from pathlib import Path

import pytest

from gateway.web import pages
from gateway.web.curve_csv import plain
from gateway.web.curve_words import ALL
from gateway.web.curves_page import CRANE_PRESETS, ERRORS, SPANS
from screens.catalogue import Catalogue
from screens.templating import FOLDER as SCREENS


def test_every_text_that_is_made_in_code_has_a_translation() -> None:
    catalogue = Catalogue([SCREENS, Path(pages.__file__).parent])
    texts = [*ALL, *ERRORS, *(text for _, text in SPANS.values()), *(text for text, _ in CRANE_PRESETS)]
    assert [text for text in texts if text not in catalogue] == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum(a1)", "\tx", "\rx", "\nx"])
def test_a_text_that_would_calculate_is_written_as_text(text: str) -> None:
    assert plain(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "力矩", "crane-1.load_t", "a=1", "%"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert plain(text) == text
