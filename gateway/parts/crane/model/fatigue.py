"""How much of a crane's life is used: load spectrum, rainflow damage, classes of use.

In: the largest load of each working cycle, and the moment as it goes. Out: the load spectrum factor Kp, damage as a
share of the design life, classes U0-U9 and Q1-Q4 (GB/T 3811-2008, M-H). Knows nothing of limits.

Rainflow counting after ASTM E1049-85 (2017) 5.4.4, one reversal at a time: what can be counted is counted at once and
forgotten, the rest (the residue) waits.

    moment   C        A-B-C-D are reversals. The range Y = |A-B| is counted when the range X after it is at least
       A    /\\        as large: a full cycle, and A and B are forgotten. If Y contains the first reversal of the
      /\\   /  \\       history, it is half a cycle, and only the first reversal is forgotten. What is left at any time
     /  \\ /    D      counts as half cycles each: so the damage is that of the whole history so far, not of its
    /    B            closed loops only.
"""

from bisect import bisect_left
from itertools import pairwise
from math import isnan, nan

from gateway.model.derivation import Json
from gateway.model.kept_state import kept, known, mapping, number, numbers, whole
from gateway.parts.crane.model.parameters import FatigueParameters

USE_CLASS_CYCLES = (1.6e4, 3.2e4, 6.3e4, 1.25e5, 2.5e5, 5e5, 1e6, 2e6, 4e6)
SPECTRUM_CLASS_KP = (0.125, 0.25, 0.5)
_MOST_REVERSALS = 256


def use_class(cycles: int) -> str:
    """Class of use (使用等级) U0 to U9 by the working cycles so far. GB/T 3811-2008, M-H."""
    return f"U{bisect_left(USE_CLASS_CYCLES, cycles)}"


def spectrum_class(kp: float) -> str:
    """Class of the load spectrum (载荷状态级别) Q1 to Q4; empty for NaN. GB/T 3811-2008, M-H."""
    return "" if isnan(kp) else f"Q{bisect_left(SPECTRUM_CLASS_KP, kp) + 1}"


class LoadSpectrum:
    """Kp = sum of (Ci / CT) (Pi / Pmax)^3 over all working cycles. GB/T 3811-2008, M-H."""

    def __init__(self, max_rated_t: float) -> None:
        self._max_rated_t = max_rated_t
        self._cubes = 0.0
        self.cycles = 0

    def add(self, load_t: float) -> None:
        """One more working cycle with this largest load; NaN is left out."""
        if not isnan(load_t):
            self.cycles += 1
            self._cubes += (max(load_t, 0.0) / self._max_rated_t) ** 3

    @property
    def factor(self) -> float:
        """Kp; NaN before the first cycle."""
        return self._cubes / self.cycles if self.cycles else nan

    def saved(self) -> Json:
        """The state to keep."""
        return {"max_rated_t": self._max_rated_t, "cubes": self._cubes, "cycles": self.cycles}

    def restore(self, saved: Json) -> None:
        """Go on from a kept state; a corrected load chart rescales it. Raises ValueError when it is none."""
        state = mapping(saved)
        rescaled = (number(state.get("max_rated_t")) / self._max_rated_t) ** 3
        self._cubes, self.cycles = number(state.get("cubes")) * rescaled, whole(state.get("cycles"))


class Rainflow:
    """Damage of a history of one quantity: sum over its cycles of (range ^ exponent).

    Changes below `hysteresis` are no reversals. Memory is bounded: at 256 waiting reversals the first range is counted
    as half a cycle, as if the history began after it.
    """

    def __init__(self, exponent: float, hysteresis: float) -> None:
        self._exponent = exponent
        self._hysteresis = hysteresis
        self._residue: list[float] = []
        self._extreme = nan
        self._rising: bool | None = None
        self._counted: float = 0.0
        self._damage: float = 0.0

    @property
    def damage(self) -> float:
        """Sum of count x range ^ exponent of the history up to its last reversal."""
        return self._damage

    def add(self, value: float) -> bool:
        """Take a sample; whether the damage has changed. NaN is left out: the history is what was seen."""
        if isnan(value):
            return False
        if isnan(self._extreme):
            self._residue, self._extreme = [value], value
            return False
        change = value - self._extreme
        if self._rising is None:
            return self._begin(value)
        if (change > 0) == self._rising:
            self._extreme = value
            return False
        if abs(change) < self._hysteresis:
            return False
        self._reverse(self._extreme)
        self._extreme, self._rising = value, change > 0
        return True

    def _begin(self, value: float) -> bool:
        """Before the first reversal the history has no direction; its first point is the first reversal."""
        if abs(value - self._residue[0]) >= self._hysteresis:
            self._rising, self._extreme = value > self._residue[0], value
        return False

    def _reverse(self, at: float) -> None:
        residue = self._residue
        residue.append(at)
        while len(residue) >= 3:
            x, y = abs(residue[-1] - residue[-2]), abs(residue[-2] - residue[-3])
            if x < y:
                break
            if len(residue) == 3:
                self._counted += 0.5 * y**self._exponent
                del residue[0]
            else:
                self._counted += y**self._exponent
                del residue[-3:-1]
        if len(residue) > _MOST_REVERSALS:
            self._counted += 0.5 * abs(residue[1] - residue[0]) ** self._exponent
            del residue[0]
        waiting = sum(abs(b - a) ** self._exponent for a, b in pairwise(residue))
        self._damage = self._counted + 0.5 * waiting

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "residue": list(self._residue),
            "extreme": kept(self._extreme),
            "rising": self._rising,
            "counted": self._counted,
            "damage": self._damage,
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        rising = state.get("rising")
        if not (rising is None or isinstance(rising, bool)):
            raise ValueError("kept rainflow state: no direction")
        self._counted, self._damage = number(state.get("counted")), number(state.get("damage"))
        self._residue, self._extreme = numbers(state.get("residue")), known(state.get("extreme"))
        self._rising = rising


class MomentDamage:
    """Miner's sum of the moment history as a share of the design life.

    One full cycle of 100 % of the rated moment is 1 / `design_cycles`; a smaller range counts by the power of the S-N
    line (m = 3 for welds). Standards reference 7.6, M-H.
    """

    def __init__(self, parameters: FatigueParameters) -> None:
        self._rainflow = Rainflow(parameters.exponent, parameters.hysteresis_pct)
        self._unit: float = 100.0**parameters.exponent * parameters.design_cycles

    def add(self, moment_pct: float) -> None:
        """Take a sample of the moment, per cent of the rated moment."""
        self._rainflow.add(moment_pct)

    @property
    def share(self) -> float:
        """Share of the design life used since the model first ran: 1 is all of it."""
        return self._rainflow.damage / self._unit

    def saved(self) -> Json:
        """The state to keep."""
        return self._rainflow.saved()

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        self._rainflow.restore(saved)
