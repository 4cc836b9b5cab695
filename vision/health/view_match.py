"""Whether a camera still looks where it looked when its survey was drawn.

    reference --edges, evened out--> 4 x 3 blocks --each is looked for in the newest picture, near its own place-->
    votes: here / elsewhere (dx, dy) / nowhere

Edges, not levels, so that light may change; blocks, so that a truck may stand in some of them. Many blocks elsewhere
by one shift: the camera was turned a little; by several: rolled or zoomed. No block like what is at its place, though
the picture is clear: it looks at something else. One block a look, so that a look costs little. In: thumbs. Out: TRUE,
FALSE, UNKNOWN. Pure.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from vision.health.picture_measures import THUMB_WIDTH_PX, Grey

ACROSS, DOWN = 4, 3
REACH_PX = 14
LEAST_TEXTURE = 0.25
FOUND_LIKENESS = 0.45
STRANGE_LIKENESS = 0.25
CLEARLY = 0.2
LEAST_BLOCKS = 4
WIDTH_PX = THUMB_WIDTH_PX // 2

Edges = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Vote:
    """Where a block was found: likeness, and how far from its place in pixels of the evened picture. `home` is the
    likeness at its place."""

    likeness: float
    dx_px: float
    dy_px: float
    home: float


def evened_edges(thumb: Grey) -> Edges:
    """Edge strength relative to its surroundings (h, 120): the same by day and by lamp light."""
    height = max(DOWN * 8, round(WIDTH_PX * thumb.shape[0] / thumb.shape[1]))
    small = cv2.resize(thumb, (WIDTH_PX, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    strength = cv2.magnitude(across, down)
    around = cv2.blur(strength, (15, 15))
    return np.asarray(strength / (around + 12.0), dtype=np.float32)


class ViewMatch:
    """One camera's reference view. `shift_share` is the newest common shift, as a share of the frame's width; NaN when
    there is none."""

    def __init__(self, moved_share: float) -> None:
        self._moved_share = moved_share
        self._reference: Grey | None = None
        self._edges: Edges | None = None
        self._votes: dict[int, _Vote] = {}
        self._next = 0
        self.shift_share = float("nan")

    def step(self, thumb: Grey, reference: Grey | None) -> Truth:
        """UNKNOWN without a reference, until every block has been looked for, and where too few have texture."""
        if reference is None:
            self._reference, self._edges = None, None
            return Truth.UNKNOWN
        if reference is not self._reference:
            self._take_reference(reference, thumb)
        self._look(evened_edges(thumb))
        return self._judge()

    def _take_reference(self, reference: Grey, thumb: Grey) -> None:
        size = (thumb.shape[1], thumb.shape[0])
        self._reference = reference
        self._edges = evened_edges(np.asarray(cv2.resize(reference, size, interpolation=cv2.INTER_AREA), np.uint8))
        self._votes, self._next, self.shift_share = {}, 0, float("nan")

    def _look(self, edges: Edges) -> None:
        assert self._edges is not None
        if edges.shape != self._edges.shape:
            self._votes = {}
            return
        self._votes[self._next] = self._find(self._next, edges)
        self._next = (self._next + 1) % (ACROSS * DOWN)

    def _find(self, block: int, edges: Edges) -> _Vote:
        """The best place of a block; likeness NaN where the reference has nothing to hold on to."""
        assert self._edges is not None
        height, width = self._edges.shape
        tall, wide = height // DOWN, width // ACROSS
        top, left = (block // ACROSS) * tall, (block % ACROSS) * wide
        piece = self._edges[top : top + tall, left : left + wide]
        if float(piece.std()) < LEAST_TEXTURE:
            return _Vote(float("nan"), 0.0, 0.0, float("nan"))
        y0, x0 = max(0, top - REACH_PX), max(0, left - REACH_PX)
        around = edges[y0 : top + tall + REACH_PX, x0 : left + wide + REACH_PX]
        answer = cv2.matchTemplate(around, piece, cv2.TM_CCOEFF_NORMED)
        _, likeness, _, (x, y) = cv2.minMaxLoc(answer)
        dx, dy = _finer(np.asarray(answer, dtype=np.float32), x, y)
        own = answer[max(0, top - y0 - 1) : top - y0 + 2, max(0, left - x0 - 1) : left - x0 + 2]
        return _Vote(float(likeness), dx + x0 - left, dy + y0 - top, float(own.max()))

    def _judge(self) -> Truth:
        votes = [vote for vote in self._votes.values() if np.isfinite(vote.likeness)]
        self.shift_share = float("nan")
        if len(self._votes) < ACROSS * DOWN or len(votes) < LEAST_BLOCKS:
            return Truth.UNKNOWN
        found = [vote for vote in votes if vote.likeness >= FOUND_LIKENESS]
        if self._turned(found, max(3, len(votes) / 3)):
            return Truth.TRUE
        if self._agree(found, max(2, 0.25 * len(votes))):
            return Truth.TRUE if self.shift_share > self._moved_share else Truth.FALSE
        strange = float(np.mean([vote.home for vote in votes])) < STRANGE_LIKENESS
        return Truth.TRUE if strange else Truth.UNKNOWN

    def _turned(self, found: list[_Vote], needed: float) -> bool:
        """Whether enough blocks are clearly elsewhere, though not by one shift: rolled, or zoomed."""
        away = [np.hypot(vote.dx_px, vote.dy_px) for vote in found if vote.likeness > vote.home + CLEARLY]
        far = [float(distance) for distance in away if distance > self._moved_share * WIDTH_PX]
        if len(far) < needed:
            return False
        self.shift_share = float(np.median(far) / WIDTH_PX)
        return True

    def _agree(self, found: list[_Vote], needed: float) -> bool:
        """Whether enough blocks were found by one common shift; then `shift_share` is set."""
        if len(found) < needed:
            return False
        spots = np.array([(vote.dx_px, vote.dy_px) for vote in found])
        near = np.linalg.norm(spots[:, None] - spots[None], axis=2) < 2.0
        together = near[int(np.argmax(near.sum(axis=1)))]
        if int(together.sum()) < needed:
            return False
        self.shift_share = float(np.linalg.norm(spots[together].mean(axis=0)) / WIDTH_PX)
        return True


def _finer(answer: NDArray[np.float32], x: int, y: int) -> tuple[float, float]:
    """The peak's place between the pixels, by a parabola through its neighbours."""
    return x + _between(answer[y, :], x), y + _between(answer[:, x], y)


def _between(line: NDArray[np.float32], at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = (float(value) for value in line[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
