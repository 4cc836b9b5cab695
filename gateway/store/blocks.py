"""How the history keeps polls: many polls of one layout become one compressed block. Pure: numpy and zlib.

    small   header u32 polls p, u32 points n | zlib( shuffle(times[p]) shuffle(values float64[p, n]) quality u8[p, n] )
    large   column by column (`columnar`): half the bytes, and one point is read without the others

A roll-up block holds minutes the same way, five numbers a point. Small ones are what a flush writes every moment; they
are soon joined to large ones, so both forms are read for ever.
"""

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import DecodeError
from gateway.model.reading import Quality
from gateway.store.columnar import LEVEL, is_columnar, pack_columns, shuffled, unpack_columns, unshuffled

_HEADER = struct.Struct("<II")
LARGE_ROWS = 32
"""From this many rows on, columns of their own take fewer bytes than one stream for all."""
MINUTE_NS = 60_000_000_000
POLL_TYPES = (np.float64, np.uint8)
MINUTE_TYPES = (np.float64, np.float64, np.float64, np.uint32, np.uint8)
S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Polls:
    """Polls of one layout: `t_ns` (p,) int64, `value` (p, n) float64, `quality` (p, n) uint8."""

    t_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Minutes:
    """Roll-up of one layout: `minute_ns` (m,), the rest (m, n). `count` counts usable values, `quality` is the worst.

    Where `count` is 0, `low`, `high` and `mean` are NaN: nothing was known, which is not the same as zero.
    """

    minute_ns: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    count: NDArray[np.uint32]
    quality: NDArray[np.uint8]


def pack_polls(polls: Polls) -> bytes:
    """The stored form of some polls."""
    p, n = polls.value.shape
    if p >= LARGE_ROWS:
        return pack_columns(polls.t_ns, (polls.value, polls.quality))
    body = shuffled(polls.t_ns) + shuffled(polls.value) + polls.quality.tobytes()
    return _HEADER.pack(p, n) + zlib.compress(body, LEVEL)


def unpack_polls(blob: bytes) -> Polls:
    """Back from the stored form. Raises DecodeError when the bytes are not a block."""
    if is_columnar(blob):
        ((t_ns, arrays),) = unpack_columns([blob], POLL_TYPES)
        return Polls(t_ns, *arrays)
    p, n, body = _opened(blob, per_row=8, per_cell=9)
    return Polls(
        t_ns=unshuffled(body[: 8 * p], np.int64),
        value=unshuffled(body[8 * p : 8 * p + 8 * p * n], np.float64).reshape(p, n),
        quality=np.frombuffer(body[8 * p + 8 * p * n :], dtype=np.uint8).reshape(p, n),
    )


def polls_columns(blobs: Sequence[bytes], columns: Sequence[int]) -> list[Polls]:
    """Only these columns of several blocks of polls, `value` (p, k): a curve needs one point of twenty. One `Polls` for
    all blocks of one form and size. Raises DecodeError like `unpack_polls`."""
    small, large = _by_form(blobs)
    return [Polls(t_ns, *arrays) for t_ns, arrays in unpack_columns(large, POLL_TYPES, columns)] + [
        Polls(
            _cells(bodies, 0, (p, 1), [0], np.int64)[:, 0],
            _cells(bodies, 8 * p, (p, n), columns, np.float64),
            _cells(bodies, 8 * p + 8 * p * n, (p, n), columns, np.uint8),
        )
        for (p, n), bodies in _opened_by_size(small, per_row=8, per_cell=9)
    ]


def pack_minutes(minutes: Minutes) -> bytes:
    """The stored form of some minutes."""
    m, n = minutes.low.shape
    if m >= LARGE_ROWS:
        arrays = (minutes.low, minutes.high, minutes.mean, minutes.count, minutes.quality)
        return pack_columns(minutes.minute_ns, arrays)
    cells = (minutes.low, minutes.high, minutes.mean)
    body = shuffled(minutes.minute_ns) + b"".join(shuffled(cell) for cell in cells)
    body += shuffled(minutes.count) + minutes.quality.tobytes()
    return _HEADER.pack(m, n) + zlib.compress(body, LEVEL)


def unpack_minutes(blob: bytes) -> Minutes:
    """Back from the stored form. Raises DecodeError when the bytes are not a block."""
    if is_columnar(blob):
        ((minute_ns, arrays),) = unpack_columns([blob], MINUTE_TYPES)
        return Minutes(minute_ns, *arrays)
    m, n, body = _opened(blob, per_row=8, per_cell=29)
    edges = np.cumsum([0, 8 * m, 8 * m * n, 8 * m * n, 8 * m * n, 4 * m * n, m * n])
    part = [body[a:b] for a, b in itertools.pairwise(edges.tolist())]
    return Minutes(
        minute_ns=unshuffled(part[0], np.int64),
        low=unshuffled(part[1], np.float64).reshape(m, n),
        high=unshuffled(part[2], np.float64).reshape(m, n),
        mean=unshuffled(part[3], np.float64).reshape(m, n),
        count=unshuffled(part[4], np.uint32).reshape(m, n),
        quality=np.frombuffer(part[5], dtype=np.uint8).reshape(m, n),
    )


def minutes_columns(blobs: Sequence[bytes], columns: Sequence[int]) -> list[Minutes]:
    """Only these columns of several blocks of minutes, as `polls_columns`."""
    small, large = _by_form(blobs)
    return [Minutes(t_ns, *arrays) for t_ns, arrays in unpack_columns(large, MINUTE_TYPES, columns)] + [
        Minutes(
            _cells(bodies, 0, (m, 1), [0], np.int64)[:, 0],
            _cells(bodies, 8 * m, (m, n), columns, np.float64),
            _cells(bodies, 8 * m + 8 * m * n, (m, n), columns, np.float64),
            _cells(bodies, 8 * m + 16 * m * n, (m, n), columns, np.float64),
            _cells(bodies, 8 * m + 24 * m * n, (m, n), columns, np.uint32),
            _cells(bodies, 8 * m + 28 * m * n, (m, n), columns, np.uint8),
        )
        for (m, n), bodies in _opened_by_size(small, per_row=8, per_cell=29)
    ]


def roll_up(polls: Polls) -> Minutes:
    """Polls to minutes, in time order. What is BAD or no finite number counts for the quality and for nothing else."""
    order = np.argsort(polls.t_ns, kind="stable")
    minute_of = polls.t_ns[order] // MINUTE_NS
    minute, start = np.unique(minute_of, return_index=True)
    value = polls.value[order]
    usable = (polls.quality[order] != Quality.BAD) & np.isfinite(value)
    count = np.add.reduceat(usable, start, axis=0, dtype=np.uint32)
    total = np.add.reduceat(np.where(usable, value, 0.0), start, axis=0)
    low = np.minimum.reduceat(np.where(usable, value, np.inf), start, axis=0)
    high = np.maximum.reduceat(np.where(usable, value, -np.inf), start, axis=0)
    known = count > 0
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=known)
    return Minutes(
        minute_ns=minute * MINUTE_NS,
        low=np.where(known, low, np.nan),
        high=np.where(known, high, np.nan),
        mean=mean,
        count=count,
        quality=np.maximum.reduceat(polls.quality[order], start, axis=0),
    )


def join_polls(parts: list[Polls]) -> Polls:
    """Polls of the same layout, one after the other. Needs at least one part."""
    return Polls(
        np.concatenate([part.t_ns for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )


def no_minutes() -> Minutes:
    """Of one point that has none."""
    nothing = np.empty((0, 1))
    return Minutes(
        np.empty(0, np.int64), nothing, nothing, nothing, np.empty((0, 1), np.uint32), np.empty((0, 1), np.uint8)
    )


def join_minutes(parts: list[Minutes]) -> Minutes:
    """Minutes of the same layout, one after the other; two parts of one minute become one. Needs at least one part."""
    minute_ns = np.concatenate([part.minute_ns for part in parts])
    order = np.argsort(minute_ns, kind="stable")
    minute, start = np.unique(minute_ns[order], return_index=True)
    low, high, mean = (np.concatenate([getattr(p, name) for p in parts])[order] for name in ("low", "high", "mean"))
    count = np.concatenate([part.count for part in parts])[order]
    quality = np.concatenate([part.quality for part in parts])[order]
    total = np.add.reduceat(np.where(count > 0, mean * count, 0.0), start, axis=0)
    merged = np.add.reduceat(count, start, axis=0, dtype=np.uint32)
    return Minutes(
        minute_ns=minute,
        low=np.fmin.reduceat(low, start, axis=0),
        high=np.fmax.reduceat(high, start, axis=0),
        mean=np.divide(total, merged, out=np.full(total.shape, np.nan), where=merged > 0),
        count=merged,
        quality=np.maximum.reduceat(quality, start, axis=0),
    )


def _by_form(blobs: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Small blocks and large ones."""
    return [blob for blob in blobs if not is_columnar(blob)], [blob for blob in blobs if is_columnar(blob)]


def _cells(
    bodies: NDArray[np.uint8], offset: int, shape: tuple[int, int], columns: Sequence[int], dtype: type[S]
) -> NDArray[S]:
    """Some columns of a shuffled array that begins at `offset` of each body (b, bytes): (b * rows, columns)."""
    width = np.dtype(dtype).itemsize
    planes = bodies[:, offset : offset + width * shape[0] * shape[1]].reshape(-1, width, *shape)
    chosen = np.ascontiguousarray(planes[:, :, :, columns].transpose(0, 2, 3, 1))
    cells: NDArray[S] = chosen.view(dtype).reshape(-1, len(columns))
    return cells


def _opened_by_size(
    blobs: Sequence[bytes], per_row: int, per_cell: int
) -> Iterator[tuple[tuple[int, int], NDArray[np.uint8]]]:
    """(rows, columns) and the opened bodies (b, bytes) of all blocks of that size."""
    by_size: dict[tuple[int, int], list[bytes]] = {}
    for blob in blobs:
        rows, columns, body = _opened(blob, per_row, per_cell)
        by_size.setdefault((rows, columns), []).append(body)
    for size, bodies in by_size.items():
        yield size, np.frombuffer(b"".join(bodies), np.uint8).reshape(len(bodies), -1)


def _opened(blob: bytes, per_row: int, per_cell: int) -> tuple[int, int, bytes]:
    try:
        rows, columns = _HEADER.unpack_from(blob)
        body = zlib.decompress(blob[_HEADER.size :])
    except (struct.error, zlib.error) as error:
        raise DecodeError(f"history block of {len(blob)} bytes: {error}") from None
    expected = rows * per_row + rows * columns * per_cell
    if len(body) != expected:
        raise DecodeError(f"history block: {len(body)} bytes for {rows} x {columns}, expected {expected}")
    return rows, columns, body
