"""Curves as plain rows: JSON for the canvas, lines for a table. Times are milliseconds after the span's begin.

In: `PointCurve`s. Out: dictionaries and tuples at the web's edge. Knows no HTTP.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.model.alarm import Alarm, Severity
from gateway.model.rule import Direction
from gateway.store.alert_store import KeptRecord
from gateway.store.curve_series import CurveSeries, Resolution, Unknown
from gateway.web.curve_data import LINED, CurveLimit, PointCurve
from screens.formats import DECIMALS, unit_sign

Row = dict[str, Any]
MS_NS = 1_000_000
DEFAULT_DECIMALS = 2


def curve_row(curve: PointCurve, from_ns: int) -> Row:
    """One point's curve. Of raw readings `high` and `mean` are null: they are what `low` is."""
    series, point = curve.series, curve.point
    raw = all(part.resolution is Resolution.RAW for part in series.parts)
    return {
        "point": point.point_id,
        "asset": point.asset,
        "title_zh": point.title_zh,
        "title_en": point.title_en,
        "unit": unit_sign(point.unit),
        "decimals": DECIMALS.get(point.unit, DEFAULT_DECIMALS),
        "stale_after_s": point.stale_after_s,
        "parts": [
            {
                "resolution": str(part.resolution),
                "from_ms": (part.from_ns - from_ns) // MS_NS,
                "to_ms": (part.to_ns - from_ns) // MS_NS,
                "each_s": part.each_ns / 1e9,
            }
            for part in series.parts
        ],
        "t_ms": _ms(series.t_ns, from_ns),
        "low": series.low,
        "high": None if raw else series.high,
        "mean": None if raw else series.mean,
        "starts": np.flatnonzero(series.starts),
        "unknown": _unknown_rows(series, from_ns),
        "limits": [limit_row(limit) for limit in curve.limits],
        "episodes": [_episode_row(alarm, from_ns) for alarm in curve.episodes],
        "last": None if curve.last is None else {"t_ms": (curve.last[0] - from_ns) // MS_NS, "value": curve.last[1]},
        "lowest": curve.lowest,
        "highest": curve.highest,
    }


def limit_row(limit: CurveLimit) -> Row:
    """A limit line; a limit of a size is two lines."""
    return {
        "rule_id": limit.rule_id,
        "severity": str(limit.severity),
        "direction": str(limit.direction),
        "values": [limit.value, -limit.value] if limit.direction is Direction.EITHER else [limit.value],
        "title_zh": limit.title_zh,
        "title_en": limit.title_en,
        "source": limit.source,
        "clause": limit.clause,
        "certainty": limit.certainty,
        "gated": limit.gated,
        "sealed": limit.sealed,
    }


def sealed_limits(records: Sequence[KeptRecord]) -> tuple[CurveLimit, ...] | None:
    """The limit of an alarm's rule as it was sealed when the alarm rose; None when no record says it. Empty when the
    limit is no value of the point (a rate, a silence)."""
    for record in records:
        content = json.loads(record.body)["content"]
        rule, alarm = content.get("rule"), content.get("alarm")
        if content.get("transition") == "raised" and rule and alarm:
            return (_sealed(rule, alarm),) if rule["family"] in {str(family) for family in LINED} else ()
    return None


def marks_of(alarm: Alarm, from_ns: int) -> list[Row]:
    """When the alarm rose, was acknowledged and returned."""
    moments = (
        ("raised", alarm.raised_at_ns),
        ("acknowledged", alarm.acknowledged_at_ns),
        ("returned", alarm.returned_at_ns),
    )
    severity = str(alarm.rule.severity)
    return [
        {"kind": kind, "severity": severity, "t_ms": (at_ns - from_ns) // MS_NS} for kind, at_ns in moments if at_ns
    ]


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of a curve as a table: a sample (`unknown` None) or an interval of unknown (`low`, `high` None)."""

    at_ns: int
    until_ns: int
    low: float | None
    high: float | None
    mean: float | None
    unknown: Unknown | None


def table_lines(series: CurveSeries) -> list[TableLine]:
    """Samples and unknown intervals together, in the order of time."""
    return sorted([*_samples(series), *_unknowns(series)], key=lambda line: (line.at_ns, line.unknown is None))


def _samples(series: CurveSeries) -> Iterator[TableLine]:
    columns = (series.t_ns.tolist(), series.low.tolist(), series.high.tolist(), series.mean.tolist())
    for at_ns, low, high, mean in zip(*columns, strict=True):
        yield TableLine(at_ns, at_ns, low, high, mean, None)


def _unknowns(series: CurveSeries) -> Iterator[TableLine]:
    columns = (series.unknown_from_ns.tolist(), series.unknown_to_ns.tolist(), series.unknown_kind.tolist())
    for from_ns, to_ns, kind in zip(*columns, strict=True):
        yield TableLine(from_ns, to_ns, None, None, None, Unknown(kind))


def _unknown_rows(series: CurveSeries, from_ns: int) -> list[list[int | str]]:
    starts, ends = _ms(series.unknown_from_ns, from_ns).tolist(), _ms(series.unknown_to_ns, from_ns).tolist()
    kinds = [Unknown(kind).name.lower() for kind in series.unknown_kind.tolist()]
    return [list(row) for row in zip(starts, ends, kinds, strict=True)]


def _episode_row(alarm: Alarm, from_ns: int) -> Row:
    return {
        "alarm_id": alarm.alarm_id,
        "severity": str(alarm.rule.severity),
        "title_zh": alarm.rule.title_zh,
        "title_en": alarm.rule.title_en,
        "from_ms": (alarm.raised_at_ns - from_ns) // MS_NS,
        "to_ms": None if alarm.active else (alarm.returned_at_ns - from_ns) // MS_NS,
        "acknowledged": alarm.acknowledged,
    }


def _sealed(rule: Row, alarm: Row) -> CurveLimit:
    return CurveLimit(
        alarm["rule_id"],
        Severity(alarm["severity"]),
        Direction(rule["direction"]),
        float(rule["limit"]),
        alarm["title_zh"],
        alarm["title_en"],
        alarm["limit_source"],
        alarm["clause"],
        alarm["certainty"],
        sealed=True,
    )


def _ms(t_ns: NDArray[np.int64], from_ns: int) -> NDArray[np.int64]:
    return (t_ns - from_ns) // MS_NS
