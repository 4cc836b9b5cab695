"""Fault bits of a device: while a bit is set, the values of that sensor are SUSPECT.

In: values and qualities of one poll or message, in table order. Out: the same, GOOD lowered to SUSPECT where a bit
that the table names (`fault:`) is GOOD and not 0. The value stays, so that it is shown. A bit that was not delivered,
or is BAD, casts no doubt. Knows nothing of protocols.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.schema import TablePoint
from gateway.model.reading import GOOD, SUSPECT


@dataclass(frozen=True, slots=True, eq=False)
class FaultBits:
    """Positions in a table: `bits`, each once; pairs of a bit (`bit_of`) and what it casts doubt on (`measured`)."""

    bits: NDArray[np.intp]
    bit_of: NDArray[np.intp]
    measured: NDArray[np.intp]

    def doubt(self, value: NDArray[np.float64], quality: NDArray[np.uint8]) -> None:
        """Lower `quality` (n,) in place by what the bits in `value` (n,) say. Costs next to nothing while none is
        set."""
        if not np.count_nonzero(value[self.bits]):
            return
        is_set = (value[self.bit_of] != 0) & (quality[self.bit_of] == GOOD)
        doubted = self.measured[is_set]
        quality[doubted[quality[doubted] == GOOD]] = SUSPECT


def fault_bits(points: Sequence[TablePoint]) -> FaultBits | None:
    """What a table's points name as `fault`; None when none does."""
    position_of = {point.key: i for i, point in enumerate(points)}
    pairs = [(position_of[bit], i) for i, point in enumerate(points) for bit in point.fault]
    if not pairs:
        return None
    bit_of, measured = (np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True))
    return FaultBits(np.unique(bit_of), bit_of, measured)
