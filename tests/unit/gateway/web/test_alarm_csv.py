import csv
import io
from dataclasses import replace

import pytest

from gateway.model.alarm import Alarm
from gateway.web.alarm_csv import safe_cell, table_of
from tests.fakes.site import NOW_NS, info

NAN = float("nan")
ALARM = Alarm("a1", info(), "crane-1.q0", "crane-1", "tower-crane", False, NOW_NS, -5.5, NAN, worst=-7.25)


def _rows(alarm: Alarm, language: str = "zh-CN") -> list[dict[str, str]]:
    body = table_of([alarm], language, {"crane-1": ("一号塔吊", "crane 1")})
    assert body.startswith(b"\xef\xbb\xbf"), "a spreadsheet needs the mark to read Chinese"
    return list(csv.DictReader(io.StringIO(body[3:].decode())))


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_reason_is_no_formula(text: str) -> None:
    alarm = replace(ALARM, acknowledged=True, acknowledged_by=text, acknowledge_reason=text)
    (row,) = _rows(alarm)
    assert row["确认原因"] == row["确认人"] == f"'{text}"
    assert safe_cell("平常") == "平常"


def test_numbers_stay_numbers_and_what_is_unknown_stays_empty() -> None:
    (row,) = _rows(ALARM)
    assert (row["报警值"], row["最不利值"], row["限值"], row["单位"]) == ("-5.5", "-7.25", "", "m")
    assert (row["发生"], row["恢复"], row["确认"]) == ("2023-11-15 06:13:20", "", "")


def test_english_heads_and_titles() -> None:
    alarm = replace(ALARM, acknowledged=True, acknowledged_by="li", acknowledge_reason="正在核实")
    (row,) = _rows(alarm, "en")
    assert (row["alarm"], row["asset"], row["reason"]) == ("overload", "crane 1", "Checking")


def test_as_many_heads_as_cells_in_both_languages() -> None:
    for language in ("zh-CN", "en"):
        heads, cells = list(csv.reader(io.StringIO(table_of([ALARM], language, {})[3:].decode())))
        assert len(heads) == len(cells) == len(set(heads))
