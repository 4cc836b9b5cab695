"""Early warning at one monitoring point of a pit: when could it fail, how steep is it, when does it reach its limit.

In: one reading at a time, hours or days apart: time and displacement since the baseline. Out: a `Forecast` of plain
numbers, NaN where nothing can be said. It adds to the rules and never silences one: pits also fail without any creep
(a strut buckles, sand flows in). Knows nothing of points, clauses and limits but the one number it is handed.

    reading -> Track -> rate, growth (Mann-Kendall) -> stage, tangent angle, days to the limit
                  \\-> growing clearly? -> Voight fit -> gates of standards 7.1 -> interval of the time to failure
                                             |
    evidence: points that grow beside it ----+---- rain, digging, groundwater that may explain the movement
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import isfinite, nan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import Json
from gateway.parts.pit.forecast.creep import Fit, fit
from gateway.parts.pit.forecast.creep_design import WAVE_SPACING_D, Moving, read_often
from gateway.parts.pit.forecast.creep_drivers import Driver
from gateway.parts.pit.forecast.creep_gates import CreepGates, gates_open, seldom_gates_open, window_rates
from gateway.parts.pit.forecast.creep_grid import Search
from gateway.parts.pit.forecast.creep_rivals import Rivals
from gateway.parts.pit.forecast.trend import (
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
from gateway.parts.pit.forecast.trend_breaks import steps, without_spikes
from gateway.parts.pit.forecast.trend_track import Series, Track

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
    `clear`: movements that come to rest are ruled out as well. Without it the readings fit them too, and the interval
    is that of the failure if it is one.
    `tangent_deg` is NaN without a steady stage to compare with. `days_to_limit` is 0 at or beyond the control value,
    999 when the point does not move towards it, NaN when its rate or the control value is not known.
    """

    failure_low_h: float = nan
    failure_high_h: float = nan
    tangent_deg: float = nan
    days_to_limit: float = nan
    stage: Stage = Stage.UNKNOWN
    clear: bool = False


class Evidence(Protocol):
    """What is known beside a point: named, and asked for only where its movement grows."""

    def neighbours(self) -> "Sequence[Forecaster]":
        """Points that would creep with it as one mass, the nearest first."""
        ...

    def drivers(self, epoch_ns: int) -> Sequence[Driver]:
        """Rain, digging, groundwater; their days count from `epoch_ns` (UTC ns)."""
        ...


@dataclass(frozen=True, slots=True)
class Margins:
    """By how many nats failing creep must explain the readings better than each movement that does not fail; below 0:
    it may be worse. All PD, chosen on simulated series (`bench/creep.py`).

    `each_more` is added to what one turn asks for with every neighbour that counts, `stopping_more` to `stopping`:
    together they say more. `turns_less` is taken from `late` and `two_bends` with each: what turned in all of them at
    one time shows as an `event`, and from so many nats on neighbours do not count; from `stepped` on it is clear.
    `frequent` is that over a line, one turn and one more, for frequent readings: no law fits the ground exactly, and
    many readings tell two wrong ones apart as if one were right. `driven` counts where rain, digging or groundwater
    explain the readings by as much better than anything without them: where they are seen to move the point. `clear`
    is that over what comes to rest and what does not fail with one turn, before a word is called clear.
    """

    line: float = 8.0
    bend: float = -1.6
    constant: float = -0.5
    late: float = -3.2
    stage: float = -0.6
    last: float = 3.5
    two_bends: float = -2.7
    two_stages: float = -4.6
    stopping: float = -5.6
    each_more: float = 0.65
    stopping_more: float = 0.6
    turns_less: float = 0.7
    event: float = 0.0
    stepped: float = 2.0
    driven: float = 2.0
    clear: float = 1.5
    frequent: float = 6.0


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """How a point is forecast; all PD but the angles (M-H).

    `level` is the probability of the interval; of seldom readings it is `seldom_level`, which holds nine failures of
    ten: alpha near 2, as of most ground, lies in the middle of what is held possible. `at_edge` is how much of the
    probability may lie at the longest and shortest times searched; a failure farther ahead than `farthest` times the
    acceleration has lasted is not told of seldom readings; `curved_sigmas` opens the costly fit. Up to `beside`
    neighbours count whose rate and curvature are `beside_sigmas` of their errors, and none for `stepped_days` after a
    step that they and the point made at one time. `steady_floor_mm_d` stands in for the steady rate of a point that
    hardly moves, so that its first millimetre is not called imminent. `finest_mm` is the least scatter that is
    believed: an instrument that rounds shows none.
    """

    level: float = 0.9
    seldom_level: float = 0.87
    gates: CreepGates = field(default_factory=CreepGates)
    search: Search = field(default_factory=Search)
    margins: Margins = field(default_factory=Margins)
    at_edge: float = 0.05
    farthest: float = 0.8
    curved_sigmas: float = 3.0
    beside: int = 3
    beside_sigmas: float = 1.75
    stepped_days: float = 14.0
    steady_floor_mm_d: float = 0.2
    long_window_d: float = 7.0
    medium_deg: float = 80.0
    imminent_deg: float = 85.0
    accelerating_deg: float = 45.0
    regressive_p: float = 0.99
    rate_error: float = 0.2
    finest_mm: float = 0.03


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
        self._stepped_d = -np.inf

    def add(
        self, at_ns: int, displacement_mm: float, limit_mm: float = nan, evidence: Evidence | None = None
    ) -> Forecast:
        """One reading at `at_ns` (UTC ns). NaN is skipped; a reading not later than the last is skipped too.

        `displacement_mm` is since the baseline, either sign; `limit_mm` is the control value of its magnitude;
        `evidence` is what is known beside the point, None: nothing. A skipped reading answers with an empty forecast:
        not known.
        """
        if self._epoch_ns is None:
            self._epoch_ns = at_ns  # days since the first reading: no rounding hangs on the date or the hour
        t_d = (at_ns - self._epoch_ns) / NS_A_DAY
        if not isfinite(displacement_mm) or t_d <= self._track.last_d:
            return Forecast()
        self._track.add(t_d, displacement_mm)
        series = self._track.series()
        motion = self._motion(series)
        self._follow(series, motion)
        found = self._fit(series, motion, evidence)
        speaks = self._speaks(found, series, motion)
        low_h, high_h = (24 * found.low_d, 24 * found.high_d) if speaks else (nan, nan)
        tangent = self._tangent_deg(motion)
        days = days_to_limit(displacement_mm, _significant(motion.rate), limit_mm)
        return Forecast(low_h, high_h, tangent, days, self._stage(motion, tangent), speaks and self._clear(found))

    def saved(self) -> Json:
        """The state to keep, as plain JSON."""
        return {
            "version": STATE_VERSION,
            "epoch_ns": self._epoch_ns,
            "from_d": _or_none(self._from_d),
            "steady_mm_d": _or_none(self._steady_mm_d),
            "peak_mm_d": self._peak_mm_d,
            "stepped_d": _or_none(self._stepped_d),
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
        self._stepped_d = _number(saved.get("stepped_d"), -np.inf)
        self._track, self._epoch_ns, self._peak_mm_d = track, epoch_ns, peak

    def _motion(self, series: Series) -> _Motion:
        gates = self._settings.gates
        scatter = noise_mm(series.t_d[-60:], series.x_mm[-60:], series.weight[-60:])
        sigma = self._settings.finest_mm if scatter < self._settings.finest_mm else scatter
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
            i = int(series.t_d.searchsorted(float(series.t_d[-1]) - 1.05 * window_d))
            rate = slope(series.t_d[i:], series.x_mm[i:], series.weight[i:], sigma_mm)
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

    def _fit(self, series: Series, motion: _Motion, evidence: Evidence | None) -> Fit:
        """The fit of failing creep; an empty one where the movement is too slow, too short or too straight for it.
        Neighbours that made a step at one time with the point, beyond what creep brings, tell of an event of the site
        (a stage of digging), not of creep: then the point stands alone, and for `stepped_days` after a clear one, for
        the next stage may look like creep until it dies away."""
        gates, epoch_ns = self._settings.gates, self._epoch_ns
        if epoch_ns is None or not motion.rate.exceeds(gates.floor_mm_d, gates.sigmas):
            return Fit()
        own = self._moving(series, motion)
        if len(own.series) < gates.readings or not self._curved(own, self._settings.curved_sigmas):
            return Fit()
        beside = [] if evidence is None else self._beside(evidence, epoch_ns, motion.window_d)
        drivers = [] if evidence is None else evidence.drivers(epoch_ns)
        level = self._settings.level if read_often(own.series) else self._settings.seldom_level
        found = fit((own, *beside), level, drivers, self._settings.search)
        now_d, margins = self._track.last_d, self._settings.margins
        if beside and found.event >= margins.stepped:
            self._stepped_d = now_d
        if not beside or (found.event < margins.event and now_d - self._stepped_d >= self._settings.stepped_days):
            return found
        return fit((own,), level, drivers, self._settings.search)

    def _moving(self, series: Series, motion: _Motion) -> Moving:
        part = without_spikes(series.since(self._from_d), motion.sigma_mm).turned(float(np.sign(motion.rate.mm_d)))
        return Moving(part, motion.sigma_mm, tuple(steps(part, motion.sigma_mm)))

    def _beside(self, evidence: Evidence, epoch_ns: int, window_d: float) -> list[Moving]:
        """Neighbours whose movement grows too and that were read of late, in this point's days."""
        found: list[Moving] = []
        now_d = self._track.last_d
        for neighbour in evidence.neighbours():
            growing = neighbour.growing(epoch_ns) if len(found) < self._settings.beside else None
            known = None if growing is None else growing.until(now_d)
            if known is not None and len(known.series) and known.series.t_d[-1] >= now_d - 1.5 * window_d:
                found.append(known)
        return found

    def growing(self, epoch_ns: int) -> Moving | None:
        """The point's movement in days since `epoch_ns`, for its neighbours; None where it does not clearly grow."""
        settings, series = self._settings, self._track.series()
        if self._epoch_ns is None or len(series) < settings.gates.readings:
            return None
        motion = self._motion(series)
        if not motion.rate.exceeds(settings.gates.floor_mm_d / 2, settings.beside_sigmas):
            return None
        own = self._moving(series, motion)
        if len(own.series) < settings.gates.readings or not self._curved(own, settings.beside_sigmas):
            return None
        return own.later((self._epoch_ns - epoch_ns) / NS_A_DAY)

    def _curved(self, own: Moving, sigmas: float) -> bool:
        """Whether a recent part of the movement curves upwards clearly: else the costly fit is not worth its time."""
        series = own.series
        return any(
            curvature_sigmas(part.t_d, part.x_mm, part.weight, own.sigma_mm) >= sigmas
            for part in (series, series.part(slice(len(series) // 2, None)))
        )

    def _speaks(self, found: Fit, series: Series, motion: _Motion) -> bool:
        settings, rivals = self._settings, found.rivals
        if rivals is None or found.at_edge > settings.at_edge or self._driven(found.evidence, rivals):
            return False
        own = found.creeping[0]
        if found.frequent:
            turns = (rivals.line, rivals.bend, rivals.constant, rivals.last, rivals.one_more)
            clearly = found.evidence - max(turns) >= settings.margins.frequent
            return clearly and gates_open(own.series, max(motion.sigma_mm, own.sigma_mm), settings.gates)
        near = found.high_d <= settings.farthest * own.lasted_d
        explains = near and self._explains(found.evidence, rivals, len(found.creeping) - 1)
        return explains and seldom_gates_open(series, found.creeping, motion.window_d, settings.gates)

    def _explains(self, evidence: float, rivals: Rivals, neighbours: int) -> bool:
        """Whether creep to failure explains seldom readings well enough beside each movement that does not fail."""
        margins = self._settings.margins
        more, less = margins.each_more * neighbours, margins.turns_less * neighbours
        return (
            evidence - rivals.line >= margins.line
            and evidence - rivals.bend >= margins.bend + more
            and evidence - rivals.constant >= margins.constant + more
            and evidence - rivals.late >= margins.late - less
            and evidence - rivals.stage >= margins.stage + more
            and evidence - rivals.last >= margins.last
            and evidence - rivals.two_bends >= margins.two_bends - less
            and evidence - rivals.two_stages >= margins.two_stages
            and evidence - rivals.stopping >= margins.stopping + margins.stopping_more * neighbours
        )

    def _driven(self, evidence: float, rivals: Rivals) -> bool:
        """Whether rain, digging or groundwater is seen to move the point and explains the movement as well."""
        undriven = max(evidence, rivals.bend, rivals.constant, rivals.late, rivals.stage, rivals.stopping)
        seen = rivals.driven - max(rivals.line, rivals.bend, rivals.stage) >= self._settings.margins.driven
        return seen and undriven - rivals.driven < self._settings.margins.driven

    def _clear(self, found: Fit) -> bool:
        """Whether movements that come to rest, or never fail with one turn, are ruled out as well."""
        rivals = found.rivals
        if rivals is None:
            return False
        others = max(rivals.bend, rivals.constant, rivals.late, rivals.stage, rivals.stopping)
        return found.evidence - others >= self._settings.margins.clear

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
        if moving and above and motion.no_growth_p < settings.gates.p_value:
            return Stage.INITIAL_ACCELERATION
        if motion.no_growth_p > 1 - settings.gates.p_value:
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
