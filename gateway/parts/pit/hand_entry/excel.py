"""The bytes of an Excel file become sheets of lines of cells: visible sheets, cached values of formulas, every cell of
a merged range with the range's value.

In: bytes that begin as a zip file. Out: `Sheet`s, or a `TableError`. Imported when the first such file comes.
"""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from xml.etree.ElementTree import ParseError  # only the error that openpyxl lets through

import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from gateway.parts.pit.hand_entry.faults import FaultCode
from gateway.parts.pit.hand_entry.tables import MOST_COLUMNS, Content, Line, Sheet, TableError, check_size

MOST_UNPACKED = 8 * 2**20
MOST_MERGED = 200_000
_MERGED = re.compile(rb'mergeCell\b[^>]*?\bref="([^"]{1,40})"')
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


def read_excel(content: bytes) -> Sequence[Sheet]:
    """The visible sheets of a file. Raises TableError."""
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
    check_size(sheet.max_row - 1, min(sheet.max_column, MOST_COLUMNS))
    merged: dict[tuple[int, int], Content] = {
        (row, column): _content(sheet.cell(area.min_row, area.min_col))
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, min(area.max_row, sheet.max_row) + 1)
        for column in range(area.min_col, min(area.max_col, MOST_COLUMNS) + 1)
    }
    for number, row in enumerate(sheet.iter_rows(max_col=min(sheet.max_column, MOST_COLUMNS)), start=1):
        cells = (merged.get((number, column), _content(cell)) for column, cell in enumerate(row, start=1))
        yield Line(number, tuple(cells))


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
