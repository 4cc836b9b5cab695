"""Early warning at one monitoring point of a pit: when could it fail, how steep is it, when does it reach its limit.

In: one reading at a time, hours or days apart: time and displacement since the baseline. Out: a `Forecast` of plain
numbers, NaN where nothing can be said. It adds to the rules and never silences one: pits also fail without any creep
(a strut buckles, sand flows in). Knows nothing of points, clauses and limits but the one number it is handed.

    reading -> Track -> rate, growth (Mann-Kendall) -> stage, tangent angle, days to the limit
                  \\-> growing clearly? -> Voight fit -> gates of standards 7.1 -> interval of the time to failure
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from math import isfinite, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.assets.creep import Fit, fit
from gateway.assets.creep_design import WAVE_SPACING_D
from gateway.assets.creep_gates import CreepGates, gates_open, outruns, still_growing, window_rates
from gateway.assets.creep_grid import Search
from gateway.assets.derivation import Json
from gateway.assets.trend import (
    UNKNOWN_RATE,
    Rate,
    curvature_sigmas,
    days_to_limit,
    mann_kendall_p,
    median,
    noise_mm,
    slope,
    tangent_deg,
)
from gateway.assets.trend_breaks import steps, without_spikes
from gateway.assets.trend_track import Series, Track

Floats = NDArray[np.float64]

NS_A_DAY = 86_400_000_000_000
STATE_VERSION = 1


class Stage(IntEnum):
    """Where the point stands on the creep curve (改进切线角, standards 7.2, M-H). UNKNOWN is never STEADY."""

    UNKNOWN = 0
    DECELERATING = 1
    STEADY = 2
    INITIAL_ACCELERATION = 3
    MEDIUM_ACCELERATION = 4
    IMMINENT = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """Changes by one reading. Hours count from that reading.

    `failure_low_h` to `failure_high_h` is the 90 % interval of the time to failure, both NaN unless every gate is met.
    `tangent_deg` is NaN without a steady stage to compare with. `days_to_limit` is 0 at or beyond the control value,
    999 when the point does not move towards it, NaN when its rate or the control value is not known. `rain_share` is
    how much of what a straight line leaves the rain explains, 0 to 1; NaN unless a failure was searched for and rain is
    known.
    """

    failure_low_h: float = nan
    failure_high_h: float = nan
    tangent_deg: float = nan
    days_to_limit: float = nan
    stage: Stage = Stage.UNKNOWN
    rain_share: float = nan


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """How a point is forecast; all PD but the angles (M-H).

    `level` is the probability of the interval. In nats: `evidence` is how much better failing creep must explain the
    readings than movements that do not fail with one turn, `over_bends` than those with two, `over_rain` than what rain
    brings where that explains them by `rain_counts` better than anything without rain, `over_stopping` than S-curves;
    `surely` is how much better than one turn and than S-curves it must be where the interval begins within `soon_d`. A
    failure farther ahead than `farthest` times the acceleration has lasted is not told. `few`, `nats_a_reading`,
    `most_nats`: see `clearly`; `least_misfit`, `misfit_of_few`: see `misfit`. `at_edge` is how much of the probability
    may lie at the longest and shortest times searched; `curved_sigmas` opens the costly fit. `steady_floor_mm_d` stands
    in for the steady rate of a point that hardly moves, so that its first millimetre is not called imminent.
    `finest_mm` is the least scatter that is believed: an instrument that rounds shows none.
    """

    level: float = 0.9
    gates: CreepGates = field(default_factory=CreepGates)
    search: Search = field(default_factory=Search)
    evidence: float = -1.5
    over_bends: float = -7.0
    over_rain: float = 2.0
    rain_counts: float = 2.0
    over_stopping: float = -3.0
    surely: float = 1.0
    soon_d: float = 1.0
    farthest: float = 1.0
    at_edge: float = 0.05
    curved_sigmas: float = 3.0
    steady_floor_mm_d: float = 0.2
    long_window_d: float = 7.0
    medium_deg: float = 80.0
    imminent_deg: float = 85.0
    accelerating_deg: float = 45.0
    growing_p: float = 0.05
    regressive_p: float = 0.99
    rate_error: float = 0.2
    finest_mm: float = 0.03
    few: float = 24.0
    nats_a_reading: float = 8.0 / 48.0
    most_nats: float = 6.0
    least_misfit: float = 1.3
    misfit_of_few: float = 3.2

    def clearly(self, readings: int) -> float:
        """Nats that so many readings must say more than few can. No law fits the ground exactly, and many readings tell
        two wrong ones apart as if one were right."""
        return min(self.most_nats, self.nats_a_reading * max(0.0, readings - self.few))

    def misfit(self, readings: int) -> float:
        """How many times the scatter between neighbours the scatter around the fit may be; few readings tell either
        badly. Beyond that the law is wrong, however much better it is than the others."""
        return self.least_misfit + self.misfit_of_few / sqrt(readings)


@dataclass(frozen=True, slots=True)
class _Motion:
    """What the readings of late do: their noise, the shortest window that tells a rate, the rate, p of no growth."""

    sigma_mm: float
    window_d: float
    rate: Rate
    no_growth_p: float


class Forecaster:
    """The early warning of one point. Deterministic; memory is bounded however many readings come."""

    def __init__(self, settings: ForecastSettings | None = None) -> None:
        self._settings = settings or ForecastSettings()
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new baseline or another instrument, after which displacements cannot be compared."""
        self._track = Track()
        self._epoch_ns: int | None = None
        self._from_d = -np.inf
        self._steady_mm_d = nan
        self._peak_mm_d = 0.0

    def add(self, at_ns: int, displacement_mm: float, limit_mm: float = nan, rain_mm: float = nan) -> Forecast:
        """One reading at `at_ns` (UTC ns). NaN is skipped; a reading not later than the last is skipped too.

        `displacement_mm` is since the baseline, either sign; `limit_mm` is the control value of its magnitude;
        `rain_mm` is what fell since the reading before, NaN: not known.
        A skipped reading answers with an empty forecast: not known.
        """
        if self._epoch_ns is None:
            self._epoch_ns = at_ns  # days since the first reading: no rounding hangs on the date or the hour
        t_d = (at_ns - self._epoch_ns) / NS_A_DAY
        if not isfinite(displacement_mm) or t_d <= self._track.last_d:
            return Forecast()
        self._track.add(t_d, displacement_mm, rain_mm)
        series = self._track.series()
        motion = self._motion(series)
        self._follow(series, motion)
        found = self._fit(series, motion)
        speaks = self._speaks(found, series, motion)
        low_h, high_h = (24 * found.low_d, 24 * found.high_d) if speaks else (nan, nan)
        tangent = self._tangent_deg(motion)
        days = days_to_limit(displacement_mm, _significant(motion.rate), limit_mm)
        return Forecast(low_h, high_h, tangent, days, self._stage(motion, tangent), found.rain_share)

    def saved(self) -> Json:
        """The state to keep, as plain JSON."""
        return {
            "version": STATE_VERSION,
            "epoch_ns": self._epoch_ns,
            "from_d": _or_none(self._from_d),
            "steady_mm_d": _or_none(self._steady_mm_d),
            "peak_mm_d": self._peak_mm_d,
            "track": self._track.saved(),
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is not one of this version."""
        if not isinstance(saved, Mapping) or saved.get("version") != STATE_VERSION:
            raise ValueError("not a forecaster's state of this version")
        epoch_ns = saved.get("epoch_ns")
        if epoch_ns is not None and not isinstance(epoch_ns, int):
            raise ValueError("a forecaster's epoch is not whole nanoseconds")
        track = Track()
        track.restore(saved.get("track"))
        peak = _number(saved.get("peak_mm_d"), nan)
        if not peak >= 0 or (epoch_ns is None) != (track.last_d == -np.inf):
            raise ValueError("a forecaster's state is not complete")
        self._from_d = _number(saved.get("from_d"), -np.inf)
        self._steady_mm_d = _number(saved.get("steady_mm_d"), nan)
        self._track, self._epoch_ns, self._peak_mm_d = track, epoch_ns, peak

    def _motion(self, series: Series) -> _Motion:
        gates = self._settings.gates
        scatter = noise_mm(series.t_d[-60:], series.x_mm[-60:], series.weight[-60:])
        sigma = np.maximum(scatter, self._settings.finest_mm).item()
        if len(series) < gates.readings or not isfinite(sigma):
            return _Motion(sigma, nan, UNKNOWN_RATE, nan)
        spacing_d = median(np.diff(series.t_d[-gates.windows - 1 :]))
        window_d = 1.0 if spacing_d < WAVE_SPACING_D else spacing_d
        recent = series.since(max(self._from_d, float(series.t_d[-1]) - (gates.windows + 1) * window_d))
        rates = window_rates(recent, window_d, sigma)
        rate = self._rate(series, window_d, sigma)
        return _Motion(sigma, window_d, rate, mann_kendall_p(np.sign(rate.mm_d) * rates.mm_d))

    def _rate(self, series: Series, window_d: float, sigma_mm: float) -> Rate:
        """The rate over the shortest window that tells it well enough, up to the long window."""
        rate = UNKNOWN_RATE
        longest_d = max(self._settings.long_window_d, 4 * window_d)
        while window_d <= longest_d:
            part = series.since(float(series.t_d[-1]) - 1.05 * window_d)
            rate = slope(part.t_d, part.x_mm, part.weight, sigma_mm)
            if rate.error_mm_d <= self._settings.rate_error * abs(rate.mm_d):
                break
            window_d *= 2
        return rate

    def _follow(self, series: Series, motion: _Motion) -> None:
        """Keep the steady rate and where the present trend began."""
        now_d, speed = float(series.t_d[-1]), abs(_significant(motion.rate))
        if not isfinite(speed):
            return
        regressive = motion.no_growth_p > self._settings.regressive_p
        halved = speed + 3 * motion.rate.error_mm_d < 0.5 * self._peak_mm_d
        if regressive or halved:
            self._from_d, self._peak_mm_d = max(self._from_d, now_d - 3 * motion.window_d), speed
        self._peak_mm_d = max(self._peak_mm_d, speed)
        if 0.1 < motion.no_growth_p < 0.9:
            part = series.since(now_d - max(self._settings.long_window_d, 4 * motion.window_d))
            long = slope(part.t_d, part.x_mm, part.weight, motion.sigma_mm)
            if abs(speed - abs(long.mm_d)) <= 2 * motion.rate.error_mm_d:
                self._steady_mm_d = abs(long.mm_d)

    def _fit(self, series: Series, motion: _Motion) -> Fit:
        """The fit of failing creep; an empty one where the movement is too slow, too short or too straight for it."""
        gates = self._settings.gates
        if not motion.rate.exceeds(gates.floor_mm_d, gates.sigmas):
            return Fit()
        part = without_spikes(series.since(self._from_d), motion.sigma_mm)
        part = part.turned(float(np.sign(motion.rate.mm_d)))
        if len(part) < gates.readings or self._straight(part, motion):
            return Fit()
        return fit(part, self._settings.level, steps(part, motion.sigma_mm), self._settings.search)

    def _straight(self, series: Series, motion: _Motion) -> bool:
        """Whether no recent part of the series curves upwards clearly: then the costly fit is not worth its time."""
        return all(
            curvature_sigmas(part.t_d, part.x_mm, part.weight, motion.sigma_mm) < self._settings.curved_sigmas
            for part in (series, series.part(slice(len(series) // 2, None)))
        )

    def _speaks(self, found: Fit, series: Series, motion: _Motion) -> bool:
        settings = self._settings
        if found.creeping is None or not self._explains(found, motion):
            return False
        lasted_d = float(found.creeping.t_d[-1] - found.creeping.t_d[0])
        too_far = found.high_d > settings.farthest * lasted_d
        soon = found.low_d < settings.soon_d
        surely = found.evidence >= settings.surely + self._clearly(found) and found.over_stopping >= settings.surely
        sigma_mm = max(settings.finest_mm, found.sigma_mm)
        rates = window_rates(found.creeping, motion.window_d, sigma_mm)
        return (
            not too_far
            and (surely or not soon)
            and gates_open(found.creeping, sigma_mm, motion.window_d, settings.gates)
            and still_growing(rates, settings.gates.newest_sigmas)
            and outruns(series, found.creeping, motion.window_d, settings.gates)
        )

    def _explains(self, found: Fit, motion: _Motion) -> bool:
        """Whether creep to failure explains the readings, well enough by itself and against all that does not fail.
        Rain counts only where it is seen to move the point: better than any movement without it."""
        settings = self._settings
        rained = found.over_rain < settings.over_rain and found.evidence - found.over_rain >= settings.rain_counts
        clearly = self._clearly(found)
        stops = found.over_stopping < settings.over_stopping
        better = found.evidence >= settings.evidence + clearly and found.over_bends >= settings.over_bends + clearly
        fits = found.frequent or found.sigma_mm <= settings.misfit(found.readings) * motion.sigma_mm
        return better and fits and not rained and not stops and found.at_edge <= settings.at_edge

    def _clearly(self, found: Fit) -> float:
        return self._settings.most_nats if found.frequent else self._settings.clearly(found.readings)

    def _tangent_deg(self, motion: _Motion) -> float:
        steady = max(self._steady_mm_d, self._settings.steady_floor_mm_d)
        return tangent_deg(abs(motion.rate.mm_d), steady if isfinite(self._steady_mm_d) else nan)

    def _stage(self, motion: _Motion, tangent: float) -> Stage:
        """Without a steady stage to compare with, growing and slowing can still be told, steady cannot."""
        settings, known = self._settings, isfinite(tangent)
        moving = motion.rate.exceeds(settings.gates.floor_mm_d, settings.gates.sigmas)
        if moving and tangent >= settings.imminent_deg:
            return Stage.IMMINENT
        if moving and tangent >= settings.medium_deg:
            return Stage.MEDIUM_ACCELERATION
        above = tangent > settings.accelerating_deg or not known
        if moving and above and motion.no_growth_p < settings.growing_p:
            return Stage.INITIAL_ACCELERATION
        if motion.no_growth_p > 1 - settings.growing_p:
            return Stage.DECELERATING
        return Stage.STEADY if known else Stage.UNKNOWN


def _significant(rate: Rate) -> float:
    """The rate, 0 where it cannot be told from standing still, NaN where it is not known."""
    if not isfinite(rate.mm_d):
        return nan
    return rate.mm_d if abs(rate.mm_d) >= 2 * rate.error_mm_d else 0.0


def _or_none(value: float) -> float | None:
    return value if isfinite(value) else None


def _number(saved: Json, absent: float) -> float:
    if saved is None:
        return absent
    if not isinstance(saved, int | float) or not isfinite(saved):
        raise ValueError("a forecaster's state holds something that is not a number")
    return float(saved)
