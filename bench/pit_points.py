"""500 monitoring points of one pit judged once: a new reading at each point, and the pit as a whole.

`python -m bench.pit_points [points] [failing] [days]`. Fed: readings every six hours for a month, so that every window
is full; `failing` points creep towards failure, which is what the forecast takes most of its time for. CPU time of one
round of readings, median and worst of the last eleven, with the forecast and without it; then one minute of the pit's
own model.
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.model.description import Baseline, BaselineKind, PitDescription, PitPoint, PitStage, SafetyGrade
from gateway.parts.pit.model.frequency import FrequencyTable
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.model.pit import PitDerivation
from gateway.parts.pit.model.point import PitPointDerivation
from gateway.parts.pit.model.vibrating_wire import LinearSheet, VibratingWire

T0_NS = 1_700_000_000_000_000_000
A_DAY = 4
EVERY_NS = 86_400_000_000_000 // A_DAY
ROUNDS = 11
AIM_MS = 200.0


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured, milliseconds for all points together."""

    points: int
    failing: int
    median_ms: float
    worst_ms: float
    without_forecast_ms: float
    pit_ms: float


def described(points: int, forecast: bool = True) -> PitDescription:
    """A pit of which three points in four are displacements and one is a vibrating-wire earth pressure; without the
    forecast all are loads."""
    zero = (Baseline(BaselineKind.INITIAL, 0, "bench", "zero survey", zero=0.0),)
    made = []
    for i in range(points):
        if i % 4 == 3:
            gauge = VibratingWire(f"pit.p{i}", LinearSheet(g=0.05, f0_digits=9000.0))
            made.append(PitPoint(f"p-{i}", PitItem.EARTH_PRESSURE, gauge, "土压力", "Earth pressure"))
            continue
        item = PitItem.WALL_TOP_HORIZONTAL if forecast else PitItem.EARTH_PRESSURE
        near = (f"p-{i - 4}",) if i >= 4 else ()
        source = DirectReading(f"pit.p{i}")
        made.append(PitPoint(f"p-{i}", item, source, "墙顶", "Wall top", baselines=zero, neighbours=near))
    return PitDescription("pit", tuple(made), 12.0, SafetyGrade.FIRST, stage=PitStage(excavated_m=9.0))


def movement(point: int, readings: int, failing: bool) -> NDArray[np.float64]:
    """Raw values (readings,): a slow steady move with noise; of a failing point 1/v falls to zero."""
    day = np.arange(readings) / A_DAY
    noise = np.random.default_rng(point).normal(0.0, 0.15, readings)
    if point % 4 == 3:
        return 3000.0 - day + noise
    if failing:
        return -8.0 * np.log(1.0 - day / (readings / A_DAY + 5.0)) + noise
    return 0.2 * day + noise


def measure(points: int = 500, failing: int = 5, days: int = 30) -> Run:
    """Feed the models, then time the last rounds."""
    readings = days * A_DAY + ROUNDS
    value = np.array([movement(i, readings, i < failing * 4 // 3) for i in range(points)])
    pit = described(points)
    took_ms, rows = _rounds_ms(pit, value)
    without_ms, _ = _rounds_ms(described(points, forecast=False), value)
    pit_ms = _pit_ms(pit, rows, readings)
    return Run(points, failing, float(np.median(took_ms)), max(took_ms), float(np.median(without_ms)), pit_ms)


def _rounds_ms(pit: PitDescription, value: NDArray[np.float64]) -> tuple[list[float], list[NDArray[np.float64]]]:
    """CPU time of each of the last rounds, and what the last one said."""
    models = [PitPointDerivation(pit, point, limit=40.0) for point in pit.points]
    took_ms = []
    for k in range(value.shape[1]):
        began = time.process_time()
        rows = _round(models, value[:, k], k)
        took_ms.append((time.process_time() - began) * 1e3)
    return took_ms[-ROUNDS:], rows


def _round(models: list[PitPointDerivation], value: NDArray[np.float64], k: int) -> list[NDArray[np.float64]]:
    now_ns = T0_NS + k * EVERY_NS
    observed_at_ns = np.array([now_ns], dtype=np.int64)
    rows = [model.step(value[i : i + 1], observed_at_ns, now_ns) for i, model in enumerate(models)]
    assert all(row is not None for row in rows), "a reading was not judged"
    return [row for row in rows if row is not None]


def _pit_ms(pit: PitDescription, rows: list[NDArray[np.float64]], readings: int) -> float:
    model = PitDerivation(pit, FrequencyTable())
    value = np.array([row[0] for row in rows] + [row[1] for row in rows])
    now_ns = T0_NS + readings * EVERY_NS
    observed_at_ns = np.full(len(value), now_ns, dtype=np.int64)
    began = time.process_time()
    model.step(value, observed_at_ns, now_ns)
    return (time.process_time() - began) * 1e3


def report(run: Run) -> str:
    """The figures of a run in words."""
    return "\n".join(
        (
            f"one new reading at each of {run.points} pit points, of which {run.failing} creep towards failure, CPU ms",
            f"  judged and forecast       {run.median_ms:7.1f}   worst {run.worst_ms:.1f}   aim <= {AIM_MS:g}",
            f"  judged without forecast   {run.without_forecast_ms:7.1f}",
            f"  the pit as a whole        {run.pit_ms:7.2f}   once a minute",
        )
    )


if __name__ == "__main__":
    print(report(measure(*(int(argument) for argument in sys.argv[1:4]))))
