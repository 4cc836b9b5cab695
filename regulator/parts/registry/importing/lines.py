"""A line under its header: its values by column, or everything that is wrong with it. Pure."""

from dataclasses import dataclass

from regulator.parts.registry.importing.columns import COLUMNS, Header, ImportKind
from regulator.parts.registry.importing.table import Fault, Line, Sheet

_DAY_MARKS = str.maketrans({"年": "-", "月": "-", "日": "", "/": "-", ".": "-"})
DAYS = frozenset({"started_on", "effective_day"})


@dataclass(frozen=True, slots=True)
class ReadLine:
    """`values` by column key; empty where the list has no such column. Good as long as `faults` is empty."""

    line: Line
    values: dict[str, str]
    faults: tuple[Fault, ...]


def read_lines(file: str, kind: ImportKind, sheet: Sheet, header: Header) -> list[ReadLine]:
    """Every line below the header, with what is wrong in it."""
    return [_read(file, kind, sheet, header, line) for line in sheet.lines[1:]]


def fault_at(file: str, header: Header, line: Line, key: str, found: str, zh: str, en: str) -> Fault:
    """A fault of one cell, told with its column as the header names it; of the row when the list has no such column."""
    place = header.place.get(key, -1)
    name = header.name_at(place) if place >= 0 else key
    return Fault(file, line.sheet, line.row, place + 1, name, found[:80], zh, en)


def _read(file: str, kind: ImportKind, sheet: Sheet, header: Header, line: Line) -> ReadLine:
    faults = [
        Fault(
            file,
            sheet.name,
            line.row,
            0,
            "",
            text,
            "不得合并单元格，每格填写一个值",
            "no merged cells: a value in each",
        )
        for first, last, text in sheet.merged
        if first <= line.row <= last
    ]
    values = {}
    for column in COLUMNS[kind]:
        place = header.place.get(column.key, -1)
        cell = line.cells[place] if 0 <= place < len(line.cells) else None
        text = cell.text.strip() if cell else ""
        if cell is not None and cell.expected_en:
            told = (text, cell.expected_zh, cell.expected_en)
            faults.append(fault_at(file, header, line, column.key, *told))
        elif column.needed and not text and not faults:
            faults.append(fault_at(file, header, line, column.key, "", "不能为空", "must not be empty"))
        values[column.key] = _plain_day(text) if column.key in DAYS else text
    faults += [
        Fault(file, sheet.name, line.row, number + 1, "", cell.text[:80], "此列没有列名", "a column with a name")
        for number, cell in enumerate(line.cells)
        if cell.text.strip() and not header.name_at(number)
    ]
    return ReadLine(line, values, tuple(faults))


def _plain_day(text: str) -> str:
    """2026/3/1 and 2026年3月1日 as 2026-03-01; anything else as it is, to be refused where it is used."""
    parts = text.translate(_DAY_MARKS).split("-")
    if len(parts) == 3 and all(part.strip().isdigit() for part in parts):
        year, month, day = (part.strip() for part in parts)
        return f"{year:0>4}-{month:0>2}-{day:0>2}"
    return text
