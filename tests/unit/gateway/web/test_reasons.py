import pytest

from gateway.web.command_routes import REFUSED_ZH, Refusal
from gateway.web.reasons import (
    MAX_REASON_CHARS,
    PRESETS,
    ReasonError,
    chosen_reason,
    clean_name,
    clean_reason,
    reason_in,
)


@pytest.mark.parametrize(
    "text",
    ["已到现场", "👷‍♂️🏗️⚠️", "<script>alert(1)</script>", "a & b", "字" * MAX_REASON_CHARS, "👷" * MAX_REASON_CHARS],
)
def test_any_words_are_taken_as_they_are(text: str) -> None:
    assert clean_reason(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "字" * (MAX_REASON_CHARS + 1),
        "a\x00b",
        "a\x1bb",
        "a\x7fb",
        "a\x85b",
        "a\u202eb",
        "a\u2066b",
        "a\ud800b",
    ],
)
def test_nothing_too_much_and_what_cannot_be_seen_is_refused_in_both_languages(text: str) -> None:
    with pytest.raises(ReasonError) as refused:
        clean_reason(text)
    assert refused.value.field == "reason"
    assert refused.value.message_zh
    assert refused.value.message_en


def test_lines_are_kept_in_a_note_and_joined_in_a_reason() -> None:
    assert clean_reason("一\r\n二\r三", lines=True) == "一\n二\n三"
    assert clean_reason("一\r\n二") == "一 二"


def test_a_fault_of_length_says_how_long_it_was() -> None:
    with pytest.raises(ReasonError, match="4001"):
        clean_reason("字" * 4001)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "a\u202eb"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ReasonError):
        clean_name(name)


def test_a_preset_is_sealed_in_chinese_and_read_in_either_language() -> None:
    assert chosen_reason("driver_told", "") == "已通知司机停机"
    assert chosen_reason("driver_told", " 二号塔机 ") == "已通知司机停机：二号塔机"
    assert chosen_reason("other", "吊物已放下") == "吊物已放下"
    assert {reason_in("zh-CN", preset.zh) for preset in PRESETS} == {preset.zh for preset in PRESETS}
    assert {reason_in("en", preset.zh) for preset in PRESETS} == {preset.en for preset in PRESETS}
    assert reason_in("en", "吊物已放下") == "吊物已放下"


def test_other_without_words_is_refused() -> None:
    with pytest.raises(ReasonError):
        chosen_reason("other", "  ")


def test_every_refusal_has_chinese_words() -> None:
    assert set(REFUSED_ZH) == set(Refusal)
