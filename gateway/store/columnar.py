"""Large blocks column by column: what one point costs to open is a share of its device's block, not all of it.

    header u32 rows (top bit set), u32 columns n | u32 lengths[n + 1] | zlib(times) | zlib(column 0) | ...
    a column: shuffle(first array[:, c]) shuffle(second array[:, c]) ...

`shuffle` writes the first bytes of all numbers, then the second ones ...: neighbouring readings differ little, so
their high bytes repeat and compress well. In: arrays (rows, n). Out: bytes, and back. Pure: numpy and zlib.
"""

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import DecodeError

LEVEL = 1
_MARK = 1 << 31
_HEADER = struct.Struct("<II")
S = TypeVar("S", bound=np.generic)
Array = NDArray[Any]


def is_columnar(blob: bytes) -> bool:
    """Whether a block is of this form; the other form says how many rows it has, never two billion."""
    return len(blob) >= _HEADER.size and bool(_HEADER.unpack_from(blob)[0] & _MARK)


def pack_columns(t_ns: NDArray[np.int64], arrays: Sequence[Array]) -> bytes:
    """The stored form of some rows: their times (rows,), and arrays (rows, n) that belong together."""
    rows, n = arrays[0].shape
    columns = [b"".join(shuffled(array[:, c]) for array in arrays) for c in range(n)]
    streams = [zlib.compress(part, LEVEL) for part in (shuffled(t_ns), *columns)]
    lengths = struct.pack(f"<{n + 1}I", *(len(stream) for stream in streams))
    return _HEADER.pack(rows | _MARK, n) + lengths + b"".join(streams)


def unpack_columns(
    blobs: Sequence[bytes], types: Sequence[type[np.generic]], columns: Sequence[int] | None = None
) -> Iterator[tuple[NDArray[np.int64], list[Array]]]:
    """Times (b * rows,) and arrays (b * rows, k) of the asked columns (None: all); all blocks of one size together.

    Raises DecodeError when the bytes are no such block.
    """
    by_size: dict[tuple[int, int], list[list[bytes]]] = {}
    for blob in blobs:
        rows, edges = _edges(blob)
        wanted = range(len(edges) - 2) if columns is None else columns
        streams = [blob[edges[i] : edges[i + 1]] for i in (0, *(c + 1 for c in wanted))]
        by_size.setdefault((rows, len(edges)), []).append(streams)
    for (rows, _), alike in by_size.items():
        times, *cells = zip(*alike, strict=True)
        yield _stacked(times, rows, (np.int64,))[0][:, 0], _side_by_side(cells, rows, types)


def shuffled(array: Array) -> bytes:
    """First the first byte of every number, then the second of every number, and so on."""
    width = array.dtype.itemsize
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1, width).T.tobytes()


def unshuffled(raw: bytes, dtype: type[S]) -> NDArray[S]:
    """The values again, out of what `shuffled` made."""
    width = np.dtype(dtype).itemsize
    columns = np.frombuffer(raw, dtype=np.uint8).reshape(width, -1)
    flat: NDArray[S] = np.ascontiguousarray(columns.T).reshape(-1).view(dtype)
    return flat


def _side_by_side(cells: Sequence[Sequence[bytes]], rows: int, types: Sequence[type[np.generic]]) -> list[Array]:
    """The arrays of several columns, each given as its streams of all blocks."""
    columns = [_stacked(streams, rows, types) for streams in cells]
    return [np.concatenate([column[i] for column in columns], axis=1) for i in range(len(types))]


def _stacked(streams: Sequence[bytes], rows: int, types: Sequence[type[np.generic]]) -> list[Array]:
    """The arrays (b * rows, 1) of one column, block after block."""
    widths = [np.dtype(dtype).itemsize for dtype in types]
    bodies = [_inflated(stream, rows * sum(widths)) for stream in streams]
    whole = np.frombuffer(b"".join(bodies), np.uint8).reshape(len(bodies), -1)
    edges = np.cumsum([0, *widths]) * rows
    parts = (whole[:, a:b] for a, b in itertools.pairwise(edges.tolist()))
    return [
        np.ascontiguousarray(part.reshape(-1, width, rows).transpose(0, 2, 1)).view(dtype).reshape(-1, 1)
        for part, width, dtype in zip(parts, widths, types, strict=True)
    ]


def _edges(blob: bytes) -> tuple[int, list[int]]:
    """How many rows, and where the compressed streams begin and end: times first, then each column."""
    try:
        marked, n = _HEADER.unpack_from(blob)
        lengths = struct.unpack_from(f"<{n + 1}I", blob, _HEADER.size)
    except (struct.error, MemoryError) as error:
        raise DecodeError(f"history block of {len(blob)} bytes: {error}") from None
    start = _HEADER.size + 4 * (n + 1)
    if not marked & _MARK or start + sum(lengths) != len(blob):
        raise DecodeError(f"history block of {len(blob)} bytes, expected {start + sum(lengths)}")
    return marked & ~_MARK, list(itertools.accumulate(lengths, initial=start))


def _inflated(stream: bytes, expected: int) -> bytes:
    try:
        body = zlib.decompress(stream)
    except zlib.error as error:
        raise DecodeError(f"history block: {error}") from None
    if len(body) != expected:
        raise DecodeError(f"history block: a column of {len(body)} bytes, expected {expected}")
    return body
