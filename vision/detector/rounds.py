"""The slow round: which part of a frame is looked at beside the full view, so that far people are found too. Pure.

In: a frame's size, where it moved, the time. Out: once a second one tile of about the network's own size, else nothing.
Tiles in which something moved come first, the one that was looked at longest ago before the others; every third look is
the next in the round whatever moves, so that no part of the frame is left out for long.
"""

import numpy as np
from numpy.typing import NDArray

from vision.detector.tiles import Tiling, View

TILE_PX = 640
OVERLAP = 0.2
EVERY_NS = 1_000_000_000
ANY_EVERY = 3
LEAST_CELLS = 2


class TileRound:
    """Which tile of one camera's picture is looked at next."""

    def __init__(self) -> None:
        self._frame_px = (0, 0)
        self._tiles: tuple[View, ...] = ()
        self._looked: list[int] = []
        self._count = 0
        self._due_ns: int | None = None

    def next(
        self, width_px: int, height_px: int, moved: NDArray[np.bool_] | None, now_mono_ns: int
    ) -> tuple[View, ...]:
        """The tile to look at now, or none. `moved` (h, w) is a thumbnail of what differs; None: anything may."""
        if (width_px, height_px) != self._frame_px:
            self._begin(width_px, height_px)
        if not self._tiles or (self._due_ns is not None and now_mono_ns < self._due_ns):
            return ()
        self._due_ns = now_mono_ns + EVERY_NS
        self._count += 1
        every = list(range(len(self._tiles)))
        lively = [index for index in every if self._moved(index, moved)] if moved is not None else []
        among = lively if lively and self._count % ANY_EVERY else every
        chosen = min(among, key=self._looked.__getitem__)
        self._looked[chosen] = self._count
        return (self._tiles[chosen],)

    def _begin(self, width_px: int, height_px: int) -> None:
        self._frame_px = (width_px, height_px)
        across, down = (_tiles_along(side) for side in (width_px, height_px * 16 // 9))
        self._tiles = Tiling(across, down, OVERLAP).views(width_px, height_px)[1:]
        self._looked, self._count, self._due_ns = [0] * len(self._tiles), 0, None

    def _moved(self, index: int, moved: NDArray[np.bool_]) -> bool:
        tile, (width, height) = self._tiles[index], self._frame_px
        high, wide = moved.shape
        rows = slice(tile.y0 * high // height, -(-tile.y1 * high // height))
        columns = slice(tile.x0 * wide // width, -(-tile.x1 * wide // width))
        return int(np.count_nonzero(moved[rows, columns])) >= LEAST_CELLS


def _tiles_along(side_px: int) -> int:
    return int(min(8, max(1, (side_px / TILE_PX - OVERLAP) / (1 - OVERLAP) + 0.25)))
