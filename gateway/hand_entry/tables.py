"""The bytes of a CSV or Excel file become sheets of lines of cells.

In: bytes, as somebody uploaded them. Out: `Sheet`s with the file's own line numbers, or a `TableError`. CSV in UTF-8
(with or without BOM), UTF-16 with BOM or GB18030, with commas, semicolons or tabs. Of Excel: visible sheets, cached
values of formulas, every cell of a merged range with the range's value. Knows nothing of what the columns mean.
"""

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from xml.etree.ElementTree import ParseError  # only the error that openpyxl lets through

import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from gateway.hand_entry.faults import FaultCode

Content = None | str | float | datetime | date | time
MOST_BYTES = 5 * 2**20
MOST_UNPACKED = 8 * 2**20
MOST_MERGED = 200_000
MOST_LINES = 20_000
MOST_COLUMNS = 100
_MERGED = re.compile(rb'mergeCell\b[^>]*?\bref="([^"]{1,40})"')
_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_BROKEN = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    EOFError,
    RuntimeError,
)


class TableError(Exception):
    """A file that is no table, with the reason."""

    def __init__(self, code: FaultCode, found: str = "", expected: str = "") -> None:
        super().__init__(code.value, found)
        self.code, self.found, self.expected = code, found, expected


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `number` as the file counts, from 1."""

    number: int
    cells: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; `title` is empty for a CSV file. `serial_dates`: a plain number may be Excel's count of days."""

    title: str
    lines: Sequence[Line]
    serial_dates: bool = False


def read_sheets(content: bytes) -> Sequence[Sheet]:
    """The sheets of a file, told by what it holds, not by its name. Raises TableError."""
    if len(content) > MOST_BYTES:
        raise TableError(FaultCode.TOO_LARGE, expected=f"{MOST_BYTES // 2**20} MiB")
    if content.startswith(_OLE):
        raise TableError(FaultCode.OLD_EXCEL)
    return _read_excel(content) if content.startswith(_ZIP) else [_read_csv(content)]


def _read_csv(content: bytes) -> Sheet:
    text = _decoded(content)
    if "\0" in text:
        raise TableError(FaultCode.UNREADABLE, "NUL")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    lines: list[Line] = []
    try:
        for row in rows:
            _check_size(len(lines), len(row))
            lines.append(Line(rows.line_num, tuple(cell or None for cell in row)))
    except csv.Error as error:
        raise TableError(FaultCode.UNREADABLE, str(error)) from error
    return Sheet("", lines)


def _decoded(content: bytes) -> str:
    encodings = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableError(FaultCode.UNREADABLE, "encoding")


def _delimiter(text: str) -> str:
    """The one that the first lines have most of."""
    head = text[:2000]
    return max(",;\t", key=head.count)


def _read_excel(content: bytes) -> Sequence[Sheet]:
    try:
        _check_unpacked(content)
        with warnings.catch_warnings(action="ignore"):  # of styles and validations that are not needed
            book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        return [Sheet(sheet.title, list(_lines(sheet)), serial_dates=True) for sheet in visible]
    except _BROKEN as error:
        raise TableError(FaultCode.UNREADABLE, type(error).__name__) from error


def _check_unpacked(content: bytes) -> None:
    """A small file that unpacks to a huge one is not opened."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > MOST_UNPACKED:
            raise TableError(FaultCode.TOO_LARGE, expected=f"{MOST_UNPACKED // 2**20} MiB")
        merged = [area for entry in packed.infolist() for area in _MERGED.findall(packed.read(entry))]
    if sum(_cells_of(area) for area in merged) > MOST_MERGED:
        raise TableError(FaultCode.TOO_LARGE, expected=f"{MOST_MERGED}")


def _cells_of(reference: bytes) -> int:
    """As many as there are cells in a reference such as B2:C9: opening the book makes an object of each."""
    left, top, right, bottom = range_boundaries(reference.decode())
    if None in (left, top, right, bottom):
        raise ValueError(reference)
    return ((right or 0) - (left or 0) + 1) * ((bottom or 0) - (top or 0) + 1)


def _lines(sheet: Worksheet) -> Iterator[Line]:
    _check_size(sheet.max_row - 1, min(sheet.max_column, MOST_COLUMNS))
    merged: dict[tuple[int, int], Content] = {
        (row, column): _content(sheet.cell(area.min_row, area.min_col))
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, min(area.max_row, sheet.max_row) + 1)
        for column in range(area.min_col, min(area.max_col, MOST_COLUMNS) + 1)
    }
    for number, row in enumerate(sheet.iter_rows(max_col=min(sheet.max_column, MOST_COLUMNS)), start=1):
        cells = (merged.get((number, column), _content(cell)) for column, cell in enumerate(row, start=1))
        yield Line(number, tuple(cells))


def _check_size(lines: int, columns: int) -> None:
    if lines >= MOST_LINES or columns > MOST_COLUMNS:
        raise TableError(FaultCode.TOO_LARGE, expected=f"{MOST_LINES} x {MOST_COLUMNS}")


def _content(cell: Cell | MergedCell) -> Content:
    """A cell's value; a date whose format shows no time of day is a date only."""
    value = cell.value
    if isinstance(value, datetime):
        shows_time = "h" in str(cell.number_format).lower()
        return value if shows_time or value.time() != time() else value.date()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, date | time):
        return value
    return None if value is None else str(value)
