"""One drive of a crane: a position that follows a target with limited speed and limited acceleration.

In: target, speed and acceleration limits, dt. Out: position, speed and acceleration. Pure; knows nothing of cranes or
units (metres and m/s, or degrees and deg/s, as the owner decides).

    speed    ____________
            /            \\          accelerate, cruise, brake early enough to stop at the target
    _______/              \\_______
"""

import math
from dataclasses import dataclass

_BRAKE_MARGIN = 0.8
"""Brake as if the drive had 80 % of its deceleration: a time-stepped drive must not run past its target."""


@dataclass(slots=True)
class Axis:
    """A drive at `position` moving with `speed` (signed). `speed_max` and `accel_max` are magnitudes."""

    position: float
    speed_max: float
    accel_max: float
    speed: float = 0.0
    acceleration: float = 0.0

    def move(self, target: float, dt_s: float) -> None:
        """Drive towards `target` for `dt_s`; arrives exactly and stands still."""
        distance = target - self.position
        if abs(distance) <= 2 * self.accel_max * dt_s * dt_s and abs(self.speed) <= 2 * self.accel_max * dt_s:
            self.position, self.speed, self.acceleration = target, 0.0, 0.0
            return
        braking = math.sqrt(2 * _BRAKE_MARGIN * self.accel_max * abs(distance))
        self._approach(math.copysign(min(self.speed_max, braking), distance), dt_s)

    def brake(self, dt_s: float) -> None:
        """Come to a stop as fast as the drive can."""
        self._approach(0.0, dt_s)

    @property
    def moving(self) -> bool:
        """Whether the motor of this axis turns now."""
        return self.speed != 0.0

    def _approach(self, wanted_speed: float, dt_s: float) -> None:
        change = max(-self.accel_max * dt_s, min(self.accel_max * dt_s, wanted_speed - self.speed))
        self.speed += change
        self.acceleration = change / dt_s
        self.position += self.speed * dt_s
