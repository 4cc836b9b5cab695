"""A CSV file as a table: UTF-8 with or without BOM, or GB18030, as spreadsheet programs in China write it.

Commas, semicolons or tabs; quotes and line ends inside quotes as usual. A text that begins like a formula stays text.
"""

import csv
import io
from collections.abc import Iterator

from regulator.parts.registry.importing.table import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Cell, Line, Sheet, unreadable

_BOM_16 = (b"\xff\xfe", b"\xfe\xff")


def read_csv(file: str, content: bytes) -> Sheet:
    """Raises UnreadableError: neither encoding fits, NUL bytes, an open quote, too many rows or columns."""
    text = _decode(file, content)
    lines = tuple(_lines(file, text))
    return Sheet("", lines)


def _decode(file: str, content: bytes) -> str:
    if content.startswith(_BOM_16) or b"\x00" in content:
        raise unreadable(
            file, "应为 UTF-8 或 GB18030 编码的 CSV 文本", "a CSV text in UTF-8 or GB18030", found="UTF-16 or binary"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        found = content[error.start : error.start + 4].hex(" ")
        raise unreadable(
            file, "应为 UTF-8 或 GB18030 编码", "text in UTF-8 or GB18030", row=row, found=found
        ) from error


def _lines(file: str, text: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True)
    begun, number = 1, 0
    try:
        for cells in reader:
            row, begun = begun, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            _check_size(file, row, number, cells)
            yield Line("", row, tuple(Cell(cell) for cell in cells))
    except csv.Error as error:
        raise unreadable(file, f"应为 CSV：{error}", f"CSV: {error}", row=begun) from error


def _check_size(file: str, row: int, number: int, cells: list[str]) -> None:
    if number > MAX_ROWS + 1:
        raise unreadable(file, f"最多 {MAX_ROWS} 行", f"at most {MAX_ROWS} lines", row=row)
    if len(cells) > MAX_COLUMNS:
        raise unreadable(
            file, f"最多 {MAX_COLUMNS} 列", f"at most {MAX_COLUMNS} columns", row=row, found=str(len(cells))
        )
    if any(len(cell) > MAX_CELL for cell in cells):
        raise unreadable(file, f"单元格最多 {MAX_CELL} 字", f"cells of at most {MAX_CELL} characters", row=row)


def _dialect(text: str) -> type[csv.Dialect]:
    """By the separator that the first line has most of."""
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)

    class Found(csv.excel):
        delimiter = mark

    return Found
