"""Simulated displacement of a pit point: steady movement, Voight creep to failure, decay, stages of digging.

v(t) = v0 (1 - t/T)^(-1/(alpha - 1)) solves Voight's dv/dt = A v^alpha with failure at T. No published series.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Creep:
    """Steady for `steady_d` days at `v0_mm_d`, then Voight creep that fails `life_d` days later."""

    alpha: float
    v0_mm_d: float
    steady_d: float
    life_d: float

    @property
    def failure_d(self) -> float:
        return self.steady_d + self.life_d

    def displacement_mm(self, t_d: Floats) -> Floats:
        u = np.clip((t_d - self.steady_d) / self.life_d, 0.0, 1.0)
        beta = 1.0 / (self.alpha - 1.0)
        grown = -np.log1p(-u) if abs(beta - 1) < 1e-9 else (1 - (1 - u) ** (1 - beta)) / (1 - beta)
        return self.v0_mm_d * (np.minimum(t_d, self.steady_d) + self.life_d * grown)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What an instrument on a site adds: white noise, the daily wave (whose size changes from day to day), a step,
    a hole of `hole_d` days without readings, readings that are not quite on time."""

    noise_mm: float = 0.1
    breathing_mm: float = 0.0
    step_mm: float = 0.0
    step_at_d: float = 0.0
    hole_d: float = 0.0
    hole_at_d: float = 0.0


def times_d(end_d: float, spacing_h: float, disturbance: Disturbance, rng: np.random.Generator) -> Floats:
    """Reading times before `end_d`, a few minutes off the plan, without those in the hole."""
    t = np.arange(0.0, end_d, spacing_h / 24)
    t = t + rng.uniform(0, 0.05 * spacing_h / 24, len(t))
    missing = (t >= disturbance.hole_at_d) & (t < disturbance.hole_at_d + disturbance.hole_d)
    return t[(t < end_d) & ~missing]


def measured_mm(t_d: Floats, true_mm: Floats, disturbance: Disturbance, rng: np.random.Generator) -> Floats:
    """What the instrument says."""
    day = t_d.astype(int)
    size = rng.uniform(0.5, 1.0, day.max() + 1)[day]
    wave = disturbance.breathing_mm * size * np.sin(2 * np.pi * (t_d - 0.35))
    step = disturbance.step_mm * (t_d >= disturbance.step_at_d)
    return true_mm + wave + step + rng.normal(0, disturbance.noise_mm, len(t_d))
