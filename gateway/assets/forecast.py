"""Early warning at one monitoring point of a pit: when could it fail, how steep is it, when does it reach its limit.

In: one reading at a time, hours or days apart: time and displacement since the baseline. Out: a `Forecast` of plain
numbers, NaN where nothing can be said. It adds to the rules and never silences one: pits also fail without any creep
(a strut buckles, sand flows in). Knows nothing of points, clauses and limits but the one number it is handed.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import nan

from gateway.assets.derivation import Json

NS_A_DAY = 86_400_000_000_000


class Stage(IntEnum):
    """Where the point stands on the creep curve (改进切线角, standards 7.2, M-H). UNKNOWN is never STEADY."""

    UNKNOWN = 0
    DECELERATING = 1
    STEADY = 2
    INITIAL_ACCELERATION = 3
    MEDIUM_ACCELERATION = 4
    IMMINENT = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one reading changed. Hours count from that reading.

    `failure_low_h` to `failure_high_h` is the 90 % interval of the time to failure, both NaN unless every gate is met.
    `tangent_deg` is NaN without a steady stage to compare with. `days_to_limit` is 0 at or beyond the control value,
    999 when the point does not move towards it, NaN when its rate or the control value is not known.
    """

    failure_low_h: float = nan
    failure_high_h: float = nan
    tangent_deg: float = nan
    days_to_limit: float = nan
    stage: Stage = Stage.UNKNOWN


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """How a point is forecast."""


class Forecaster:
    """The early warning of one point. Deterministic; memory is bounded however many readings come."""

    def __init__(self, settings: ForecastSettings | None = None) -> None:
        self._settings = settings or ForecastSettings()

    def add(self, at_ns: int, displacement_mm: float, limit_mm: float = nan) -> Forecast:
        """One reading at `at_ns` (UTC ns). NaN is skipped; a reading not later than the last is skipped too.

        `displacement_mm` is since the baseline, either sign; `limit_mm` is the control value of its magnitude.
        A skipped reading answers with an empty forecast: not known.
        """
        return Forecast()

    def reset(self) -> None:
        """Forget everything: a new baseline or another instrument, after which displacements cannot be compared."""

    def saved(self) -> Json:
        """The state to keep, as plain JSON."""
        return {}

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is not one of this version."""
