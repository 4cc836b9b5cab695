"""Tables for spreadsheets: what is written is what was given, and no cell runs."""

import csv
import hashlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from regulator.base.documents.exports import Column, Table, csv_bytes, defused, xlsx_bytes

COLUMNS = (
    Column("title", "标题", "title", "", "what it is about"),
    Column("limit", "限值", "limit", "m/s"),
    Column("count", "次数", "count"),
)
ROWS = (("塔机", 12.5, 3), ("=1+1", -2.0, 0), ("@SUM(A1)", None, 1), ('a,b\n"c"', 1.0, 2))


def test_csv_opens_in_chinese_and_no_cell_is_a_formula() -> None:
    content = csv_bytes(Table("test", COLUMNS, ROWS))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["标题", "限值 (m/s)", "次数", "行校验值"]
    assert [row[0] for row in rows[1:]] == ["塔机", "'=1+1", "'@SUM(A1)", 'a,b\n"c"']
    assert rows[2][1] == "-2.0"
    said = json.dumps(["=1+1", -2.0, 0], ensure_ascii=False, separators=(",", ":"))
    assert rows[2][3] == hashlib.sha256(said.encode()).hexdigest()


def test_xlsx_holds_numbers_texts_and_a_dictionary() -> None:
    book = load_workbook(io.BytesIO(xlsx_bytes(Table("test", COLUMNS, ROWS), chinese=False)))
    sheet, dictionary = book.worksheets
    assert [cell.value for cell in sheet[1]] == ["title", "limit (m/s)", "count", "row hash"]
    assert (sheet["B2"].value, sheet["A3"].value, sheet["A3"].data_type) == (12.5, "'=1+1", "s")
    assert [cell.value for cell in dictionary[3]] == ["limit", "限值", "limit", "m/s", None]
    assert not any(cell.data_type == "f" for row in sheet for cell in row)


@given(st.text())
def test_no_text_is_run_and_every_text_can_be_written(text: str) -> None:
    shown = defused(text)
    assert isinstance(shown, str)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    if text.isprintable() and not text.startswith(("=", "+", "-", "@")):
        assert shown == text


def test_control_characters_do_not_break_the_file() -> None:
    book = load_workbook(io.BytesIO(xlsx_bytes(Table("test", COLUMNS, [("a\x00b\x0bc", 1, 2)]))))
    assert book.worksheets[0]["A2"].value == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="row 2 has 2 values, expected 3"):
        csv_bytes(Table("test", COLUMNS, [("a", 1, 2), ("b", 1)]))
