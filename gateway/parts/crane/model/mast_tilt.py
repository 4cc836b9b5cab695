"""Tilt of the mast (塔身倾斜), and how far it has drifted from what it was at commissioning.

A mast bends at work far more than it may stand out of plumb, so only like is compared with like: hook empty, crane
still, wind low, and the same slew sector (standards reference 7.5). Each sector has a baseline: the mean of its first
settled samples, or of the first ones after `learn_anew`. The drift of a sector is the mean of its last settled samples
less its baseline, as a vector in site axes; what is said is the largest of the sectors that are recent enough.

    fixed in site axes, wherever the jib points    ->  the base settles
    turning with the jib                           ->  the structure gives way

In: tilt, slew, wind, load, motion, NaN where not known. Out: `Tilt`, and baselines to keep for good. A crane with a
single tilt value has no direction: its drift is the change of that value. Knows nothing of limits.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from math import atan2, cos, degrees, hypot, isnan, nan, radians, sin, tan
from typing import NamedTuple

from gateway.model.derivation import Json
from gateway.model.kept_state import items, kept, known, mapping, numbers, optional_whole, whole
from gateway.parts.crane.model.description import CraneDescription

SECOND_NS = 1_000_000_000


class DriftCause(IntEnum):
    """What the drifts of several sectors have in common."""

    FIXED = 0
    TURNS_WITH_JIB = 1


class Lean(NamedTuple):
    """One tilt as a vector in permille: x east and y north of the site; of a single value, x only."""

    x_permille: float
    y_permille: float


class Tilt(NamedTuple):
    """`drift_bearing_deg`: where the top has moved, clockwise from site north. `cause` is a `DriftCause`. NaN where
    not known."""

    permille: float
    drift_permille: float
    drift_bearing_deg: float
    cause: float


class Circumstances(NamedTuple):
    """What decides whether a tilt may be compared: bearing of the jib, slew speed, 10 minute wind, load on the hook."""

    bearing_deg: float
    slew_deg_s: float
    wind_10min_m_s: float
    loaded: bool | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The commissioning tilt of a slew sector; `scatter_permille` is the spread of its samples (standard deviation)."""

    sector: int
    lean: Lean
    samples: int
    scatter_permille: float


@dataclass(slots=True)
class _Sector:
    """What is known of one sector: samples towards a baseline, the baseline, and the last samples since."""

    baseline: Lean | None = None
    learning: list[Lean] = field(default_factory=list)
    recent: deque[Lean] = field(default_factory=deque)
    sampled_ns: int | None = None


class MastTilt:
    """The tilt of one crane's mast. Feed it with rising times (ns, any origin that stays the same)."""

    def __init__(self, crane: CraneDescription, two_axes: bool) -> None:
        self._parameters = crane.parameters.tilt
        self._axis_deg, self._turns = crane.tilt_axis_deg, crane.tilt_turns
        self._two_axes = two_axes
        self._sectors = [_Sector() for _ in range(self._parameters.sectors)]
        self._settled_since_ns: int | None = None
        self._stepped_ns = 0
        self._drift = (nan, nan, nan)
        self._drift_ns = 0
        self.baseline: Baseline | None = None

    def step(self, t_ns: int, x_deg: float, y_deg: float, around: Circumstances) -> Tilt:
        """The tilt at `t_ns`. `y_deg` 0 for a single value. `baseline` is set in the step that has learnt one."""
        self.baseline = None
        x_permille, y_permille = 1000.0 * tan(radians(x_deg)), 1000.0 * tan(radians(y_deg))
        if self._settled(t_ns, around) and not isnan(x_permille + y_permille):
            self._take(t_ns, self._in_site_axes(x_permille, y_permille, around.bearing_deg), around.bearing_deg)
        if t_ns - self._drift_ns > self._parameters.valid_s * SECOND_NS:
            self._drift = (nan, nan, nan)
        return Tilt(hypot(x_permille, y_permille), *self._drift)

    def learn_anew(self) -> None:
        """Forget all baselines: the next settled samples make new ones (after erection, or a corrected base)."""
        self._sectors = [_Sector() for _ in range(self._parameters.sectors)]
        self._drift = (nan, nan, nan)

    def _settled(self, t_ns: int, around: Circumstances) -> bool:
        """Comparisons with NaN are false, so an unknown value is not settled."""
        calm = (
            around.loaded is False
            and abs(around.slew_deg_s) < self._parameters.still_deg_s
            and around.wind_10min_m_s <= self._parameters.low_wind_m_s
        )
        settle_ns = self._parameters.settle_s * SECOND_NS
        hole = t_ns - self._stepped_ns > settle_ns
        self._stepped_ns = t_ns
        if not calm:
            self._settled_since_ns = None
            return False
        if self._settled_since_ns is None or hole:
            self._settled_since_ns = t_ns
        return t_ns - self._settled_since_ns >= settle_ns

    def _in_site_axes(self, x_permille: float, y_permille: float, bearing_deg: float) -> Lean:
        """The sensor's +y axis is 90 degrees clockwise of its +x axis."""
        if not self._two_axes:
            return Lean(x_permille, 0.0)
        axis_rad = radians(self._axis_deg + (bearing_deg if self._turns else 0.0))
        east = x_permille * sin(axis_rad) + y_permille * cos(axis_rad)
        return Lean(east, x_permille * cos(axis_rad) - y_permille * sin(axis_rad))

    def _take(self, t_ns: int, lean: Lean, bearing_deg: float) -> None:
        position = int(bearing_deg / 360.0 * len(self._sectors)) % len(self._sectors)
        sector = self._sectors[position]
        if sector.sampled_ns is not None and t_ns - sector.sampled_ns < self._parameters.sample_every_s * SECOND_NS:
            return
        sector.sampled_ns = t_ns
        if sector.baseline is None:
            self._learn(position, sector, lean)
            return
        sector.recent.append(lean)
        if len(sector.recent) > self._parameters.smoothing_samples:
            sector.recent.popleft()
        self._drift, self._drift_ns = self._compare(t_ns), t_ns

    def _learn(self, position: int, sector: _Sector, lean: Lean) -> None:
        sector.learning.append(lean)
        if len(sector.learning) < self._parameters.baseline_samples:
            return
        mean = _mean(sector.learning)
        square = sum(
            (each.x_permille - mean.x_permille) ** 2 + (each.y_permille - mean.y_permille) ** 2
            for each in sector.learning
        )
        scatter = (square / len(sector.learning)) ** 0.5
        self.baseline = Baseline(position, mean, len(sector.learning), scatter)
        sector.baseline, sector.learning = mean, []

    def _compare(self, t_ns: int) -> tuple[float, float, float]:
        """Largest drift, its bearing, and the cause, over all sectors that are recent and have enough samples."""
        oldest_ns = t_ns - self._parameters.valid_s * SECOND_NS
        drifts: list[tuple[int, Lean]] = []
        for position, sector in enumerate(self._sectors):
            full = len(sector.recent) >= self._parameters.smoothing_samples
            if full and sector.baseline is not None and (sector.sampled_ns or 0) >= oldest_ns:
                mean = _mean(sector.recent)
                x = mean.x_permille - sector.baseline.x_permille
                drifts.append((position, Lean(x, mean.y_permille - sector.baseline.y_permille)))
        if not drifts:
            return nan, nan, nan
        worst = max((lean for _, lean in drifts), key=lambda lean: hypot(*lean))
        if not self._two_axes:
            return abs(worst.x_permille), nan, nan
        bearing_deg = degrees(atan2(worst.x_permille, worst.y_permille)) % 360.0
        return hypot(*worst), bearing_deg, self._cause(drifts)

    def _cause(self, drifts: list[tuple[int, Lean]]) -> float:
        """Which frame the drifts agree better in: of the site, or of the jib (turned back by the sector's bearing)."""
        if len(drifts) < self._parameters.cause_sectors:
            return nan
        fixed = hypot(sum(lean.x_permille for _, lean in drifts), sum(lean.y_permille for _, lean in drifts))
        turned = [_turned_back(lean, 360.0 * position / len(self._sectors)) for position, lean in drifts]
        turning = hypot(sum(lean.x_permille for lean in turned), sum(lean.y_permille for lean in turned))
        return float(DriftCause.FIXED if fixed >= turning else DriftCause.TURNS_WITH_JIB)

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "two_axes": self._two_axes,
            "sectors": [
                [
                    None if sector.baseline is None else list(sector.baseline),
                    [list(lean) for lean in sector.learning],
                    [list(lean) for lean in sector.recent],
                    sector.sampled_ns,
                ]
                for sector in self._sectors
            ],
            "settled_since_ns": self._settled_since_ns,
            "stepped_ns": self._stepped_ns,
            "drift": [kept(each) for each in self._drift],
            "drift_ns": self._drift_ns,
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none, or of another number of sectors or axes."""
        state = mapping(saved)
        if state.get("two_axes") != self._two_axes:
            raise ValueError("kept tilt baselines are of another sensor")
        rows = [items(row, 4) for row in items(state.get("sectors"), len(self._sectors))]
        drift = [known(each) for each in items(state.get("drift"), 3)]
        self._sectors = [_sector_of(row[0], row[1], row[2], row[3]) for row in rows]
        self._settled_since_ns = optional_whole(state.get("settled_since_ns"))
        self._drift = (drift[0], drift[1], drift[2])
        self._stepped_ns = whole(state.get("stepped_ns"))
        self._drift_ns = whole(state.get("drift_ns"))


def _sector_of(baseline: Json, learning: Json, recent: Json, sampled_ns: Json) -> _Sector:
    return _Sector(
        None if baseline is None else Lean(*numbers(baseline, 2)),
        [Lean(*numbers(each, 2)) for each in items(learning)],
        deque(Lean(*numbers(each, 2)) for each in items(recent)),
        optional_whole(sampled_ns),
    )


def _mean(leans: "deque[Lean] | list[Lean]") -> Lean:
    count = len(leans)
    return Lean(sum(lean.x_permille for lean in leans) / count, sum(lean.y_permille for lean in leans) / count)


def _turned_back(lean: Lean, bearing_deg: float) -> Lean:
    """As the jib sees it: x to its right, y along it."""
    turn_rad = radians(bearing_deg)
    x = lean.x_permille * cos(turn_rad) - lean.y_permille * sin(turn_rad)
    return Lean(x, lean.x_permille * sin(turn_rad) + lean.y_permille * cos(turn_rad))
