"""A rain gauge's counter beside a monitoring point: how much fell since the reading before.

In: what the counter says, step by step, mm in all (累计雨量). Out: mm between readings; NaN where nobody has heard the
counter yet. A counter that falls has been set to zero and counts from there.
"""

from math import isfinite, nan

from gateway.assets.derivation import Json


class RainCounter:
    """What fell since it was last asked."""

    def __init__(self) -> None:
        self._total_mm = nan
        self._fallen_mm = nan

    def note(self, total_mm: float) -> None:
        """What the counter says now; NaN: it is silent."""
        if not isfinite(total_mm):
            return
        if isfinite(self._total_mm):
            begun_anew = total_mm < self._total_mm
            self._fallen_mm += total_mm if begun_anew else total_mm - self._total_mm
        else:
            self._fallen_mm = 0.0
        self._total_mm = total_mm

    def taken_mm(self) -> float:
        """What fell since the last call, mm; NaN before the counter was heard."""
        fallen_mm = self._fallen_mm
        self._fallen_mm = 0.0 if isfinite(fallen_mm) else nan
        return fallen_mm

    def saved(self) -> Json:
        """The state to keep."""
        return [self._total_mm, self._fallen_mm] if isfinite(self._total_mm) else None

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        match saved:
            case [int() | float() as total, int() | float() as fallen] if isfinite(total) and fallen >= 0:
                self._total_mm, self._fallen_mm = float(total), float(fallen)
            case _:
                raise ValueError("not a rain counter's state")
