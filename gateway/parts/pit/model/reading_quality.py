"""Which readings are not believed: they block the verdict (unknown) instead of passing it, until they are cleared up.

In: readings of one point, as its instrument measured them. Out: a `Defect` for each. Blocking on an isolated spike, a
flat line, a wrong unit, a bad time: certainty V2; how each is told is product design. What a reading is measured from
may be dead before that; then it brings its own defect.

    far off the line of its forerunners --> OUTLIER, measure again --+--> the next one is there too: real, both count
                                                                     +--> the next one is back: it was a spike

A jump that is real is unknown for one reading, never normal. A reading that is the median of many samples is no spike.
"""

from collections import deque
from dataclasses import dataclass
from math import isfinite
from statistics import median

import numpy as np

from gateway.model.derivation import Json
from gateway.parts.pit.model.instrument import Defect
from gateway.parts.pit.model.robust_rate import NS_A_DAY, median_slope

FORERUNNERS = 12
FEWEST_FORERUNNERS = 5
FEWEST_FLAT = 5
OPEN_AFTER_JUMP = 5
_MAD_TO_SIGMA = 1.4826
_UNIT_BAND = 0.2
_UNIT_NOISES = 20.0


@dataclass(frozen=True, slots=True)
class QualityGates:
    """When a reading is not believed (all PD). `noise` is the instrument's, in the item's unit.

    A reading that rests on fewer than `steady_samples` samples is an outlier when it is further from its forerunners'
    line than `spike_mads` scaled MADs, and from the line and the last of them than `spike_noises` times the noise.
    Readings that do not leave `flat_band` for `flat_after_s` are a flat line (0: never). `clock_skew_s`: how far ahead
    of the box a reading's time may be.
    """

    noise: float = 0.5
    spike_mads: float = 5.0
    spike_noises: float = 10.0
    steady_samples: int = 5
    flat_after_s: float = 86_400.0
    flat_band: float = 0.0
    clock_skew_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one point: the median of `samples` samples, NaN with its defect when it is not known.

    `at_ns` is when the last of them was observed. `gauges`: how many sensors it rests on.
    """

    at_ns: int
    value: float
    defect: Defect = Defect.NONE
    samples: int = 1
    gauges: int = 1


class ReadingQuality:
    """The gates of one point, with the readings that they need to remember. Deterministic.

    `shrinkable`: a tenth or a hundredth of before is no wrong unit (a strut can lose its force, water can fall to the
    zero of its levels; a wall does not move back nine tenths of its way).
    """

    def __init__(self, gates: QualityGates, shrinkable: bool = False) -> None:
        self._gates = gates
        self._factors = (1e3, 1e-3) if shrinkable else (1e3, 1e-3, 1e-2, 1e-1)
        self._before: deque[tuple[int, float]] = deque(maxlen=FORERUNNERS)
        self._suspect = 0.0
        self._open = 0
        self._flat: tuple[int, float, int] = (0, float("nan"), 0)
        self._last_ns = 0

    def judge(self, reading: Reading) -> Defect:
        """Whether this reading can be used; it is remembered when it can."""
        if reading.defect is not Defect.NONE:
            return reading.defect
        if reading.at_ns <= self._last_ns:
            return Defect.BAD_TIME
        self._last_ns = reading.at_ns
        flat = self._is_flat(reading)
        if self._wrong_unit(reading.value):
            return Defect.WRONG_UNIT
        if self._is_spike(reading):
            return Defect.OUTLIER
        if flat:
            return Defect.FLAT_LINE
        self._before.append((reading.at_ns, reading.value))
        return Defect.NONE

    def reset(self) -> None:
        """The sensor was replaced. Its readings cannot be compared with the earlier ones."""
        self._before.clear()
        self._suspect, self._open, self._flat = 0.0, 0, (0, float("nan"), 0)

    def saved(self) -> Json:
        """The state to keep."""
        since_ns, value, count = self._flat
        return {
            "before": [[at_ns, value] for at_ns, value in self._before],
            "suspect": self._suspect,
            "open": self._open,
            "flat": [since_ns, value if isfinite(value) else None, count],
            "last_ns": self._last_ns,
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        match saved:
            case {
                "before": list(before),
                "suspect": int() | float() as suspect,
                "open": int(still_open),
                "flat": [int(since_ns), value, int(count)],
                "last_ns": int(last_ns),
            }:
                self._before = deque((_reading(entry) for entry in before), maxlen=FORERUNNERS)
                self._suspect, self._open, self._last_ns = float(suspect), still_open, last_ns
                held = float(value) if isinstance(value, int | float) else float("nan")
                self._flat = (since_ns, held, count)
            case _:
                raise ValueError("not the state of a point's quality")

    def _wrong_unit(self, value: float) -> bool:
        """A thousand times (or a thousandth, for a movement also a hundredth or a tenth) of what it was."""
        if len(self._before) < FEWEST_FORERUNNERS:
            return False
        usual = median([before for _, before in self._before])
        if abs(usual) < _UNIT_NOISES * self._gates.noise:
            return False
        ratio = value / usual
        return any(abs(ratio / factor - 1.0) <= _UNIT_BAND for factor in self._factors)

    def _is_flat(self, reading: Reading) -> bool:
        since_ns, value, count = self._flat
        if not abs(reading.value - value) <= self._gates.flat_band:
            self._flat = (reading.at_ns, reading.value, 1)
            return False
        self._flat = (since_ns, value, count + 1)
        long_enough = reading.at_ns - since_ns >= self._gates.flat_after_s * 1e9
        return self._gates.flat_after_s > 0 and long_enough and count + 1 >= FEWEST_FLAT

    def _is_spike(self, reading: Reading) -> bool:
        """Far off, and not (yet) confirmed by the reading after it."""
        if self._open > 0:
            self._open -= 1
            return False
        if len(self._before) < FEWEST_FORERUNNERS or reading.samples >= self._gates.steady_samples:
            self._suspect = 0.0
            return False
        if abs(reading.value - self._before[-1][1]) <= self._gates.spike_noises * self._gates.noise:
            self._suspect = 0.0
            return False
        off, allowed = self._deviation(reading)
        if abs(off) <= allowed:
            self._suspect = 0.0
            return False
        if off * self._suspect > 0 and abs(off) >= abs(self._suspect) / 2:
            self._suspect, self._open = 0.0, OPEN_AFTER_JUMP
            return False
        self._suspect = off
        return True

    def _deviation(self, reading: Reading) -> tuple[float, float]:
        """How far from the forerunners' line, and how far it may be: after a long gap also twice as fast as before."""
        last_ns = self._before[-1][0]
        day = np.array([(at_ns - last_ns) / NS_A_DAY for at_ns, _ in self._before])
        value = np.array([value for _, value in self._before])
        slope = median_slope(day, value)
        level = median(value - slope * day)
        scatter = median(np.abs(value - slope * day - level))
        ahead = slope * (reading.at_ns - last_ns) / NS_A_DAY
        gates = self._gates
        allowed = max(gates.spike_mads * _MAD_TO_SIGMA * scatter, gates.spike_noises * gates.noise, abs(ahead))
        return reading.value - level - ahead, allowed


def _reading(entry: Json) -> tuple[int, float]:
    match entry:
        case [int(at_ns), int() | float() as value]:
            return at_ns, float(value)
    raise ValueError("a kept reading is not a time and a value")
