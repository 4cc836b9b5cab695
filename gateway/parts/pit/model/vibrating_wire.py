"""Vibrating-wire gauges (振弦式传感器): from frequency to pressure, force or strain, by the calibration sheet.

                 f Hz              F = f^2 / 1000 (digits)
    wire  ------------------>  F  --------------------------->  P = G (F0 - F) + K (T - T0)          linear
                                                                P = A F^2 + B F + C + K (T - T0)     polynomial

In: frequency and temperature of one gauge. Out: the quantity in the sheet's unit. Both equations are those of the
makers' sheets (certainty M-H); signs, G, K, A, B, C come from the sheet of that very gauge, never from here. A
frequency of 0 is a logger's way to say "no signal" (VTN416 manual, V1).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.model.instrument import Measured, unmeasured


def digits_from_hz(frequency_hz: float) -> float:
    """F, what makers call digits or linear units: f^2 / 1000. NaN where the wire gives no signal (0, negative)."""
    return frequency_hz * frequency_hz / 1000.0 if frequency_hz > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class LinearSheet:
    """`g` in the quantity's unit per digit, `f0_digits` the reading at zero load."""

    g: float
    f0_digits: float

    def quantity(self, digits: float) -> float:
        """G (F0 - F), before the temperature term."""
        return self.g * (self.f0_digits - digits)


@dataclass(frozen=True, slots=True)
class PolynomialSheet:
    """`a`, `b`, `c` of the sheet; `c` from the zero reading on site, as the makers ask, not from the sheet's own."""

    a: float
    b: float
    c: float

    def quantity(self, digits: float) -> float:
        """A F^2 + B F + C, before the temperature term."""
        return self.a * digits * digits + self.b * digits + self.c


@dataclass(frozen=True, slots=True)
class VibratingWire:
    """One gauge. `k` is in the quantity's unit per degree C against `t0_c`; with k = 0 no temperature is asked for.

    `frequency_point` says Hz, or digits where `reads_digits`; `temperature_point` says degrees C.
    """

    frequency_point: str
    sheet: LinearSheet | PolynomialSheet
    temperature_point: str = ""
    k: float = 0.0
    t0_c: float = 0.0
    reads_digits: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The frequency, and the temperature where it counts."""
        return (self.frequency_point, self.temperature_point) if self.k else (self.frequency_point,)

    def measure(self, value: NDArray[np.float64]) -> Measured:
        """The quantity in the sheet's unit. Without the temperature that the sheet wants, nothing is known."""
        warmth = self.k * (float(value[1]) - self.t0_c) if self.k else 0.0
        quantity = self.sheet.quantity(self._digits(float(value[0]))) + warmth
        return Measured(quantity) if np.isfinite(quantity) else unmeasured()

    def _digits(self, raw: float) -> float:
        if not self.reads_digits:
            return digits_from_hz(raw)
        return raw if raw > 0 else float("nan")
