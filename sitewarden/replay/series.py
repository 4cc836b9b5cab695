"""Recorded series from CSV files: lines become polls, in the order of time, and what is wrong with a line is said.

    time,point,value[,quality]             long: one reading a line
    time,crane-1.load_t,crane-1.wind_ms    wide: one column a point; an empty cell is no reading

In: a file and the site's points. Out: a `Recording`: its polls as `Readings`, the faults of its lines, and the points
that the site does not know. A time is ISO 8601 or a Unix time in s, ms, us or ns (told by its size). What is no number
is BAD; what else is not believed is said by the device tables (`sitewarden.replay.tables`). Knows no rule and no
pipeline.
"""

import csv
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.model.quantity import PointTable
from gateway.model.reading import Quality, Readings

MAX_FAULTS_KEPT = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_NS = ((1e11, 1_000_000_000), (1e14, 1_000_000), (1e17, 1_000))
_QUALITIES = {name: quality for quality in Quality for name in (quality.name.lower(), str(int(quality)))}
_TOO_LATE_NS = 2**63


class ReplayError(Exception):
    """The file as a whole cannot be replayed; says why and what was expected."""


@dataclass(frozen=True, slots=True)
class LineFault:
    """One line that was passed over. `line` is 1-based."""

    file: str
    line: int
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: found {self.found}, expected {self.expected}"


@dataclass(slots=True)
class Recording:
    """What a file says. `polls` can be walked once; counts are final after it.

    `present` are the points that it may speak of; silence of others says nothing of the site. `unknown` are point ids
    that the site does not have, `recomputed` those that its asset models make themselves, each with how many readings
    were passed over. `faults` keeps the first thousand of `faulty_lines`.
    """

    polls: Iterator[Readings]
    present: frozenset[int] = frozenset()
    unknown: Counter[str] = field(default_factory=Counter)
    recomputed: Counter[str] = field(default_factory=Counter)
    faults: list[LineFault] = field(default_factory=list)
    faulty_lines: int = 0
    repeated: int = 0


class LineError(ValueError):
    """What is wrong with one line: what was found, and what was expected."""

    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(f"found {found}, expected {expected}")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Readings in the order of the file, as arrays of machine numbers."""

    t_ns: "array[int]" = field(default_factory=lambda: array("q"))
    point: "array[int]" = field(default_factory=lambda: array("i"))
    value: "array[float]" = field(default_factory=lambda: array("d"))
    quality: "array[int]" = field(default_factory=lambda: array("B"))

    def add(self, t_ns: int, point: int, value: float, quality: int) -> None:
        """Add one reading of a point at its time."""
        self.t_ns.append(t_ns)
        self.point.append(point)
        self.value.append(value)
        self.quality.append(quality)


class TimeReader:
    """Text to UTC ns. `utc_offset_minutes` is meant by a time without an offset of its own."""

    def __init__(self, utc_offset_minutes: int = 0) -> None:
        self._zone = timezone(timedelta(minutes=utc_offset_minutes))
        self._last: tuple[str | None, int] = (None, 0)

    def ns(self, text: str) -> int:
        """Raises LineError. The last text is remembered: in long files many lines share one time."""
        if text != self._last[0]:
            found = _number_ns(text) if _is_number(text) else self._iso_ns(text)
            if not 0 <= found < _TOO_LATE_NS:
                raise LineError(f"time {text!r}", "a time between 1970 and 2262")
            self._last = (text, found)
        return self._last[1]

    def _iso_ns(self, text: str) -> int:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise LineError(f"time {text!r}", "ISO 8601 or a Unix time in s, ms, us or ns") from None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
        return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000


def read_csv(path: Path, points: PointTable, derived: frozenset[int], utc_offset_minutes: int = 0) -> Recording:
    """A CSV file, long or wide by its header. `derived` are the points that asset models make. Raises ReplayError."""
    recording, rows = Recording(iter(())), _Rows()
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            first = file.readline()
            file.seek(0)
            lines = csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True)
            header = [cell.strip() for cell in next(lines, [])]
            known = _Known(points, derived, recording)
            read_line = _line_reader(path, header, known, TimeReader(utc_offset_minutes))
            _read_lines(path, lines, lambda cells: read_line(cells, rows), recording)
    except OSError as error:
        raise ReplayError(f"{path}: {error.strerror}") from None
    recording.present = frozenset(rows.point)
    recording.polls = _polls(rows, points, recording)
    return recording


class _Known:
    """Which points a name in the file means; counts the readings of those that are passed over."""

    def __init__(self, points: PointTable, derived: frozenset[int], recording: Recording) -> None:
        self._index_of = points.index_of
        self._derived = derived
        self._recording = recording

    def position(self, name: str) -> int:
        """The point's position; -1 for one to pass over, which is counted."""
        index = self._index_of.get(name, -1)
        if index < 0:
            self._recording.unknown[name] += 1
        elif index in self._derived:
            self._recording.recomputed[name] += 1
            return -1
        return index


def _line_reader(
    path: Path, header: Sequence[str], known: _Known, times: TimeReader
) -> Callable[[Sequence[str], _Rows], None]:
    names = [name.lower() for name in header]
    if {"time", "point", "value"} <= set(names):
        return _LongLines({name: names.index(name) for name in names}, known, times).read
    if names[:1] == ["time"] and len(names) > 1:
        return _WideLines(header, known, times).read
    raise ReplayError(
        f"{path}:1: found header {','.join(header)[:80]!r}, "
        "expected time,point,value[,quality] or time and one column per point"
    )


@dataclass(frozen=True, slots=True)
class _LongLines:
    """One reading a line; `column` says where each column of the header is."""

    column: Mapping[str, int]
    known: _Known
    times: TimeReader

    def read(self, cells: Sequence[str], rows: _Rows) -> None:
        """Add the line's reading. Raises LineError."""
        if len(cells) <= max(self.column.values()):
            raise LineError(f"{len(cells)} columns", f"{len(self.column)}")
        t_ns = self.times.ns(cells[self.column["time"]])
        quality = _quality(cells[self.column["quality"]]) if "quality" in self.column else Quality.GOOD
        index = self.known.position(cells[self.column["point"]].strip())
        if index >= 0:
            rows.add(t_ns, index, *_cell(cells[self.column["value"]], quality))


class _WideLines:
    """One column a point; an empty cell is no reading."""

    def __init__(self, header: Sequence[str], known: _Known, times: TimeReader) -> None:
        self._names = header
        self._known = known
        self._times = times

    def read(self, cells: Sequence[str], rows: _Rows) -> None:
        """Add the line's readings, all of them or none. Raises LineError."""
        if len(cells) != len(self._names):
            raise LineError(f"{len(cells)} columns", f"{len(self._names)} as in the header")
        t_ns = self._times.ns(cells[0])
        found = []
        for name, text in zip(self._names[1:], cells[1:], strict=True):
            if text.strip() and (index := self._known.position(name)) >= 0:
                found.append((index, *_cell(text, Quality.GOOD)))
        for each in found:
            rows.add(t_ns, *each)


def _read_lines(
    path: Path, lines: Iterator[list[str]], read: Callable[[Sequence[str]], None], recording: Recording
) -> None:
    """Every line; one that makes no sense is noted, and the rest goes on."""
    number = 1
    while True:
        number += 1
        try:
            cells = next(lines)
            if cells:
                read(cells)
        except StopIteration:
            return
        except csv.Error as error:
            _note(recording, LineFault(str(path), number, str(error), "a line of CSV"))
        except LineError as error:
            _note(recording, LineFault(str(path), number, error.found, error.expected))


def _note(recording: Recording, fault: LineFault) -> None:
    recording.faulty_lines += 1
    if len(recording.faults) < MAX_FAULTS_KEPT:
        recording.faults.append(fault)


def _polls(rows: _Rows, points: PointTable, recording: Recording) -> Iterator[Readings]:
    """Readings of one device at one time are one poll; of several of one point at one time the last counts."""
    t_ns, point = np.array(rows.t_ns, dtype=np.int64), np.array(rows.point, dtype=np.int32)
    devices = {device: i for i, device in enumerate(dict.fromkeys(each.device for each in points.points))}
    device_of = np.array([devices[each.device] for each in points.points], dtype=np.int32)
    device = device_of[point]
    order = np.lexsort((point, device, t_ns))
    t_ns, point, device = t_ns[order], point[order], device[order]
    same = (t_ns[1:] == t_ns[:-1]) & (point[1:] == point[:-1])
    kept = np.append(~same, True)[: len(order)]
    recording.repeated = int(same.sum())
    t_ns, point, device, order = t_ns[kept], point[kept], device[kept], order[kept]
    value, quality = np.array(rows.value)[order], np.array(rows.quality, dtype=np.uint8)[order]
    edges = np.flatnonzero((np.diff(t_ns) != 0) | (np.diff(device) != 0)) + 1
    names, layouts = list(devices), Layouts()
    for first, end in zip([0, *edges.tolist()], [*edges.tolist(), len(t_ns)], strict=True):
        if first < end:
            index = layouts.same(point[first:end])
            at_ns = int(t_ns[first])
            yield Readings(names[device[first]], index, value[first:end], quality[first:end], at_ns, at_ns)


class Layouts:
    """One array a layout: whoever reads polls knows a layout by its identity."""

    def __init__(self) -> None:
        self._known: dict[bytes, NDArray[np.int32]] = {}

    def same(self, index: NDArray[np.int32]) -> NDArray[np.int32]:
        """The first array that was equal to this one."""
        return self._known.setdefault(index.tobytes(), index)


def _cell(text: str, quality: int) -> tuple[float, int]:
    """Value and quality of one cell. Raises LineError for what is no number."""
    value = _value(text)
    return (value, quality) if quality != Quality.BAD and math.isfinite(value) else (math.nan, Quality.BAD)


def _value(text: str) -> float:
    """A number; empty and NaN are no value (NaN). Raises LineError."""
    text = text.strip()
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise LineError(f"value {text!r}", "a number") from None


def _quality(text: str) -> int:
    """GOOD when nothing is said. Raises LineError."""
    text = text.strip().lower()
    if text and text not in _QUALITIES:
        raise LineError(f"quality {text!r}", "good, suspect, bad, or 0, 1, 2")
    return _QUALITIES[text] if text else Quality.GOOD


def _is_number(text: str) -> bool:
    whole, _, fraction = text.strip().partition(".")
    return text.isascii() and whole.isdigit() and len(whole) > 8 and (not fraction or fraction.isdigit())


def _number_ns(text: str) -> int:
    """A Unix time: up to 11 digits are s, 14 ms, 17 us, more ns."""
    whole, _, fraction = text.strip().partition(".")
    unit_ns = next((unit for bound, unit in _UNITS_NS if int(whole) < bound), 1)
    return int(whole) * unit_ns + round(float(f"0.{fraction or 0}") * unit_ns)
