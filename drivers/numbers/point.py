"""What a device table may say of one number among bytes, whatever brings the bytes. A driver adds where it lies.

Pure schemas: nothing here opens a file or a socket.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from drivers.numbers.types import ByteOrder, NumberType
from drivers.schema import PointKey, TablePoint

MAX_DECIMALS = 9


class NumberPoint(TablePoint):
    """`bit` is the (lowest) bit of a `bit` or `bits` point in its field, 0 = least significant; `bit_count` the width
    of a `bits` point. The order applies before bits are counted. Sentinels are raw values; for signed integers a bit
    pattern may be given instead (0x8000 for int16 means -32768).

    `decimals` names another point of the table in which the device says how many decimal places this one has. The
    value is then raw x scale / 10^decimals + offset, and BAD while that point is.
    """

    holder: ClassVar[str] = "field"
    type: NumberType
    order: ByteOrder | None = None
    bit: Annotated[int, Field(ge=0, le=15)] | None = None
    bit_count: Annotated[int, Field(ge=1, le=16)] | None = None
    decimals: PointKey | None = None

    @property
    def size(self) -> int:
        """How many bytes hold the value."""
        return self.type.bytes

    @property
    def raw_bounds(self) -> tuple[float, float]:
        """Smallest and largest raw value that the wire can carry."""
        if self.type == "bits":
            return 0.0, 2.0 ** (self.bit_count or 1) - 1
        return self.type.bounds

    @property
    def rounding(self) -> float:
        """Relative error that storing in the type, scaling and adding may leave."""
        stored = float(np.finfo(self.type.dtype).eps) if self.type.is_float else 0.0  # type: ignore[type-var]
        return max(stored, super().rounding)

    @property
    def places(self) -> str:
        """The key that `decimals` names; empty without."""
        return self.decimals or ""

    def raw_sentinel(self, sentinel: float) -> float:
        """The raw value that a decoder sees for this sentinel: float rounding and bit patterns applied."""
        if self.type.is_float:
            return float(self.type.dtype.type(sentinel))
        if self.raw_bounds[0] < 0 and sentinel > self.raw_bounds[1]:
            return sentinel - 2.0 ** (8 * self.size)
        return sentinel

    @model_validator(mode="after")
    def _field_has_a_width(self) -> Self:
        if (self.type == "bits") != (self.bit_count is not None):
            raise ValueError("bit_count with type bits, and with no other type")
        first, width = self.bit or 0, self.bit_count or 1
        if first + width > 8 * self.size:
            raise ValueError(
                f"bits within 0 and {8 * self.size - 1} of a {self.holder}, not {first} to {first + width - 1}"
            )
        return self

    @model_validator(mode="after")
    def _values_are_possible(self) -> Self:
        if self.scale == 0:
            raise ValueError("a scale other than 0, which would make every value the same")
        low, high = self.raw_bounds
        pattern_high = 2.0 ** (8 * self.size) if low < 0 and not self.type.is_float else high
        for sentinel in self.sentinels:
            if not low <= sentinel <= pattern_high:
                raise ValueError(f"sentinels that occur in {self.type} ({low:g} to {high:g}), not {sentinel:g}")
        return self


def check_decimals(points: Sequence[NumberPoint]) -> None:
    """Raises ValueError for a `decimals` that names no point whose range can be a number of decimal places."""
    by_key = {point.key: point for point in points}
    for point in points:
        if point.decimals is None:
            continue
        places = by_key.get(point.decimals)
        if places is None or places.decimals is not None or not 0 <= places.min <= places.max <= MAX_DECIMALS:
            raise ValueError(
                f"another point of this table, with min and max within 0 and {MAX_DECIMALS}, "
                f"as decimals of point {point.key}, not {point.decimals}"
            )
