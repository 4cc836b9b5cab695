"""An XLSX workbook as tables, with limits against what is built to hurt.

Theory of operation. A workbook is a zip of XML. Before anything is unpacked, the sizes that the zip declares are held
against a limit (Python's zip reader never gives more than the declared size, and refuses content whose sum does not
fit), and XML with a DOCTYPE, the way to entity bombs, is refused. Cells are then streamed (openpyxl, read only), so
that neither a cell in row 1,048,576 nor a merged range over the whole sheet costs memory; merged ranges are read from
the XML's text. Formulas are refused cell by cell: what they would show depends on who opens the file.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from regulator.parts.registry.importing.table import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    Line,
    Sheet,
    unreadable,
)

MAX_UNPACKED_BYTES, MAX_PARTS, MAX_SHEETS = 32 * 1024 * 1024, 200, 20
MAX_GAP = 20_000
"""Empty rows that are read past."""
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}[0-9]{1,7}(?::[A-Z]{1,3}[0-9]{1,7})?)"')
_BROKEN = (
    zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, IndexError, TypeError, AttributeError,
    OSError, EOFError, RuntimeError,
)  # fmt: skip
"""What openpyxl and zipfile raise for files that are none (what they have not built counts as RuntimeError)."""


def read_workbook(file: str, content: bytes) -> list[Sheet]:
    """Every visible sheet that is not empty. Raises UnreadableError."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            _check_parts(file, packed)
            merged = _merged(packed)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            return [sheet for sheet in _sheets(file, book, merged) if sheet.lines]
        finally:
            book.close()
    except _BROKEN as error:
        found = type(error).__name__
        raise unreadable(
            file, "应为未加密、未损坏的 XLSX 工作簿", "an XLSX workbook, whole and without password", found=found
        ) from error


def _check_parts(file: str, packed: zipfile.ZipFile) -> None:
    parts = packed.infolist()
    size = sum(part.file_size for part in parts)
    if size > MAX_UNPACKED_BYTES or len(parts) > MAX_PARTS:
        most = MAX_UNPACKED_BYTES // 1024 // 1024
        raise unreadable(
            file,
            f"解压后最大 {most} MB、{MAX_PARTS} 个部分",
            f"at most {most} MB in {MAX_PARTS} parts once unpacked",
            found=f"{size} bytes, {len(parts)} parts",
        )
    for part in parts:
        if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in packed.read(part)[:4096].upper():
            raise unreadable(file, "不得含 DOCTYPE", "XML without a DOCTYPE", found=part.filename)


def _merged(packed: zipfile.ZipFile) -> dict[str, tuple[tuple[int, int, str], ...]]:
    """Merged ranges by the path of the sheet's part."""
    found = {}
    for name in packed.namelist():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            ranges = [text.decode() for text in _MERGED.findall(packed.read(name))]
            found[name] = tuple(_rows_of(text) for text in ranges[:MAX_ROWS])
    return found


def _rows_of(text: str) -> tuple[int, int, str]:
    bounds = range_boundaries(text)
    return int(bounds[1] or 0), int(bounds[3] or 0), text


def _sheets(file: str, book: Any, merged: dict[str, tuple[tuple[int, int, str], ...]]) -> Iterator[Sheet]:
    if len(book.worksheets) > MAX_SHEETS:
        raise unreadable(file, f"最多 {MAX_SHEETS} 个工作表", f"at most {MAX_SHEETS} sheets")
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        path = str(sheet._worksheet_path).lstrip("/")
        sheet.reset_dimensions()
        lines = tuple(_lines(file, sheet.title, sheet.iter_rows(max_row=MAX_GAP, max_col=MAX_COLUMNS + 1)))
        yield Sheet(sheet.title, lines, merged.get(path, ()))


def _lines(file: str, title: str, rows: Iterable[Iterable[Any]]) -> Iterator[Line]:
    number = 0
    for row, cells in enumerate(rows, 1):
        texts = tuple(_cell(cell) for cell in cells)
        if not any(cell.text.strip() or cell.expected_en for cell in texts):
            continue
        number += 1
        _check_size(file, title, row, number, texts)
        yield Line(title, row, _without_tail(texts))


def _check_size(file: str, title: str, row: int, number: int, cells: tuple[Cell, ...]) -> None:
    if number > MAX_ROWS + 1:
        raise unreadable(file, f"最多 {MAX_ROWS} 行", f"at most {MAX_ROWS} lines", sheet=title, row=row)
    if len(_without_tail(cells)) > MAX_COLUMNS:
        raise unreadable(file, f"最多 {MAX_COLUMNS} 列", f"at most {MAX_COLUMNS} columns", sheet=title, row=row)
    if any(len(cell.text) > MAX_CELL for cell in cells):
        zh, en = f"单元格最多 {MAX_CELL} 字", f"cells of at most {MAX_CELL} characters"
        raise unreadable(file, zh, en, sheet=title, row=row)


def _without_tail(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    end = len(cells)
    while end and not cells[end - 1].text.strip() and not cells[end - 1].expected_en:
        end -= 1
    return cells[:end]


def _cell(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "f":
        return Cell(str(getattr(value, "text", value)), "填写值，不用公式", "a value, no formula")
    if cell.data_type == "e":
        return Cell(str(value), "填写值，不用错误值", "a value, no error value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return Cell(_text(value))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value) if isinstance(value, bool) else value)


def _number(value: float) -> Cell:
    """Whole numbers as typed; a spreadsheet keeps 15 digits, so a longer one has lost its end."""
    if abs(value) >= 1e15:
        return Cell(str(value), "长编码须设为文本格式", "a long code has to be formatted as text")
    return Cell(str(int(value)) if value == int(value) else repr(value))
