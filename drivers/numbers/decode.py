"""Bytes + points -> values and which of them are good, vectorised: one gather, and one view per type.

In: bytes as they arrived, whatever brought them. Out: `value (n,) float64` and `good (n,) bool` in the points' order.
Pure: no I/O, no clock. Knows nothing of requests, messages and rules.

Theory of operation. Everything that depends on the points alone is worked out once, in `compile_numbers`:

    gather      which byte goes where, so that each type's values lie contiguous, least significant byte first
    groups      slices of the gathered bytes; each is viewed as its type and scattered to the points' positions

    bytes --take--> bytes of all groups --view, per group--> raw (n,) --drivers.belief--> value (n,), good (n,)

What of the raw numbers is believed is said in `drivers.belief`; a BCD digit above 9 makes none. 64-bit integers beyond
2^53 lose their lowest bits in float64 (one part in 9e15, far below any instrument) and stay good; the raw bytes keep
them exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.belief import Flags, Floats, NumberBelief, believe_numbers
from drivers.numbers.point import NumberPoint

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Points of one type and size: `slice_` of the gathered bytes, `positions` among the points; shift and mask for
    fields, `bcd_digits` where four bits are a digit (0: they are not)."""

    is_field: bool
    bcd_digits: int
    dtype: np.dtype[np.generic]
    slice_: slice
    positions: NDArray[np.intp] | slice
    shift: NDArray[np.unsignedinteger]
    mask: NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True, eq=False)
class NumberDecoder:
    """Points, compiled. `needs` is how many bytes there must be at least."""

    needs: int
    _size: int
    _gather: NDArray[np.intp]
    _groups: tuple[_Group, ...]
    _belief: NumberBelief

    def decode(self, data: Bytes, lost: Flags | None = None) -> tuple[Floats, Flags]:
        """Values, NaN where not good. `lost` (n,) marks points whose bytes in `data` mean nothing. Never raises for any
        content; `data` must have at least `needs` bytes.
        """
        return self._belief.from_raw(self._raw_values(data), lost)

    def _raw_values(self, data: Bytes) -> Floats:
        gathered = data.take(self._gather)
        raw = np.empty(self._size)
        with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
            for group in self._groups:
                raw[group.positions] = _values_of(group, gathered[group.slice_].view(group.dtype))
        return raw


def compile_numbers(points: Sequence[NumberPoint], places: Sequence[Sequence[int]]) -> NumberDecoder:
    """Work out once what `NumberDecoder.decode` needs every time. `places[i]` are the positions of the bytes of point
    i, from its least significant byte on (`ByteOrder.least_first`).
    """
    order = sorted(range(len(points)), key=lambda i: (-points[i].size, points[i].type))  # large first: all are aligned
    gather = [place for i in order for place in places[i]]
    return NumberDecoder(
        needs=max(gather, default=-1) + 1,
        _size=len(points),
        _gather=np.array(gather, dtype=np.intp),
        _groups=_groups(points, order),
        _belief=believe_numbers(points),
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
        is_field=first.type.is_field,
        bcd_digits=2 * first.type.bytes if first.type.is_bcd else 0,
        dtype=dtype,
        slice_=slice_,
        positions=slice(members[0], members[0] + len(members)) if run else np.array(members, dtype=np.intp),
        shift=np.array([points[i].bit or 0 for i in members], dtype=held),
        mask=np.array([(1 << (points[i].bit_count or 1)) - 1 for i in members], dtype=held),
    )


def _values_of(group: _Group, values: NDArray[np.generic]) -> NDArray[np.generic]:
    if group.is_field:
        return (values >> group.shift) & group.mask  # type: ignore[operator, no-any-return]
    return _from_bcd(values, group.bcd_digits) if group.bcd_digits else values


def _from_bcd(coded: NDArray[np.generic], digits: int) -> Floats:
    nibbles = (coded.astype(np.uint64)[:, None] >> np.arange(0, 4 * digits, 4, dtype=np.uint64)) & np.uint64(15)
    value: Floats = nibbles.astype(np.float64) @ (10.0 ** np.arange(digits))
    value[(nibbles > 9).any(axis=1)] = np.nan
    return value
