"""What a file gave: sheets of rows of text, and what was wrong with it where. Pure.

Neither format is known below here: a line is a sheet's name, a row number as the person's program shows it, and cells.
"""

from dataclasses import dataclass

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 5000, 40, 4000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in which cell, and what was expected there. `row` and `column` count from 1; 0: the whole."""

    file: str
    sheet: str
    row: int
    column: int
    column_name: str
    found: str
    expected_zh: str
    expected_en: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as text; `expected_*` not empty when it cannot be read (a formula, a number that lost digits)."""

    text: str = ""
    expected_zh: str = ""
    expected_en: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row that is not empty."""

    sheet: str
    row: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`merged`: (first row, last row, range as written) of its merged cells, e.g. (3, 4, "A3:B4")."""

    name: str
    lines: tuple[Line, ...]
    merged: tuple[tuple[int, int, str], ...] = ()


class UnreadableError(Exception):
    """The file as a whole cannot be read; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.file}: {fault.expected_en}")
        self.fault = fault


def unreadable(file: str, zh: str, en: str, *, sheet: str = "", row: int = 0, found: str = "") -> UnreadableError:
    """The fault of a whole file, sheet or row."""
    return UnreadableError(Fault(file, sheet, row, 0, "", found[:80], zh, en))
