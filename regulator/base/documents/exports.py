"""Tables for other programs: CSV that Excel opens in Chinese (BOM), and XLSX with a dictionary sheet.

In: a `Table` of columns and rows, the same rows that the screen shows. Out: bytes. Each row ends with the SHA-256 of
its values (a JSON array in column order, no spaces), so that a changed cell can be told later. A text that a
spreadsheet would run as a formula (= + - @, tab, return) gets an apostrophe before it; the hash is of the value as it
was.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

Value = str | int | float | None
RUN_AS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_CHARACTERS: Final = 32_767
"""What one cell of a spreadsheet holds."""


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is for programs and never changes; `zh` and `en` stand at the head; `unit` is empty for what has none."""

    key: str
    zh: str
    en: str
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` have one value for each column. `name` is the sheet's (at most 31 characters) and the file's."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[tuple[Value, ...]]


ROW_HASH: Final = Column("row_sha256", "行校验值", "row hash", "", "SHA-256 of the row's values as a JSON array")


def csv_bytes(table: Table, *, chinese: bool = True) -> bytes:
    """The table as CSV with BOM. Raises ValueError for a row with too few or too many values."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_heads(table, chinese=chinese))
    for row in _hashed(table):
        writer.writerow([defused(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def xlsx_bytes(table: Table, *, chinese: bool = True) -> bytes:
    """The table as XLSX; the second sheet says what each column is. Raises ValueError as `csv_bytes`."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.name[:31])
    sheet.freeze_panes = "A2"
    sheet.append(_bold(sheet, _heads(table, chinese=chinese)))
    for row in _hashed(table):
        sheet.append([defused(value) for value in row])
    _dictionary(book.create_sheet("字典 dictionary"), table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def row_hash(row: tuple[Value, ...]) -> str:
    """SHA-256 of a row's values, hex."""
    return hashlib.sha256(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def defused(value: Value) -> Value:
    """A value that a spreadsheet shows and never runs."""
    if not isinstance(value, str):
        return value
    plain = UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", value)[: MOST_CHARACTERS - 1]
    return f"'{plain}" if plain.startswith(RUN_AS_FORMULA) else plain


def _hashed(table: Table) -> Iterator[tuple[Value, ...]]:
    for number, row in enumerate(table.rows, 1):
        if len(row) != len(table.columns):
            raise ValueError(f"{table.name}: row {number} has {len(row)} values, expected {len(table.columns)}")
        yield (*row, row_hash(row))


def _heads(table: Table, *, chinese: bool) -> list[Value]:
    return [_head(column, chinese=chinese) for column in (*table.columns, ROW_HASH)]


def _head(column: Column, *, chinese: bool) -> str:
    name = column.zh if chinese else column.en
    return f"{name} ({column.unit})" if column.unit else name


def _dictionary(sheet: WriteOnlyWorksheet, table: Table) -> None:
    sheet.append(_bold(sheet, ["key", "中文", "English", "单位 unit", "含义 meaning"]))
    for column in (*table.columns, ROW_HASH):
        sheet.append([defused(text) for text in (column.key, column.zh, column.en, column.unit, column.meaning)])


def _bold(sheet: WriteOnlyWorksheet, texts: list[Value]) -> list[Any]:
    cells = [WriteOnlyCell(sheet, defused(text)) for text in texts]
    for cell in cells:
        cell.font = Font(bold=True)
    return cells
