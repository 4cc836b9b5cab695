"""Pictures that are not new: a frozen stream, and a recording that is played again.

Theory of operation
    A sensor has noise, and what moves never moves twice alike. So a picture that equals the one before it, tile by
    tile and for longer than an encoder rests between two key frames, is frozen; and a sequence that was seen before is
    played from a recording.

    frozen     the tiles that can show noise (not clipped to black or white) equal those of an anchor for a while; the
               rest of the picture may change (a clock drawn into it)
    replayed   exactly: digests of thumbs come back, several different ones, all after the same time
               nearly: what moved within the last second comes back alike for a while, always after the same long time
               and not sooner: a beacon or a mixer is like itself at every turn and is none

Bounded: `MEMORY_FRAMES` digests and `MOTIONS` patterns a camera. Time is an argument. Knows no settings file.
"""

import hashlib
from collections import OrderedDict, deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from vision.health.picture_measures import TILES_ACROSS, TILES_DOWN, Grey, PictureSample, tile_change, tile_means

MEMORY_FRAMES = 9_000
MOTIONS = 1_200
SAME_TILE_SHARE = 0.02
MOST_TILES = 0.9
FEWEST_LIVE_TILES = 5
LEAST_LAG_S = 2.0
EXACT_WINDOW_S = 10.0
EXACT_MATCHES = 6
EXACT_LAG_SPREAD_S = 0.35
MOTION_EVERY_S = 0.5
NEAR_LAG_S = 20.0
NEAR_MATCHES = 60
NEAR_LAG_SPREAD_S = 0.7
NEAR_LIKENESS = 0.85
ELSEWHERE_LIKENESS = 0.75
MOST_ELSEWHERE_SHARE = 0.03
LEAST_MOTION_LEVEL = 1.0
REPLAY_JUDGED_AFTER_S = 15.0


class FrozenWatch:
    """Whether new frames bring the same picture; `step` takes every judged one."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._anchor: Grey | None = None
        self._since_ns = 0
        self._seq = -1
        self._truth = Truth.UNKNOWN

    def step(self, sample: PictureSample, seq: int, now_mono_ns: int) -> Truth:
        """UNKNOWN for the first picture, and while it could not show noise. The same frame again says nothing new."""
        if seq != self._seq:
            self._seq = seq
            self._truth = self._judge(sample, now_mono_ns)
        return self._truth

    def _judge(self, sample: PictureSample, now_mono_ns: int) -> Truth:
        if self._anchor is None or self._anchor.shape != sample.rows.shape:
            return self._drop_anchor(sample, now_mono_ns, Truth.UNKNOWN)
        mean = tile_means(sample.thumb)
        live = (mean > 20) & (mean < 235)
        if int(live.sum()) < FEWEST_LIVE_TILES:
            return self._drop_anchor(sample, now_mono_ns, Truth.UNKNOWN)
        change = tile_change(self._anchor, sample.rows)
        if float((change[live] < SAME_TILE_SHARE).mean()) < MOST_TILES:
            return self._drop_anchor(sample, now_mono_ns, Truth.FALSE)
        return Truth.TRUE if now_mono_ns - self._since_ns >= self._after_s * 1e9 else Truth.FALSE

    def _drop_anchor(self, sample: PictureSample, now_mono_ns: int, truth: Truth) -> Truth:
        self._anchor, self._since_ns = sample.rows, now_mono_ns
        return truth


@dataclass(frozen=True, slots=True)
class _Match:
    """At `at_ns` something came back that was first seen `lag_s` before."""

    at_ns: int
    lag_s: float


@dataclass(slots=True)
class _Lags:
    """Matches of the last while; a replay when enough of them share one lag."""

    window_s: float
    needed: int
    spread_s: float
    matches: deque[_Match] = field(default_factory=deque)

    def add(self, match: _Match) -> None:
        self.matches.append(match)

    def agreed(self, now_ns: int) -> float:
        """The lag that enough matches share, or NaN."""
        while self.matches and now_ns - self.matches[0].at_ns > self.window_s * 1e9:
            self.matches.popleft()
        if len(self.matches) < self.needed:
            return float("nan")
        lags = np.sort([match.lag_s for match in self.matches])
        spans = lags[self.needed - 1 :] - lags[: len(lags) - self.needed + 1]
        best = int(np.argmin(spans))
        return float(lags[best + self.needed // 2]) if spans[best] <= self.spread_s else float("nan")


class ReplayWatch:
    """Whether what is shown was shown before. `lag_s` is after how long, NaN when it is not."""

    def __init__(self) -> None:
        self.lag_s = float("nan")
        self._seen: OrderedDict[bytes, int] = OrderedDict()
        self._exact = _Lags(EXACT_WINDOW_S, EXACT_MATCHES, EXACT_LAG_SPREAD_S)
        self._near = _Lags(NEAR_MATCHES * MOTION_EVERY_S * 1.6, NEAR_MATCHES, NEAR_LAG_SPREAD_S)
        self._motions = _MotionMemory()
        self._began_ns: int | None = None
        self._last: bytes = b""

    def step(self, sample: PictureSample, now_mono_ns: int) -> Truth:
        """UNKNOWN for the first while: nothing can have come back yet."""
        if self._began_ns is None:
            self._began_ns = now_mono_ns
        self._take_exact(sample.thumb, now_mono_ns)
        for lag_s in self._motions.step(sample.thumb, now_mono_ns):
            self._near.add(_Match(now_mono_ns, lag_s))
        exact = self._exact.agreed(now_mono_ns)
        self.lag_s = exact if np.isfinite(exact) else self._near.agreed(now_mono_ns)
        if np.isfinite(self.lag_s):
            return Truth.TRUE
        return Truth.FALSE if now_mono_ns - self._began_ns >= REPLAY_JUDGED_AFTER_S * 1e9 else Truth.UNKNOWN

    def _take_exact(self, thumb: Grey, now_ns: int) -> None:
        digest = hashlib.blake2b(thumb.data, digest_size=8).digest()
        before_ns = self._seen.pop(digest, None)
        self._seen[digest] = now_ns
        if len(self._seen) > MEMORY_FRAMES:
            self._seen.popitem(last=False)
        repeated = digest == self._last  # a still that stays: frozen, but nothing came back
        self._last = digest
        if before_ns is None or repeated or float(thumb.std()) < 4:
            return
        lag_s = (now_ns - before_ns) / 1e9
        if lag_s >= LEAST_LAG_S:
            self._exact.add(_Match(now_ns, lag_s))


class _MotionMemory:
    """Patterns of what moved within a second, one every half second, and which earlier one the newest is like."""

    def __init__(self) -> None:
        self._before: deque[NDArray[np.float32]] = deque(maxlen=2)
        self._patterns = np.zeros((MOTIONS, TILES_ACROSS * 2 * TILES_DOWN * 2), dtype=np.float32)
        self._at_ns = np.zeros(MOTIONS, dtype=np.int64)
        self._count = 0
        self._due_ns = 0

    def step(self, thumb: Grey, now_ns: int) -> tuple[float, ...]:
        """The lag in seconds after which this pattern came back, when there is one."""
        if now_ns < self._due_ns:
            return ()
        every_ns = int(MOTION_EVERY_S * 1e9)
        self._due_ns = (now_ns // every_ns + 1) * every_ns  # on a grid: the second time is sampled like the first
        size = (TILES_ACROSS * 2, TILES_DOWN * 2)
        small = cv2.resize(thumb.astype(np.float32), size, interpolation=cv2.INTER_AREA).astype(np.float32)
        earlier = self._before[0] if len(self._before) == 2 else None
        self._before.append(small)
        if earlier is None:
            return ()
        moved = small - earlier
        moved = moved - np.median(moved)  # the light changed everywhere: that is no motion
        level = float(np.sqrt(np.mean(moved**2)))
        if level < LEAST_MOTION_LEVEL:
            return ()
        return self._compare_and_keep((moved / (level * np.sqrt(moved.size))).ravel(), now_ns)

    def _compare_and_keep(self, pattern: NDArray[np.float32], now_ns: int) -> tuple[float, ...]:
        kept = min(self._count, MOTIONS)
        found = self._match(pattern, now_ns, kept) if kept else ()
        place = self._count % MOTIONS
        self._patterns[place], self._at_ns[place] = pattern, now_ns
        self._count += 1
        return found

    def _match(self, pattern: NDArray[np.float32], now_ns: int, kept: int) -> tuple[float, ...]:
        """The newest pattern like this one that is old enough; none where it was like this in between, too: then it
        stands there, or goes round."""
        likeness = self._patterns[:kept] @ pattern
        lag_s = (now_ns - self._at_ns[:kept]) / 1e9
        alike = lag_s[(lag_s >= NEAR_LAG_S) & (likeness >= NEAR_LIKENESS)]
        if not len(alike):
            return ()
        lag = float(alike.min())
        between = likeness[lag_s < lag - 2.0]
        if float((between > ELSEWHERE_LIKENESS).mean() if len(between) else 1.0) > MOST_ELSEWHERE_SHARE:
            return ()
        return (lag,)
