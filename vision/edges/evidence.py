"""From single frames to a confirmed state of each column: open, protected, or not known yet.

    frame says gap        -> the case for *open* grows by one     -> open after 10 of them over 30 s
    frame says rail       -> the case for *ok* grows by one, and the other one shrinks by three
    frame says nothing    -> nothing grows and nothing shrinks; after `ok_for_s` an ok column is unknown, after
                             `unknown_after_s` an open one
    seen, and no rail     -> after `doubt_frames` of them in a row the column is no longer ok, but unknown; so is one
                             that lies beside a column of which this is so

A case survives frames that say nothing (somebody stands in front), and falls when a quarter of the frames
contradict it. Time is an argument.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.edges.settings import EdgeSettings

CONTRADICTION: Final = 3
SECOND: Final = 1_000_000_000
NEVER: Final = -(2**62)
MOST_DOUBT: Final = 100

Bools = NDArray[np.bool_]
Longs = NDArray[np.int64]


class Columns:
    """State of the columns of one edge. `is_open` and `is_known` are the confirmed state; `judged_ns` when each was
    last judged."""

    def __init__(self, count: int, settings: EdgeSettings) -> None:
        self.settings = settings
        self.is_open = np.zeros(count, bool)
        self.is_known = np.zeros(count, bool)
        self.judged_ns: Longs = np.full(count, NEVER, np.int64)
        self.since_ns: Longs = np.zeros(count, np.int64)
        self.doubt = np.zeros(count, np.int64)
        self.for_open = _Case(count)
        self.for_ok = _Case(count)

    def step(self, gap: Bools, rail: Bools, seen: Bools, now_ns: int, beside: Bools | None = None) -> None:
        """Take one judged frame in. `seen`: columns that nobody stood before. `beside`: columns that lie so near to one
        without protection that they are not sure; their case grows, but they are doubted."""
        sure = rail if beside is None else rail & ~beside
        self.doubt = np.where(sure, 0, np.minimum(self.doubt + seen, MOST_DOUBT))
        stale = now_ns - self.judged_ns > 2 * self.settings.unknown_after_s * SECOND
        self.for_open.forget(stale)
        self.for_ok.forget(stale)
        self.for_open.weigh(gap, rail, now_ns)
        self.for_ok.weigh(rail, gap, now_ns)
        self.judged_ns[gap | rail] = now_ns
        opened = self.for_open.made(self.settings, now_ns) & ~self.is_open
        closed = self.for_ok.made(self.settings, now_ns) & (self.is_open | ~self.is_known)
        self.since_ns[opened] = self.for_open.since_ns[opened]
        self.is_open = (self.is_open | opened) & ~closed
        self.is_known |= opened | closed
        self.for_ok.forget(opened)
        self.for_open.forget(closed)

    def unknown(self, now_ns: int) -> Bools:
        """Columns that nobody could judge, or not lately, open ones of which as much says the opposite, and ok ones
        that do not look so any more."""
        lasts_s = np.where(self.is_open, self.settings.unknown_after_s, self.settings.ok_for_s)
        old = now_ns - self.judged_ns > lasts_s * SECOND
        refuted = self.is_open & (self.for_open.frames <= self.for_ok.frames)
        doubted = ~self.is_open & (self.doubt >= self.settings.doubt_frames)
        return np.asarray(old | ~self.is_known | refuted | doubted, bool)


class _Case:
    """How many frames speak for something, and since when."""

    def __init__(self, count: int) -> None:
        self.frames = np.zeros(count, np.int64)
        self.since_ns: Longs = np.zeros(count, np.int64)

    def weigh(self, speaks: Bools, against: Bools, now_ns: int) -> None:
        self.since_ns[speaks & (self.frames == 0)] = now_ns
        self.frames += speaks
        self.frames[against] = np.maximum(self.frames[against] - CONTRADICTION, 0)
        np.minimum(self.frames, 120, out=self.frames)

    def forget(self, columns: Bools) -> None:
        self.frames[columns] = 0

    def made(self, settings: EdgeSettings, now_ns: int) -> Bools:
        long = now_ns - self.since_ns >= settings.confirm_s * SECOND
        return np.asarray((self.frames >= settings.confirm_frames) & long, bool)
