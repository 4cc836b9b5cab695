"""Weather over a site: a mean wind that wanders, gusts on top, temperature and humidity over the day.

In: dt. Out: what a weather mast at 10 m measures. Pure and seeded. Knows nothing of MQTT, payloads or clocks.

Wind is the sum of two Ornstein-Uhlenbeck processes: a slow one (minutes) around the mean, and gusts (seconds) whose
spread is the turbulence intensity times the wind. Figures are a product design.
"""

import math
import random
from dataclasses import dataclass

_DAY_S = 86_400.0
_SLOW_S = 300.0
_GUST_S = 4.0


@dataclass(frozen=True, slots=True)
class Climate:
    """What the weather varies around. `turbulence` is the gusts' standard deviation as a share of the wind, `wander`
    that of the slow changes over minutes.
    """

    wind_mean_m_s: float = 4.5
    turbulence: float = 0.16
    wander: float = 0.12
    direction_deg: float = 120.0
    temperature_degc: float = 22.0
    temperature_swing_degc: float = 6.0
    humidity_pct: float = 65.0


@dataclass(frozen=True, slots=True)
class WeatherState:
    """What the mast of the site measures now."""

    wind_m_s: float
    wind_direction_deg: float
    temperature_degc: float
    humidity_pct: float


class Weather:
    """The site's air, stepped with dt. `day_share` is the time of day at the start (0 = midnight).

    `mean_m_s` is the wind it varies around now; a story leads it.
    """

    def __init__(self, seed: str, climate: Climate | None = None, day_share: float = 0.4) -> None:
        self.climate = climate or Climate()
        self._random = random.Random(seed)
        self._day_s = day_share * _DAY_S
        self._slow = 0.0
        self._gust = 0.0
        self._veer_deg = 0.0
        self.mean_m_s = self.climate.wind_mean_m_s
        self.state = self._observe()

    def step(self, dt_s: float) -> WeatherState:
        """Let the weather go on for `dt_s` seconds."""
        self._day_s += dt_s
        self._slow = self._wander(self._slow, _SLOW_S, self.climate.wander, dt_s)
        self._gust = self._wander(self._gust, _GUST_S, self.climate.turbulence, dt_s)
        self._veer_deg = self._wander(self._veer_deg, _SLOW_S, 20.0, dt_s)
        self.state = self._observe()
        return self.state

    def _wander(self, value: float, time_constant_s: float, spread: float, dt_s: float) -> float:
        """One exact step of an Ornstein-Uhlenbeck process around 0 with standard deviation `spread`."""
        kept = math.exp(-dt_s / time_constant_s)
        return value * kept + spread * math.sqrt(1 - kept * kept) * self._random.gauss(0, 1)

    def _observe(self) -> WeatherState:
        climate = self.climate
        mean_m_s = self.mean_m_s * (1 + self._slow)
        warmth = math.sin(2 * math.pi * (self._day_s / _DAY_S - 0.375))
        return WeatherState(
            wind_m_s=min(60.0, max(0.0, mean_m_s * (1 + self._gust))),
            wind_direction_deg=(climate.direction_deg + self._veer_deg + 30 * self._gust) % 360,
            temperature_degc=climate.temperature_degc + climate.temperature_swing_degc * warmth,
            humidity_pct=min(100.0, max(5.0, climate.humidity_pct - 15 * warmth)),
        )
