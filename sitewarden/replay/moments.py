"""Moments at which time alone can change a verdict. A replay must judge at these between two samples.

A running box looks four times a second. A year of daily readings would be a hundred million looks, nearly all of which
find what the last one found. What time changes is known beforehand:

    last heard      --> + 10 s silence limit, + 30 s stale, + 1 h gap, ...: the tick that reaches it and the next
    delay that runs --> its end
    asset models with a period --> where they foresee a turn, or an output that grows over a limit; just before a look
                                   for another reason, and just before the next sample, so that they are never stale

A model that foresees nothing is asked at each of its periods for ten minutes, then once a minute. Everything falls on
the grid of the pipeline's ticks; the steps of models on that of their periods, as in a box.

In: rules, points, models, the window, the delays that run. Out: monotonic times. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import Derivation, Foreseeing
from gateway.model.quantity import PointTable
from gateway.model.rule import (
    ChangeCountParameters,
    ConsecutiveParameters,
    Direction,
    FlatLineParameters,
    GateParameters,
    RateParameters,
    ResolvedRule,
    RuleFamily,
)
from gateway.rules.window import Window

EVERY_TICK_UP_TO_NS = 1_000_000_000
LONGEST_PAUSE_NS = 60_000_000_000
PERIODS_UP_TO_NS = 600_000_000_000
"""Asset models that foresee nothing are asked at each period for so long into a hole; then once a minute."""
NS_AN_HOUR = 3_600_000_000_000
ROUNDING_NS = 1_000_000_000
"""How far the time at which a growing output meets a limit may be off: it is looked for before and after."""
NEVER = 2**63 - 1
Moment = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """What is known when a plan is made; times are monotonic ns. `zero_ns` is the UTC time of monotonic 0, `arrived_ns`
    the last sample's, `delays_end_ns` (k,) when the delays that run are over. `silent`: an alarm of a silence stands,
    and its age is worth a last look. `ticked`: the tick that follows the last sample fell together with it."""

    window: Window
    zero_ns: int
    arrived_ns: int
    delays_end_ns: Moment
    silent: bool = False
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Monotonic times, ascending. From the first that reaches `again_ns` on, things may go otherwise: plan again.

    `ticked_ns` is the tick before the next sample, at which there is nothing to find; 0 when it is among the moments.
    """

    moments: list[int]
    again_ns: int = NEVER
    ticked_ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Foreseen:
    """A model whose steps may be left out. Output `position[i]`, point `point[i]`, means something else at `level[i]`;
    all (k,)."""

    model: Foreseeing
    period_ns: int
    position: NDArray[np.intp]
    point: NDArray[np.intp]
    level: NDArray[np.float64]

    def changes(self, now: Now, from_ns: int, to_ns: int) -> tuple[Moment, Moment]:
        """When it may say something else, and when what grows meets a level up to `to_ns`. A turn counts for the step
        at it and for the next one: it may come to pass only after its time."""
        ahead = self.model.ahead(now.zero_ns + from_ns - 2 * self.period_ns)
        turns = ahead.turns_ns - now.zero_ns
        since_ns = now.window.good_mono_ns[self.point]
        with np.errstate(divide="ignore", invalid="ignore"):
            hours = (self.level - now.window.value[self.point]) / ahead.per_h[self.position]
        met = (hours >= 0) & (hours * NS_AN_HOUR < to_ns - since_ns + ROUNDING_NS)
        at_ns = since_ns[met] + (hours[met] * NS_AN_HOUR).astype(np.int64)
        crossings = np.concatenate([at_ns - ROUNDING_NS, at_ns, at_ns + ROUNDING_NS])
        return np.concatenate([turns, turns + self.period_ns]), crossings


class Moments:
    """What matters on a site, worked out once. `tick_ns` is the grid of the pipeline's own ticks; `every_tick` takes
    all of them."""

    def __init__(
        self,
        rules: Sequence[ResolvedRule],
        points: PointTable,
        models: Sequence[Derivation],
        tick_ns: int,
        *,
        every_tick: bool = False,
    ) -> None:
        self._tick_ns = tick_ns
        self._every_tick_up_to_ns = NEVER if every_tick else EVERY_TICK_UP_TO_NS
        self._foreseen: dict[int, list[_Foreseen]] = {}
        asked, left_out = [], set[int]()
        for model in models:
            if isinstance(model, Foreseeing) and _may_be_left_out(model, rules, points, models, tick_ns):
                found = _compiled(model, rules, points)
                self._foreseen.setdefault(found.period_ns, []).append(found)
                left_out.update(points.index_of[out.point_id] for out in model.outputs)
            elif model.period_s:
                asked.append(model.period_s)
        # What such a model says never grows old: it steps before every look.
        pairs = {(i, point.stale_after_s) for i, point in enumerate(points.points)}
        for rule in rules:
            pairs.update(_ages_s(rule))
        known = sorted((point, age_s) for point, age_s in pairs if np.isfinite(age_s) and point not in left_out)
        self._aging = np.array([point for point, _ in known], dtype=np.intp)
        self._age_ns = np.array([age_s * 1e9 for _, age_s in known])
        self._pause_ns = max(1, int(min([*asked, 60.0]) * 1e9) // tick_ns) * tick_ns if asked else 0

    def plan(self, now: Now, from_ns: int, to_ns: int) -> Plan:
        """The moments to judge at, after `from_ns` up to `to_ns`."""
        tick_ns = self._tick_ns
        first = (from_ns // tick_ns + 1) * tick_ns
        if to_ns - from_ns <= self._every_tick_up_to_ns:
            return Plan(list(range(first, to_ns, tick_ns)))
        last = (to_ns - 1) // tick_ns * tick_ns
        aged = self._aged(now.window, from_ns - tick_ns, to_ns)
        told = np.concatenate([aged, now.delays_end_ns])
        looks = [_at_or_after(told, tick_ns), _before(aged, tick_ns) + tick_ns]
        if self._pause_ns:
            looks.append(self._asked(now.arrived_ns, from_ns, to_ns))
        if self._pause_ns or now.silent:
            looks.append(np.array([last]))
        if from_ns == now.arrived_ns and not now.ticked:
            looks.append(np.array([first]))
        found, again_ns = looks.copy(), NEVER
        for grid_ns, models in self._foreseen.items():
            changes = [model.changes(now, from_ns, to_ns) for model in models]
            turns = np.concatenate([each for each, _ in changes])
            marks = np.concatenate([*looks, told, turns, *(each for _, each in changes), [last]])
            marks = marks[(marks > from_ns - grid_ns) & (marks < to_ns + grid_ns)]
            digested = _next(now.arrived_ns, grid_ns)
            found += [_at_or_after(marks, grid_ns), _before(marks, grid_ns), np.array([digested])]
            news = np.concatenate([_at_or_after(np.concatenate([aged, turns]), grid_ns), [digested]])
            again_ns = int(news[news > from_ns].min(initial=again_ns))
        moments = {each for each in np.concatenate(found).tolist() if from_ns < each < to_ns}
        return Plan(sorted(moments), again_ns, 0 if last in moments else last)

    def _aged(self, window: Window, from_ns: int, to_ns: int) -> Moment:
        """When something comes to an age that matters, counted from its last usable value and from its last value."""
        heard = (window.good_mono_ns[self._aging], window.seen_mono_ns[self._aging])
        aged = np.concatenate([each + self._age_ns for each in heard])
        near: Moment = np.ceil(aged[(aged >= from_ns) & (aged < to_ns)]).astype(np.int64)
        return near

    def _asked(self, arrived_ns: int, from_ns: int, to_ns: int) -> Moment:
        """When models that foresee nothing are asked."""
        early = np.arange(_next(from_ns, self._pause_ns), min(to_ns, arrived_ns + PERIODS_UP_TO_NS), self._pause_ns)
        return np.concatenate([early, np.arange(_next(from_ns, LONGEST_PAUSE_NS), to_ns, LONGEST_PAUSE_NS)])


def _next(at_ns: int, grid_ns: int) -> int:
    return (at_ns // grid_ns + 1) * grid_ns


def _at_or_after(at_ns: Moment, grid_ns: int) -> Moment:
    return -(-at_ns // grid_ns) * grid_ns


def _before(at_ns: Moment, grid_ns: int) -> Moment:
    """On the grid, at or before."""
    return at_ns // grid_ns * grid_ns


def _may_be_left_out(
    model: Derivation, rules: Sequence[ResolvedRule], points: PointTable, models: Sequence[Derivation], tick_ns: int
) -> bool:
    """Whether nothing but thresholds looks at what the model says: to them a step that says the same is no news."""
    own = {points.index_of[point.point_id] for point in model.outputs}
    names = {point.point_id for point in model.outputs}
    read = any(not names.isdisjoint(other.inputs) for other in models)
    counted = any(
        rule.family not in (RuleFamily.THRESHOLD, RuleFamily.SILENCE) and not own.isdisjoint(_points_of(rule))
        for rule in rules
    )
    return not read and not counted and int(model.period_s * 1e9) % tick_ns == 0


def _compiled(model: Foreseeing, rules: Sequence[ResolvedRule], points: PointTable) -> _Foreseen:
    place = {points.index_of[point.point_id]: i for i, point in enumerate(model.outputs)}
    levels = sorted({(point, level) for rule in rules for point, level in _levels(rule) if point in place})
    return _Foreseen(
        model=model,
        period_ns=int(model.period_s * 1e9),
        position=np.array([place[point] for point, _ in levels], dtype=np.intp),
        point=np.array([point for point, _ in levels], dtype=np.intp),
        level=np.array([level for _, level in levels], dtype=np.float64),
    )


def _levels(rule: ResolvedRule) -> Iterator[tuple[int, float]]:
    """At which values of which points a threshold may think otherwise."""
    if rule.family is RuleFamily.THRESHOLD:
        for level in (rule.limit, rule.limit - rule.deadband, rule.limit + rule.deadband):
            yield rule.point_index, level
            if rule.direction is Direction.EITHER:
                yield rule.point_index, -level
    if isinstance(rule.parameters, GateParameters):
        yield from ((each.point_index, each.bound) for each in rule.parameters.conditions)


def _points_of(rule: ResolvedRule) -> set[int]:
    """The points that a rule looks at."""
    return {*rule.device_points, rule.point_index, *(point for point, _ in _ages_s(rule))}


def _ages_s(rule: ResolvedRule) -> Iterator[tuple[int, float]]:
    """At which age of which points this rule may change its mind without a sample: its silence, the longest hole that
    it bears, and for how long it holds on to what was last said."""
    own = rule.parameters
    if rule.family is RuleFamily.SILENCE:
        yield from ((point, rule.limit) for point in rule.device_points or (rule.point_index,))
    elif isinstance(own, GateParameters):
        yield rule.point_index, own.stale_after_s
        yield from ((each.point_index, each.stale_after_s) for each in own.conditions)
    elif isinstance(own, RateParameters | FlatLineParameters | ChangeCountParameters | ConsecutiveParameters):
        yield rule.point_index, own.gap_s
        if isinstance(own, FlatLineParameters) and own.condition_point >= 0:
            yield own.condition_point, own.gap_s
