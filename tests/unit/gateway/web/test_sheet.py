"""What the box puts into a paper: unknown is said, and what was sealed reads back as it was."""

from math import inf, nan

import orjson
import pytest

from contract.canonical import canonical_bytes
from gateway.model.errors import DecodeError
from gateway.web.sheet import (
    UNKNOWN,
    Mark,
    Section,
    Sheet,
    Words,
    amount,
    content_of,
    count,
    moment,
    plain,
    sheet_of,
)
from tests.fakes.site import NOW_NS


@pytest.mark.parametrize("value", [None, nan, inf, -inf])
def test_a_number_that_is_not_known_says_so(value: float | None) -> None:
    assert amount(value, "m/s") == UNKNOWN
    assert amount(value).mark is Mark.UNKNOWN


def test_an_empty_text_is_unknown_and_nought_is_a_number() -> None:
    assert plain("  ") == UNKNOWN
    assert amount(0.0, "mm").words.zh == "0.0 mm"
    assert count(0).mark is Mark.NUMBER


def test_a_time_that_has_not_come_is_a_dash() -> None:
    assert moment(0).words.zh == "–"
    assert moment(NOW_NS).words.zh == "2023-11-15 06:13:20"


def test_what_is_sealed_reads_back_as_it_was() -> None:
    row = (plain("最大风速", "Highest wind"), amount(12.34, "m/s"), UNKNOWN)
    sheet = Sheet(NOW_NS, (Section("weather", Words("天气", "Weather"), (Words("项目", "Item"),), (row,)),))
    assert sheet_of(orjson.loads(canonical_bytes(content_of(sheet)))) == sheet
    assert sheet.sections[0].title.said("en") == "Weather"
    assert sheet.sections[0].title.said("zh-CN") == "天气"


@pytest.mark.parametrize("damaged", [{}, {"until_ns": 1, "sections": [{}]}, {"until_ns": "x", "sections": []}])
def test_what_is_no_sheet_is_refused(damaged: dict[str, object]) -> None:
    with pytest.raises(DecodeError):
        sheet_of(damaged)
