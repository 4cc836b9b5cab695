"""What a device table says of numbers: what they mean, which of them are believed, and which are in doubt.

    on the wire    raw --scale, decimals, offset--> value --sentinels, min..max--> good --fault bits--> quality
    recorded       value that once was made so     ------ sentinels, min..max ---> good --fault bits--> quality

Said once, for every driver and for a replay: the same words end as the same readings, whichever way they come. Not good
are NaN and infinity, a raw value that is a sentinel, and an engineering value outside `min`..`max`. Limits are widened
by the rounding of the type (a float32 holding 99.99 is not above 99.99). A point with `decimals` is divided by ten to
the power of another point's value before its offset, and is good only when that one is. Pure; knows nothing of bytes,
messages and files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.fault_bits import FaultBits, fault_bits
from drivers.schema import TablePoint
from gateway.model.reading import BAD, GOOD

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Qualities = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Sentinels:
    """Raw values that mean "no value": parallel arrays of position and value."""

    positions: NDArray[np.intp]
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Decimals:
    """Points that are divided by a power of ten: parallel arrays of their positions and those of their decimals."""

    positions: NDArray[np.intp]
    places: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class NumberBelief:
    """What points say of their numbers, compiled. All arrays are in the points' order, shape (n,)."""

    scale: Floats | None
    offset: Floats | None
    low: Floats
    high: Floats
    sentinels: _Sentinels | None
    decimals: _Decimals | None

    def from_raw(self, raw: Floats, lost: Flags | None = None) -> tuple[Floats, Flags]:
        """Raw numbers (NaN: there was none) to values, NaN where not good, and which are good. `lost` marks points
        whose raw number means nothing. Never raises for any content."""
        with np.errstate(invalid="ignore", over="ignore"):  # signalling NaNs and overflow end as not good below
            value, good = self._judged(raw)
        if lost is not None:
            good &= ~lost
        if self.decimals is not None:
            good[self.decimals.positions] &= good[self.decimals.places]
        return (value if good.all() else np.where(good, value, np.nan)), good

    def _judged(self, raw: Floats) -> tuple[Floats, Flags]:
        value = raw if self.scale is None else raw * self.scale
        if self.decimals is not None:
            value = value.copy()
            value[self.decimals.positions] /= 10.0 ** value[self.decimals.places]
        if self.offset is not None:
            value = value + self.offset
        good = (value >= self.low) & (value <= self.high)
        if self.sentinels is not None:
            good[self.sentinels.positions[raw[self.sentinels.positions] == self.sentinels.values]] = False
        return value, good


class TableBelief:
    """A whole table's word on values that were decoded before: what the wire's way would have made of them."""

    def __init__(self, points: Sequence[TablePoint]) -> None:
        numbers = [point.number for point in points]
        self._numbers = believe_numbers(numbers)
        self._fault_bits = fault_bits(points)
        self._rounding = np.array([point.rounding for point in numbers])

    def recorded(self, value: Floats, quality: Qualities, there: Flags) -> tuple[Floats, Qualities]:
        """Values and qualities of one poll. `there` (n,) are the points that the recording has at that time.

        Of what is not there nothing is said: a fault bit casts no doubt, and values with `decimals` have them already.
        Never raises GOOD over what was recorded.
        """
        numbers = self._numbers
        with np.errstate(invalid="ignore", over="ignore"):
            good = there & (quality != BAD) & (value >= numbers.low) & (value <= numbers.high)
            good[self._said_nothing(value)] = False
        if numbers.decimals is not None:
            places = numbers.decimals.places
            good[numbers.decimals.positions] &= good[places] | ~there[places]
        value, quality = np.where(good, value, np.nan), np.where(good, quality, BAD)
        if self._fault_bits is not None:
            self._fault_bits.doubt(value, quality)
        return value, quality

    def _said_nothing(self, value: Floats) -> NDArray[np.intp]:
        """Positions of values that a sentinel became when it was decoded as a number."""
        numbers = self._numbers
        if numbers.sentinels is None:
            return np.empty(0, dtype=np.intp)
        at = numbers.sentinels.positions
        scaled = numbers.sentinels.values * (1.0 if numbers.scale is None else numbers.scale[at])
        if numbers.decimals is not None:
            places = np.zeros(len(value))
            places[numbers.decimals.positions] = np.nan_to_num(value[numbers.decimals.places])
            scaled = scaled / 10.0 ** places[at]
        offset = np.zeros(len(at)) if numbers.offset is None else numbers.offset[at]
        near = self._rounding[at] * (np.abs(scaled) + np.abs(offset))
        return np.asarray(at[np.abs(value[at] - (scaled + offset)) <= near])


def believe_numbers(points: Sequence[TablePoint]) -> NumberBelief:
    """Work out once what `NumberBelief` needs every time."""
    low, high = _limits(points)
    return NumberBelief(
        scale=_unless_all([point.scale for point in points], 1.0),
        offset=_unless_all([point.offset for point in points], 0.0),
        low=low,
        high=high,
        sentinels=_sentinels(points),
        decimals=_decimals(points),
    )


def qualities(value: Floats, good: Flags, bits: FaultBits | None) -> Qualities:
    """GOOD and BAD as they are told, SUSPECT where a fault bit casts doubt."""
    quality = np.zeros(len(good), dtype=np.uint8) if good.all() else np.where(good, GOOD, BAD)
    if bits is not None:
        bits.doubt(value, quality)
    return quality


def _limits(points: Sequence[TablePoint]) -> tuple[Floats, Floats]:
    low = np.array([point.min for point in points])
    high = np.array([point.max for point in points])
    offset = np.abs([point.offset for point in points])
    rounding = np.array([point.rounding for point in points])
    with np.errstate(over="ignore"):
        low, high = low - rounding * (np.abs(low) + offset), high + rounding * (np.abs(high) + offset)
    largest = np.finfo(np.float64).max  # infinity must stay outside
    return np.maximum(low, -largest), np.minimum(high, largest)


def _unless_all(values: Sequence[float], neutral: float) -> Floats | None:
    return None if all(value == neutral for value in values) else np.array(values)


def _sentinels(points: Sequence[TablePoint]) -> _Sentinels | None:
    pairs = [(i, point.raw_sentinel(sentinel)) for i, point in enumerate(points) for sentinel in point.sentinels]
    if not pairs:
        return None
    return _Sentinels(np.array([i for i, _ in pairs], dtype=np.intp), np.array([value for _, value in pairs]))


def _decimals(points: Sequence[TablePoint]) -> _Decimals | None:
    position_of = {point.key: i for i, point in enumerate(points)}
    pairs = [(i, position_of[point.places]) for i, point in enumerate(points) if point.places]
    if not pairs:
        return None
    return _Decimals(*(np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True)))
