"""One monitoring point of a pit: samples of its instrument become readings, and readings what the rules judge.

    samples -> collector -> reading -> quality gates -> baseline -> cumulative -> rates, shares of design, forecast
                               |            |              |
                               +-- NaN and a reason -------+      events: "data_quality", "pit_baseline"

In: the instrument's input points. Out: a row of derived values for each new reading, and None between them, so that a
rule that counts readings counts real ones. A reading that cannot be used is said as NaN with its reason in
`<point>_quality`; it is never replaced by the last good one.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import isfinite, nan
from typing import Protocol

import numpy as np

from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.parts.pit.forecast.forecast import Forecast, Stage
from gateway.parts.pit.model.baseline import BaselineKeeper
from gateway.parts.pit.model.collector import ReadingCollector
from gateway.parts.pit.model.description import Baseline, BaselineKind, PitDescription, PitPoint
from gateway.parts.pit.model.instrument import Defect
from gateway.parts.pit.model.items import ItemNature, PitItem
from gateway.parts.pit.model.outputs import point_device, point_outputs, shares_known
from gateway.parts.pit.model.reading_quality import Reading, ReadingQuality
from gateway.parts.pit.model.robust_rate import RobustRate
from gateway.parts.pit.model.strut_load import StrutLoad
from gateway.parts.pit.model.surroundings import PitSurroundings

QUALITY_EVENT = "data_quality"
STATE_VERSION = 1
NO_FAILURE_AHEAD_H = 9999.0
"""What a time to failure says of a point that is known to be steady or slowing, hours."""
_CALM = (Stage.DECELERATING, Stage.STEADY)


class _Part(Protocol):
    """A part of the model with a state of its own."""

    def restore(self, saved: Json) -> None: ...


class PitPointDerivation:
    """The model of one monitoring point. `limit` is the control value in force of its cumulative value's size, in the
    item's unit, for the days to it; NaN: not known. `around` is shared by the models of the pit; None: the point stands
    alone."""

    period_s = 0.0

    def __init__(
        self, pit: PitDescription, point: PitPoint, limit: float = nan, around: PitSurroundings | None = None
    ) -> None:
        self.device = point_device(pit.asset, point)
        self.inputs = tuple(dict.fromkeys(point.source.inputs))
        self.outputs = point_outputs(pit.asset, point)
        self.point = point
        self._asset = pit.asset
        self._limit = limit
        self._order = np.array([self.inputs.index(each) for each in point.source.inputs], dtype=np.intp)
        self._collector = ReadingCollector(point.source, point.reading_interval_s, point.gates.clock_skew_s)
        self._quality = ReadingQuality(point.gates, shrinkable=_shrinkable(point))
        self._baseline = BaselineKeeper(pit.asset, point)
        self._rate = RobustRate(point.rate)
        around = around or PitSurroundings(pit)
        self._forecaster = around.forecasters.get(point.name)
        self._well = around.wells.get(point.name)
        self._evidence = around.evidence_of(point)
        self._shares = [point.control.design(share) or nan for share in shares_known(point) if point.control]
        self._trouble = _Trouble(pit.asset, point.name)
        self._gauges = 0
        self._said: tuple[int, Values] | None = None
        self._events: list[AssetEvent] = []

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        """The derived values of the reading that is due now; None when none is."""
        begun = self._baseline.begin(now_ns)
        if begun is not None:
            self._begin_anew(begun)
        reading = self._collector.offer(value[self._order], observed_at_ns[self._order], now_ns)
        if reading is None:
            return None
        row = self._judge(reading)
        self._said = (reading.at_ns, row)
        return row

    def last_said(self) -> tuple[int, Values] | None:
        """The last reading's time (UTC ns) and derived values; None before the first. After a restart it is still what
        is known: the next reading may be a day away."""
        return self._said

    def order_baseline(self, baseline: Baseline) -> bool:
        """A person re-zeroes the point or has changed its sensor; False when a later baseline is in force already."""
        return self._baseline.order(baseline)

    def take_events(self) -> Sequence[AssetEvent]:
        """Baselines that came into force, troubles that began and ended."""
        events, self._events = self._events, []
        return events

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "version": STATE_VERSION,
            "item": self.point.item.value,
            "inputs": list(self.inputs),
            "collector": self._collector.saved(),
            "quality": self._quality.saved(),
            "baseline": self._baseline.saved(),
            "rate": self._rate.saved(),
            "forecast": None if self._forecaster is None else self._forecaster.saved(),
            "well": None if self._well is None else self._well.saved(),
            "trouble": self._trouble.saved(),
            "gauges": self._gauges,
            "said": None if self._said is None else [self._said[0], self._said_by_name()],
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is of another version or of another item.

        What the point counts from is kept whatever else has changed; samples and forerunners only count with the same
        inputs, and a part that does not fit any more (rates, forecast) starts anew: it is unknown for a while.
        """
        match saved:
            case {
                "version": int(version),
                "item": str(item),
                "inputs": list(inputs),
                "collector": collector,
                "quality": quality,
                "baseline": baseline,
                "rate": rate,
                "forecast": forecast,
                "trouble": trouble,
                "gauges": int(gauges),
                "said": said,
            } if version == STATE_VERSION and item == self.point.item.value:
                self._baseline.restore(baseline)
                self._trouble.restore(trouble)
                self._gauges = gauges
                self._said = _row_of(said, [point.quantity for point in self.outputs])
                parts: list[tuple[_Part | None, Json]] = [(self._rate, rate), (self._forecaster, forecast)]
                parts.append((self._well, saved.get("well") if isinstance(saved, Mapping) else None))
                if inputs == list(self.inputs):
                    parts += [(self._collector, collector), (self._quality, quality)]
                _restore_parts(parts)
            case _:
                raise ValueError(f"not the state of point {self.point.name}")

    def _said_by_name(self) -> Json:
        _, row = self._said or (0, ())
        return {point.quantity: _or_none(float(each)) for point, each in zip(self.outputs, row, strict=True)}

    def _begin_anew(self, kind: BaselineKind) -> None:
        """A baseline begins: samples before it do not count, nor what is remembered of another sensor."""
        self._collector.restart()
        if kind is not BaselineKind.RE_ZERO:
            self._quality.reset()

    def _judge(self, reading: Reading) -> Values:
        defect = self._quality.judge(reading)
        cumulative = nan
        if defect is Defect.NONE:
            self._settle(reading)
            cumulative = self._baseline.cumulative(reading.value)
            defect = Defect.NONE if isfinite(cumulative) else Defect.NO_BASELINE
        self._events += self._trouble.note(defect, reading.at_ns)
        self._count_gauges(reading)
        self._rate.add(reading.at_ns, cumulative)
        row = self._row(reading, cumulative, defect)
        if defect is Defect.FLAT_LINE:
            self._rate.see(reading.at_ns, self._baseline.counted(reading.value))
        return row

    def _settle(self, reading: Reading) -> None:
        """A baseline that this reading completes; earlier readings are then counted from it, or forgotten."""
        change = self._baseline.settle(reading.at_ns, reading.value)
        if change is None:
            return
        self._events.append(change.event)
        if change.shift == 0.0:
            return
        for part in (self._forecaster, self._well):
            if part is not None:
                part.reset()
        if isfinite(change.shift):
            self._rate.shift(change.shift)
        else:
            self._rate.clear()

    def _count_gauges(self, reading: Reading) -> None:
        """A mean over other gauges than before is no movement of the strut: its rate starts anew."""
        if not isinstance(self.point.source, StrutLoad) or reading.gauges == self._gauges:
            return
        if self._gauges:
            content: dict[str, Json] = {"point": self.point.name, "reason": "gauges", "gauges": reading.gauges}
            self._events.append(AssetEvent(self._asset, QUALITY_EVENT, reading.at_ns, content))
        self._gauges = reading.gauges
        self._rate.clear()

    def _row(self, reading: Reading, cumulative: float, defect: Defect) -> Values:
        rates = (self._rate.per_day(), self._rate.change_per_day()) if defect is Defect.NONE else (nan, nan)
        if defect is Defect.OUTLIER:  # measure again at once: whether it is there too, the next reading tells
            rates = nan, self._rate.change_to_per_day(reading.at_ns, self._baseline.counted(reading.value))
        gauges = [float(reading.gauges)] if isinstance(self.point.source, StrutLoad) else []
        shares = [100.0 * cumulative / design for design in self._shares]
        row = [cumulative, *rates, float(defect), *gauges, *shares]
        return np.array(row + self._forecast(reading, cumulative), dtype=np.float64)

    def _forecast(self, reading: Reading, cumulative: float) -> list[float]:
        """A point that is known to be steady or slowing has no failure ahead: it says so by a far one, so that an
        earlier warning returns. One whose course is not known says nothing."""
        if self._well is not None:
            self._well.note(reading.at_ns, cumulative)
        if self._forecaster is None:
            return []
        said = Forecast()
        if isfinite(cumulative):
            said = self._forecaster.add(reading.at_ns, cumulative, self._limit, self._evidence)
        low_h, high_h = said.failure_low_h, said.failure_high_h
        if said.stage in _CALM and not isfinite(low_h):
            low_h = high_h = NO_FAILURE_AHEAD_H
        clear_h = low_h if said.clear or low_h == NO_FAILURE_AHEAD_H else nan
        return [said.tangent_deg, low_h, high_h, said.days_to_limit, clear_h]


def _shrinkable(point: PitPoint) -> bool:
    """Whether a tenth of before may be true: of a load, and of a water level, whose zero lies anywhere."""
    return point.facts.nature is ItemNature.LOAD or point.item is PitItem.GROUNDWATER


class _Trouble:
    """Fault of a point's readings as a task: one event at its start, one at its end."""

    def __init__(self, asset: str, name: str) -> None:
        self._asset = asset
        self._name = name
        self._defect = Defect.NONE
        self._since_ns = 0
        self._count = 0

    def note(self, defect: Defect, at_ns: int) -> list[AssetEvent]:
        """One reading's defect; the events that it makes."""
        if defect is self._defect:
            self._count += 1
            return []
        events = [] if self._defect is Defect.NONE else [self._event(self._defect, at_ns, over=True)]
        self._defect, self._since_ns, self._count = defect, at_ns, 1
        return events if defect is Defect.NONE else [*events, self._event(defect, at_ns, over=False)]

    def saved(self) -> Json:
        """The trouble that is going on."""
        return [int(self._defect), self._since_ns, self._count]

    def restore(self, saved: Json) -> None:
        """Go on with it. Raises ValueError when it is none."""
        match saved:
            case [int(defect), int(since_ns), int(count)]:
                self._defect, self._since_ns, self._count = Defect(defect), since_ns, count
            case _:
                raise ValueError("not a point's trouble")

    def _event(self, defect: Defect, at_ns: int, over: bool) -> AssetEvent:
        content: dict[str, Json] = {
            "point": self._name,
            "reason": defect.name.lower(),
            "since_ns": self._since_ns,
            "readings": self._count,
            "over": over,
        }
        return AssetEvent(self._asset, QUALITY_EVENT, at_ns, content)


def _or_none(value: float) -> float | None:
    return value if isfinite(value) else None


def _restore_parts(parts: Sequence[tuple[_Part | None, Json]]) -> None:
    """Each part that fits; the others stay as new."""
    for part, saved in parts:
        if part is not None and saved is not None:
            with suppress(ValueError):
                part.restore(saved)


def _row_of(saved: Json, names: Sequence[str]) -> tuple[int, Values] | None:
    """The last output; what was not said then is unknown. Rows of before 1.3 have no names: one of them fits where only
    the last output has been added since."""
    match saved:
        case [int(at_ns), list(row)] if len(names) - 1 <= len(row) <= len(names):
            by_name: Mapping[str, Json] = dict(zip(names, row, strict=False))
        case [int(at_ns), Mapping() as kept]:
            by_name = kept
        case _:
            return None
    numbers = [by_name.get(name) for name in names]
    return at_ns, np.array([each if isinstance(each, int | float) else nan for each in numbers], dtype=np.float64)
