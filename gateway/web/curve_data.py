"""A curve with all that belongs to it: the samples, where nothing is known, the limits, the alarms of its time.

    short and cheap   raw readings as far back as they are kept, one-minute roll-ups before that
    long or dear      one-minute roll-ups

In: the view over the box, points and a span. Out: `PointCurve`s. Knows no HTTP and draws nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.model.alarm import Alarm, Severity
from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.model.rule import Direction, GateParameters, ResolvedRule, RuleFamily
from gateway.store.blocks import MINUTE_NS, Minutes, Polls, join_polls
from gateway.store.column_reader import ColumnReader
from gateway.store.curve_excursions import Excursions, minute_excursions, raw_excursions
from gateway.store.curve_series import MAX_UNKNOWN, CurveSeries, Span, chained, minute_series, raw_series
from gateway.web.read_model import BoxParts

HOUR_NS = 60 * MINUTE_NS
RAW_SPAN_NS = 26 * HOUR_NS
"""A longer span is made of minutes: they show every extreme, and a screen is not wider than its minutes."""
RAW_CELLS = 12_000_000
"""Values in the blocks that raw readings are taken from: 8 hours of 40 points at 10 Hz. Beyond it, minutes."""
ENTRY_NS = 10 * MINUTE_NS
"""How long before the span raw readings are looked for, from which the line enters."""
LOOK_BACK_NS = 7 * 24 * HOUR_NS
"""How long before the span minutes are looked for, of points whose last word holds for longer: a pit's, for days."""
LINED = (RuleFamily.THRESHOLD, RuleFamily.CONSECUTIVE)
"""Families whose limit is a value of the point itself; the limit of a rate or of a silence is no line in its curve."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: points in order, times (UTC ns), and how much of it may be told apart a point."""

    points: tuple[Point, ...]
    from_ns: int
    to_ns: int
    samples: int
    intervals: int = MAX_UNKNOWN


@dataclass(frozen=True, slots=True)
class CurveLimit:
    """A limit as a line. `gated`: it counts only while other conditions hold. `sealed`: as it was when an alarm
    rose."""

    rule_id: str
    severity: Severity
    direction: Direction
    value: float
    title_zh: str
    title_en: str
    source: str
    clause: str
    certainty: str
    gated: bool = False
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class PointCurve:
    """One point's curve. `reached` says of each limit how often and for how long; `last` is the newest reading that is
    known in the span, (UTC ns, value)."""

    point: Point
    series: CurveSeries
    limits: tuple[CurveLimit, ...]
    reached: tuple[Excursions, ...]
    episodes: tuple[Alarm, ...]
    last: tuple[int, float] | None

    @property
    def lowest(self) -> float | None:
        """The lowest value that is known in the span."""
        return float(self.series.low.min()) if len(self.series.low) else None

    @property
    def highest(self) -> float | None:
        """The highest."""
        return float(self.series.high.max()) if len(self.series.high) else None


def read_curves(parts: BoxParts, wanted: Wanted, sealed: Sequence[CurveLimit] | None = None) -> list[PointCurve]:
    """The curves of some points. `sealed` takes the place of the limits that apply now. Opens files: not for an event
    loop."""
    end_ns = max(wanted.from_ns, min(wanted.to_ns, parts.clock.now_ns()))
    read = _Reading(parts.history.columns, wanted, end_ns)
    episodes = _episodes(parts, wanted, end_ns)
    return [
        read.curve(point, limits_of(parts.rules.rules, point) if sealed is None else tuple(sealed), episodes)
        for point in wanted.points
    ]


def limits_of(rules: Sequence[ResolvedRule], point: Point) -> tuple[CurveLimit, ...]:
    """The limits that apply to a point now, the gravest first."""
    found = [_limit(rule) for rule in rules if rule.subject == point.point_id and rule.family in LINED]
    return tuple(sorted((limit for limit in found if math.isfinite(limit.value)), key=lambda limit: limit.severity))


def _limit(rule: ResolvedRule) -> CurveLimit:
    info = rule.info
    return CurveLimit(
        info.rule_id,
        info.severity,
        rule.direction,
        rule.limit,
        info.title_zh,
        info.title_en,
        info.limit_source,
        info.clause,
        info.certainty,
        isinstance(rule.parameters, GateParameters),
    )


class _Reading:
    """What the history holds of the wanted points, each file opened once for all of them."""

    def __init__(self, history: ColumnReader, wanted: Wanted, end_ns: int) -> None:
        self._wanted, self._end_ns = wanted, end_ns
        self._raw_from_ns = self._boundary(history)
        names = [point.point_id for point in wanted.points]
        self._minutes: Mapping[str, Minutes] = {}
        self._before: Mapping[str, Minutes] = {}
        self._polls: Mapping[str, Polls] = {}
        if self._raw_from_ns > wanted.from_ns:
            last_ns = end_ns if self._raw_from_ns > end_ns else self._raw_from_ns - MINUTE_NS
            self._minutes = history.minutes_of(names, wanted.from_ns - self._look_ns, last_ns)
        elif self._look_ns > ENTRY_NS:
            self._before = history.minutes_of(names, wanted.from_ns - self._look_ns, wanted.from_ns - MINUTE_NS)
        if self._raw_from_ns <= end_ns:
            self._polls = history.polls_of(names, self._raw_from_ns - self._entry_ns, end_ns)

    def curve(self, point: Point, limits: tuple[CurveLimit, ...], episodes: Sequence[Alarm]) -> PointCurve:
        """One point's part of it."""
        series = [self._minute_part(point), self._raw_part(point)]
        parts = [part for part in series if part is not None]
        whole = chained(*parts) if len(parts) == 2 else parts[0]
        reached = tuple(self._reached(point, limit) for limit in limits)
        own = tuple(alarm for alarm in episodes if alarm.subject == point.point_id)
        return PointCurve(point, whole, limits, reached, own, self._last(point))

    @property
    def _look_ns(self) -> int:
        return min(LOOK_BACK_NS, max(_stale_ns(point) for point in self._wanted.points))

    @property
    def _entry_ns(self) -> int:
        return min(ENTRY_NS, self._look_ns)

    def _boundary(self, history: ColumnReader) -> int:
        """From when on raw readings are shown; beyond the end when none are."""
        never = self._end_ns + 1
        if self._wanted.to_ns - self._wanted.from_ns > RAW_SPAN_NS:
            return never
        names = [point.point_id for point in self._wanted.points]
        cover = history.raw_cover(names, self._wanted.from_ns - self._entry_ns, self._end_ns)
        if cover.since_ns is None or cover.cells > RAW_CELLS:
            return never
        if not cover.forgotten:
            return self._wanted.from_ns
        first_whole_minute_ns = -(-cover.since_ns // MINUTE_NS) * MINUTE_NS
        return max(self._wanted.from_ns, min(never, first_whole_minute_ns))

    def _span(self, point: Point, from_ns: int, to_ns: int) -> Span:
        """A part of the span with its share of the samples."""
        wanted = self._wanted
        share = (to_ns - from_ns) / max(1, self._end_ns - wanted.from_ns)
        samples = max(4, int(wanted.samples * share))
        return Span(from_ns, to_ns, _stale_ns(point), samples, wanted.intervals, self._look_ns)

    def _minute_span(self, point: Point) -> Span:
        return self._span(point, self._wanted.from_ns, min(self._raw_from_ns, self._end_ns))

    def _raw_span(self, point: Point) -> Span:
        return self._span(point, self._raw_from_ns, self._end_ns)

    def _minute_part(self, point: Point) -> CurveSeries | None:
        minutes = self._minutes.get(point.point_id)
        return None if minutes is None else minute_series(minutes, self._minute_span(point))

    def _raw_part(self, point: Point) -> CurveSeries | None:
        polls = self._polls.get(point.point_id)
        return None if polls is None else raw_series(self._entered(point, polls), self._raw_span(point))

    def _entered(self, point: Point, polls: Polls) -> Polls:
        """With the last word before the raw readings in front, for a point that is read seldom."""
        minutes = (self._minutes or self._before).get(point.point_id)
        entered = len(polls.t_ns) and polls.t_ns[0] < self._raw_from_ns
        if minutes is None or entered or _stale_ns(point) <= ENTRY_NS:
            return polls
        earlier = (minutes.minute_ns < self._raw_from_ns).nonzero()[0]
        return (
            polls if not len(earlier) else join_polls([_last_word(minutes, int(earlier[-1]), self._raw_from_ns), polls])
        )

    def _reached(self, point: Point, limit: CurveLimit) -> Excursions:
        reached = Excursions(0, 0)
        if (minutes := self._minutes_inside(point)) is not None:
            reached += minute_excursions(minutes, limit.direction, limit.value)
        if point.point_id in self._polls:
            span = self._raw_span(point)
            reached += raw_excursions(self._polls[point.point_id], span, limit.direction, limit.value)
        return reached

    def _minutes_inside(self, point: Point) -> Minutes | None:
        minutes = self._minutes.get(point.point_id)
        if minutes is None:
            return None
        at = slice(int(np.searchsorted(minutes.minute_ns, self._wanted.from_ns - MINUTE_NS, side="right")), None)
        cells = minutes.low[at], minutes.high[at], minutes.mean[at]
        return Minutes(minutes.minute_ns[at], *cells, minutes.count[at], minutes.quality[at])

    def _last(self, point: Point) -> tuple[int, float] | None:
        if (polls := self._polls.get(point.point_id)) is not None:
            good = ((polls.quality[:, 0] == Quality.GOOD) & (polls.value[:, 0] == polls.value[:, 0])).nonzero()[0]
            if len(good):
                return int(polls.t_ns[good[-1]]), float(polls.value[good[-1], 0])
        if (minutes := self._minutes_inside(point)) is not None:
            good = ((minutes.quality[:, 0] == Quality.GOOD) & (minutes.count[:, 0] > 0)).nonzero()[0]
            if len(good):
                return int(minutes.minute_ns[good[-1]]), float(minutes.mean[good[-1], 0])
        return None


def _last_word(minutes: Minutes, row: int, before_ns: int) -> Polls:
    """A minute as the reading that ended it."""
    at_ns = min(int(minutes.minute_ns[row]) + MINUTE_NS, before_ns) - 1
    partly = minutes.quality[row] == Quality.BAD and minutes.count[row, 0] > 0
    quality = np.zeros((1, 1), np.uint8) if partly else minutes.quality[row : row + 1]
    return Polls(np.array([at_ns], dtype=np.int64), minutes.mean[row : row + 1], quality)


def _episodes(parts: BoxParts, wanted: Wanted, end_ns: int) -> list[Alarm]:
    """The alarms of the points' assets whose condition held in the span."""
    assets = {point.asset: None for point in wanted.points}
    return [alarm for asset in assets for alarm in parts.alerts.active_between(asset, wanted.from_ns, end_ns + 1)]


def _stale_ns(point: Point) -> int:
    return int(point.stale_after_s * 1e9)
