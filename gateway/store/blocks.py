"""How the history keeps polls: many polls of one layout become one compressed block. Pure: numpy and zlib.

    header u32 polls p, u32 points n | zlib( shuffle(times int64[p]) shuffle(values float64[p, n]) quality u8[p, n] )

`shuffle` writes the first bytes of all numbers, then the second ones ...: neighbouring readings differ little, so
their high bytes repeat and compress well. A roll-up block holds minutes the same way, five numbers a point.
"""

import itertools
import struct
import zlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import DecodeError
from gateway.model.reading import Quality

_HEADER = struct.Struct("<II")
_LEVEL = 1
MINUTE_NS = 60_000_000_000
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
    body = _shuffled(polls.t_ns) + _shuffled(polls.value) + polls.quality.tobytes()
    return _HEADER.pack(p, n) + zlib.compress(body, _LEVEL)


def unpack_polls(blob: bytes) -> Polls:
    """Back from the stored form. Raises DecodeError when the bytes are not a block."""
    p, n, body = _opened(blob, per_row=8, per_cell=9)
    return Polls(
        t_ns=_unshuffled(body[: 8 * p], np.int64),
        value=_unshuffled(body[8 * p : 8 * p + 8 * p * n], np.float64).reshape(p, n),
        quality=np.frombuffer(body[8 * p + 8 * p * n :], dtype=np.uint8).reshape(p, n),
    )


def pack_minutes(minutes: Minutes) -> bytes:
    """The stored form of some minutes."""
    m, n = minutes.low.shape
    cells = (minutes.low, minutes.high, minutes.mean)
    body = _shuffled(minutes.minute_ns) + b"".join(_shuffled(cell) for cell in cells)
    body += _shuffled(minutes.count) + minutes.quality.tobytes()
    return _HEADER.pack(m, n) + zlib.compress(body, _LEVEL)


def unpack_minutes(blob: bytes) -> Minutes:
    """Back from the stored form. Raises DecodeError when the bytes are not a block."""
    m, n, body = _opened(blob, per_row=8, per_cell=29)
    edges = np.cumsum([0, 8 * m, 8 * m * n, 8 * m * n, 8 * m * n, 4 * m * n, m * n])
    part = [body[a:b] for a, b in itertools.pairwise(edges.tolist())]
    return Minutes(
        minute_ns=_unshuffled(part[0], np.int64),
        low=_unshuffled(part[1], np.float64).reshape(m, n),
        high=_unshuffled(part[2], np.float64).reshape(m, n),
        mean=_unshuffled(part[3], np.float64).reshape(m, n),
        count=_unshuffled(part[4], np.uint32).reshape(m, n),
        quality=np.frombuffer(part[5], dtype=np.uint8).reshape(m, n),
    )


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


def _shuffled(array: NDArray[np.generic]) -> bytes:
    width = array.dtype.itemsize
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1, width).T.tobytes()


def _unshuffled(raw: bytes, dtype: type[S]) -> NDArray[S]:
    width = np.dtype(dtype).itemsize
    columns = np.frombuffer(raw, dtype=np.uint8).reshape(width, -1)
    flat: NDArray[S] = np.ascontiguousarray(columns.T).reshape(-1).view(dtype)
    return flat


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
