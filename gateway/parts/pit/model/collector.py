"""From samples to readings: a stream of an instrument at 1 Hz becomes one median each reading interval.

In: each step's input values with the times they were observed. Out: a `Reading` when one is due, else None, so that
whoever counts readings counts real ones.

    interval 0            every complete sample is a reading (a surveyor's, a logger's)
    interval I            due when I has passed since the last one: the median of the samples since then
    inputs dead           no reading until I has passed; then one that says so (interval 0: once, at once)

A sample is complete when every input that is alive has been observed anew: the nodes of a chain are polled one by one.
Memory is bounded: of a long interval every second, fourth ... sample is kept.
"""

from math import isfinite, nan
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import Json, Times, Values
from gateway.parts.pit.model.instrument import Defect, Instrument, Measured
from gateway.parts.pit.model.reading_quality import Reading

KEPT_SAMPLES = 64
EARLY_S = 5.0
"""A reading may come this much early, though by no more than a tenth of its interval: polls are never on time (PD)."""
STARTUP_S = 600.0
"""How long after a start inputs that have not been heard yet are waited for, when the interval is shorter (PD)."""


class ReadingCollector:
    """The samples of one point since its last reading. Deterministic."""

    def __init__(self, instrument: Instrument, interval_s: float, clock_skew_s: float) -> None:
        self._instrument = instrument
        self._interval_ns = int(interval_s * 1e9)
        self._skew_ns = int(clock_skew_s * 1e9)
        self._used_ns = np.zeros(len(instrument.inputs), dtype=np.int64)
        self._since_ns = 0
        self._woken_ns = 0
        self._early_ns = int(min(EARLY_S * 1e9, 0.1 * self._interval_ns))
        self._begun = False
        self._dead = False
        self._samples: list[float] = []
        self._good, self._bad, self._stride, self._gauges = 0, 0, 1, 0

    def offer(self, value: Values, observed_at_ns: Times, now_ns: int) -> Reading | None:
        """One step's inputs (n,). The reading that has become due, if one has."""
        self._since_ns = self._since_ns or now_ns
        if self._starting(observed_at_ns, now_ns):
            return None
        alive = np.isfinite(value)
        fresh = alive & (observed_at_ns > self._used_ns)
        if int(observed_at_ns[fresh].max(initial=0)) > now_ns + self._skew_ns:
            return self._lost(Defect.BAD_TIME, now_ns)
        measured = self._instrument.measure(value)
        lost = measured.defect is not Defect.NONE
        if lost and self._interval_ns == 0:
            return self._lost(measured.defect, now_ns)
        if not self._complete(fresh, alive):
            return None
        self._used_ns = np.where(fresh, observed_at_ns, self._used_ns)
        if lost:
            return self._lost(measured.defect, now_ns)
        self._keep(measured)
        return self._due(int(observed_at_ns[fresh].max()))

    def restart(self) -> None:
        """Forget the samples, because the sensor or its baseline changed."""
        self._clear()

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "used_ns": [int(each) for each in self._used_ns],
            "since_ns": self._since_ns,
            "begun": self._begun,
            "dead": self._dead,
            "samples": list(self._samples),
            "counts": [self._good, self._bad, self._stride, self._gauges],
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none, or one of an instrument with other inputs."""
        match saved:
            case {
                "used_ns": list(used),
                "since_ns": int(since_ns),
                "begun": bool(begun),
                "dead": bool(dead),
                "samples": list(samples),
                "counts": [int(good), int(bad), int(stride), int(gauges)],
            } if len(used) == len(self._used_ns):
                self._used_ns = np.array([_number(each) for each in used], dtype=np.int64)
                self._since_ns, self._begun, self._dead = since_ns, begun, dead
                self._samples = [_number(each) for each in samples]
                self._good, self._bad, self._stride, self._gauges = good, bad, stride, gauges
            case _:
                raise ValueError("not the state of this point's samples")

    def _complete(self, fresh: NDArray[np.bool_], alive: NDArray[np.bool_]) -> bool:
        """Whether all that is alive is new; when nothing is alive, that is what is new."""
        return np.array_equal(fresh, alive) and bool(fresh.any() or not alive.any())

    def _keep(self, measured: Measured) -> None:
        """One more sample; a mean over other gauges than before is another quantity, so that the old ones go."""
        if measured.gauges != self._gauges:
            self._clear()
            self._gauges = measured.gauges
        if self._good % self._stride == 0:
            self._samples.append(measured.value)
        self._good += 1
        if len(self._samples) > KEPT_SAMPLES:
            self._samples = self._samples[::2]
            self._stride *= 2

    def _starting(self, observed_at_ns: Times, now_ns: int) -> bool:
        """Whether the box has just started and inputs that it has not heard yet need not be dead."""
        self._woken_ns = self._woken_ns or now_ns
        soon = now_ns - self._woken_ns < max(self._interval_ns, int(STARTUP_S * 1e9))
        return soon and not observed_at_ns.all()

    def _due(self, at_ns: int) -> Reading | None:
        """The median when the interval has passed; the very first at once."""
        waiting = self._begun and self._interval_ns > 0
        if waiting and at_ns - self._since_ns < self._interval_ns - self._early_ns:
            return None
        if self._good < self._bad:
            return self._say(Reading(at_ns, nan, Defect.NO_SIGNAL, self._good, self._gauges))
        return self._say(Reading(at_ns, median(self._samples), Defect.NONE, self._good, self._gauges))

    def _lost(self, defect: Defect, now_ns: int) -> Reading | None:
        """A sample that says nothing. With an interval a few of them do no harm; without one, each is said once."""
        if self._interval_ns == 0:
            return None if self._dead else self._say(Reading(now_ns, nan, defect, 0, 0))
        self._bad += 1
        if now_ns - self._since_ns < self._interval_ns or self._good >= self._bad:
            return None
        return self._say(Reading(now_ns, nan, defect, self._good, 0))

    def _say(self, reading: Reading) -> Reading:
        self._dead = not isfinite(reading.value)
        self._begun = self._begun or not self._dead
        self._since_ns = reading.at_ns
        self._clear()
        return reading

    def _clear(self) -> None:
        self._samples = []
        self._good, self._bad, self._stride, self._gauges = 0, 0, 1, 0


def _number(entry: Json) -> float:
    if isinstance(entry, int | float):
        return entry
    raise ValueError("a kept value is not a number")
