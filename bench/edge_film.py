"""The sensor of the second generator: radiance in, grey levels and how far they scatter out.

Exposure, shot and read noise, the tone curve and the sum of the three colours are worked out for the mean and the
spread of each grey pixel (Gauss-Hermite over the grain, which is the same for the three colours), so that a frame of a
light that stands costs one multiplication and one addition. Clipping in the dark and in the bright is in both.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

GRAIN: Final = ((-2.8570, 0.011257), (-1.3556, 0.222076), (0.0, 0.533333), (1.3556, 0.222076), (2.8570, 0.011257))
"""Nodes and weights of a standard normal."""
LUMA: Final = np.array([0.114, 0.587, 0.299], np.float32)


@dataclass(frozen=True)
class Still:
    """A picture without what moves. `mean`, `spread` (h, w) float32 grey levels; `gain` of the exposure; `exposed`:
    the mean light after it."""

    mean: np.ndarray
    spread: np.ndarray
    gain: float
    exposed: float


def still_of(light: np.ndarray) -> Still:
    """Radiance (h, w, 3) as an automatic exposure takes it."""
    bright = float(light.mean())
    gain = min(0.30 / max(bright, 1e-4), 14.0)
    return Still(*toned(np.maximum(light * np.float32(gain), 0), gain), gain, bright * gain)


def toned(exposed: np.ndarray, gain: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread (h, w) of the grey levels of exposed light (h, w, 3)."""
    exposed = np.asarray(exposed, np.float32)
    scatter = np.sqrt(exposed * np.float32(0.00025 * gain) + np.float32(0.000012 * gain * gain))
    mean = np.zeros(exposed.shape[:2], np.float32)
    square = np.zeros_like(mean)
    for node, part in GRAIN:
        grey = np.sqrt(np.clip(exposed + np.float32(node) * scatter, 0, 1)) @ LUMA * np.float32(255)
        mean += np.float32(part) * grey
        square += np.float32(part) * grey**2
    return mean, np.sqrt(np.maximum(square - mean**2, 0))
