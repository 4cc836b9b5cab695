"""Free texts: long Chinese, emoji and HTML are kept as written; one character too many is an error, never cut off."""

import pytest

from gateway.parts.shift.free_text import MAX_CHARACTERS, TextTooLongError, free_text


@pytest.mark.parametrize("text", ["检" * MAX_CHARACTERS, "🦺" * MAX_CHARACTERS, "<b>风大</b> & 停工"])
def test_a_text_is_kept_as_it_was_written(text: str) -> None:
    assert free_text("remarks", text) == text


def test_one_character_too_many_is_said_and_not_cut_off() -> None:
    with pytest.raises(TextTooLongError) as caught:
        free_text("hazards", "检" * (MAX_CHARACTERS + 1))
    assert (caught.value.field, caught.value.characters) == ("hazards", MAX_CHARACTERS + 1)


def test_line_ends_are_of_one_kind_and_count_once() -> None:
    assert free_text("remarks", "  一\r\n二\r三\n") == "一\n二\n三"
    full = "检\r\n" * (MAX_CHARACTERS // 2 - 1) + "完成"
    assert len(free_text("remarks", full)) == MAX_CHARACTERS


def test_what_no_screen_shows_is_left_out() -> None:
    assert free_text("remarks", "a\x00\x1b[31mb\x85\ud800c") == "a[31mbc"


def test_the_number_of_an_id_card_is_masked() -> None:
    assert "19900101" not in free_text("remarks", "工人 110101199001011234 未戴安全帽")
