"""What was measured around an alarm: sealed samples of its record, and one-minute values that the box sent.

In: an alarm. Out: points in time with their limit, as a small picture in SVG. A value that was bad is not a point, and
a time of which nothing is known is hatched, never joined by a line.
"""

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from sqlalchemy import Connection, Row, select

from regulator.base.records.tables.intake import chain_records, items
from regulator.parts.review.spans import Span
from screens.formats import local_time, number, unit_sign

MINUTE_NS = 60_000_000_000
ARRIVAL_NS = 120 * MINUTE_NS
"""How long after its minute a summary is looked for: boxes send them late after an outage."""
MOST_SUMMARIES = 400
BAD = 2
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 200, 56, 10, 16, 24


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment: the mean, and the lowest and highest where it stands for a minute."""

    at_ns: int
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """What is known of the subject of an alarm, oldest first. `limit` is NaN when the alarm has none."""

    unit: str
    limit: float
    raised_at_ns: int
    span: Span
    samples: tuple[Sample, ...]


def series_of(db: Connection, alarm: "Row[tuple[object, ...]]", span: Span) -> Series:
    """From the alarm's sealed record and the minutes around it."""
    sealed = _sealed(db, alarm)
    found = {sample.at_ns: sample for sample in (*_minutes(db, alarm, span), *sealed)}
    window = range(span.from_ns, span.to_ns + 1)
    inside = tuple(found[at_ns] for at_ns in sorted(found) if at_ns in window)
    return Series(alarm.unit, _value(alarm.limit_value), alarm.raised_at_ns, span, inside)


def _sealed(db: Connection, alarm: "Row[tuple[object, ...]]") -> list[Sample]:
    at = chain_records.c
    place = (at.box_id == alarm.box_id) & (at.seq == alarm.evidence_seq) & (at.sha256 == alarm.evidence_sha256)
    text = db.scalar(select(at.record).where(place))
    content = json.loads(text).get("content") if text else None
    said = content.get("samples") if isinstance(content, dict) else None
    found = [_sealed_sample(each, alarm.subject) for each in said or () if isinstance(each, dict)]
    return [sample for sample in found if sample is not None]


def _sealed_sample(said: dict[str, object], subject: str) -> Sample | None:
    points, values, qualities = (said.get(name) for name in ("point", "value", "quality"))
    at_ns = said.get("observed_at_ns")
    if not isinstance(points, list) or subject not in points or not isinstance(at_ns, int):
        return None
    place = points.index(subject)
    if not isinstance(values, list) or not isinstance(qualities, list) or qualities[place] == BAD:
        return None
    value = _value(values[place])
    return Sample(at_ns, value, value, value) if math.isfinite(value) else None


def _minutes(db: Connection, alarm: "Row[tuple[object, ...]]", span: Span) -> list[Sample]:
    at = items.c
    first, last = span.from_ns, span.to_ns + ARRIVAL_NS
    when = (at.accepted_at_ns >= first) & (at.accepted_at_ns <= last)
    query = select(at.body).where(at.box_id == alarm.box_id, at.kind == "minute_summary", when)
    bodies = db.scalars(query.order_by(at.accepted_at_ns).limit(MOST_SUMMARIES))
    return [sample for body in bodies for sample in _minute_samples(json.loads(body), alarm.subject)]


def _minute_samples(said: dict[str, object], subject: str) -> list[Sample]:
    points, minute_ns = said.get("points"), said.get("minute_at_ns")
    if not isinstance(points, list) or not isinstance(minute_ns, int):
        return []
    known = [each for each in points if each["point_id"] == subject and each["count"] and each["quality"] != BAD]
    middle_ns = minute_ns + MINUTE_NS // 2
    return [Sample(middle_ns, _value(each["min"]), _value(each["mean"]), _value(each["max"])) for each in known]


def _value(text: object) -> float:
    return float(text) if isinstance(text, str) else math.nan


def draw(series: Series, *, chinese: bool) -> str:
    """The picture. Says so where nothing is known."""
    return _Drawing(series, chinese).svg()


class _Drawing:
    def __init__(self, series: Series, chinese: bool) -> None:
        self._series, self._chinese = series, chinese
        self._from_ns, self._to_ns, self._gap_ns = series.span.from_ns, series.span.to_ns, series.span.gap_ns
        values = [value for each in series.samples for value in (each.low, each.high)]
        values += [series.limit] if math.isfinite(series.limit) else []
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
        self._low, self._high = low - margin, high + margin

    def svg(self) -> str:
        parts = [self._frame(), *self._unknown(), *self._lines(), *self._limit(), self._raised(), self._words()]
        size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        hatch = (
            '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse">'
            '<path d="M-2 2 4-4M0 8 8 0M4 12 12 4" stroke="#5a5f63" stroke-width="1.6"/></pattern></defs>'
        )
        look = 'font-family="sans-serif" font-size="12" fill="#1a1a1a"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {look}>{hatch}{"".join(parts)}</svg>'

    def _x(self, at_ns: int) -> float:
        share = (at_ns - self._from_ns) / (self._to_ns - self._from_ns)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (value - self._low) / (self._high - self._low) * (HEIGHT - TOP - BOTTOM)

    def _frame(self) -> str:
        plot = f'x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"'
        unit = self._series.unit
        marks = "".join(
            f'<text x="{LEFT - 4}" y="{self._y(value) + 4:.1f}" text-anchor="end">{number(value, unit)}</text>'
            for value in (self._low, self._high)
        )
        return (
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><rect {plot} fill="none" stroke="#8a8f94"/>{marks}'
        )

    def _unknown(self) -> Sequence[str]:
        times = [self._from_ns, *(sample.at_ns for sample in self._series.samples), self._to_ns]
        return [self._hatched(a, b) for a, b in itertools.pairwise(times) if b - a > self._gap_ns]

    def _hatched(self, from_ns: int, to_ns: int) -> str:
        left, right = self._x(from_ns), self._x(to_ns)
        box = f'x="{left:.1f}" y="{TOP}" width="{max(1.0, right - left):.1f}" height="{HEIGHT - TOP - BOTTOM}"'
        word = "未知" if self._chinese else "unknown"
        label = f'<text x="{(left + right) / 2:.0f}" y="{TOP + 16}" text-anchor="middle">{word}</text>'
        return f'<rect {box} fill="url(#hatch)" opacity="0.6"/>{label if right - left > 60 else ""}'

    def _lines(self) -> Sequence[str]:
        found, run = [], list[Sample]()
        for sample in self._series.samples:
            if run and sample.at_ns - run[-1].at_ns > self._gap_ns:
                found.append(self._line(run))
                run = []
            run.append(sample)
        return [*found, self._line(run)] if run else found

    def _line(self, run: Sequence[Sample]) -> str:
        upper = [f"{self._x(each.at_ns):.1f},{self._y(each.high):.1f}" for each in run]
        lower = [f"{self._x(each.at_ns):.1f},{self._y(each.low):.1f}" for each in reversed(run)]
        means = " ".join(f"{self._x(each.at_ns):.1f},{self._y(each.mean):.1f}" for each in run)
        dots = "".join(
            f'<circle cx="{self._x(each.at_ns):.1f}" cy="{self._y(each.mean):.1f}" r="2" fill="#1f3b57"/>'
            for each in run
        )
        band = f'<polygon points="{" ".join([*upper, *lower])}" fill="#1f3b57" opacity="0.25"/>'
        return f'{band}<polyline points="{means}" fill="none" stroke="#1f3b57" stroke-width="1.5"/>{dots}'

    def _limit(self) -> Sequence[str]:
        if not math.isfinite(self._series.limit):
            return []
        y = self._y(self._series.limit)
        words = f"{'限值' if self._chinese else 'limit'} {number(self._series.limit, self._series.unit)}"
        line = f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#c00000" stroke-width="1.6" stroke-dasharray="8 4"/>'
        return [line, f'<text x="{WIDTH - RIGHT - 4}" y="{y - 4:.1f}" text-anchor="end">{words}</text>']

    def _raised(self) -> str:
        x = self._x(self._series.raised_at_ns)
        word = "报警" if self._chinese else "raised"
        line = f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#1a1a1a" stroke-dasharray="2 3"/>'
        return f'{line}<text x="{x + 4:.1f}" y="{HEIGHT - BOTTOM - 4}">{word}</text>'

    def _words(self) -> str:
        times = ((self._from_ns, "start"), (self._series.raised_at_ns, "middle"), (self._to_ns, "end"))
        clock = "".join(
            f'<text x="{self._x(at_ns):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{local_time(at_ns)}</text>'
            for at_ns, anchor in times
        )
        return f'{clock}<text x="{LEFT}" y="12">{escape(unit_sign(self._series.unit))}</text>'
