"""Finds the columns of a surveyor's table and reads it line by line.

In: the file's bytes, the points by name, the time and zone of the site. Out: `ParsedTable`. The header may stand below
a title and may come again on a later page of the same sheet; a sheet without a header is passed over as long as another
one has it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import Enum, auto

from gateway.parts.pit.hand_entry.cells import moment_ns, plain, read_moment, read_number, unit_of
from gateway.parts.pit.hand_entry.faults import EntryFault, FaultCode, shortened
from gateway.parts.pit.hand_entry.tables import Content, Line, Sheet, TableError, read_sheets

SITE_ZONE = timezone(timedelta(hours=8))
FUTURE_S = 300.0
"""How far ahead of the box a surveyor's watch may be (PD)."""
_TITLE_LINES = 30
_EARLIEST_NS = 946_684_800_000_000_000
_HEADER_UNIT = re.compile(r"(.*?)\s*[(\[](.+)[)\]]")


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A point that may be entered by hand: its id, its unit, what is believable, when it was last read (UTC ns)."""

    point_id: str
    unit: str
    minimum: float = float("-inf")
    maximum: float = float("inf")
    last_ns: int = 0


@dataclass(frozen=True, slots=True)
class When:
    """The box's time, UTC ns, and the zone of times that carry no offset."""

    now_ns: int
    zone: tzinfo = SITE_ZONE


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """One reading: point, time (UTC ns), value in the point's unit; and where it stood."""

    point_id: str
    at_ns: int
    value: float
    sheet: str
    line: int


@dataclass(frozen=True, slots=True)
class ParsedTable:
    """What was taken, in order of time, and what was not, in order of sheet and line."""

    rows: tuple[AcceptedRow, ...]
    faults: tuple[EntryFault, ...]


class _Column(Enum):
    POINT = auto()
    MOMENT = auto()
    DATE = auto()
    VALUE = auto()
    UNIT = auto()


_NAMES: Mapping[_Column, str] = {
    _Column.POINT: "测点 测点号 测点编号 测点名称 点号 点名 监测点 监测点号 监测点编号 point pointid pointno",
    _Column.MOMENT: "时间 观测时间 监测时间 测量时间 日期时间 观测日期时间 time datetime timestamp",
    _Column.DATE: "日期 观测日期 监测日期 测量日期 date",
    _Column.VALUE: "读数 测值 本次测值 本次读数 本次观测值 观测值 实测值 测量值 数值 value reading",
    _Column.UNIT: "单位 unit",
}
_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names.split()}


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the columns are, and the unit in the header of the readings."""

    column: Mapping[_Column, int]
    unit: str

    def cell(self, line: Line, column: _Column) -> Content:
        index = self.column.get(column, len(line.cells))
        return line.cells[index] if index < len(line.cells) else None


def parse(content: bytes, name: str, known: Mapping[str, KnownPoint], when: When) -> ParsedTable:
    """Every good line of the file as a reading, and every other one as a fault. `known` maps the names of points on
    the drawing to points; `name` is the file's, for the fault that is about the file as a whole."""
    try:
        sheets = read_sheets(content)
    except TableError as error:
        fault = EntryFault("", 0, error.code, shortened(error.found or name), error.expected)
        return ParsedTable((), (fault,))
    reader = _Reader(known, when)
    found = [reader.read(sheet) for sheet in sheets]
    if not any(found) and not reader.faults:
        reader.faults.append(EntryFault("", 0, FaultCode.NO_HEADER, shortened(name)))
    return ParsedTable(tuple(sorted(reader.rows, key=lambda row: row.at_ns)), tuple(reader.faults))


class _LineError(Exception):
    """One line is not taken."""

    def __init__(self, code: FaultCode, found: str = "", expected: str = "") -> None:
        super().__init__(code)
        self.code, self.found, self.expected = code, found, expected


class _Reader:
    """Reads the sheets of one file; `rows` and `faults` grow."""

    def __init__(self, known: Mapping[str, KnownPoint], when: When) -> None:
        self.rows: list[AcceptedRow] = []
        self.faults: list[EntryFault] = []
        by_name = {plain(name).lower(): point for name, point in known.items()}
        self._known = by_name | {point.point_id: point for point in known.values()}
        self._when = when
        self._taken: dict[tuple[str, int], int] = {}

    def read(self, sheet: Sheet) -> bool:
        """Whether the sheet has a header; its lines are then taken or noted."""
        header: _Header | None = None
        for count, line in enumerate(sheet.lines):
            if header is None and count >= _TITLE_LINES:
                break
            found = self._header(sheet, line)
            if found is not None:
                header = found
            elif header is not None and any(plain(cell) for cell in line.cells):
                self._take(sheet, header, line)
        return header is not None

    def _take(self, sheet: Sheet, header: _Header, line: Line) -> None:
        try:
            point = self._point(header.cell(line, _Column.POINT))
            value = _value(header, line, point)
            at_ns = self._at_ns(sheet, header, line, point)
            first = self._taken.setdefault((point.point_id, at_ns), line.number)
            if first != line.number:
                raise _LineError(FaultCode.DUPLICATE, expected=str(first))
            self.rows.append(AcceptedRow(point.point_id, at_ns, value, sheet.title, line.number))
        except _LineError as error:
            found = shortened(error.found)
            self.faults.append(EntryFault(sheet.title, line.number, error.code, found, error.expected))

    def _header(self, sheet: Sheet, line: Line) -> _Header | None:
        """The header that this line is; None when it is none."""
        columns: dict[_Column, int] = {}
        unit = ""
        doubled = ""
        for index, cell in enumerate(line.cells):
            name, written_unit = _header_cell(cell)
            column = _COLUMN_OF.get(name)
            if column is None or (index > 0 and cell == line.cells[index - 1]):
                continue
            doubled = doubled or (plain(cell) if column in columns else "")
            columns.setdefault(column, index)
            unit = written_unit if column is _Column.VALUE else unit
        if not {_Column.POINT, _Column.VALUE} <= set(columns) or not {_Column.MOMENT, _Column.DATE} & set(columns):
            return None
        if doubled:
            self.faults.append(EntryFault(sheet.title, line.number, FaultCode.TWO_COLUMNS, shortened(doubled)))
            return None
        return _Header(columns, unit_of(unit))

    def _point(self, cell: Content) -> KnownPoint:
        point = self._known.get(plain(cell).lower())
        if point is None:
            raise _LineError(FaultCode.UNKNOWN_POINT, plain(cell))
        return point

    def _at_ns(self, sheet: Sheet, header: _Header, line: Line, point: KnownPoint) -> int:
        moment, day = header.cell(line, _Column.MOMENT), header.cell(line, _Column.DATE)
        both = _Column.DATE in header.column
        hour = moment if both else None
        written = " ".join(part for part in (plain(day), plain(moment)) if part)
        read = read_moment(day if both else moment, hour, self._when.zone, sheet.serial_dates)
        if isinstance(read, FaultCode):
            raise _LineError(read, written)
        at_ns = moment_ns(read)
        if at_ns < _EARLIEST_NS:
            raise _LineError(FaultCode.BAD_TIME, written)
        if at_ns > self._when.now_ns + int(FUTURE_S * 1e9):
            raise _LineError(FaultCode.FUTURE_TIME, written)
        if at_ns <= point.last_ns:
            raise _LineError(FaultCode.NOT_NEWER, written, _written(point.last_ns, self._when.zone))
        return at_ns


def _value(header: _Header, line: Line, point: KnownPoint) -> float:
    cell = header.cell(line, _Column.VALUE)
    read = read_number(cell)
    if read is None:
        raise _LineError(FaultCode.BAD_NUMBER, plain(cell))
    value, suffix = read
    for unit in (suffix, unit_of(plain(header.cell(line, _Column.UNIT))), header.unit):
        if unit and unit != point.unit:
            raise _LineError(FaultCode.UNIT_MISMATCH, unit, point.unit)
    if not point.minimum <= value <= point.maximum:
        raise _LineError(FaultCode.OUT_OF_RANGE, plain(cell), f"{point.minimum:g} … {point.maximum:g}")
    return value


def _header_cell(cell: Content) -> tuple[str, str]:
    """A header's name without spaces, and the unit in brackets behind it."""
    text = plain(cell) if isinstance(cell, str) else ""
    match = _HEADER_UNIT.fullmatch(text)
    name, unit = (match[1], match[2]) if match else (text, "")
    return re.sub(r"[\s_]", "", name).lower(), unit


def _written(at_ns: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def known_by_name(points: Sequence[tuple[str, KnownPoint]]) -> dict[str, KnownPoint]:
    """Points by their names on the drawing; a name that two pits have means neither, only the full id does then."""
    count = Counter(name for name, _ in points)
    return {name: point for name, point in points if count[name] == 1}
