"""Papers as tables for a spreadsheet: what people wrote stays text, figures stay figures."""

import csv
import io

import pytest

from gateway.parts.shift.prints import PrintedPaper, Written, paper_csv
from gateway.web.sheet import Sheet


def _cell(text: str) -> str:
    """The text as it stands in the file."""
    printed = PrintedPaper("日志", (), (Written("巡查", text),), Sheet(0, ()), (), "")
    rows = list(csv.reader(io.StringIO(paper_csv(printed, "zh-CN").removeprefix("\ufeff"))))
    return rows[-1][1]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "@SUM(A1)",
        '-1 +HYPERLINK("http://evil.example")',
        "-2+3",
        "-1 mm +A1",
        "\t=1",
        "-A1",
    ],
)
def test_what_a_spreadsheet_would_take_for_a_formula_stays_a_text(text: str) -> None:
    assert _cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5.2 mm", "-3", "+0.5 mm/d", "-12 °C", "3.1 m/s", "已复查 =好", "塔机-1 停用"])
def test_figures_and_plain_words_are_as_they_were(text: str) -> None:
    assert _cell(text) == text
