"""At most n samples of a long trace that still show every peak: per time bucket the lowest and the highest sample.

    |. ' .:.|   ..' |  '.   |      a bucket gives its minimum and maximum, in time order;
    |  x   X|  x  X | X   x |      a bucket with nothing usable gives one NaN, so that a gap stays a gap

Pure numpy, fed block by block, so memory does not grow with the range.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import Quality


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Samples of one point in time order: all arrays (k,). `value` is NaN where `quality` is BAD."""

    t_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    decimated: bool = False


class TraceBuilder:
    """Collects samples between two times (UTC ns, inclusive); keeps them all up to `limit`, then only the peaks."""

    def __init__(self, from_ns: int, to_ns: int, limit: int) -> None:
        if limit < 2 or to_ns < from_ns:
            raise ValueError(f"a trace needs from <= to and a limit of at least 2, found limit {limit}")
        self._from_ns, self._to_ns, self._limit = from_ns, to_ns, limit
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]] = []
        self._count = 0
        self._decimated = False

    def feed(self, t_ns: NDArray[np.int64], value: NDArray[np.float64], quality: NDArray[np.uint8]) -> None:
        """Add samples to the trace, in any order of time."""
        inside = (t_ns >= self._from_ns) & (t_ns <= self._to_ns)
        self._parts.append((t_ns[inside], value[inside], quality[inside]))
        self._count += int(inside.sum())
        if self._count > 4 * self._limit:
            self._thin()

    def finish(self) -> Trace:
        """The trace of what was fed, in the order of time."""
        if self._count > self._limit:
            self._thin()
        t_ns, value, quality = self._joined()
        order = np.argsort(t_ns, kind="stable")
        return Trace(t_ns[order], value[order], quality[order], self._decimated)

    def _joined(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
        empty = (np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))
        t_ns, value, quality = zip(*(self._parts or [empty]), strict=True)
        return np.concatenate(t_ns), np.concatenate(value), np.concatenate(quality)

    def _thin(self) -> None:
        """Keep the extremes of every bucket. Thinning what was thinned keeps the same extremes."""
        t_ns, value, quality = self._joined()
        buckets = max(1, self._limit // 2)
        span = max(1, self._to_ns - self._from_ns + 1)
        bucket = np.minimum((t_ns - self._from_ns) // max(1, -(-span // buckets)), buckets - 1)
        usable = (quality != Quality.BAD) & np.isfinite(value)
        order = np.lexsort((t_ns, np.where(usable, value, np.inf), ~usable, bucket))
        first = np.flatnonzero(np.diff(bucket[order], prepend=-1))
        known = np.add.reduceat(usable[order].astype(np.int64), first) if len(first) else first
        last = first + np.maximum(known, 1) - 1
        keep = np.unique(np.concatenate([order[first], order[last]]))
        self._parts = [(t_ns[keep], value[keep], quality[keep])]
        self._count = len(keep)
        self._decimated = True
