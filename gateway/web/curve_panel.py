"""What `curve_panel.html` shows: one curve with its limits, for a page of its own or inside an alarm's detail.

    page = pages.render(request, "alarm.html", curve=panel_of_alarm(pages.view.parts, alarm), ...)

In: an alarm, or points with a span. Out: a `CurvePanel`: addresses and rows, no samples: the browser asks for those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gateway.model.alarm import Alarm
from gateway.model.quantity import Point
from gateway.web.curve_data import CurveLimit, limits_of
from gateway.web.curve_rows import sealed_limits
from gateway.web.read_model import BoxParts


@dataclass(frozen=True, slots=True)
class PanelLimit:
    """A limit line in words. `point` names whose it is."""

    point: Point
    limit: CurveLimit


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """A curve on a page. `query` asks for it, at `/api/curve`, `/curves.svg`, `/curves.csv` and `/curves/values`.

    `sealed`: the limits are those that applied when the alarm rose.
    """

    panel_id: str
    points: tuple[Point, ...]
    query: str
    limits: tuple[PanelLimit, ...]
    sealed: bool = False


def panel_of_alarm(parts: BoxParts, alarm: Alarm) -> CurvePanel | None:
    """The curve of an alarm's point, from 10 minutes before it rose until 10 minutes after it returned, or until now;
    None when the alarm is about no point (a device that fell silent)."""
    index = parts.points.index_of.get(alarm.subject)
    if index is None:
        return None
    point = parts.points[index]
    sealed = sealed_limits(parts.alerts.evidence_of(alarm.alarm_id))
    limits = limits_of(parts.rules.rules, point) if sealed is None else sealed
    lines = tuple(PanelLimit(point, limit) for limit in limits)
    return CurvePanel("curve-alarm", (point,), urlencode({"alarm": alarm.alarm_id}), lines, sealed is not None)


def panel_of_points(parts: BoxParts, points: Sequence[Point], span: dict[str, int]) -> CurvePanel:
    """The curves of up to four points. `span` is `last_s`, or `from_ns` and `to_ns`."""
    query = urlencode([*(("point", point.point_id) for point in points), *span.items()])
    limits = tuple(PanelLimit(point, limit) for point in points for limit in limits_of(parts.rules.rules, point))
    return CurvePanel("curve-points", tuple(points), query, limits)
