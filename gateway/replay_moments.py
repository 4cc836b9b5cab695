"""Moments at which time alone can change a verdict. A replay must judge at these between two samples.

A running box looks four times a second. Twenty days of ten-minute readings would be seven million looks, nearly all of
which find what the last one found. What time changes is the age of what was last heard, against an age that some rule
or point names; so a replay looks at the first tick after each such age, at every tick while the delay of a silence that
has just ended may run, and once a minute to be safe.

    last heard --> + 10 s silence limit, + 30 s stale, + 1 h gap, ... --> the next tick of the quarter-second grid

In: rules, points, the window. Out: monotonic times. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

import numpy as np

from gateway.model.quantity import PointTable
from gateway.model.rule import ResolvedRule, RuleFamily
from gateway.window import Window

EVERY_TICK_UP_TO_NS = 5_000_000_000
LONGEST_PAUSE_NS = 60_000_000_000
PERIODS_UP_TO_NS = 600_000_000_000
"""Asset models with a period are asked so often for so long into a hole; then once a minute like everything else."""


class Moments:
    """The ages that matter on a site, worked out once. `pause_s`: asset models with a period want to be asked so often.

    `tick_ns` is the grid of the pipeline's own ticks; `every_tick` takes all of them.
    """

    def __init__(
        self,
        rules: Sequence[ResolvedRule],
        points: PointTable,
        tick_ns: int,
        pause_s: float = float("inf"),
        *,
        every_tick: bool = False,
    ) -> None:
        ages_s = {0.0, *(point.stale_after_s for point in points.points)}
        for rule in rules:
            ages_s.update(_ages_s(rule))
        self._ages_ns = np.array(sorted(age_s for age_s in ages_s if np.isfinite(age_s))) * 1e9
        delays_s = [max(rule.on_delay_s, rule.off_delay_s) for rule in rules if rule.family is RuleFamily.SILENCE]
        self._settling_ns = int(max([0.0, *delays_s]) * 1e9)
        self._tick_ns = tick_ns
        self._every_tick_up_to_ns = 2**63 if every_tick else EVERY_TICK_UP_TO_NS
        pause_ns = min(LONGEST_PAUSE_NS, int(min(pause_s, 3600.0) * 1e9))
        self._pause_ns = max(1, pause_ns // tick_ns) * tick_ns

    def between(self, window: Window, from_ns: int, to_ns: int) -> list[int]:
        """Monotonic times in (from, to), ascending, on the grid."""
        first = (from_ns // self._tick_ns + 1) * self._tick_ns
        if to_ns - from_ns <= self._every_tick_up_to_ns:
            return list(range(first, to_ns, self._tick_ns))
        heard = np.unique(np.concatenate([window.good_mono_ns, window.seen_mono_ns, [from_ns]]))
        aged = (heard[:, None] + self._ages_ns[None, :]).ravel()
        near = aged[(aged >= from_ns - self._tick_ns) & (aged < to_ns)]
        reached = np.ceil(near / self._tick_ns).astype(np.int64)
        passed = np.floor(near / self._tick_ns).astype(np.int64) + 1
        found = np.concatenate([reached, passed]) * self._tick_ns
        settling = np.arange(first, min(to_ns, from_ns + self._settling_ns + self._tick_ns), self._tick_ns)
        periods = np.arange(first, min(to_ns, from_ns + PERIODS_UP_TO_NS), self._pause_ns, dtype=np.int64)
        regular = np.arange(first, to_ns, LONGEST_PAUSE_NS, dtype=np.int64)
        last = (to_ns - 1) // self._tick_ns * self._tick_ns
        moments = np.unique(np.concatenate([found, settling, periods, regular, [last]]))
        return [int(each) for each in moments[(moments > from_ns) & (moments < to_ns)]]


def _ages_s(rule: ResolvedRule) -> Iterator[float]:
    """Every age at which this rule may change its mind without a sample."""
    yield from _durations_s(rule.parameters)
    if rule.info.unit == "s":
        yield rule.limit
    if rule.family is RuleFamily.SILENCE:  # judged anew at every tick, so that its delays run between samples too
        yield from (rule.limit, rule.limit + rule.on_delay_s)


def _durations_s(thing: object) -> Iterator[float]:
    """Everything in a family's parameters that is a time: its name says so."""
    if isinstance(thing, tuple):
        for each in thing:
            yield from _durations_s(each)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for each in fields(thing):
            value = getattr(thing, each.name)
            if each.name.endswith("_s") and isinstance(value, int | float):
                yield float(value)
            else:
                yield from _durations_s(value)
