"""The pit as a whole: which points rise together, which have not been read for too long, who monitors it, its stage.

In: what the pit's monitoring points say, and the excavated depth, once a minute. Out: for each point `<point>_rising`
and `<point>_overdue`; for the pit `no_third_party`, `base_slab_cast`, `excavated_share`.

Rising together (PD after standards 7.2): a point that rises with a neighbour, or with a related item on its section.
Related are horizontal displacement, force in struts or anchors, settlement: two that move at once are no broken
instrument.

    itself   a companion          says
    falls    -                    0
    rises    one rises            1
    rises    none, one unknown    unknown
    rises    none rises           0
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum, auto
from math import nan

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import Ahead, AssetEvent, Json, Times, Values
from gateway.parts.pit.model.description import PitDescription, PitPoint
from gateway.parts.pit.model.frequency import NS_A_DAY, SLAB_DAYS, FrequencyTable, slab_age_d
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.model.outputs import PIT_PERIOD_S, Ending, pit_device, pit_outputs
from gateway.parts.pit.model.surroundings import PitSurroundings

_AROUND = "rain and digging"
"""What is kept beside the points' names; none of them has a blank."""
NS_AN_HOUR = 3_600_000_000_000
CLOCK_SKEW_NS = 300_000_000_000


class _Related(Enum):
    """Items that speak of one movement."""

    HORIZONTAL = auto()
    FORCE = auto()
    SETTLEMENT = auto()


_RELATED: Mapping[PitItem, _Related] = {
    PitItem.WALL_TOP_HORIZONTAL: _Related.HORIZONTAL,
    PitItem.DEEP_HORIZONTAL: _Related.HORIZONTAL,
    PitItem.STRUT_FORCE: _Related.FORCE,
    PitItem.ANCHOR_FORCE: _Related.FORCE,
    PitItem.GROUND_SETTLEMENT: _Related.SETTLEMENT,
    PitItem.BUILDING_SETTLEMENT: _Related.SETTLEMENT,
    PitItem.PIPELINE_SETTLEMENT: _Related.SETTLEMENT,
    PitItem.ROAD_SETTLEMENT: _Related.SETTLEMENT,
}


_BOTH_WAYS = (PitItem.GROUNDWATER, PitItem.WALL_TOP_VERTICAL, PitItem.COLUMN_VERTICAL)
"""Items that can be wrong both ways: a heave that grows rises as a settlement does."""


class PitDerivation:
    """The model of one pit. `frequency` is the table of the reading intervals; `around` is where it notes rain and
    digging for the forecasts of its points."""

    period_s = PIT_PERIOD_S

    def __init__(self, pit: PitDescription, frequency: FrequencyTable, around: PitSurroundings | None = None) -> None:
        self.device = pit_device(pit.asset)
        names = [f"{pit.asset}.{point.name}" for point in pit.points]
        excavated = (pit.stage.excavated_point,) if pit.stage.excavated_point else ()
        rain = (pit.rain_point,) if pit.rain_point else ()
        self.inputs = (*names, *(name + Ending.RATE for name in names), *excavated, *rain)
        self.outputs = pit_outputs(pit)
        self._pit = pit
        self._around = around or PitSurroundings(pit)
        self._frequency = frequency
        self._n = len(names)
        self._rising_per_day = np.array([point.rising_per_day for point in pit.points])
        self._valid_ns = np.array([point.valid_for_s * 1e9 for point in pit.points])
        self._either_way = np.array([point.item in _BOTH_WAYS for point in pit.points])
        self._required_h = np.array([point.required_every_h or nan for point in pit.points])
        self._companions = companions(pit.points)
        self._last_ns = np.zeros(self._n, dtype=np.int64)
        self._seen_ns = np.zeros(2 * self._n, dtype=np.int64)

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values:
        """Present state of the pit."""
        n = self._n
        excavated_m = float(value[2 * n]) if self._pit.stage.excavated_point else nan
        self._note(value, excavated_m, now_ns)
        if not self._pit.stage.excavated_point and self._pit.stage.excavated_m is not None:
            excavated_m = self._pit.stage.excavated_m
        self._seen_ns = observed_at_ns[: 2 * n]
        aged = now_ns - observed_at_ns[n : 2 * n] > self._valid_ns
        rising = self.rising_together(np.where(aged, nan, value[n : 2 * n]))
        overdue = self._overdue_h(observed_at_ns[:n], excavated_m, now_ns)
        return np.concatenate((rising, overdue, self._whole(excavated_m, now_ns)))

    def ahead(self, now_ns: int) -> Ahead:
        """Hours overdue grow; the rest turns when a rate grows too old, a reading from the future is reached, or the
        base slab comes to another age."""
        n = self._n
        turns = [self._seen_ns[n:] + self._valid_ns, self._seen_ns[:n] - CLOCK_SKEW_NS]
        cast_ns = self._pit.stage.base_slab_cast_ns
        if cast_ns is not None:
            turns.append(np.array([cast_ns, *(cast_ns + days * NS_A_DAY for days in SLAB_DAYS)]))
        told = np.concatenate(turns).astype(np.int64)
        per_h = np.concatenate((np.zeros(n), np.ones(n), np.zeros(len(self.outputs) - 2 * n)))
        return Ahead(told[told >= now_ns], per_h)

    def _note(self, value: Values, excavated_m: float, now_ns: int) -> None:
        """What may move the ground: the forecasts of the points ask for it."""
        self._around.dug.note(now_ns, excavated_m)
        if self._pit.rain_point:
            self._around.rain.note(now_ns, float(value[-1]))

    def rising_together(self, rate_per_day: NDArray[np.float64]) -> NDArray[np.float64]:
        """1, 0 or NaN for each point, from the points' rates (n,)."""
        rate = np.where(self._either_way, np.abs(rate_per_day), rate_per_day)
        known = np.isfinite(rate)
        up = known & (rate >= self._rising_per_day)
        with_one = (self._companions & up).any(axis=1)
        may_be = (self._companions & ~known).any(axis=1)
        together = np.where(with_one, 1.0, np.where(may_be, nan, 0.0))
        return np.where(known, np.where(up, together, 0.0), nan)

    def take_events(self) -> Sequence[AssetEvent]:
        """None: what is said here is judged by rules."""
        return ()

    def saved(self) -> Json:
        """When each point was last read, by its name, and what is known of rain and digging."""
        last = {point.name: int(last) for point, last in zip(self._pit.points, self._last_ns, strict=True)}
        return {**last, _AROUND: self._around.saved()}

    def restore(self, saved: Json) -> None:
        """Go on from it; a point that it does not know counts from now. Raises ValueError when it is none."""
        if not isinstance(saved, Mapping):
            raise ValueError("not the state of a pit")
        last = [saved.get(point.name, 0) for point in self._pit.points]
        if not all(isinstance(each, int) for each in last):
            raise ValueError("a point's last reading is no time")
        self._last_ns = np.array(last, dtype=np.int64)
        with suppress(ValueError):
            self._around.restore(saved.get(_AROUND))

    def _overdue_h(self, observed_at_ns: Times, excavated_m: float, now_ns: int) -> NDArray[np.float64]:
        """Hours beyond the interval since each point's last usable reading, below 0 while there is time; NaN when the
        interval cannot be told. A point never read counts from when that was first seen; a reading from the future is
        none.
        """
        credible = (observed_at_ns > 0) & (observed_at_ns <= now_ns + CLOCK_SKEW_NS)
        self._last_ns = np.maximum(self._last_ns, np.where(credible, observed_at_ns, 0))
        self._last_ns[self._last_ns == 0] = now_ns
        table_h = self._frequency.interval_h(self._pit, excavated_m, now_ns)
        interval_h = np.where(np.isfinite(self._required_h), self._required_h, table_h)
        return (now_ns - self._last_ns) / NS_AN_HOUR - interval_h

    def _whole(self, excavated_m: float, now_ns: int) -> NDArray[np.float64]:
        monitored = self._pit.third_party_monitored
        nobody = nan if monitored is None else float(not monitored)
        depth_m = self._pit.design_depth_m
        share = nan if depth_m is None else excavated_m / depth_m
        return np.array([nobody, float(slab_age_d(self._pit, now_ns) >= 0), share])


def companions(points: Sequence[PitPoint]) -> NDArray[np.bool_]:
    """Whose rising counts together with whose (n, n), symmetric: neighbours, and related items of one section."""
    index = {point.name: i for i, point in enumerate(points)}
    found = np.zeros((len(points), len(points)), dtype=np.bool_)
    for i, point in enumerate(points):
        for name in point.neighbours:
            found[i, index[name]] = found[index[name], i] = name != point.name
    group = [_RELATED.get(point.item) for point in points]
    for i, point in enumerate(points):
        for j in range(i):
            related = group[i] is not None and group[j] is not None and group[i] is not group[j]
            if related and point.line and point.line == points[j].line:
                found[i, j] = found[j, i] = True
    return found
