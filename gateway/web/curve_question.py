"""What a visitor asks of the curves: points and a span, or an alarm with the time around it.

    ?point=a&point=b&from_ns=..&to_ns=..     a span
    ?point=a&last_s=3600                     until now
    ?alarm=ID[&from_ns=..&to_ns=..]          the alarm's point, from 10 minutes before it until 10 minutes after

In: query values and the view. Out: `Question`, or a refusal in two languages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.model.alarm import Alarm
from gateway.model.quantity import Point
from gateway.store.blocks import MINUTE_NS
from gateway.web.api import LAST_NS
from gateway.web.curve_data import CurveLimit, Wanted
from gateway.web.curve_rows import MS_NS, sealed_limits
from gateway.web.read_model import BoxParts
from gateway.web.visitor import RefusedError

MAX_POINTS = 4
MAX_SAMPLES = 4000
AROUND_NS = 10 * MINUTE_NS
LONGEST_S = 731 * 86_400
PointName = Annotated[str, Field(max_length=200)]
Moment = Annotated[int, Field(ge=0, le=LAST_NS)]


class CurveQuery(BaseModel):
    """The query as it comes."""

    model_config = ConfigDict(extra="ignore")

    point: Annotated[list[PointName], Field(max_length=100)] = []
    alarm: Annotated[str, Field(max_length=200)] = ""
    from_ns: Moment | None = None
    to_ns: Moment | None = None
    last_s: Annotated[int, Field(ge=1, le=LONGEST_S)] | None = None
    samples: Annotated[int, Field(ge=4, le=MAX_SAMPLES)] = MAX_SAMPLES


@dataclass(frozen=True, slots=True)
class Question:
    """What to read; for an alarm also its limit as it was sealed. `live`: the span ends now."""

    wanted: Wanted
    alarm: Alarm | None = None
    sealed: tuple[CurveLimit, ...] | None = None
    live: bool = False


def question_of(parts: BoxParts, query: CurveQuery) -> Question:
    """The question, with times in whole milliseconds. Raises RefusedError."""
    if query.alarm:
        return _of_alarm(parts, query)
    if not query.point:
        raise RefusedError(422, "point_needed", "请选择测点", "name at least one point", "point")
    points = points_named(parts, query.point)
    now_ns = parts.clock.now_ns()
    if query.last_s is not None:
        wanted = _wanted(points, (now_ns - query.last_s * 10**9, now_ns), query.samples)
        return Question(wanted, live=True)
    if query.from_ns is None or query.to_ns is None:
        raise RefusedError(422, "span_needed", "请给出时间范围", "give from_ns and to_ns, or last_s", "from_ns")
    return Question(_wanted(points, (query.from_ns, query.to_ns), query.samples))


def points_named(parts: BoxParts, point_ids: Sequence[str]) -> tuple[Point, ...]:
    """The points, each once, in the order asked. Raises RefusedError for one that does not exist."""
    for point_id in point_ids:
        if point_id not in parts.points.index_of:
            raise RefusedError(404, "no_such_point", "没有这个测点", f"no point has the id {point_id}", "point")
    if len(set(point_ids)) > MAX_POINTS:
        raise RefusedError(422, "too_many_points", "最多选择四个测点", f"at most {MAX_POINTS} points", "point")
    return tuple(parts.points[parts.points.index_of[point_id]] for point_id in dict.fromkeys(point_ids))


def _of_alarm(parts: BoxParts, query: CurveQuery) -> Question:
    alarm = parts.alerts.alarm(query.alarm)
    if alarm is None:
        raise RefusedError(404, "no_such_alarm", "没有这个报警", f"no alarm has the id {query.alarm}", "alarm")
    if alarm.subject not in parts.points.index_of:
        raise RefusedError(404, "no_curve", "该报警没有测点曲线", "this alarm is about no point", "alarm")
    span = alarm_span(alarm, parts.clock.now_ns())
    asked = query.from_ns is not None and query.to_ns is not None
    from_ns, to_ns = (query.from_ns or 0, query.to_ns or 0) if asked else span
    points = points_named(parts, [alarm.subject])
    wanted = _wanted(points, (from_ns, to_ns), query.samples)
    sealed = sealed_limits(parts.alerts.evidence_of(alarm.alarm_id))
    return Question(wanted, alarm, sealed, live=alarm.active and not asked)


def alarm_span(alarm: Alarm, now_ns: int) -> tuple[int, int]:
    """From 10 minutes before the alarm rose until 10 minutes after it returned, or until now."""
    to_ns = now_ns if alarm.active or not alarm.returned_at_ns else alarm.returned_at_ns + AROUND_NS
    return max(0, alarm.raised_at_ns - AROUND_NS), max(alarm.raised_at_ns + MINUTE_NS, min(to_ns, now_ns))


def _wanted(points: tuple[Point, ...], span_ns: tuple[int, int], samples: int) -> Wanted:
    from_ns, to_ns = (at_ns // MS_NS * MS_NS for at_ns in span_ns)
    if to_ns <= from_ns:
        raise RefusedError(422, "bad_range", "结束时间应晚于开始时间", "to_ns has to be after from_ns", "to_ns")
    if to_ns - from_ns > LONGEST_S * 10**9:
        raise RefusedError(422, "too_long", "时间范围过长", "a span is at most two years", "from_ns")
    return Wanted(points, from_ns, to_ns, samples)
