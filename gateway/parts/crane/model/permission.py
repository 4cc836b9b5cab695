"""Work of a crane that needs a permit, or that weather stops, held against what is being done (a `Derivation`).

    crane-1.climbing, crane-1.lifting --CranePermission--> work_unpermitted, lifting_in_warning, unchecked_restart

In: derived points of a crane, NaN where not known, and a `SiteStanding`. Out: 0, 1 or a level; NaN where it cannot be
told. A permit that nobody has entered is missing: it makes 1, not NaN, because whoever climbs has to have one. Knows no
clause and no limit: those are in rule packs.
"""

from collections.abc import Sequence
from math import isnan, nan

import numpy as np

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point
from gateway.model.site_standing import SiteStanding
from gateway.model.weather import NO_LIFTING

PERIOD_S = 2.0
STALE_AFTER_S = 15.0


class CranePermission:
    """One crane's work against permits and weather. Steps every two seconds: a permit ends without a reading."""

    period_s = PERIOD_S

    def __init__(self, asset: str, inputs: Sequence[str], standing: SiteStanding) -> None:
        """`inputs`: those of `climbing` and `lifting` that can be known on this crane."""
        self.device = f"{asset}:permission"
        self.inputs = tuple(f"{asset}.{key}" for key in ("climbing", "lifting"))
        self._asset = asset
        self._standing = standing
        known = set(inputs)
        self._climbs, self._lifts = (point in known for point in self.inputs)
        self.outputs = tuple(self._points())

    def _points(self) -> Sequence[Point]:
        found = []
        if self._climbs:
            found.append(self._point("work_unpermitted", "无许可顶升或安拆", "Climbing without a permit", 1))
        if self._lifts:
            found.append(
                self._point("lifting_in_warning", "预警期间吊装（等级）", "Lifting in a weather warning, level", 4)
            )
            found.append(self._point("unchecked_restart", "灾后未检查即作业", "At work unchecked after a storm", 1))
        return found

    def _point(self, key: str, zh: str, en: str, most: float) -> Point:
        device, asset = self.device, self._asset
        return Point(f"{asset}.{key}", asset, key, "", device, zh, en, 0.0, most, STALE_AFTER_S, "derived")

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:  # noqa: ARG002
        """Work in progress, compared with the permits."""
        climbing, lifting = float(value[0]), float(value[1])
        said = []
        if self._climbs:
            said.append(_while(climbing, _missing(self._standing.climbing_permitted(self._asset, now_ns))))
        if self._lifts:
            working = _either(climbing, lifting) if self._climbs else lifting
            said.append(_while(lifting, _number(self._standing.warning_level(NO_LIFTING, now_ns))))
            said.append(_while(working, _missing(self._standing.checked(self._asset, now_ns))))
        return np.array(said)

    def take_events(self) -> Sequence[AssetEvent]:
        """None: permits and warnings are sealed where they are entered."""
        return ()

    def saved(self) -> Json:
        """No state is kept."""
        return None

    def restore(self, saved: Json) -> None:
        """No state to restore."""


def _while(doing: float, fault: float) -> float:
    """The fault counts while something is done; not known while that is not known, unless there is no fault at all."""
    if fault == 0.0 or doing == 0.0:
        return 0.0
    return nan if isnan(doing) else fault


def _missing(allowed: bool | None) -> float:
    return nan if allowed is None else float(not allowed)


def _number(level: int | None) -> float:
    return nan if level is None else float(level)


def _either(first: float, second: float) -> float:
    """Whether one of two is done: one is enough, and one that is not known leaves it open."""
    if first == 1.0 or second == 1.0:
        return 1.0
    return nan if isnan(first) or isnan(second) else 0.0
