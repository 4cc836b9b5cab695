"""The early warning keeps its word on simulated creep: its 90 % interval holds the failure, steady ground is silent.

Seeds are fixed and were not used for choosing any constant. A forecaster that never speaks, or says "some time", fails.
"""

from dataclasses import dataclass
from math import isfinite
from statistics import median

import numpy as np
import pytest

from gateway.parts.pit.forecast.forecast import Forecast, Forecaster, ForecastSettings
from tests.fakes.creep import Creep, Disturbance, Floats, measured_mm, times_d

# Twenty seconds of processor time a test: more than two minutes where six others want the same processor.
pytestmark = pytest.mark.timeout(600)

DAY_NS = 86_400_000_000_000
START_NS = 20_000 * DAY_NS
RUNS, HARMLESS = 540, 420
ALPHAS = (1.6, 1.8, 2.0, 2.2, 2.5)
NOISE_MM = (0.05, 0.15, 0.5)
# (spacing h, steady d, shortest and longest life d): who reads each hour watches something quick
PLANS = ((1.0, (2.0, 4.0), (4.0, 8.0)), (6.0, (4.0, 10.0), (5.0, 16.0)), (24.0, (8.0, 20.0), (15.0, 40.0)))
WITHOUT_FITS = ForecastSettings(curved_sigmas=np.inf)


def disturbed(rng: np.random.Generator, end_d: float) -> Disturbance:
    """Noise of one of three sizes; often a daily wave, a step or a hole."""
    return Disturbance(
        noise_mm=float(rng.choice(NOISE_MM)),
        breathing_mm=float(rng.choice([0.0, 0.5])),
        step_mm=float(rng.choice([0.0, 0.0, -6.0, 6.0])),
        step_at_d=float(rng.uniform(0.2, 0.9) * end_d),
        hole_d=float(rng.choice([0.0, 0.1 * end_d])),
        hole_at_d=float(rng.uniform(0.2, 0.8) * end_d),
    )


def at_ns(t_d: float) -> int:
    return START_NS + int(t_d * DAY_NS)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said at one moment, and when it really failed, in hours from then."""

    forecast: Forecast
    failure_h: float
    spacing_h: float

    @property
    def spoken(self) -> bool:
        return isfinite(self.forecast.failure_high_h)

    @property
    def held(self) -> bool:
        return self.forecast.failure_low_h <= self.failure_h <= self.forecast.failure_high_h


def said_of_creep(seed: int, settings: ForecastSettings) -> Said | None:
    """One run, asked at up to three random moments of the last half of the creep until it speaks. The readings before
    a moment go through a forecaster that does not fit: fits leave no trace in the state."""
    rng = np.random.default_rng(seed)
    spacing_h, steady_d, life_d = PLANS[seed % len(PLANS)]
    creep = Creep(float(rng.choice(ALPHAS)), rng.uniform(0.3, 1.5), rng.uniform(*steady_d), rng.uniform(*life_d))
    disturbance = disturbed(rng, creep.failure_d)
    t_d = times_d(creep.failure_d, spacing_h, disturbance, rng)
    x_mm = -measured_mm(t_d, creep.displacement_mm(t_d), disturbance, rng)
    left_d = creep.failure_d - t_d
    moments = np.searchsorted(-left_d, -creep.life_d * np.exp(rng.uniform(np.log(0.03), np.log(0.5), 3)))
    said: list[Said] = []
    feeder = Forecaster(WITHOUT_FITS)
    for i in range(int(moments.max()) + 1):
        if i >= len(t_d):
            break
        if i in moments:
            forecaster = Forecaster(settings)
            forecaster.restore(feeder.saved())
            forecast = forecaster.add(at_ns(t_d[i]), float(x_mm[i]))
            said.append(Said(forecast, (creep.failure_d - t_d[i]) * 24, spacing_h))
        feeder.add(at_ns(t_d[i]), float(x_mm[i]))
    spoken = [one for one in said if one.spoken]
    return spoken[int(rng.integers(len(spoken)))] if spoken else None


def harmless(rng: np.random.Generator, t_d: Floats, end_d: float) -> Floats:
    """Steady movement, or one of three that slow down."""
    shapes = (
        rng.uniform(0, 3) * t_d,
        rng.uniform(3, 20) * np.log1p(t_d / rng.uniform(0.5, 8)),
        rng.uniform(5, 40) * (1 - np.exp(-t_d / rng.uniform(0.1, 0.6) / end_d)),
        rng.uniform(0.5, 6) * np.sqrt(t_d),
    )
    chosen: Floats = shapes[int(rng.choice([0, 0, 0, 1, 2, 3]))]
    return chosen


def speaks_of_harmless(seed: int) -> bool:
    rng = np.random.default_rng(seed)
    spacing_h, end_d = ((1.0, 4.0), (6.0, 12.0), (24.0, 40.0))[seed % 3]
    disturbance = disturbed(rng, end_d)
    t_d = times_d(end_d, spacing_h, disturbance, rng)
    x_mm = measured_mm(t_d, harmless(rng, t_d, end_d), disturbance, rng)
    forecaster = Forecaster()
    said = [forecaster.add(at_ns(t), float(x)) for t, x in zip(t_d, x_mm, strict=True)]
    return any(isfinite(forecast.failure_low_h) or isfinite(forecast.failure_high_h) for forecast in said)


def test_the_interval_holds_the_time_of_failure() -> None:
    runs = [said_of_creep(seed, ForecastSettings()) for seed in range(RUNS)]
    said = [run for run in runs if run]
    held = sum(run.held for run in said) / len(said)
    too_late = sum(run.failure_h < run.forecast.failure_low_h for run in said) / len(said)
    width = median(run.forecast.failure_high_h / run.forecast.failure_low_h for run in said)
    print(
        f"spoke in {len(said)}/{RUNS}, held {held:.3f}, failed before the interval {too_late:.3f}, width x{width:.2f}"
    )
    for spacing_h, *_ in PLANS:
        part = [run.held for run in said if run.spacing_h == spacing_h]
        print(f"  every {spacing_h:.0f} h: spoke {len(part)}, held {sum(part) / len(part):.3f}")
        assert sum(part) / len(part) >= 0.85
    assert len(said) >= 380  # of daily readings only where a failure is not too far ahead
    assert held >= 0.85
    assert too_late <= 0.05
    assert width <= 3.0


def test_steady_and_slowing_ground_is_silent() -> None:
    spoke = [seed for seed in range(10_000, 10_000 + HARMLESS) if speaks_of_harmless(seed)]
    print(f"spoke in {len(spoke)}/{HARMLESS}")
    assert len(spoke) <= 0.01 * HARMLESS
