"""The bytes of a CSV or Excel file become sheets of lines of cells.

In: bytes, as somebody uploaded them. Out: `Sheet`s with the file's own line numbers, or a `TableError`. CSV in UTF-8
(with or without BOM), UTF-16 with BOM or GB18030, with commas, semicolons or tabs; Excel is `excel`'s. Knows nothing of
what the columns mean.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from gateway.parts.pit.hand_entry.faults import FaultCode

Content = None | str | float | datetime | date | time
MOST_BYTES = 5 * 2**20
MOST_LINES = 20_000
MOST_COLUMNS = 100
_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"


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
    if not content.startswith(_ZIP):
        return [_read_csv(content)]
    from gateway.parts.pit.hand_entry.excel import read_excel  # noqa: PLC0415 - a box starts without openpyxl

    return read_excel(content)


def _read_csv(content: bytes) -> Sheet:
    text = _decoded(content)
    if "\0" in text:
        raise TableError(FaultCode.UNREADABLE, "NUL")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    lines: list[Line] = []
    try:
        for row in rows:
            check_size(len(lines), len(row))
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


def check_size(lines: int, columns: int) -> None:
    """Raises TableError when a sheet has more."""
    if lines >= MOST_LINES or columns > MOST_COLUMNS:
        raise TableError(FaultCode.TOO_LARGE, expected=f"{MOST_LINES} x {MOST_COLUMNS}")
