"""From what an instrument says to what has happened since the zero survey, across re-zeroings and changed sensors.

    cumulative = carried + sign * (measured - zero)

    INITIAL    zero = the mean of the first readings (or given), carried = 0 (or given)
    RE_ZERO    the same, on the same sensor; until its readings are complete the old zero goes on counting
    REPLACED   zero = what the new sensor says, carried = what the point had reached (or given); unknown until then

A zero is only the mean of readings in a row that agree (PD: within what the quality gates call no spike): the standard
asks for steady values of at least three (GB 50497-2019, M-M), and one bad reading in them would stay for good.

In: baselines in order of time, and usable readings. Out: the cumulative value, and one record for the audit of each
baseline that came into force: who, when, why, old, new. Without a baseline a movement is unknown; a load counts from
the zero of its calibration sheet.
"""

from dataclasses import dataclass
from math import isfinite, nan

from gateway.model.derivation import AssetEvent, Json
from gateway.parts.pit.model.description import Baseline, BaselineKind, PitPoint
from gateway.parts.pit.model.items import ItemNature

EVENT_KIND = "pit_baseline"


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """A baseline came into force. `shift` is what earlier cumulative values change by, to be compared with later ones;
    NaN when they cannot be. `event` is the record of it."""

    shift: float
    event: AssetEvent


class BaselineKeeper:
    """The baselines of one point: which is in force, which is being measured. Deterministic."""

    def __init__(self, asset: str, point: PitPoint) -> None:
        self._asset = asset
        self._point = point
        self._waiting = list(point.baselines)
        self._begun: Baseline | None = None
        self._collecting: list[float] | None = None
        self._corrects = False
        self._blind = False
        self._steady_band = point.gates.spike_noises * point.gates.noise
        self._zero, self._carried = (0.0, 0.0) if point.facts.nature is ItemNature.LOAD else (nan, nan)
        self._reached = nan

    def order(self, baseline: Baseline) -> bool:
        """A person's re-zero or changed sensor, beside those of the settings; False when a later one is in force."""
        if not self._is_news(baseline):
            return False
        self._waiting = sorted([*self._waiting, baseline], key=lambda each: each.at_ns)
        return True

    def begin(self, now_ns: int) -> BaselineKind | None:
        """Whether the next baseline has begun by now, and of which kind: a changed sensor's readings start anew.

        Baselines that a later one has overtaken are not measured any more, but REPLACED and INITIAL still count as
        such, so that nothing of the old sensor is compared with the new one.
        """
        if not self._waiting:
            return None
        begun = [each for each in self._waiting if each.at_ns <= now_ns and self._is_news(each)]
        self._waiting = [each for each in self._waiting if each.at_ns > now_ns]
        if not begun:
            return None
        self._corrects = self._begun is not None and self._begun.at_ns == begun[-1].at_ns
        self._begun = begun[-1]
        self._collecting = []
        if any(each.kind is not BaselineKind.RE_ZERO for each in begun):
            self._blind = True
            if any(each.kind is BaselineKind.INITIAL for each in begun[:-1]):
                self._reached = nan
            return begun[-1].kind if begun[-1].kind is not BaselineKind.RE_ZERO else BaselineKind.REPLACED
        return BaselineKind.RE_ZERO

    def settle(self, at_ns: int, measured: float) -> BaselineChange | None:
        """Give a usable reading to a baseline that is being measured; the change when that completes it."""
        baseline, readings = self._begun, self._collecting
        if baseline is None or readings is None or at_ns < baseline.at_ns:
            return None
        readings.append(measured)
        del readings[: -baseline.readings]
        if baseline.zero is not None:
            return self._apply(baseline, baseline.zero, at_ns, 0)
        if len(readings) < baseline.readings or max(readings) - min(readings) > self._steady_band:
            return None
        return self._apply(baseline, sum(readings) / len(readings), at_ns, len(readings))

    def cumulative(self, measured: float) -> float:
        """Since the baseline in force, in the item's unit; NaN without one. It is what has been reached."""
        reached = self.counted(measured)
        if isfinite(reached):
            self._reached = reached
        return reached

    def counted(self, measured: float) -> float:
        """The same of a reading that is not believed."""
        return nan if self._blind else self._carried + self._point.sign * (measured - self._zero)

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "zero": _or_none(self._zero),
            "carried": _or_none(self._carried),
            "reached": _or_none(self._reached),
            "collecting": self._collecting,
            "corrects": self._corrects,
            "blind": self._blind,
            "begun": None if self._begun is None else _written(self._begun),
            "ordered": [_written(each) for each in self._waiting if each not in self._point.baselines],
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state; baselines of the settings that it knows are not begun again, changed ones are.
        Raises ValueError when it is none."""
        match saved:
            case {
                "zero": zero,
                "carried": carried,
                "reached": reached,
                "collecting": None | list() as collecting,
                "corrects": bool(corrects),
                "blind": bool(blind),
                "begun": begun,
                "ordered": list(ordered),
            }:
                self._zero, self._carried, self._reached = _number(zero), _number(carried), _number(reached)
                self._collecting = None if collecting is None else [_number(each) for each in collecting]
                self._corrects, self._blind = corrects, blind
                self._begun = None if begun is None else _read(begun)
                self._waiting = [each for each in self._point.baselines if self._is_news(each)]
                for each in ordered:
                    self.order(_read(each))
            case _:
                raise ValueError("not the state of a point's baseline")

    def _is_news(self, baseline: Baseline) -> bool:
        begun = self._begun
        return begun is None or baseline.at_ns > begun.at_ns or (baseline.at_ns == begun.at_ns and baseline != begun)

    def _apply(self, baseline: Baseline, zero: float, at_ns: int, readings: int) -> BaselineChange:
        old_zero, old_carried = self._zero, self._carried
        self._zero = zero
        self._carried = self._carried_into(baseline)
        self._collecting, self._blind = None, False
        shift = (self._carried - old_carried) - self._point.sign * (self._zero - old_zero)
        if baseline.kind is not BaselineKind.RE_ZERO:
            shift = 0.0 if baseline.kind is BaselineKind.REPLACED and not self._corrects else nan
        content: dict[str, Json] = {
            "point": self._point.name,
            "kind": baseline.kind.value,
            "by": baseline.by,
            "reason": baseline.reason,
            "since_ns": baseline.at_ns,
            "unit": self._point.facts.unit,
            "old_zero": _or_none(old_zero),
            "old_carried": _or_none(old_carried),
            "old_cumulative": _or_none(self._reached),
            "new_zero": zero,
            "new_carried": _or_none(self._carried),
            "readings": readings,
        }
        return BaselineChange(shift, AssetEvent(self._asset, EVENT_KIND, at_ns, content))

    def _carried_into(self, baseline: Baseline) -> float:
        """What the point had reached when this baseline began; a corrected one begins where the wrong one did."""
        if baseline.carried is not None:
            return baseline.carried
        if baseline.kind is not BaselineKind.REPLACED:
            return 0.0
        return self._carried if self._corrects else self._reached


def _or_none(value: float) -> float | None:
    return value if isfinite(value) else None


def _number(entry: Json) -> float:
    if entry is None:
        return nan
    if isinstance(entry, int | float):
        return float(entry)
    raise ValueError("a kept value is not a number")


def _written(baseline: Baseline) -> list[Json]:
    each = baseline
    return [each.kind.value, each.at_ns, each.by, each.reason, each.zero, each.carried, each.readings]


def _read(entry: Json) -> Baseline:
    match entry:
        case [str(kind), int(at_ns), str(by), str(reason), zero, carried, int(readings)]:
            given = [None if each is None else _number(each) for each in (zero, carried)]
            return Baseline(BaselineKind(kind), at_ns, by, reason, given[0], given[1], readings)
    raise ValueError("a kept value is not a baseline")
