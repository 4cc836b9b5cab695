"""Made-up numbers only: no region is called 99, and their check characters do not fit."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.id_numbers import (
    MaskingFormatter,
    check_character_fits,
    holds_id_number,
    is_id_number,
    mask_content,
    mask_id_numbers,
)

NUMBER = "990000190001010000"


@pytest.mark.parametrize("around", ["{}", "driver={}", "司机{}号", "[{}]", "x{}x", "{},", " {}\n", "no. {}."])
def test_a_number_is_found_wherever_it_stands(around: str) -> None:
    text = around.format(NUMBER)
    assert holds_id_number(text)
    assert mask_id_numbers(text) == around.format("99" + "*" * 16)


@pytest.mark.parametrize("last", ["X", "x", "7"])
def test_the_last_character_may_be_an_x(last: str) -> None:
    assert is_id_number(NUMBER[:-1] + last)


@pytest.mark.parametrize(
    "text",
    [
        "1764000000000000000",  # nanoseconds
        "990000180001010000",  # no such birthday
        "990000190013010000",
        "990000190001320000",
        "0.990000190001010000",
        "1990000190001010000",
        "9900001900010100001",
        "990000190001010",
        "91500000MA5U0000XX",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not holds_id_number(text)
    assert mask_id_numbers(text) == text


def test_the_check_character_is_computed() -> None:
    fitting = [last for last in "0123456789X" if check_character_fits(NUMBER[:-1] + last)]
    assert len(fitting) == 1
    assert check_character_fits(NUMBER[:-1] + fitting[0].lower())
    assert fitting[0] != NUMBER[-1], "a made-up number must not be anybody's"


def test_a_record_is_masked_in_its_texts_and_not_in_its_numbers() -> None:
    content = {"note": f"司机 {NUMBER}", "deep": [{"a": (NUMBER,)}], NUMBER: 1, "at_ns": 990000190001010000, "ok": None}
    masked = mask_content(content)
    assert NUMBER not in repr({**masked, "at_ns": 0})  # type: ignore[dict-item]
    assert masked["at_ns"] == 990000190001010000  # type: ignore[index,call-overload]
    assert masked["ok"] is None  # type: ignore[index,call-overload]


def logged(message: str, *arguments: object, error: Exception | None = None) -> str:
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("gateway", logging.ERROR, "f.py", 1, message, arguments, info)
    return MaskingFormatter("%(message)s").format(record)


def test_a_log_line_is_masked_in_arguments_and_in_its_traceback() -> None:
    line = logged("event=seen driver=%s", NUMBER, error=ValueError(f"no such person: {NUMBER}"))
    assert NUMBER not in line
    assert "ValueError" in line


id_numbers = st.builds(
    "{:06d}{:04d}{:02d}{:02d}{:03d}{}".format,
    st.integers(100_000, 999_999),
    st.integers(1900, 2099),
    st.integers(1, 12),
    st.integers(1, 31),
    st.integers(0, 999),
    st.sampled_from("0123456789Xx"),
)


@given(id_numbers, st.text(alphabet=st.characters(exclude_categories=("Nd", "Cs"), exclude_characters=".")))
def test_no_number_passes_a_log_line(number: str, around: str) -> None:
    assert number not in logged("%s%s%s", around, number, around)
