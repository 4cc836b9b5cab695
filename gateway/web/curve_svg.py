"""The same curve as a picture, for browsers without script and for print: one pane a unit, unknown hatched.

In: `PointCurve`s and their span. Out: SVG text without style sheets or scripts; every text is escaped.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from gateway.model.alarm import Severity
from gateway.store.curve_series import Unknown
from gateway.web.curve_data import CurveLimit, PointCurve, Wanted
from gateway.web.curve_rows import limit_row
from screens.formats import number, site_time, unit_sign

WIDTH, PANE, AXIS, LEFT, RIGHT, TITLE = 960, 210, 26, 60, 12, 20
STEPS_S: Final = (
    60,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    1_209_600,
    2_419_200,
)
SITE_OFFSET_NS: Final = 8 * 3_600_000_000_000
SHAPES: Final = {Severity.P1: "■1", Severity.P2: "▲2", Severity.P3: "●3", Severity.LOG: "◆D"}
DASHES: Final = {Severity.P1: "14 4", Severity.P2: "8 4 2 4", Severity.P3: "5 4", Severity.LOG: "2 3"}
COLOURS: Final = {Severity.P1: "#c00000", Severity.P2: "#e06000", Severity.P3: "#ffd400", Severity.LOG: "#6a2c91"}
LINES: Final = ("#1f3b57", "#00695c", "#6b4f1d", "#55606a")
INK, GRID, FONT = "#1a1a1a", "#d0d0d0", "system-ui, 'Noto Sans CJK SC', sans-serif"


@dataclass(frozen=True, slots=True)
class _Pane:
    """Curves of one unit and where they lie; values from `low` (bottom) to `high` (top)."""

    curves: Sequence[tuple[int, PointCurve]]
    top: float
    bottom: float
    low: float
    high: float

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


class CurvePicture:
    """Draws curves of one span. `chinese`: in which language titles are."""

    def __init__(self, curves: Sequence[PointCurve], wanted: Wanted, *, chinese: bool) -> None:
        self._curves, self._wanted, self._chinese = curves, wanted, chinese
        self._panes = list(_panes(curves))
        self._height = len(self._panes) * PANE + AXIS

    def svg(self) -> str:
        """The picture."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" '
            f'height="{self._height}" font-family={quoteattr(FONT)} font-size="12" fill="{INK}">'
            '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse">'
            '<path d="M-2 2 4-4M0 8 8 0M4 12 12 4" stroke="#5a5f63" stroke-width="1.6"/></pattern></defs>'
            f'<rect width="{WIDTH}" height="{self._height}" fill="#fff"/>'
        )
        body = [part for pane in self._panes for part in self._pane(pane)]
        return head + "".join([*body, *self._times()]) + "</svg>"

    def _x(self, at_ns: int) -> float:
        wanted = self._wanted
        share = (at_ns - wanted.from_ns) / (wanted.to_ns - wanted.from_ns)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - RIGHT - LEFT)

    def _pane(self, pane: _Pane) -> Iterator[str]:
        box = f'x="{LEFT}" y="{pane.top:.0f}" width="{WIDTH - RIGHT - LEFT}" height="{pane.bottom - pane.top:.0f}"'
        yield f'<rect {box} fill="none" stroke="#8a8f94"/>'
        for value, words in _value_ticks(pane.low, pane.high):
            y = pane.y(value)
            yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
            yield f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'
        for index, (place, curve) in enumerate(pane.curves):
            yield from self._unknown(pane, curve)
            yield from self._line(pane, curve, LINES[place])
            yield from self._episodes(pane, curve)
            yield from self._limits(pane, curve)
            yield self._title(pane, curve, index, place)

    def _title(self, pane: _Pane, curve: PointCurve, index: int, place: int) -> str:
        point = curve.point
        title = point.title_zh if self._chinese else point.title_en
        unit = f" ({unit_sign(point.unit)})" if point.unit else ""
        x = LEFT + index * 220
        return (
            f'<rect x="{x}" y="{pane.top - 12:.0f}" width="14" height="4" fill="{LINES[place]}"/>'
            f'<text x="{x + 18}" y="{pane.top - 6:.0f}">{"ABCD"[place]} {escape(title + unit)}</text>'
        )

    def _unknown(self, pane: _Pane, curve: PointCurve) -> Iterator[str]:
        series = curve.series
        spans = zip(series.unknown_from_ns.tolist(), series.unknown_to_ns.tolist(), series.unknown_kind, strict=True)
        for from_ns, to_ns, kind in spans:
            left, right = self._x(from_ns), self._x(to_ns)
            box = f'x="{left:.1f}" y="{pane.top:.0f}" width="{max(2.0, right - left):.1f}"'
            opacity = 0.4 if kind == Unknown.PARTLY else 0.85
            yield f'<rect {box} height="{pane.bottom - pane.top:.0f}" fill="url(#hatch)" opacity="{opacity}"/>'
            if right - left > 60:
                word = "未知" if self._chinese else "unknown"
                x, y = (left + right) / 2, pane.bottom - 8
                yield f'<rect x="{x - 30:.0f}" y="{y - 13:.0f}" width="60" height="17" fill="#fff"/>'
                yield f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{word}</text>'

    def _line(self, pane: _Pane, curve: PointCurve, colour: str) -> Iterator[str]:
        series = curve.series
        begins = np.append(np.flatnonzero(series.starts), len(series.t_ns))
        for first, end in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True):
            x = [self._x(at_ns) for at_ns in series.t_ns[first:end].tolist()]
            low, high, mean = (
                [pane.y(v) for v in col[first:end].tolist()] for col in (series.low, series.high, series.mean)
            )
            if high != low:
                edge = [*zip(x, high, strict=True), *zip(reversed(x), reversed(low), strict=True)]
                yield f'<polygon points="{_points(edge)}" fill="{colour}" opacity="0.3"/>'
            if len(x) == 1:
                yield f'<circle cx="{x[0]:.1f}" cy="{mean[0]:.1f}" r="1.5" fill="{colour}"/>'
            line = _points(zip(x, mean, strict=True))
            yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>'

    def _limits(self, pane: _Pane, curve: PointCurve) -> Iterator[str]:
        for limit in curve.limits:
            for value in limit_row(limit)["values"]:
                yield from self._limit(pane, curve, limit, value)

    def _limit(self, pane: _Pane, curve: PointCurve, limit: CurveLimit, value: float) -> Iterator[str]:
        inside = pane.low <= value <= pane.high
        y = min(max(pane.y(value), pane.top + 14), pane.bottom - 4)
        arrow = "" if inside else ("↑ " if value > pane.high else "↓ ")
        title = limit.title_zh if self._chinese else limit.title_en
        unit = curve.point.unit
        words = f"{arrow}{SHAPES[limit.severity]} {number(value, unit)} {unit_sign(unit)} {title}"
        if inside:
            path = f'd="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke-dasharray="{DASHES[limit.severity]}" fill="none"'
            yield f'<path {path} stroke="{INK}" stroke-width="3.4"/>'
            yield f'<path {path} stroke="{COLOURS[limit.severity]}" stroke-width="1.6"/>'
        yield f'<text x="{WIDTH - RIGHT - 6}" y="{y - 4:.1f}" text-anchor="end">{escape(words)}</text>'

    def _episodes(self, pane: _Pane, curve: PointCurve) -> Iterator[str]:
        for alarm in curve.episodes:
            left = self._x(alarm.raised_at_ns)
            right = self._x(self._wanted.to_ns if alarm.active else alarm.returned_at_ns)
            box = f'x="{left:.1f}" y="{pane.top:.0f}" width="{max(3.0, right - left):.1f}" height="8"'
            yield f'<rect {box} fill="{COLOURS[alarm.rule.severity]}" stroke="{INK}"/>'
            yield f'<text x="{left + 3:.1f}" y="{pane.top + 20:.0f}">{SHAPES[alarm.rule.severity]}</text>'

    def _times(self) -> Iterator[str]:
        for at_ns, label in _ticks(self._wanted):
            x = self._x(at_ns)
            yield f'<path d="M{x:.1f} {self._height - AXIS}v5" stroke="{INK}"/>'
            yield f'<text x="{x:.1f}" y="{self._height - 8}" text-anchor="middle">{label}</text>'


def _panes(curves: Sequence[PointCurve]) -> Iterator[_Pane]:
    units = dict.fromkeys(curve.point.unit for curve in curves)
    for row, unit in enumerate(units):
        own = [(place, curve) for place, curve in enumerate(curves) if curve.point.unit == unit]
        low, high = _range([curve for _, curve in own])
        yield _Pane(own, row * PANE + TITLE, (row + 1) * PANE - 6, low, high)


def _range(curves: Sequence[PointCurve]) -> tuple[float, float]:
    """What is known, the limits that are not far from it, and a margin."""
    known = [value for curve in curves for value in (curve.lowest, curve.highest) if value is not None]
    limits = [value for curve in curves for limit in curve.limits for value in limit_row(limit)["values"]]
    low, high = (min(known), max(known)) if known else (min([0.0, *limits]), max([1.0, *limits]))
    near = 2 * max(high - low, 0.1 * max(abs(low), abs(high)), 1e-9)
    high = max([high, *(value for value in limits if value - high <= near)])
    low = min([low, *(value for value in limits if low - value <= near)])
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _value_ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Round values between two bounds, and how they are written."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    for n in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield n * step, f"{n * step:.{decimals}f}"


def _ticks(wanted: Wanted) -> Iterator[tuple[int, str]]:
    span_s = (wanted.to_ns - wanted.from_ns) / 1e9
    step_ns = next((step for step in STEPS_S if span_s / step <= 10), STEPS_S[-1]) * 1_000_000_000
    first_ns = -(-(wanted.from_ns + SITE_OFFSET_NS) // step_ns) * step_ns - SITE_OFFSET_NS
    for at_ns in range(first_ns, wanted.to_ns + 1, step_ns):
        moment = site_time(at_ns)
        yield at_ns, _tick_label(moment, whole_days=step_ns >= 86_400_000_000_000)


def _tick_label(moment: datetime, *, whole_days: bool) -> str:
    midnight = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return moment.strftime("%m-%d") if whole_days or midnight else moment.strftime("%H:%M")


def _points(edge: "Iterator[tuple[float, float]] | Sequence[tuple[float, float]] | zip[tuple[float, float]]") -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
