"""Units that platforms use, and how ours become theirs.

In: two units. Out: a factor. Weights count as masses and back with standard gravity (9.80665 m/s², ISO 80000-4:2019
item 4-9.2, from memory). Only linear conversions of one dimension: a tilt in per mille is not an angle.
"""

from math import pi

_GRAVITY = 9.80665
_SCALES: dict[str, dict[str, float]] = {
    "load": {"t": 1.0, "kg": 1e-3, "kN": 1 / _GRAVITY, "N": 1e-3 / _GRAVITY},
    "moment": {"t·m": 1.0, "kg·m": 1e-3, "kN·m": 1 / _GRAVITY, "N·m": 1e-3 / _GRAVITY},
    "length": {"m": 1.0, "cm": 1e-2, "mm": 1e-3},
    "angle": {"deg": 1.0, "0.1 deg": 0.1, "rad": 180 / pi},
    "speed": {"m/s": 1.0, "km/h": 1 / 3.6},
    "share": {"%": 1.0, "1": 100.0, "‰": 0.1},
    "count": {"": 1.0},
}


def units_like(unit: str) -> tuple[str, ...]:
    """Every unit that this one can become; empty for an unknown one."""
    return next((tuple(scale) for scale in _SCALES.values() if unit in scale), ())


def factor(ours: str, theirs: str) -> float:
    """What our number is multiplied with. Raises ValueError for units of different dimensions or unknown ones."""
    for scale in _SCALES.values():
        if ours in scale and theirs in scale:
            return scale[ours] / scale[theirs]
    raise ValueError(f"{ours} cannot become {theirs}; it can become {', '.join(units_like(ours)) or 'nothing else'}")
