"""Bullet bars: each quantity that matters on an asset against the limits in force, and the worst point of a pit.

    0 |============|........3....2....1..|   the bar is the value, the marks are limits with their priority's letter

In: the points, the resolved rules and the cranes' settings, once for the settings in force; then what was last measured
(`Measured`) at any time. Out: `BarPlan`s, and from each a `BarState`. Which bars there are is decided by what an asset
has. A value that is not known is no number: its state is UNKNOWN. Knows no HTML and no clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.model.alarm import Severity
from gateway.model.quantity import Point, PointTable
from gateway.model.rule import Condition, Direction, GateParameters, ResolvedRule, RuleFamily

WORST_FIRST: Final = (Severity.P1, Severity.P2, Severity.P3)
LAST_LIMIT_AT: Final = 0.86
"""Where on the bar the farthest limit stands: what is beyond it is still seen to be beyond."""
NEAREST_LETTERS: Final = 0.09
"""Two letters nearer than this share of the bar would lie on each other: the graver one stays."""
WITHOUT_LIMIT: Final[Mapping[str, float]] = {"%": 120.0, "m/s": 25.0, "m": 100.0, "mm": 50.0, "mm/d": 5.0}
MOST_BARS: Final = 4


class BarKind(StrEnum):
    """How a bar is read: one point; one point whose limits are counted down from its end (the hook below the jib); the
    worst of many points, each by its own limit."""

    POINT = "point"
    BELOW_TOP = "below_top"
    WORST = "worst"


class ReadState(StrEnum):
    """What a value says now. The priority is that of the gravest limit it is beyond."""

    OK = "ok"
    P3 = "P3"
    P2 = "P2"
    P1 = "P1"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit in force. `at` is in the point's unit; `gate` says when it counts (None: always)."""

    severity: Severity
    at: float
    direction: Direction
    gate: GateParameters | None = None


@dataclass(frozen=True, slots=True)
class BarPlan:
    """One bar. `points` are positions in the point table: one, or all that compete for the worst (`limits` in step).

    `cell` is what live values are filed under. `full` is the value at the end of the bar (0: found from the limits).
    `top_point` is where the distance to the end is measured, for BELOW_TOP. `brief` bars
    are those that stay where there is no room for all.
    """

    cell: str
    kind: BarKind
    title_zh: str
    title_en: str
    unit: str
    points: tuple[int, ...]
    limits: tuple[tuple[Limit, ...], ...]
    full: float = 0.0
    top_point: int = -1
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A limit on the bar: where (share of the bar), how grave, and its value."""

    share: float
    severity: Severity
    at: float
    direction: Direction
    lettered: bool = True


@dataclass(frozen=True, slots=True)
class BarState:
    """What a bar shows now. `point` is whose value it is (-1: nobody's); `share` the bar's length, 0 to 1.

    `unknown` counts points of the bar that nobody knows; the state is UNKNOWN when that is all of them.
    """

    state: ReadState
    value: float
    share: float
    age_s: float
    point: int
    marks: tuple[Mark, ...]
    unknown: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was last measured, arrays (points,): value, age in seconds, and whether it is not known."""

    value: NDArray[np.float64]
    age_s: NDArray[np.float64]
    unknown: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BarGroup:
    """An asset's bars."""

    asset: str
    bars: tuple[BarPlan, ...]


@dataclass(frozen=True, slots=True)
class CraneEnds:
    """Radii between which a crane's hook moves, metres."""

    radius_min_m: float
    radius_max_m: float


@dataclass(frozen=True, slots=True, eq=False)
class BarInputs:
    """What the bars of a site are made from. `kinds` are (asset id, kind) in the site's order."""

    points: PointTable
    rules: Sequence[ResolvedRule]
    kinds: Sequence[tuple[str, str]]
    ends: Mapping[str, CraneEnds] = field(default_factory=dict)


def plan_bars(inputs: BarInputs) -> tuple[BarGroup, ...]:
    """Every asset that has at least one bar, in the site's order."""
    site = _Site(inputs)
    made = ((asset, tuple(_BARS_OF.get(kind, _any_bars)(site, asset))) for asset, kind in inputs.kinds)
    return tuple(BarGroup(asset, bars) for asset, bars in made if bars)


def read_bar(plan: BarPlan, now: Measured) -> BarState:
    """What the bar shows now."""
    if plan.kind is BarKind.WORST:
        return _read_worst(plan, now)
    point = plan.points[0]
    limits = [limit for limit in plan.limits[0] if _counts(limit, now)]
    full = plan.full
    if plan.kind is BarKind.BELOW_TOP:
        top = float(now.value[point] + now.value[plan.top_point])
        if now.unknown[plan.top_point] or not isfinite(top):
            return BarState(ReadState.UNKNOWN, float("nan"), 0.0, float(now.age_s[plan.top_point]), point, (), 1)
        limits = [Limit(each.severity, top - each.at, Direction.HIGH) for each in limits]
        full = max(top, 1e-9)
    return _state(point, tuple(limits), full, now)


def _state(point: int, limits: tuple[Limit, ...], full: float, now: Measured) -> BarState:
    """One point against its limits."""
    full = full or _full_of(limits)
    marks, age_s = _marks(limits, full), float(now.age_s[point])
    value = float(now.value[point])
    if now.unknown[point] or not isfinite(value):
        return BarState(ReadState.UNKNOWN, float("nan"), 0.0, age_s, point, marks, 1)
    shown = abs(value)
    return BarState(_beyond(limits, value), value, _share(shown, full), age_s, point, marks)


def _read_worst(plan: BarPlan, now: Measured) -> BarState:
    """The point that has used up most of its own alarm limit."""
    index = np.array(plan.points, dtype=np.intp)
    unknown = now.unknown[index] | ~np.isfinite(now.value[index])
    missing = int(unknown.sum())
    if missing == len(index):
        marks = _marks(plan.limits[0], _full_of(plan.limits[0]))
        return BarState(ReadState.UNKNOWN, float("nan"), 0.0, float(now.age_s[index].min()), -1, marks, missing)
    used = [
        -1.0 if lost else _used(limits, float(now.value[point]))
        for point, limits, lost in zip(plan.points, plan.limits, unknown, strict=True)
    ]
    worst = int(np.argmax(used))
    found = _state(plan.points[worst], plan.limits[worst], 0.0, now)
    return BarState(found.state, found.value, found.share, found.age_s, found.point, found.marks, missing)


def _used(limits: Sequence[Limit], value: float) -> float:
    """How much of its gravest limit a value has used up; 1 is at the limit."""
    shares = []
    for limit in limits:
        if limit.at == 0 or ((limit.at < 0) != (value < 0) and limit.direction is not Direction.EITHER):
            continue
        low = limit.direction is Direction.LOW and limit.at > 0
        reached = abs(limit.at) / max(abs(value), 1e-9) if low else abs(value) / abs(limit.at)
        shares.append(reached)
    return max(shares, default=0.0)


def _beyond(limits: Sequence[Limit], value: float) -> ReadState:
    for severity in WORST_FIRST:
        if any(each.severity is severity and _is_beyond(each, value) for each in limits):
            return ReadState(severity.value)
    return ReadState.OK


def _is_beyond(limit: Limit, value: float) -> bool:
    return bool(limit.direction.reach(value) >= limit.direction.reach(limit.at))


def _counts(limit: Limit, now: Measured) -> bool:
    """Whether the limit counts now: it always does, or everything that it waits for holds."""
    return limit.gate is None or all(_holds(condition, now) for condition in limit.gate.conditions)


def _holds(condition: Condition, now: Measured) -> bool:
    value = float(now.value[condition.point_index])
    if now.unknown[condition.point_index]:
        return False
    return value > condition.bound if condition.direction is Direction.HIGH else value < condition.bound


def _full_of(limits: Sequence[Limit]) -> float:
    """The end of the bar: beyond its farthest limit."""
    return max((abs(limit.at) for limit in limits), default=1.0) / LAST_LIMIT_AT or 1.0


def _share(value: float, full: float) -> float:
    return round(min(1.0, max(0.0, value / full)), 4)


def _marks(limits: Sequence[Limit], full: float) -> tuple[Mark, ...]:
    """The nearest limit of each priority in each direction, from the gravest; letters that would lie on each other
    are left out."""
    nearest: dict[tuple[Severity, Direction, bool], Limit] = {}
    for limit in limits:
        key = (limit.severity, limit.direction, limit.at < 0)
        known = nearest.get(key)
        if known is None or limit.direction.reach(limit.at) < known.direction.reach(known.at):
            nearest[key] = limit
    marks: list[Mark] = []
    for (severity, direction, _), limit in sorted(nearest.items(), key=lambda item: WORST_FIRST.index(item[0][0])):
        share = _share(abs(limit.at), full)
        free = all(abs(share - mark.share) >= NEAREST_LETTERS for mark in marks if mark.lettered)
        marks.append(Mark(share, severity, limit.at, direction, free))
    return tuple(marks)


class _Site:
    """Points by asset, limits by point."""

    def __init__(self, inputs: BarInputs) -> None:
        self.points = inputs.points
        self.ends = inputs.ends
        self.limits: dict[int, list[Limit]] = {}
        for rule in inputs.rules:
            if rule.family is RuleFamily.THRESHOLD and rule.point_index >= 0 and rule.info.severity in WORST_FIRST:
                self.limits.setdefault(rule.point_index, []).append(_limit(rule))

    def find(self, asset: str, *keys: str) -> int:
        """The first of these that has limits, else the first that is there; -1 when none is."""
        found = [self.points.index_of[name] for key in keys if (name := f"{asset}.{key}") in self.points.index_of]
        return next((index for index in found if index in self.limits), found[0] if found else -1)

    def limits_of(self, index: int, *, gated: bool = True) -> tuple[Limit, ...]:
        """What is judged on this point."""
        return tuple(limit for limit in self.limits.get(index, ()) if gated or limit.gate is None)

    def of(self, asset: str) -> Iterator[tuple[int, Point]]:
        """The asset's points that have limits."""
        return ((index, self.points[index]) for index in sorted(self.limits) if self.points[index].asset == asset)


def _limit(rule: ResolvedRule) -> Limit:
    gate = rule.parameters if isinstance(rule.parameters, GateParameters) else None
    return Limit(rule.info.severity, rule.limit, rule.direction, gate if gate and gate.conditions else None)


def _one(site: _Site, asset: str, titles: tuple[str, str], *keys: str, brief: bool = False) -> Iterator[BarPlan]:
    """A bar for one point, if the asset has it."""
    index = site.find(asset, *keys)
    if index < 0:
        return
    point, limits = site.points[index], site.limits_of(index)
    always = [limit for limit in limits if limit.gate is None] or limits
    full = _full_of(always) if always else WITHOUT_LIMIT.get(point.unit, 100.0)
    yield BarPlan(point.point_id, BarKind.POINT, *titles, point.unit, (index,), (limits,), full, brief=brief)


def _crane_bars(site: _Site, asset: str) -> Iterator[BarPlan]:
    yield from _one(site, asset, ("力矩", "Load moment"), "moment_pct", "chart_moment_pct", brief=True)
    yield from _one(site, asset, ("起重量", "Load"), "load_pct")
    yield from _one(site, asset, ("风速", "Wind"), "wind_3s_ms", "wind_1s_ms", "wind_ms", brief=True)
    yield from _radius(site, asset)
    yield from _height(site, asset)


def _radius(site: _Site, asset: str) -> Iterator[BarPlan]:
    """The hook's radius against both ends of its way: what is judged is the distance to them."""
    index, ends = site.find(asset, "radius_m"), site.ends.get(asset)
    if index < 0 or ends is None:
        return
    out, inner = site.find(asset, "radius_out_margin_m"), site.find(asset, "radius_in_margin_m")
    limits = [Limit(each.severity, ends.radius_max_m - each.at, Direction.HIGH) for each in site.limits_of(out)]
    limits += [Limit(each.severity, ends.radius_min_m + each.at, Direction.LOW) for each in site.limits_of(inner)]
    cell, full = site.points[index].point_id, ends.radius_max_m * 1.04
    yield BarPlan(cell, BarKind.POINT, "幅度", "Radius", "m", (index,), (tuple(limits),), full)


def _height(site: _Site, asset: str) -> Iterator[BarPlan]:
    """The hook's height; the end of the bar is the jib, as high as it is now."""
    index, top = site.find(asset, "hook_m"), site.find(asset, "hook_top_clearance_m")
    if index < 0 or top < 0:
        return
    limits = site.limits_of(top)
    cell = site.points[index].point_id
    yield BarPlan(cell, BarKind.BELOW_TOP, "吊钩高度", "Hook height", "m", (index,), (limits,), 0.0, top)


_RATE, _STRUT, _WATER, _MOVED = "rate", "strut", "water", "moved"
_PIT_TITLES: Final = {
    _MOVED: ("位移沉降", "Displacement"),
    _STRUT: ("支撑轴力", "Strut force"),
    _WATER: ("地下水位", "Groundwater"),
    _RATE: ("变化速率", "Rate"),
}
_BRIEF: Final = frozenset({_MOVED, _RATE})
_PIT_UNITS: Final = {"mm": _MOVED, "permille": _MOVED, "kN": _STRUT, "%": _STRUT, "mm/d": _RATE}


def _pit_bars(site: _Site, asset: str) -> Iterator[BarPlan]:
    """The worst point of each group of items."""
    groups: dict[str, list[tuple[int, tuple[Limit, ...]]]] = {}
    for index, point in site.of(asset):
        limits = site.limits_of(index, gated=False)
        if limits and (group := _pit_group(point)):
            groups.setdefault(group, []).append((index, limits))
    for group, titles in _PIT_TITLES.items():
        members = groups.get(group)
        if members:
            points, limits_of = zip(*members, strict=True)
            unit = site.points[points[0]].unit
            yield BarPlan(f"{asset}/{group}", BarKind.WORST, *titles, unit, points, limits_of, brief=group in _BRIEF)


def _pit_group(point: Point) -> str | None:
    """What is measured there; None for what is judged about the measuring itself, and for a single day's change."""
    if point.role.startswith("pit_") or point.role.endswith("_day_rate"):
        return None
    if point.role.startswith(("groundwater", "water_level")) and not point.unit.endswith("/d"):
        return _WATER
    return _PIT_UNITS.get(point.unit)


def _any_bars(site: _Site, asset: str) -> Iterator[BarPlan]:
    """The first points of any other asset that have limits."""
    for index, point in list(site.of(asset))[:MOST_BARS]:
        limits = site.limits_of(index)
        titles = point.title_zh, point.title_en
        yield BarPlan(
            point.point_id, BarKind.POINT, *titles, point.unit, (index,), (limits,), _full_of(limits), brief=True
        )


_BARS_OF: Final = {"tower-crane": _crane_bars, "deep-pit": _pit_bars}
