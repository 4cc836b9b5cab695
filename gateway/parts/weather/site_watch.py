"""The site's weather warnings as points that rules judge (a `Derivation`).

    (time) --WeatherWatch--> site.warning_level, warning_unacknowledged, checks_open

In: a `SiteStanding`. Out: levels and numbers; NaN where it cannot be told. Knows no clause and no limit: those are in
rule packs.
"""

from collections.abc import Sequence
from math import nan

import numpy as np

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point
from gateway.model.site_standing import SiteStanding
from gateway.model.weather import WarningKind

PERIOD_S = 2.0
STALE_AFTER_S = 15.0
SITE = "site"
"""The asset that the whole site's points belong to."""


class WeatherWatch:
    """The whole site's warnings: how grave, whether answered, what is still to be checked after."""

    period_s = PERIOD_S
    inputs: tuple[str, ...] = ()
    device = f"{SITE}:weather"

    def __init__(self, standing: SiteStanding) -> None:
        self._standing = standing
        self.outputs: tuple[Point, ...] = (
            _site_point("warning_level", "气象预警等级（1蓝 2黄 3橙 4红）", "Weather warning (1 blue … 4 red)", 4),
            _site_point("warning_unacknowledged", "未签收的气象预警等级", "Unacknowledged weather warning, level", 4),
            _site_point("checks_open", "灾后待检查项数", "Things to check after a storm", 10_000),
        )

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:  # noqa: ARG002
        """What the site office says of weather, as values of points."""
        standing = self._standing
        levels = standing.warning_level(frozenset(WarningKind), now_ns), standing.unacknowledged_level(now_ns)
        return np.array([*map(_number, levels), _number(standing.checks_open(now_ns))])

    def take_events(self) -> Sequence[AssetEvent]:
        """None: this watch has no events of its own."""
        return ()

    def saved(self) -> Json:
        """Nothing: a restart finds no state of this."""
        return None

    def restore(self, saved: Json) -> None:
        """Nothing is done: this keeps no state."""


def _site_point(key: str, zh: str, en: str, most: float) -> Point:
    return Point(f"{SITE}.{key}", SITE, key, "", WeatherWatch.device, zh, en, 0.0, most, STALE_AFTER_S, "derived")


def _number(level: int | None) -> float:
    return nan if level is None else float(level)
