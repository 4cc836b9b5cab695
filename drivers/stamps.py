"""Two messages of one device with one time stamp and different values: the second is SUSPECT.

In: each `Readings` of one device, in the order of arrival. Out: the same, GOOD lowered to SUSPECT at points that were
told otherwise for that very moment. A sensor has one value at a time: a second one is another sensor under the same
name, a clock that stands still, or a stamp too coarse for the pace. A repeated message has the same values and stays as
it is. Knows nothing of protocols.
"""

from dataclasses import replace
from math import isnan

import numpy as np

from gateway.model.reading import GOOD, SUSPECT, Readings

STAMPS_KEPT = 16


class StampMemory:
    """What one device said at its last `STAMPS_KEPT` time stamps. The first number of a point at a stamp counts."""

    def __init__(self) -> None:
        self._told: dict[int, dict[int, float]] = {}

    def checked(self, readings: Readings) -> Readings:
        """The readings, in doubt where they contradict earlier ones. A value that is missing contradicts nothing."""
        said = zip(readings.point_index.tolist(), readings.value.tolist(), strict=True)
        new = {point: value for point, value in said if not isnan(value)}
        told = self._told.get(readings.observed_at_ns)
        if told is None:
            self._remember(readings.observed_at_ns, new)
            return readings
        differ = [point for point, value in new.items() if told.setdefault(point, value) != value]
        if not differ:
            return readings
        doubted = np.isin(readings.point_index, differ) & (readings.quality == GOOD)
        return replace(readings, quality=np.where(doubted, SUSPECT, readings.quality))

    def _remember(self, observed_at_ns: int, values: dict[int, float]) -> None:
        self._told[observed_at_ns] = values
        if len(self._told) > STAMPS_KEPT:
            del self._told[next(iter(self._told))]
