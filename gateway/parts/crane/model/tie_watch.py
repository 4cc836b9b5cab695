"""What a crane's height leaves of its maker's limits of free height, overhang and tie spacing, as derived points.

In: the crane's measured height, or without such a point the height by its climbing history; the registry of ties. Out:
margins in metres, below 0 where a limit is passed; a number that is missing makes a margin unknown. Once a minute: ties
come and go by days. Source: 建质规〔2024〕5号 8(7), V1; the limits are the maker's.
"""

from collections.abc import Callable, Sequence
from math import inf

import numpy as np

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.papers_ties import TieRegistry, free_height_margin_m, overhang_margin_m, tie_spacing_margin_m
from gateway.model.quantity import Point

PERIOD_S = 60.0
_SAID = (
    ("free_height_margin_m", "独立高度余量", "Free height margin"),
    ("overhang_margin_m", "悬臂（自由端）高度余量", "Overhang margin above the top tie"),
    ("tie_spacing_margin_m", "附着间距余量", "Tie spacing margin"),
)


class TieWatch:
    """One crane's ties. `height_point` says the crane's height, None: `height_at` says it for a time (UTC ns), m."""

    period_s = PERIOD_S

    def __init__(
        self, asset: str, registry: TieRegistry, height_point: str | None, height_at: Callable[[int], float]
    ) -> None:
        self.device = f"{asset}:ties"
        self.inputs: tuple[str, ...] = (height_point,) if height_point else ()
        self.outputs: tuple[Point, ...] = tuple(
            Point(f"{asset}.{key}", asset, key, "m", self.device, zh, en, -inf, inf, 5 * PERIOD_S, "derived")
            for key, zh, en in _SAID
        )
        self._registry = registry
        self._height_at = height_at

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:  # noqa: ARG002
        """The three margins; with fewer than two ties the whole spacing is left."""
        height_m = float(value[0]) if self.inputs else self._height_at(now_ns)
        ties_m, limits = self._registry.heights_m(now_ns), self._registry.limits
        spacing_m = tie_spacing_margin_m(ties_m, limits)
        margins = (
            free_height_margin_m(height_m, ties_m, limits),
            overhang_margin_m(height_m, ties_m, limits),
            limits.max_tie_spacing_m if spacing_m is None else spacing_m,
        )
        return np.array(margins)

    def take_events(self) -> Sequence[AssetEvent]:
        """None."""
        return ()

    def saved(self) -> Json:
        """No state is kept."""
        return None

    def restore(self, saved: Json) -> None:
        """No state to restore."""
