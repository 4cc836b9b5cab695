"""What every instrument is to a monitoring point: named inputs, and one number measured from their values, or why not.

In: the values of the input points at one moment. Out: `Measured`. Knows nothing of baselines, rates, limits and time.
Each kind of instrument has its file; the plainest, a value that is read as it is meant, is here.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Defect(IntEnum):
    """Why a reading cannot be used; the number is what the point `<point>_quality` says. NONE: it can."""

    NONE = 0
    NO_SIGNAL = 1
    TOO_FEW_GAUGES = 2
    OUTLIER = 3
    FLAT_LINE = 4
    WRONG_UNIT = 5
    BAD_TIME = 6
    NO_BASELINE = 7


DEFECT_TITLES: dict[Defect, tuple[str, str]] = {
    Defect.NONE: ("正常", "usable"),
    Defect.NO_SIGNAL: ("无信号", "no signal"),
    Defect.TOO_FEW_GAUGES: ("有效传感器数量不足", "too few gauges left"),
    Defect.OUTLIER: ("孤立突变，待复测", "isolated spike, measure again"),
    Defect.FLAT_LINE: ("数据长时间不变", "flat line"),
    Defect.WRONG_UNIT: ("疑似单位错误", "unit looks wrong"),
    Defect.BAD_TIME: ("时间异常", "time cannot be right"),
    Defect.NO_BASELINE: ("缺少初始值", "no baseline"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One number in the item's unit, NaN with its defect when it is not known; from so many `gauges`."""

    value: float
    defect: Defect = Defect.NONE
    gauges: int = 1


def unmeasured(defect: Defect = Defect.NO_SIGNAL, gauges: int = 0) -> Measured:
    """Unknown, with the reason."""
    return Measured(float("nan"), defect, gauges)


class Instrument(Protocol):
    """Turns the values of its inputs into one number. Pure; NaN in that matters gives NaN out."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of the points it is computed from, in the order in which `measure` takes them."""
        ...

    def measure(self, value: NDArray[np.float64]) -> Measured:
        """The item's quantity from the inputs' values (n,), NaN where an input is not known."""
        ...


@dataclass(frozen=True, slots=True)
class DirectReading:
    """A device or a surveyor that says the quantity itself. `scale` turns its unit into the item's (m to mm: 1000)."""

    point: str
    scale: float = 1.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """The one point."""
        return (self.point,)

    def measure(self, value: NDArray[np.float64]) -> Measured:
        """The value in the item's unit."""
        scaled = float(value[0]) * self.scale
        return Measured(scaled) if np.isfinite(scaled) else unmeasured()
