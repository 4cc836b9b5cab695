"""InfluxDB line protocol from history blocks: pure, vectorised, no I/O.

In: `ReadingBlock`s and what is known of their assets. Out: finished lines as text. Knows nothing of servers.

One poll of one asset becomes one line, except in a pit, where every monitored point is a series of its own:

    crane_rt,crane_sn=SIM-TC-1,project=DEMO-0001 q=0i,load_t=2.5,moment_pct=41.0 1700000000000000000
    pit_point,item_key=wall_top_h,pit=pit-1,point=wall_top_h_2,project=DEMO-0001 q=2i 1700000000000000000

- Values are floats in the shortest text that reads back as the same double; times are integer nanoseconds.
- What the box derives of a crane is a line of its own, `crane_rt_derived,...,model=derived`: its `q` is not that of
  the readings.
- A BAD value is left out, never written as a number; `q` is the worst quality of the line (0 good, 1 suspect, 2 bad),
  so a poll that failed is still a line.
- Points with a deadband are written when they leave it (`gateway.uplinks.deadband`); without one, at every poll.
- `late=true` marks a line sent more than a minute after it was observed.

How it is fast: numpy picks the values to write, orjson spells all of them in one call, and each line is one `%` of a
template that is kept per pattern of written fields (nearly always the one pattern "everything is good").
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
from numpy.typing import NDArray

from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.ports import AssetTag, ReadingBlock
from gateway.uplinks.deadband import Deadbands

LATE_AFTER_NS = 60 * 1_000_000_000

MEASUREMENTS: Mapping[str, str] = {"tower-crane": "crane_rt", "deep-pit": "pit_point", "weather-mast": "env"}
"""Measurement by asset kind; any other kind goes to `OTHER_MEASUREMENT`."""

OTHER_MEASUREMENT = "points"

_DERIVED = "_derived"
_RESERVED_FIELDS = frozenset({"q", "late", "time"})
_MAX_PATTERNS = 512
_TRAILING_NUMBER = re.compile(r"_\d+$")
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f]")
_BACKSLASH_BEFORE_SPECIAL = re.compile(r"\\+(?=[,= ]|$)")


def escape_key(text: str) -> str:
    r"""A tag key, tag value or field key: comma, equals sign and space get a backslash.

    Line protocol cannot carry everything. Control characters (a newline would end the line) become spaces, and
    backslashes that stand before one of the three characters or at the end become slashes, since they would escape
    what follows. Every other backslash is kept.
    """
    return escape_measurement(text).replace("=", "\\=")


def escape_measurement(text: str) -> str:
    """A measurement: as a key, but an equals sign means nothing there and stays."""
    speakable = _UNSPEAKABLE.sub(" ", text)
    safe = _BACKSLASH_BEFORE_SPECIAL.sub(lambda run: "/" * len(run.group()), speakable)
    return safe.replace(",", "\\,").replace(" ", "\\ ")


def series_head(measurement: str, tags: Mapping[str, str]) -> str:
    """`measurement,tag=value,...` with the tags sorted as the server wants them; a tag without a value is left out."""
    pairs = [f",{escape_key(key)}={escape_key(tags[key])}" for key in sorted(tags) if tags[key]]
    return escape_measurement(measurement) + "".join(pairs)


@dataclass(slots=True)
class _RowSeries:
    """The points of one asset that share a line. `templates` is a cache: written-field pattern -> line template."""

    columns: NDArray[np.intp]
    head: str
    field_keys: tuple[str, ...]
    templates: dict[bytes, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _PointSeries:
    """The points of one asset that are each a series of their own, with one field `value`."""

    columns: NDArray[np.intp]
    heads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    points: tuple[Point, ...]
    series: tuple[_RowSeries | _PointSeries, ...]
    thinned: bool


class LineEncoder:
    """Encodes the blocks of one box. Not for several threads at once: it keeps layouts, templates and reports."""

    def __init__(
        self, project_code: str, assets: Mapping[str, AssetTag], measurements: Mapping[str, str] | None = None
    ) -> None:
        """`measurements` overrides the measurement's name per asset kind; the tags of a kind stay as they are."""
        self._project = project_code
        self._assets = dict(assets)
        self._measurements = {**MEASUREMENTS, **(measurements or {})}
        self._layouts: dict[str, _Layout] = {}
        self._deadbands = Deadbands()

    def lines(self, block: ReadingBlock, now_ns: int) -> list[str]:
        """Every poll of the block as lines, without line ends. `now_ns` decides what is late."""
        times = [str(time_ns) for time_ns in block.observed_at_ns.tolist()]
        late = ((now_ns - block.observed_at_ns) > LATE_AFTER_NS).tolist()
        lines: list[str] = []
        layout = self._layout(block)
        for series in layout.series:
            quality, written = _judge(block, series.columns)
            polls = _Polls(block.value[:, series.columns], quality, written, times, late)
            if isinstance(series, _RowSeries):
                if layout.thinned:
                    polls = polls.of_rows(self._deadbands.rows(block, series.columns))
                lines += _row_lines(series, polls)
            else:
                rows = [self._deadbands.rows(block, [column]) for column in series.columns] if layout.thinned else []
                lines += _point_lines(series, polls, rows)
        return lines

    def _layout(self, block: ReadingBlock) -> _Layout:
        known = self._layouts.get(block.device)
        if known is None or known.points != block.points:
            thinned = any(point.deadband for point in block.points)
            known = _Layout(block.points, tuple(self._series(block.points)), thinned)
            self._layouts[block.device] = known
        return known

    def _series(self, points: Sequence[Point]) -> Iterator[_RowSeries | _PointSeries]:
        columns_of: dict[str, list[int]] = {}
        for column, point in enumerate(points):
            columns_of.setdefault(point.asset, []).append(column)
        for asset, columns in columns_of.items():
            tag = self._assets.get(asset, AssetTag(kind="", serial=""))
            measurement = self._measurements.get(tag.kind, OTHER_MEASUREMENT)
            model = _model_of(points[columns[0]])
            keys = [points[column].point_id.removeprefix(f"{asset}.") for column in columns]
            where = np.array(columns, dtype=np.intp)
            if tag.kind == "deep-pit":
                items = [points[column].item for column in columns]
                tags = [self._pit_tags(asset, key, item) for key, item in zip(keys, items, strict=True)]
                heads = tuple(series_head(measurement, each) for each in tags)
                yield _PointSeries(where, heads)
            else:
                name = f"{measurement}{_DERIVED}" if model else measurement
                head = series_head(name, {**self._row_tags(asset, tag), "model": model})
                yield _RowSeries(where, head, tuple(_field_key(key) for key in keys))

    def _pit_tags(self, asset: str, key: str, item: str) -> dict[str, str]:
        """`point` is the whole key, so it is unique in the pit; `item_key` is the monitored item, or the key without
        its number where the point does not say."""
        item_key = item or _TRAILING_NUMBER.sub("", key)
        return {"project": self._project, "pit": asset, "item_key": item_key, "point": key}

    def _row_tags(self, asset: str, tag: AssetTag) -> dict[str, str]:
        """An asset without a serial number is named by its id: two cranes must never share a series."""
        if tag.kind == "tower-crane":
            return {"project": self._project, "crane_sn": tag.serial or asset}
        if tag.kind == "weather-mast":
            return {"project": self._project, "sn": tag.serial or asset}
        return {"project": self._project, "asset": asset}


def _model_of(point: Point) -> str:
    """Which asset model derived the point (`derived`, `ties`, a group's name); empty for one that was read."""
    owner, colon, model = point.device.partition(":")
    return model.replace(":", "_") if colon and owner in (point.asset, "group") else ""


@dataclass(frozen=True, slots=True, eq=False)
class _Polls:
    """The polls of one block, cut to the columns of one series: arrays (p, n), lists of length p."""

    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    written: NDArray[np.bool_]
    times: list[str]
    late: list[bool]

    def of_rows(self, kept: NDArray[np.bool_]) -> "_Polls":
        """Only the polls that are kept: shape (p,)."""
        if kept.all():
            return self
        rows = np.flatnonzero(kept)
        times = [self.times[row] for row in rows]
        late = [self.late[row] for row in rows]
        return _Polls(self.value[rows], self.quality[rows], self.written[rows], times, late)


def _judge(block: ReadingBlock, columns: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Quality per value (what is no number is BAD, whatever was said of it), and which values are written."""
    bad = np.uint8(Quality.BAD)
    quality = np.where(np.isfinite(block.value[:, columns]), block.quality[:, columns], bad).astype(np.uint8)
    return quality, quality < bad


def _row_lines(series: _RowSeries, polls: _Polls) -> list[str]:
    texts = _decimal_texts(polls.value[polls.written])
    states = _state_fields(polls.quality.max(axis=1, initial=0).tolist(), polls.late)
    patterns = [row.tobytes() for row in polls.written]
    counts = polls.written.sum(axis=1).tolist()
    lines: list[str] = []
    start = 0
    for pattern, count, state, time in zip(patterns, counts, states, polls.times, strict=True):
        template = series.templates.get(pattern) or _template(series, pattern)
        lines.append(template % (state, *texts[start : start + count], time))
        start += count
    return lines


def _point_lines(series: _PointSeries, every: _Polls, due: Sequence[NDArray[np.bool_]]) -> list[str]:
    """`due` (k, p): which polls of each point are written; all of them when it is empty."""
    lines: list[str] = []
    for column, head in enumerate(series.heads):
        polls = every.of_rows(due[column]) if due else every
        written = polls.written[:, column]
        texts = iter(_decimal_texts(polls.value[written, column]))
        states = _state_fields(polls.quality[:, column].tolist(), polls.late)
        if written.all():
            rows = zip(states, texts, polls.times, strict=True)
            lines += [f"{head} {state},value={text} {time}" for state, text, time in rows]
        else:
            fields = [f",value={next(texts)}" if is_written else "" for is_written in written.tolist()]
            lines += [f"{head} {s}{f} {t}" for s, f, t in zip(states, fields, polls.times, strict=True)]
    return lines


def _template(series: _RowSeries, pattern: bytes) -> str:
    """The line of one pattern of written fields, with `%s` for the state, each value and the time."""
    keys = [key for key, written in zip(series.field_keys, pattern, strict=True) if written]
    fields = "".join(f",{_literal(key)}=%s" for key in keys)
    template = f"{_literal(series.head)} %s{fields} %s"
    if len(series.templates) >= _MAX_PATTERNS:
        series.templates.clear()
    series.templates[pattern] = template
    return template


def _state_fields(worst: list[int], late: list[bool]) -> list[str]:
    return [f"q={q}i,late=true" if is_late else f"q={q}i" for q, is_late in zip(worst, late, strict=True)]


def _decimal_texts(values: NDArray[np.float64]) -> list[str]:
    """Each double as the shortest decimal text that reads back as the same double; values are finite."""
    if values.size == 0:
        return []
    array = np.ascontiguousarray(values, dtype=np.float64)
    return orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode("ascii").split(",")


def _field_key(key: str) -> str:
    """A point may be called like a field of ours or like the server's own `time`: it then gets an underscore."""
    return escape_key(f"{key}_" if key in _RESERVED_FIELDS else key)


def _literal(text: str) -> str:
    return text.replace("%", "%%")
