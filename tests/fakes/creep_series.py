"""Simulated series of one pit point by kind: creep that fails, and movements that do not, each read by hand or by box.

Each kind is drawn from a seed: how fast, how noisy, how often read, days that nobody read. No published series.
What is known beside a point is drawn from the same seed: neighbours that move as it does, each with a size and noise of
its own; the rain that fell; the level in a well. Only the kind `rain` moves by its rain and its well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from tests.fakes.creep import Creep

Floats = NDArray[np.float64]


class Kind(StrEnum):
    """FAILING: Voight creep, alpha 1.7 to 2.2. HAND_READ: the narrow case of standards 7.1: alpha 2, 20 days, 0.5 mm,
    daily. The others do not fail: steady, slowing, stages of digging, rain that stops, with a season, an S-curve, and
    a constant acceleration."""

    FAILING = "failing"
    HAND_READ = "hand_read"
    STEADY = "steady"
    SLOWING = "slowing"
    DIGGING = "digging"
    RAIN = "rain"
    SEASON = "season"
    S_CURVE = "s_curve"
    SPEEDING = "speeding"


FAILING = (Kind.FAILING, Kind.HAND_READ)


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """What fell on each hour (h,), mm, and what the ground held of it then, 0 to 1."""

    hours_d: Floats
    fallen_mm: Floats
    held: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One series: days and millimetres (n,), and the day of failure, inf without one. `true_mm` is without noise."""

    kind: Kind
    seed: int
    spacing_h: float
    noise_mm: float
    t_d: Floats
    true_mm: Floats
    x_mm: Floats
    failure_d: float = inf
    weather: Weather | None = None

    def neighbours(self, count: int) -> list[Floats]:
        """Readings (n,) of so many points beside it: the same movement, 0.4 to 1.2 times as large, other noise."""
        rng = self._rng(1)
        sizes = [rng.uniform(0.4, 1.2) for _ in range(count)]
        return [size * self.true_mm + rng.normal(0.0, self.noise_mm, len(self.t_d)) for size in sizes]

    def rain_total_mm(self) -> Floats:
        """What a gauge had counted by each reading (n,)."""
        weather = self._weather()
        return np.interp(self.t_d, weather.hours_d + 1 / 24, np.cumsum(weather.fallen_mm))

    def water_mm(self) -> Floats:
        """The level in a well at each reading (n,), read to 2 cm. It follows what the ground holds."""
        weather, rng = self._weather(), self._rng(2)
        level_mm = rng.uniform(300.0, 2500.0) * np.interp(self.t_d, weather.hours_d, weather.held)
        return level_mm + rng.normal(0.0, 20.0, len(self.t_d))

    def _weather(self) -> Weather:
        """Of the series' own, or one that it does not heed."""
        return self.weather or storms(self._rng(3), float(self.t_d[-1]))

    def _rng(self, use: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, list(Kind).index(self.kind), use])


def case(kind: Kind, seed: int, noise_mm: float = 0.0, spacing_h: float = 0.0) -> Case:
    """The series of this seed. Noise and spacing are drawn as well where they are 0."""
    rng = np.random.default_rng([seed, list(Kind).index(kind)])
    drawn_h, drawn_mm = float(rng.choice([24.0, 24.0, 12.0, 1.0])), float(np.exp(rng.uniform(log(0.2), log(1.5))))
    spacing_h, noise_mm = spacing_h or drawn_h, noise_mm or drawn_mm
    if kind is Kind.HAND_READ:
        spacing_h, noise_mm = 24.0, 0.5
    failure_d, weather = inf, None
    if kind in FAILING:
        creep = _creep(kind, rng, spacing_h)
        t_d = _times(rng, creep.failure_d, spacing_h)
        true_mm, failure_d = creep.displacement_mm(t_d), creep.failure_d
    else:
        t_d = _times(rng, _span_d(rng, spacing_h), spacing_h)
        if kind is Kind.RAIN:
            weather = storms(rng, float(t_d[-1]))
            true_mm = _rainy(rng, t_d, weather)
        else:
            true_mm = _HARMLESS[kind](rng, t_d)
    true_mm = float(rng.choice([-1.0, 1.0])) * true_mm
    x_mm = true_mm + rng.normal(0.0, noise_mm, len(t_d))
    return Case(kind, seed, spacing_h, noise_mm, t_d, true_mm, x_mm, failure_d, weather)


def _creep(kind: Kind, rng: np.random.Generator, spacing_h: float) -> Creep:
    if kind is Kind.HAND_READ:
        return Creep(2.0, rng.uniform(0.55, 0.85), 0.0, 20.0)
    steady, lives_d = {24.0: (1.5, (16.0, 35.0)), 12.0: (1.5, (10.0, 25.0)), 1.0: (0.7, (5.0, 12.0))}[spacing_h]
    scale_mm, life_d = rng.uniform(10.0, 25.0), rng.uniform(*lives_d)
    return Creep(rng.uniform(1.7, 2.2), scale_mm / life_d, rng.uniform(0.0, steady) * life_d, life_d)


def _span_d(rng: np.random.Generator, spacing_h: float) -> float:
    return float(rng.uniform(10.0, 20.0) if spacing_h < 6 else rng.uniform(40.0, 90.0))


def _times(rng: np.random.Generator, end_d: float, spacing_h: float) -> Floats:
    """Up to an hour off the plan by hand, minutes by box; by hand up to a tenth of the readings are missed."""
    t_d = np.arange(0.0, end_d, spacing_h / 24)
    t_d = t_d + rng.uniform(0.0, min(1.0, 0.1 * spacing_h) / 24, len(t_d))
    missed = rng.uniform(size=len(t_d)) < (rng.choice([0.0, 0.1]) if spacing_h > 6 else 0.0)
    return t_d[(t_d < end_d) & ~missed]


def _steady(rng: np.random.Generator, t_d: Floats) -> Floats:
    return rng.uniform(0.0, 3.0) * t_d


def _slowing(rng: np.random.Generator, t_d: Floats) -> Floats:
    span = t_d[-1]
    shapes = (
        rng.uniform(5, 30) * np.log1p(t_d / rng.uniform(0.5, 8)),
        rng.uniform(10, 50) * (1 - np.exp(-t_d / rng.uniform(0.1, 0.6) / span)),
        rng.uniform(1, 8) * np.sqrt(t_d),
    )
    chosen: Floats = shapes[int(rng.integers(3))]
    return chosen


def _digging(rng: np.random.Generator, t_d: Floats) -> Floats:
    """Each stage brings a movement that dies away, and often the later ones bring more."""
    moved = rng.uniform(0.0, 0.3) * t_d
    growing = rng.uniform(0.8, 1.8)
    amount, at_d = rng.uniform(2.0, 8.0), rng.uniform(0.05, 0.3) * t_d[-1]
    while at_d < t_d[-1]:
        lasts_d = rng.uniform(1.0, 5.0)
        moved = moved + amount * -np.expm1(-np.maximum(t_d - at_d, 0.0) / lasts_d)
        amount, at_d = min(amount * growing, 40.0), at_d + rng.uniform(0.08, 0.25) * t_d[-1]
    return moved


def storms(rng: np.random.Generator, end_d: float) -> Weather:
    """Storms of one to seven days; the ground remembers the rain for days."""
    hours = np.arange(0.0, end_d + 1 / 24, 1 / 24)
    fallen = np.zeros(len(hours))
    at = rng.uniform(0.1, 0.5) * len(hours)
    while at < len(hours):
        lasts = int(rng.uniform(24, 168))
        part = slice(int(at), int(at) + lasts)
        swell = np.linspace(rng.uniform(0.2, 1.0), 1.0, lasts)[: len(fallen[part])]
        fallen[part] += rng.gamma(0.3, 1.0, len(swell)) * swell * rng.uniform(2.0, 12.0)
        at += lasts + rng.exponential(0.25 * len(hours))
    kept = np.exp(-1 / 24 / rng.uniform(0.7, 6.0))
    held = np.zeros(len(hours))
    for i in range(1, len(hours)):
        held[i] = held[i - 1] * kept + fallen[i]
    return Weather(hours, fallen, held / max(float(held.max()), 1e-9))


def _rainy(rng: np.random.Generator, t_d: Floats, weather: Weather) -> Floats:
    """The ground moves with a power of the water that it holds."""
    power = rng.choice([1.0, 1.0, 2.0])
    speed = weather.held**power * rng.uniform(2.0, 12.0) + rng.uniform(0.0, 0.5)
    moved = np.concatenate(([0.0], np.cumsum(speed[:-1]) / 24))
    return np.interp(t_d, weather.hours_d, moved)


def _season(rng: np.random.Generator, t_d: Floats) -> Floats:
    period_d, size = rng.uniform(0.4, 4.0) * t_d[-1], rng.uniform(2.0, 15.0)
    wave = size * np.sin(2 * np.pi * (t_d / period_d + rng.uniform()))
    return wave + rng.uniform(0.0, 0.5) * t_d


def _s_curve(rng: np.random.Generator, t_d: Floats) -> Floats:
    """It speeds up like a failure and comes to rest."""
    width_d = rng.uniform(0.03, 0.1) * t_d[-1]
    middle_d = rng.uniform(0.35, 0.7) * t_d[-1]
    return rng.uniform(10.0, 60.0) / (1 + np.exp(-(t_d - middle_d) / width_d)) + rng.uniform(0, 0.3) * t_d


def _speeding(rng: np.random.Generator, t_d: Floats) -> Floats:
    return rng.uniform(20.0, 100.0) * (t_d / t_d[-1]) ** 2 + rng.uniform(0.0, 0.5) * t_d


_HARMLESS: dict[Kind, Callable[[np.random.Generator, Floats], Floats]] = {
    Kind.STEADY: _steady,
    Kind.SLOWING: _slowing,
    Kind.DIGGING: _digging,
    Kind.SEASON: _season,
    Kind.S_CURVE: _s_curve,
    Kind.SPEEDING: _speeding,
}
