"""How well the early warning of a pit speaks: of creep that fails in time, of other movement not at all.

`python -m bench.creep [--seed 1] [--cases 40] [--kinds failing rain ...] [--noise 0.5] [--spacing 24] [--neighbours 3]
[--gauge] [--well]`. Every reading of every series goes through a forecaster, alone, or with what a pit knows beside the
point: neighbours that move as it does, a rain gauge, a well. Told for each kind: how many spoke 48 h before the
failure, how often the 90 % interval held it (over all words, and at the first word), how many series that never failed
were spoken of and how many of them within 72 h and, clearly, within 24 h (what raises a P1), and the CPU time of a
reading.

Seeds 1 to 9999 are for trying, 60000 on for the figures of docs/performance.md: nothing is chosen by those.

Readings of a day come up to an hour late: the last one that is 48 h before a failure lies up to 72 h before it.
"""

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from math import isfinite, nan

import numpy as np

from gateway.parts.pit.forecast.creep_drivers import Driver, DriverKind
from gateway.parts.pit.forecast.forecast import Forecast, Forecaster
from tests.fakes.creep_series import FAILING, Case, Kind, case

DAY_NS = 86_400_000_000_000
START_NS = 20_000 * DAY_NS
IN_TIME_H = 48.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run; noise and spacing 0: drawn."""

    kinds: Sequence[Kind] = tuple(Kind)
    seeds: Sequence[int] = range(1, 41)
    noise_mm: float = 0.0
    spacing_h: float = 0.0
    neighbours: int = 0
    gauge: bool = False
    well: bool = False

    @property
    def beside(self) -> str:
        """What is known beside the point, in words."""
        known = {f"{self.neighbours} neighbours": self.neighbours, "a rain gauge": self.gauge, "a well": self.well}
        return " and ".join(word for word, given in known.items() if given) or "nothing"


# What `make bench` runs: points alone, with three neighbours, with a rain gauge, with a well.
PLANS = (
    Plan(),
    Plan((Kind.HAND_READ, Kind.S_CURVE, Kind.DIGGING), range(1, 21), spacing_h=24.0, neighbours=3),
    Plan((Kind.RAIN, Kind.HAND_READ), range(1, 21), spacing_h=24.0, gauge=True),
    Plan((Kind.RAIN, Kind.HAND_READ), range(1, 21), spacing_h=24.0, well=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What is known beside one point up to now: the forecasters of its neighbours, what gauge and well say."""

    others: Sequence[Forecaster]
    known: Sequence[Driver]

    def neighbours(self) -> Sequence[Forecaster]:
        """They have read what the point has, or all but the last."""
        return self.others

    def drivers(self, epoch_ns: int) -> Sequence[Driver]:
        """In days since the start of the series."""
        by_d = (START_NS - epoch_ns) / DAY_NS
        return [Driver(driver.kind, driver.t_d + by_d, driver.value) for driver in self.known]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one series was told: hours before failure of the first word, words in all and words that held, whether the
    first word held, its width, the earliest lower bound, of all words and of the clear ones, and the CPU time of all
    readings of the point."""

    first_h: float
    words: int
    held: int
    first_held: bool
    width: float
    lowest_h: float
    clear_h: float
    readings: int
    cpu_s: float

    @property
    def spoke(self) -> bool:
        """Whether there was any word."""
        return self.words > 0


def heard(series: Case, plan: Plan) -> Heard:
    """One series through a forecaster."""
    said, cpu_s = _said(series, plan)
    left_h = (series.failure_d - series.t_d) * 24
    words = [(left, one) for left, one in zip(left_h.tolist(), said, strict=True) if isfinite(one.failure_high_h)]
    held = [one.failure_low_h <= left <= one.failure_high_h for left, one in words]
    if not words:
        return Heard(nan, 0, 0, False, nan, nan, nan, len(said), cpu_s)
    first = words[0]
    width = first[1].failure_high_h / first[1].failure_low_h
    lowest_h = min(one.failure_low_h for _, one in words)
    clear_h = min((one.failure_low_h for _, one in words if one.clear), default=nan)
    return Heard(first[0], len(words), sum(held), held[0], width, lowest_h, clear_h, len(said), cpu_s)


def _said(series: Case, plan: Plan) -> tuple[list[Forecast], float]:
    """What was said at each reading, and the CPU time of all. A surveyor reads every other neighbour before the point,
    the rest after it."""
    beside = series.neighbours(plan.neighbours)
    forecaster, others = Forecaster(), [Forecaster() for _ in beside]
    known = [Driver(DriverKind.PUT_IN, series.t_d, series.rain_total_mm())] if plan.gauge else []
    known += [Driver(DriverKind.LEVEL, series.t_d, series.water_mm())] if plan.well else []
    said, cpu_s = [], 0.0
    for i, (t, x) in enumerate(zip(series.t_d, series.x_mm, strict=True)):
        at_ns = START_NS + int(t * DAY_NS)
        for other, readings in zip(others[::2], beside[::2], strict=True):
            other.add(at_ns, float(readings[i]))
        so_far = [Driver(driver.kind, driver.t_d[: i + 1], driver.value[: i + 1]) for driver in known]
        began = time.process_time()
        said.append(forecaster.add(at_ns, float(x), evidence=Beside(others, so_far)))
        cpu_s += time.process_time() - began
        for other, readings in zip(others[1::2], beside[1::2], strict=True):
            other.add(at_ns, float(readings[i]))
    return said, cpu_s


def measure(plan: Plan) -> dict[Kind, list[Heard]]:
    """Every kind with every seed, two at a time."""
    with ProcessPoolExecutor(2) as pool:
        return {kind: list(pool.map(_one, repeat(kind), plan.seeds, repeat(plan), chunksize=4)) for kind in plan.kinds}


def _one(kind: Kind, seed: int, plan: Plan) -> Heard:
    return heard(case(kind, seed, plan.noise_mm, plan.spacing_h), plan)


def report(found: dict[Kind, list[Heard]], beside: str = "nothing") -> str:
    """The figures in words."""
    aim = "aim: 95 % of hand_read in time, 87 to 93 % held, none falsely"
    title = f"early warning of a pit's point, simulated, beside it {beside}   {aim}"
    return "\n".join([title, *(_line(kind, of) for kind, of in found.items())])


def _line(kind: Kind, of: Sequence[Heard]) -> str:
    spoke = [one for one in of if one.spoke]
    cost_ms = 1e3 * sum(one.cpu_s for one in of) / sum(one.readings for one in of)
    if kind not in FAILING:
        soon, now = sum(one.lowest_h < 72.0 for one in spoke), sum(one.clear_h < 24.0 for one in spoke)
        told = f"within 72 h {soon}, clearly within 24 h {now}"
        return f"  {kind:<10} spoke falsely {len(spoke)}/{len(of)}, {told}; {cost_ms:.2f} ms"
    in_time = sum(one.first_h >= IN_TIME_H for one in spoke)
    words, held = sum(one.words for one in spoke), sum(one.held for one in spoke)
    first = sum(one.first_held for one in spoke)
    width = float(np.median([one.width for one in spoke])) if spoke else nan
    return (
        f"  {kind:<10} spoke 48 h before {in_time}/{len(of)}, at all {len(spoke)}; held {held}/{words}"
        f" = {held / max(words, 1):.3f}, first word {first / max(len(spoke), 1):.3f}, width x{width:.1f};"
        f" {cost_ms:.2f} ms"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="first of the seeds")
    parser.add_argument("--cases", type=int, default=40, help="series of each kind")
    parser.add_argument("--kinds", type=Kind, nargs="*", default=list(Kind))
    parser.add_argument("--noise", type=float, default=0.0, help="mm; 0: drawn")
    parser.add_argument("--spacing", type=float, default=0.0, choices=[0.0, 1.0, 12.0, 24.0], help="h; 0: drawn")
    parser.add_argument("--neighbours", type=int, default=0, help="points that move as it does")
    parser.add_argument("--gauge", action="store_true", help="a rain gauge")
    parser.add_argument("--well", action="store_true", help="a well")
    of = parser.parse_args()
    seeds = range(of.seed, of.seed + of.cases)
    plan = Plan(of.kinds, seeds, of.noise, of.spacing, of.neighbours, of.gauge, of.well)
    print(report(measure(plan), plan.beside))


if __name__ == "__main__":
    main()
