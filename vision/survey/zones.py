"""In which drawn zone somebody stands, and whether a helmet is asked for there.

In: the zones of a survey, spots as fractions of the frame. Out: a `Standing` for each spot. Pure.

A person stands where the **feet** are: the middle of the lower edge of the person's box; without one, of the head's own
box. Zones are drawn on the ground, and a head seen over a fence belongs to the ground behind it.

    exempt wins       where an exempt and a watched zone overlap (a cabin inside the yard) no helmet is asked for
    first wins        where two watched zones overlap, the one that was drawn first
    nothing drawn     without a watched zone the whole picture is watched, but for exempt zones; its zone is ""
    the line counts   as inside
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Zone, ZoneUse

Floats = NDArray[np.float64]
ON_LINE = 1e-9


@dataclass(frozen=True, slots=True)
class Standing:
    """`zone_id` and `title` are "" outside every zone. `watched` says whether a helmet is asked for."""

    zone_id: str
    title: str
    watched: bool


class ZoneMap:
    """The zones of one version of a survey."""

    def __init__(self, zones: Sequence[Zone] = ()) -> None:
        ordered = [zone for zone in zones if zone.use is ZoneUse.EXEMPT]
        ordered += [zone for zone in zones if zone.use is ZoneUse.WATCHED]
        self._zones = [(zone, np.array(zone.outline, dtype=np.float64)) for zone in ordered]
        self._elsewhere = Standing("", "", not any(zone.use is ZoneUse.WATCHED for zone in zones))

    def standing(self, spots: Floats) -> list[Standing]:
        """Where each of the spots (n, 2), fractions x and y, is."""
        spots = np.asarray(spots, dtype=np.float64).reshape(-1, 2)
        found = [self._elsewhere] * len(spots)
        free = np.ones(len(spots), dtype=bool)
        for zone, outline in self._zones:
            here = free & inside(spots, outline)
            for row in np.flatnonzero(here):
                found[row] = Standing(zone.zone_id, zone.title, zone.use is ZoneUse.WATCHED)
            free &= ~here
        return found


def inside(spots: Floats, outline: Floats) -> NDArray[np.bool_]:
    """Which of the spots (n, 2) lie within the closed outline (k, 2), even-odd, its line included."""
    x, y = spots[:, 0][:, None], spots[:, 1][:, None]
    ax, ay = outline[:, 0][None, :], outline[:, 1][None, :]
    bx, by = np.roll(ax, -1, axis=1), np.roll(ay, -1, axis=1)
    turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    length = np.hypot(bx - ax, by - ay)
    between = ((x - ax) * (x - bx) + (y - ay) * (y - by)) <= ON_LINE**2
    on_line = (np.abs(turn) <= ON_LINE * np.maximum(length, ON_LINE)) & between
    upward, downward = (ay <= y) & (by > y), (by <= y) & (ay > y)
    crossings = ((upward & (turn > 0)) | (downward & (turn < 0))).sum(axis=1)
    return np.asarray((crossings % 2 == 1) | on_line.any(axis=1))
