"""Words + register table -> values and qualities, vectorised: one gather and one view per (type, order).

In: the words of each planned request, `None` for one that failed. Out: `value (n,) float64`, `quality (n,) uint8` in
table order. Pure: no I/O, no clock. Knows nothing of requests' timing or of rules.

Theory of operation. Everything that depends on the table alone is worked out once, in `compile_table`:

    blocks      [w0 w1 .. | w40 w41 .. | ...]       replies, concatenated: the words
    gather      which word goes where, so that each group's values lie contiguous, least significant word first
    groups      slices of the gathered words; each is viewed as its type and scattered to the table's positions

    words --take--> bytes of all groups --view, per group--> raw (n,) --scale, offset--> value --limits--> quality

Quality is BAD, and the value NaN, for: NaN and infinity, a raw value that is a sentinel, an engineering value outside
`min`..`max`, a BCD digit above 9, and every point of a failed block. Limits are widened by the rounding of the
type (a float32 holding 99.99 is not above 99.99). A point with `decimals` is divided by ten to the power of another
point's value before its offset, and BAD when that one is. What is GOOD and has a `fault` bit that is set is SUSPECT
(`drivers.fault_bits`). 64-bit integers beyond 2^53 lose their lowest bits in float64
(one part in 9e15, far below any instrument) and stay GOOD; the raw words keep them exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.fault_bits import FaultBits, fault_bits
from drivers.modbus.plan import Request, plan_requests, request_of
from drivers.modbus.registers import RegisterType, Words
from drivers.modbus.settings import ModbusTable, RegisterPoint
from gateway.model.errors import DecodeError
from gateway.model.reading import BAD, GOOD

Floats = NDArray[np.float64]
Qualities = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Points of one type: `slice_` of the gathered words, `positions` in the table; shift and mask for fields."""

    type: RegisterType
    slice_: slice
    positions: NDArray[np.intp] | slice
    shift: Words
    mask: Words


@dataclass(frozen=True, slots=True, eq=False)
class _Sentinels:
    """Raw values that mean "no value": parallel arrays of table position and value."""

    positions: NDArray[np.intp]
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Decimals:
    """Points that are divided by a power of ten: parallel arrays of their positions and those of their decimals."""

    positions: NDArray[np.intp]
    places: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class TableDecoder:
    """A register table, compiled. `requests` are what to read; `decode` turns the replies into values."""

    requests: tuple[Request, ...]
    _size: int
    _gather: NDArray[np.intp]
    _swapped_from: int
    _groups: tuple[_Group, ...]
    _scale: Floats | None
    _offset: Floats | None
    _low: Floats
    _high: Floats
    _sentinels: _Sentinels | None
    _decimals: _Decimals | None
    _fault_bits: FaultBits | None
    _request_of_point: NDArray[np.intp]

    def decode(self, blocks: Sequence[Words | None]) -> tuple[Floats, Qualities]:
        """One entry of `blocks` a request, in order: its words (bits as 0 and 1), or None when it failed.

        Raises DecodeError when a block is not as long as its request; never for any content.
        """
        words = self._all_words(blocks)
        with np.errstate(invalid="ignore", over="ignore"):  # signalling NaNs and overflow end as BAD below
            value, good = self._judged(words)
        failed = [i for i, block in enumerate(blocks) if block is None]
        if failed:
            good[np.isin(self._request_of_point, failed)] = False
        if self._decimals is not None:
            good[self._decimals.positions] &= good[self._decimals.places]
        if good.all():
            quality = np.zeros(self._size, dtype=np.uint8)
        else:
            value, quality = np.where(good, value, np.nan), np.where(good, GOOD, BAD)
        if self._fault_bits is not None:
            self._fault_bits.doubt(value, quality)
        return value, quality

    def _judged(self, words: Words) -> tuple[Floats, NDArray[np.bool_]]:
        raw = self._raw_values(words)
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

    def _all_words(self, blocks: Sequence[Words | None]) -> Words:
        if len(blocks) != len(self.requests):
            raise DecodeError(f"{len(blocks)} blocks for {len(self.requests)} requests")
        for block, request in zip(blocks, self.requests, strict=True):
            if block is not None and len(block) != request.count:
                raise DecodeError(f"{len(block)} words at address {request.address}, expected {request.count}")
        if len(blocks) == 1 and blocks[0] is not None:
            return blocks[0]
        return np.concatenate(
            [
                np.zeros(request.count, dtype=np.uint16) if block is None else block
                for block, request in zip(blocks, self.requests, strict=True)
            ]
        )

    def _raw_values(self, words: Words) -> Floats:
        gathered = words.take(self._gather).astype("<u2", copy=False)
        if self._swapped_from < len(gathered):
            gathered[self._swapped_from :].byteswap(inplace=True)
        raw = np.empty(self._size)
        for group in self._groups:
            raw[group.positions] = _values_of(group, gathered[group.slice_])
        return raw


def compile_table(table: ModbusTable, requests: tuple[Request, ...] = ()) -> TableDecoder:
    """Work out once what `TableDecoder.decode` needs at every poll. `requests` may be given where the plan will not do;
    each point must be whole in one of them.
    """
    requests = requests or plan_requests(table)
    points = table.points
    owner = np.array([request_of(requests, point) for point in points], dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum([request.count for request in requests])])
    first = [int(starts[i]) + p.address - requests[i].address for i, p in zip(owner, points, strict=True)]
    order = sorted(range(len(points)), key=lambda i: (table.order_of(points[i]).little_bytes_first, points[i].type))
    gather = [word for i in order for word in _word_places(table, points[i], first[i])]
    straight = [points[i] for i in order if not table.order_of(points[i]).little_bytes_first]
    low, high = _limits(points)
    return TableDecoder(
        requests=requests,
        _size=len(points),
        _gather=np.array(gather, dtype=np.intp),
        _swapped_from=sum(point.type.words for point in straight),
        _groups=_groups(points, order, len(straight)),
        _scale=_unless_all([point.scale for point in points], 1.0),
        _offset=_unless_all([point.offset for point in points], 0.0),
        _low=low,
        _high=high,
        _sentinels=_sentinels(points),
        _decimals=_decimals(points),
        _fault_bits=fault_bits(points),
        _request_of_point=owner,
    )


def _word_places(table: ModbusTable, point: RegisterPoint, first: int) -> Sequence[int]:
    places = range(first, first + point.type.words)
    return places if table.order_of(point).little_words_first else places[::-1]


def _groups(points: Sequence[RegisterPoint], order: Sequence[int], straight: int) -> tuple[_Group, ...]:
    groups = []
    start = 0
    for part in (order[:straight], order[straight:]):
        for type_ in sorted({points[i].type for i in part}):
            members = [i for i in part if points[i].type is type_]
            words = len(members) * type_.words
            groups.append(_group(points, type_, members, slice(start, start + words)))
            start += words
    return tuple(groups)


def _group(points: Sequence[RegisterPoint], type_: RegisterType, members: list[int], slice_: slice) -> _Group:
    run = members == list(range(members[0], members[0] + len(members)))
    return _Group(
        type=type_,
        slice_=slice_,
        positions=slice(members[0], members[0] + len(members)) if run else np.array(members, dtype=np.intp),
        shift=np.array([points[i].bit or 0 for i in members], dtype=np.uint16),
        mask=np.array([(1 << (points[i].bit_count or 1)) - 1 for i in members], dtype=np.uint16),
    )


def _values_of(group: _Group, words: NDArray[np.uint16]) -> NDArray[np.generic]:
    if group.type.is_field:
        return (words >> group.shift) & group.mask
    values = words.view(group.type.dtype)
    return _from_bcd(values, 4 * group.type.words) if group.type.is_bcd else values


def _from_bcd(coded: NDArray[np.generic], digits: int) -> Floats:
    nibbles = (coded.astype(np.uint64)[:, None] >> np.arange(0, 4 * digits, 4, dtype=np.uint64)) & np.uint64(15)
    value: Floats = nibbles.astype(np.float64) @ (10.0 ** np.arange(digits))
    value[(nibbles > 9).any(axis=1)] = np.nan
    return value


def _limits(points: Sequence[RegisterPoint]) -> tuple[Floats, Floats]:
    low = np.array([point.min for point in points])
    high = np.array([point.max for point in points])
    offset = np.abs([point.offset for point in points])
    rounding = np.array([_rounding(point.type) for point in points])
    with np.errstate(over="ignore"):
        low, high = low - rounding * (np.abs(low) + offset), high + rounding * (np.abs(high) + offset)
    largest = np.finfo(np.float64).max  # infinity must stay outside
    return np.maximum(low, -largest), np.minimum(high, largest)


def _rounding(type_: RegisterType) -> float:
    """Relative error that storing in the type, scaling and adding may leave."""
    stored = float(np.finfo(type_.dtype).eps) if type_.is_float else 0.0  # type: ignore[type-var]
    return max(stored, 4 * float(np.finfo(np.float64).eps))


def _unless_all(values: Sequence[float], neutral: float) -> Floats | None:
    return None if all(value == neutral for value in values) else np.array(values)


def _sentinels(points: Sequence[RegisterPoint]) -> _Sentinels | None:
    pairs = [(i, point.raw_sentinel(sentinel)) for i, point in enumerate(points) for sentinel in point.sentinels]
    if not pairs:
        return None
    return _Sentinels(np.array([i for i, _ in pairs], dtype=np.intp), np.array([value for _, value in pairs]))


def _decimals(points: Sequence[RegisterPoint]) -> _Decimals | None:
    position_of = {point.key: i for i, point in enumerate(points)}
    pairs = [(i, position_of[point.decimals]) for i, point in enumerate(points) if point.decimals is not None]
    if not pairs:
        return None
    return _Decimals(*(np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True)))
