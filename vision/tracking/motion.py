"""How tracked boxes move: a constant-velocity Kalman filter with the real time between frames, for all tracks at once.

In: boxes seen and the seconds since the frame before. Out: where each box should be now, and how far off it may be.

x and y share one variance, so a track's uncertainty is three numbers; all are in units of its own size, because a head
of 80 px moves four times as many pixels a second as the same head at 20 px. Width and height are smoothed, not
predicted: a head does not grow by itself.

A walking head makes about 6 of its own heights a second (1.5 m/s, 0.25 m). A track that was seen once may therefore be
1.2 sizes away at 5 frames a second and 3 at 2; one whose velocity is known only fractions of one. The filter's spread
says exactly that, and is the gate of the matching.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEASURED_OFF = 0.12  # of its size, a detector's box around a head that does not move
FIRST_SPEED = 3.0  # sizes a second, standard deviation before anything is known
ACCELERATION = 3.0  # sizes a second, gained or lost within a second
SIZE_SHARE = 0.4  # of a new width and height in the smoothed one
LONGEST_STEP_S = 5.0
FASTEST = 12.0  # sizes a second


class Motion:
    """Rows are tracks. `centre` and `speed` (n, 2) px and px/s, `extent` (n, 2) width and height px, `scale` (n,) px is
    the size that the uncertainties are told in: about that of a head, which is `scale_share` of the box."""

    def __init__(self, scale_share: float = 1.0) -> None:
        self._scale_share = scale_share
        self.centre: Floats = np.zeros((0, 2))
        self.speed: Floats = np.zeros((0, 2))
        self.extent: Floats = np.zeros((0, 2))
        self._variance: Floats = np.zeros((0, 3))  # of position, of both, of speed; in sizes

    def __len__(self) -> int:
        return len(self.centre)

    @property
    def scale(self) -> Floats:
        """Geometric mean of width and height, of which the share; at least a pixel."""
        return np.asarray(np.maximum(np.sqrt(self.extent[:, 0] * self.extent[:, 1]) * self._scale_share, 1.0))

    @property
    def spread(self) -> Floats:
        """Standard deviation of where the centre will be measured, in sizes."""
        return np.asarray(np.sqrt(self._variance[:, 0] + MEASURED_OFF**2))

    def begin(self, boxes_xyxy: Floats) -> None:
        """More tracks, at the end."""
        centre, extent = _centre_extent(boxes_xyxy)
        n = len(centre)
        first = np.tile([MEASURED_OFF**2, 0.0, FIRST_SPEED**2], (n, 1))
        self.centre = np.vstack([self.centre, centre])
        self.speed = np.vstack([self.speed, np.zeros((n, 2))])
        self.extent = np.vstack([self.extent, extent])
        self._variance = np.vstack([self._variance, first])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.centre, self.speed, self.extent = self.centre[rows], self.speed[rows], self.extent[rows]
        self._variance = self._variance[rows]

    def predict(self, step_s: float) -> None:
        """Let `step_s` pass. A step of 0 or less changes nothing; a longer one than 5 s counts as 5 s."""
        dt = min(step_s, LONGEST_STEP_S)
        if dt <= 0 or not len(self):
            return
        self.centre = self.centre + self.speed * dt
        place, both, speed = self._variance.T
        push = ACCELERATION**2
        self._variance = np.stack(
            [
                place + 2 * dt * both + dt**2 * speed + push * dt**3 / 3,
                both + dt * speed + push * dt**2 / 2,
                np.minimum(speed + push * dt, FASTEST**2),
            ],
            axis=1,
        )

    def correct(self, rows: NDArray[np.intp], boxes_xyxy: Floats) -> None:
        """Tracks `rows` were seen at these boxes."""
        if not len(rows):
            return
        centre, extent = _centre_extent(boxes_xyxy)
        scale = self.scale[rows]
        place, both, speed = self._variance[rows].T
        total = place + MEASURED_OFF**2
        gain, gain_speed = place / total, both / total
        off = centre - self.centre[rows]
        self.centre[rows] += gain[:, None] * off
        faster = self.speed[rows] + gain_speed[:, None] * off
        limit = (FASTEST * scale)[:, None]
        self.speed[rows] = np.clip(faster, -limit, limit)
        self._variance[rows] = np.stack(
            [(1 - gain) * place, (1 - gain) * both, np.maximum(speed - gain_speed * both, 1e-6)], axis=1
        )
        self.extent[rows] += SIZE_SHARE * (extent - self.extent[rows])


def _centre_extent(boxes_xyxy: Floats) -> tuple[Floats, Floats]:
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    return (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
