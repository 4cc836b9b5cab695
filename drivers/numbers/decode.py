"""Bytes + points -> values and which of them are good, vectorised: one gather, and one view per type.

In: bytes as they arrived, whatever brought them. Out: `value (n,) float64` and `good (n,) bool` in the points' order.
Pure: no I/O, no clock. Knows nothing of requests, messages and rules.

Theory of operation. Everything that depends on the points alone is worked out once, in `compile_numbers`:

    gather      which byte goes where, so that each type's values lie contiguous, least significant byte first
    groups      slices of the gathered bytes; each is viewed as its type and scattered to the points' positions

    bytes --take--> bytes of all groups --view, per group--> raw (n,) --scale, offset--> value --limits--> good

Not good are NaN and infinity, a raw value that is a sentinel, an engineering value outside `min`..`max`, and a BCD
digit above 9. Limits are widened by the rounding of the type (a float32 holding 99.99 is not above 99.99). A point with
`decimals` is divided by ten to the power of another point's value before its offset, and is good only when that one is.
64-bit integers beyond 2^53 lose their lowest bits in float64 (one part in 9e15, far below any instrument) and stay
good; the raw bytes keep them exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.numbers.point import NumberPoint
from drivers.numbers.types import NumberType

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Points of one type and size: `slice_` of the gathered bytes, `positions` among the points; shift and mask for
    fields."""

    type: NumberType
    dtype: np.dtype[np.generic]
    slice_: slice
    positions: NDArray[np.intp] | slice
    shift: NDArray[np.unsignedinteger]
    mask: NDArray[np.unsignedinteger]


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
class NumberDecoder:
    """Points, compiled. `needs` is how many bytes there must be at least."""

    needs: int
    _size: int
    _gather: NDArray[np.intp]
    _groups: tuple[_Group, ...]
    _scale: Floats | None
    _offset: Floats | None
    _low: Floats
    _high: Floats
    _sentinels: _Sentinels | None
    _decimals: _Decimals | None

    def decode(self, data: Bytes, lost: Flags | None = None) -> tuple[Floats, Flags]:
        """Values, NaN where not good. `lost` (n,) marks points whose bytes in `data` mean nothing. Never raises for any
        content; `data` must have at least `needs` bytes.
        """
        with np.errstate(invalid="ignore", over="ignore"):  # signalling NaNs and overflow end as not good below
            value, good = self._judged(data)
        if lost is not None:
            good &= ~lost
        if self._decimals is not None:
            good[self._decimals.positions] &= good[self._decimals.places]
        return (value if good.all() else np.where(good, value, np.nan)), good

    def _judged(self, data: Bytes) -> tuple[Floats, Flags]:
        raw = self._raw_values(data)
        value = raw if self._scale is None else raw * self._scale
        if self._decimals is not None:
            value = value.copy()
            value[self._decimals.positions] /= 10.0 ** value[self._decimals.places]
        if self._offset is not None:
            value = value + self._offset
        good = (value >= self._low) & (value <= self._high)
        if self._sentinels is not None:
            good[self._sentinels.positions[raw[self._sentinels.positions] == self._sentinels.values]] = False
        return value, good

    def _raw_values(self, data: Bytes) -> Floats:
        gathered = data.take(self._gather)
        raw = np.empty(self._size)
        for group in self._groups:
            raw[group.positions] = _values_of(group, gathered[group.slice_].view(group.dtype))
        return raw


def compile_numbers(points: Sequence[NumberPoint], places: Sequence[Sequence[int]]) -> NumberDecoder:
    """Work out once what `NumberDecoder.decode` needs every time. `places[i]` are the positions of the bytes of point
    i, from its least significant byte on (`ByteOrder.least_first`).
    """
    order = sorted(range(len(points)), key=lambda i: (-points[i].size, points[i].type))  # large first: all are aligned
    gather = [place for i in order for place in places[i]]
    low, high = _limits(points)
    return NumberDecoder(
        needs=max(gather, default=-1) + 1,
        _size=len(points),
        _gather=np.array(gather, dtype=np.intp),
        _groups=_groups(points, order),
        _scale=_unless_all([point.scale for point in points], 1.0),
        _offset=_unless_all([point.offset for point in points], 0.0),
        _low=low,
        _high=high,
        _sentinels=_sentinels(points),
        _decimals=_decimals(points),
    )


def _groups(points: Sequence[NumberPoint], order: Sequence[int]) -> tuple[_Group, ...]:
    groups = []
    start = 0
    for size, type_ in dict.fromkeys((points[i].size, points[i].type) for i in order):
        members = [i for i in order if (points[i].size, points[i].type) == (size, type_)]
        groups.append(_group(points, members, slice(start, start + len(members) * size)))
        start += len(members) * size
    return tuple(groups)


def _group(points: Sequence[NumberPoint], members: list[int], slice_: slice) -> _Group:
    first = points[members[0]]
    dtype = np.dtype(f"<u{first.size}") if first.type.is_field else first.type.dtype
    held = np.dtype(f"u{first.size}")
    run = members == list(range(members[0], members[0] + len(members)))
    return _Group(
        type=first.type,
        dtype=dtype,
        slice_=slice_,
        positions=slice(members[0], members[0] + len(members)) if run else np.array(members, dtype=np.intp),
        shift=np.array([points[i].bit or 0 for i in members], dtype=held),
        mask=np.array([(1 << (points[i].bit_count or 1)) - 1 for i in members], dtype=held),
    )


def _values_of(group: _Group, values: NDArray[np.generic]) -> NDArray[np.generic]:
    if group.type.is_field:
        return (values >> group.shift) & group.mask  # type: ignore[operator, no-any-return]
    return _from_bcd(values, 2 * group.type.bytes) if group.type.is_bcd else values


def _from_bcd(coded: NDArray[np.generic], digits: int) -> Floats:
    nibbles = (coded.astype(np.uint64)[:, None] >> np.arange(0, 4 * digits, 4, dtype=np.uint64)) & np.uint64(15)
    value: Floats = nibbles.astype(np.float64) @ (10.0 ** np.arange(digits))
    value[(nibbles > 9).any(axis=1)] = np.nan
    return value


def _limits(points: Sequence[NumberPoint]) -> tuple[Floats, Floats]:
    low = np.array([point.min for point in points])
    high = np.array([point.max for point in points])
    offset = np.abs([point.offset for point in points])
    rounding = np.array([_rounding(point.type) for point in points])
    with np.errstate(over="ignore"):
        low, high = low - rounding * (np.abs(low) + offset), high + rounding * (np.abs(high) + offset)
    largest = np.finfo(np.float64).max  # infinity must stay outside
    return np.maximum(low, -largest), np.minimum(high, largest)


def _rounding(type_: NumberType) -> float:
    """Relative error that storing in the type, scaling and adding may leave."""
    stored = float(np.finfo(type_.dtype).eps) if type_.is_float else 0.0  # type: ignore[type-var]
    return max(stored, 4 * float(np.finfo(np.float64).eps))


def _unless_all(values: Sequence[float], neutral: float) -> Floats | None:
    return None if all(value == neutral for value in values) else np.array(values)


def _sentinels(points: Sequence[NumberPoint]) -> _Sentinels | None:
    pairs = [(i, point.raw_sentinel(sentinel)) for i, point in enumerate(points) for sentinel in point.sentinels]
    if not pairs:
        return None
    return _Sentinels(np.array([i for i, _ in pairs], dtype=np.intp), np.array([value for _, value in pairs]))


def _decimals(points: Sequence[NumberPoint]) -> _Decimals | None:
    position_of = {point.key: i for i, point in enumerate(points)}
    pairs = [(i, position_of[point.decimals]) for i, point in enumerate(points) if point.decimals is not None]
    if not pairs:
        return None
    return _Decimals(*(np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True)))
