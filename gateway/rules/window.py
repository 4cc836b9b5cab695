"""The window of recent data: the last value of every point, its age, and the last polls of every device.

In: each `Readings` once, in the order the box received them. Out: arrays over all points for the rules and the
screens, and the recent polls that go into evidence. Bounded: one slot a point, `depth` polls a device.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gateway.model.quantity import PointTable
from gateway.model.reading import BAD, Readings

LATE_AFTER_NS = 5_000_000_000


class Window:
    """Recent samples of the whole box. Arrays have shape (points,); times are ns, 0 = never.

    `observed_at_ns` is the time of the last usable value; `heard` says whether there was one since the start.
    """

    def __init__(self, points: PointTable, start_mono_ns: int, depth: int = 16) -> None:
        n = len(points)
        self.points = points
        self.value = np.full(n, np.nan)
        self.quality = np.full(n, BAD, dtype=np.uint8)
        self.observed_at_ns = np.zeros(n, dtype=np.int64)
        self.seen_mono_ns = np.full(n, start_mono_ns, dtype=np.int64)
        self.good_mono_ns = np.full(n, start_mono_ns, dtype=np.int64)
        self.heard = np.zeros(n, dtype=np.bool_)
        self._depth = depth
        self._recent: dict[str, deque[Readings]] = {}

    def carry_over(self, old: "Window", moved: NDArray[np.int32]) -> None:
        """Take over what `old` knew: `moved` (old points,) says where each old point is now, -1 where it is gone.

        A point that means something else than before (unit, bounds, device) starts anew.
        """
        same = [i for i, to in enumerate(moved) if to >= 0 and old.points[i] == self.points[int(to)]]
        source, target = np.array(same, dtype=np.intp), moved[same]
        for name in ("value", "quality", "observed_at_ns", "seen_mono_ns", "good_mono_ns", "heard"):
            getattr(self, name)[target] = getattr(old, name)[source]
        kept = np.full(len(moved), -1, dtype=np.int32)
        kept[source] = target
        for device, polls in old._recent.items():
            carried = [_renumbered(readings, kept) for readings in polls]
            self._recent[device] = deque((poll for poll in carried if len(poll.point_index)), maxlen=self._depth)

    def remember(self, readings: Readings, mono_ns: int) -> bool:
        """Keep one poll; False when it is a late sample, older than what is already known, and so not news.

        A sample is late only when it reached the box more than 5 s after it was observed: a wall clock that
        jumps back must not silence the rules. A failed poll is stamped by the box and tells no device time, so it makes
        nothing late: what a device with a slow clock, or a broker with a backlog, delivers after it is news.
        """
        index, quality = readings.point_index.astype(np.intp), readings.quality  # numpy indexes by nothing else so fast
        if self._is_late(readings, index):
            return False
        self.value[index] = readings.value
        self.quality[index] = quality
        usable = index[quality != BAD] if np.count_nonzero(quality) else index  # GOOD is 0
        self.observed_at_ns[usable] = readings.observed_at_ns
        self.good_mono_ns[usable] = mono_ns
        self.heard[usable] = True
        self.seen_mono_ns[index] = mono_ns
        recent = self._recent.get(readings.device)
        if recent is None:
            recent = self._recent[readings.device] = deque(maxlen=self._depth)
        recent.append(readings)
        return True

    def recent(self, device: str) -> Sequence[Readings]:
        """The last polls of a device, oldest first; at most `depth`."""
        return tuple(self._recent.get(device, ()))

    def forget(self, index: NDArray[np.int32]) -> None:
        """The points are no longer known (a sample was skipped): their quality is BAD until the next one."""
        self.value[index] = np.nan
        self.quality[index] = BAD

    def stale(self, mono_ns: int) -> NDArray[np.bool_]:
        """Points without a usable value for longer than their own `stale_after_s`."""
        return np.asarray(mono_ns - self.good_mono_ns > self.points.stale_after_ns)

    def missing(self, mono_ns: int) -> NDArray[np.bool_]:
        """Points that are stale, or were heard and have no usable value now. One not heard yet is left alone until it
        is stale."""
        return np.asarray(self.stale(mono_ns) | ((self.quality == BAD) & self.heard))

    def age_s(self, mono_ns: int) -> NDArray[np.float64]:
        """Seconds since each point last had a usable value (since start where it never had one)."""
        return np.asarray((mono_ns - self.good_mono_ns) / 1e9)

    def age_of_s(self, index: NDArray[np.integer], mono_ns: int) -> NDArray[np.float64]:
        """The same of these points only (k,)."""
        return np.asarray((mono_ns - self.good_mono_ns[index]) / 1e9)

    def _is_late(self, readings: Readings, index: NDArray[np.intp]) -> bool:
        if readings.received_at_ns - readings.observed_at_ns <= LATE_AFTER_NS:
            return False
        return bool((self.observed_at_ns[index] > readings.observed_at_ns).any())


def _renumbered(readings: Readings, moved: NDArray[np.int32]) -> Readings:
    """The poll under new point numbers, without the points that are gone."""
    index = moved[readings.point_index]
    kept = index >= 0
    return replace(readings, point_index=index[kept], value=readings.value[kept], quality=readings.quality[kept])
