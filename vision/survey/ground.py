"""Where on the site a spot of the picture is: level ground whose corners have known site coordinates.

    picture, fractions           site, metres            At least four corners that a person surveyed give the
      o-----------o               o--------o             homography between the two planes; more than four are fitted,
     /             \\      <->    |        |             and what is left over is its error. Nothing is said of a spot
    o---------------o             o--------o             outside the outline: no plane goes on for ever.

In: a GROUND zone of a survey. Out: places in metres (east, north). Pure.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Zone
from vision.survey.zones import inside

Floats = NDArray[np.float64]
LARGEST_ERROR_M: Final = 0.5
LARGEST_ERROR_SHARE: Final = 0.02
"""Of the ground's extent, where that is more: corners read from a plan are not better."""
_DEGENERATE: Final = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """`to_site` and `to_picture` are 3 x 3; `error_m` is the largest one left at a corner."""

    zone_id: str
    outline: Floats
    to_site: Floats
    to_picture: Floats
    error_m: float

    def holds(self, spots: Floats) -> NDArray[np.bool_]:
        """Which of the spots (n, 2) lie on it."""
        return inside(spots, self.outline)

    def site_m(self, spots: Floats) -> Floats:
        """East and north (n, 2) of spots on it."""
        return _mapped(self.to_site, spots)

    def picture(self, site_m: Floats) -> Floats:
        """The spots (n, 2) of places on its plane; NaN for what lies behind the camera."""
        return _mapped(self.to_picture, site_m)

    def spread_m(self, spot: Floats, off: Floats) -> float:
        """How far on the site a spot moves that is `off` (x, y) by so much in the picture, at most."""
        moved = spot + np.array([[off[0], 0.0], [-off[0], 0.0], [0.0, off[1]], [0.0, -off[1]]])
        return float(np.hypot(*(self.site_m(moved) - self.site_m(spot[None, :])).T).max())


def ground_of(zone: Zone) -> Ground:
    """The ground that a zone describes. Raises ValueError that says why it is none."""
    spots, site_m = np.array(zone.outline, dtype=np.float64), np.array(zone.site_m, dtype=np.float64)
    if len(spots) < 4 or spots.shape != site_m.shape:
        raise ValueError(f"{len(spots)} points and {len(site_m)} places")
    to_site = _fitted(spots, site_m)
    to_picture = np.asarray(np.linalg.inv(to_site), dtype=np.float64)
    error_m = float(np.hypot(*(_mapped(to_site, spots) - site_m).T).max())
    most_m = max(LARGEST_ERROR_M, LARGEST_ERROR_SHARE * float(np.ptp(site_m, axis=0).max()))
    if not error_m <= most_m:
        raise ValueError(f"the places are up to {error_m:.1f} m off one plane")
    return Ground(zone.zone_id, spots, to_site, to_picture, error_m)


def _fitted(spots: Floats, site_m: Floats) -> Floats:
    """The homography with the least algebraic error, both sides centred and scaled first."""
    before, after = _normalised(spots), _normalised(site_m)
    rows = []
    for (x, y), (u, v) in zip(_mapped(before, spots), _mapped(after, site_m), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, -u], [0, 0, 0, x, y, 1, -v * x, -v * y, -v]]
    _, sizes, turned = np.linalg.svd(np.array(rows))
    if sizes[7] < _DEGENERATE * sizes[0]:
        raise ValueError("its corners lie on one line, in the picture or on the site")
    fitted = np.linalg.inv(after) @ turned[-1].reshape(3, 3) @ before
    depth = np.column_stack([spots, np.ones(len(spots))]) @ fitted[2]
    if not (np.all(depth > 0) or np.all(depth < 0)) or abs(np.linalg.det(fitted / np.abs(fitted).max())) < 1e-15:
        raise ValueError("no camera sees these places so: two of them may be exchanged")
    return np.asarray(fitted * np.sign(depth[0]), dtype=np.float64)


def _normalised(points: Floats) -> Floats:
    middle = points.mean(axis=0)
    scale = np.sqrt(2) / max(float(np.hypot(*(points - middle).T).mean()), 1e-12)
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def _mapped(by: Floats, points: Floats) -> Floats:
    said = np.column_stack([points, np.ones(len(points))]) @ by.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(said[:, 2:] > 0, said[:, :2] / said[:, 2:], np.nan)
