"""What a camera usually shows: its edges over about five minutes, and how much of them is hidden in this picture.

    thumb -> edges (135, 240) --against the usual ones, light taken out--> lost pixels -> tiles: whole, hurt, gone

A cover takes the edges of whole tiles; drops and dirt take a part of many, and stay, which people do not. Both are
found only where there usually are edges: before a blank wall nothing is known. State is three planes of the thumb's
size. Pure; time is an argument.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.health.picture_measures import Grey, Tiles, quantile, tile_means

NS = 1_000_000_000
EDGE_LEVEL = 12.0
"""From so many grey levels within three pixels of the thumb on it is an edge."""
KEPT_SHARE = 0.35
LIGHT_FLOOR = 8.0
FEWEST_TILES = 24
FEWEST_EDGES = 0.05
"""Of a tile's pixels; with fewer edges a tile says nothing."""
GONE_SHARE = 0.8
HURT_SHARE = 0.1
STAYED_SHARE = 0.7
STAYS_IN_S = 10.0
LEARNED_AFTER_S = 10.0
FOLLOWS_IN_S = 300.0
_AROUND = np.ones((3, 3), np.uint8)
_LIGHT_PX = (15, 15)

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hidden:
    """Shares of the tiles that usually have edges: `gone` lacks nearly all of them now, `hurt` has lacked a part for
    about twelve seconds, more than the whole picture lost. NaN: not known."""

    gone_share: float
    hurt_share: float


UNKNOWN = Hidden(float("nan"), float("nan"))


class UsualEdges:
    """One camera in one light. Each picture is first compared, then learned."""

    def __init__(self) -> None:
        self._edges: Plane | None = None
        self._light: Plane | None = None
        self._stayed: Plane | None = None
        self._began_ns = 0
        self._last_ns = 0

    def compare(self, thumb: Grey, now_ns: int) -> Hidden:
        """How much of the usual edges this picture lacks. An edge that moved by a pixel of the thumb is still there;
        one in less light may be as much fainter."""
        if self._edges is None or self._light is None or self._last_ns - self._began_ns < LEARNED_AFTER_S * NS:
            return UNKNOWN
        light = np.minimum(1.0, (_light_of(thumb) + np.float32(LIGHT_FLOOR)) / (self._light + np.float32(LIGHT_FLOOR)))
        usual = self._edges > EDGE_LEVEL
        kept = cv2.dilate(_edges_of(thumb), _AROUND) / np.maximum(light * self._edges, np.float32(1.0))
        left = np.asarray(kept, np.float32)
        known = tile_means(_mask(usual))
        if int((known > 255 * FEWEST_EDGES).sum()) < FEWEST_TILES:
            return UNKNOWN
        stayed = self._stayed_since(usual & (left < KEPT_SHARE * _whole_left(left[usual])), now_ns)
        gone = _share_lost(known, usual & (left < KEPT_SHARE)) >= GONE_SHARE
        hurt = _share_lost(known, usual & (stayed > STAYED_SHARE)) >= HURT_SHARE
        return Hidden(float(gone.mean()), float((hurt & ~gone).mean()))

    def _stayed_since(self, lost: NDArray[np.bool_], now_ns: int) -> Plane:
        if self._stayed is None:
            self._stayed = np.zeros(lost.shape, np.float32)
        passed_s = min(STAYS_IN_S / 2, (now_ns - self._last_ns) / NS)
        cv2.accumulateWeighted(lost.astype(np.float32), self._stayed, passed_s / STAYS_IN_S)
        return self._stayed

    def learn(self, thumb: Grey, now_ns: int, *, trusted: bool) -> None:
        """Follows slow change (dusk, a floor that grows); a picture that is suspected is not learned from."""
        if self._edges is None or self._light is None:
            self._edges, self._light = _edges_of(thumb).astype(np.float32), _light_of(thumb).astype(np.float32)
            self._began_ns, self._last_ns = now_ns, now_ns
            return
        passed_s = min(10.0, (now_ns - self._last_ns) / NS)
        self._last_ns = now_ns
        if trusted:
            young = now_ns - self._began_ns < 3 * LEARNED_AFTER_S * NS
            share = min(1.0, passed_s / (LEARNED_AFTER_S if young else FOLLOWS_IN_S))
            cv2.accumulateWeighted(_edges_of(thumb), self._edges, share)
            cv2.accumulateWeighted(_light_of(thumb), self._light, share)


def _whole_left(left: Plane) -> float:
    """What the better part of the edges kept: fog and a soft lens take a share of all, which is no dirt."""
    return min(1.0, quantile(left[::4], 0.75))


def _share_lost(known: Tiles, lost: NDArray[np.bool_]) -> Tiles:
    """Of the edges of each tile that has enough of them, (tiles,)."""
    enough = known > 255 * FEWEST_EDGES
    return np.asarray(tile_means(_mask(lost))[enough] / known[enough])


def _edges_of(thumb: Grey) -> Grey:
    return np.asarray(cv2.morphologyEx(thumb, cv2.MORPH_GRADIENT, _AROUND), dtype=np.uint8)


def _light_of(thumb: Grey) -> Grey:
    return np.asarray(cv2.blur(thumb, _LIGHT_PX), dtype=np.uint8)


def _mask(plane: NDArray[np.bool_]) -> Grey:
    return np.negative(plane.view(np.uint8))
