"""What a curve of one point shows: at most n samples that keep every extreme, and where nothing is known.

    raw      |  good good BAD BAD good      good |      each sample speaks until the next one, or until it is too old
    unknown  |            [ bad  )    [missing)  |      intervals, never numbers; a line ends before and begins after
    samples  |  ' .'      lowest and highest of each equal bucket of time, both at the time when they were read

Out of raw readings a sample is one reading (`low` equals `high`); out of one-minute roll-ups it is a span with its
lowest, highest and mean value. Pure numpy; knows no file, no rule and no screen.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import Quality
from gateway.store.blocks import MINUTE_NS, Minutes, Polls

MAX_UNKNOWN = 500
"""Intervals of unknown that a curve tells apart. Of more, neighbours closer than a 500th of the span become one."""
Times = NDArray[np.int64]


class Unknown(IntEnum):
    """Why nothing is known. PARTLY: usable readings stand between bad ones, closer together than can be told apart."""

    MISSING = 1
    BAD = 2
    SUSPECT = 3
    PARTLY = 4


class Resolution(StrEnum):
    """What a part of a curve is made of."""

    RAW = "raw"
    MINUTE = "minute"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a curve of one resolution. `each_ns` is what one sample spans; 0: every reading is there."""

    resolution: Resolution
    from_ns: int
    to_ns: int
    each_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class CurveSeries:
    """Samples (k,) in time order, and intervals (u,) in which nothing is known. `starts`: a line begins anew here.

    `low`, `high` and `mean` are always finite: only GOOD readings become numbers.
    """

    t_ns: Times
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    starts: NDArray[np.bool_]
    unknown_from_ns: Times
    unknown_to_ns: Times
    unknown_kind: NDArray[np.uint8]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """What is asked of one point: times (UTC ns), how old its last word may be, and at most how many samples (>= 4) and
    about how many intervals of unknown. `entry_ns`: how long before the span readings were looked for."""

    from_ns: int
    to_ns: int
    stale_after_ns: int
    samples: int
    intervals: int = MAX_UNKNOWN
    entry_ns: int = 0


def raw_series(polls: Polls, span: Span) -> CurveSeries:
    """The curve of raw readings in time order. One reading before the span lets the line enter from the left."""
    polls = _from_the_last_before(polls, span)
    state = _raw_states(polls, span)
    t_ns, value = polls.t_ns, polls.value[:, 0]
    good = np.flatnonzero((polls.quality[:, 0] == Quality.GOOD) & np.isfinite(value))
    each_ns = 0
    kept = good
    if len(good) > span.samples:
        each_ns = _bucket_ns(span, span.samples // 2)
        bucket = np.maximum(t_ns[good] - span.from_ns, 0) // each_ns
        kept = good[extremes(bucket, value[good])]
    shown = value[kept]
    edges_ns = np.concatenate([[min(span.from_ns, *t_ns[:1])], t_ns, [span.to_ns]]) if len(t_ns) else _whole(span)
    broken = np.concatenate([[0], np.cumsum(state > 0)])[kept + 1]
    part = Part(Resolution.RAW, span.from_ns, span.to_ns, each_ns)
    return CurveSeries(t_ns[kept], shown, shown, shown, _starts(broken), *_intervals(edges_ns, state, span), (part,))


def minute_series(minutes: Minutes, span: Span) -> CurveSeries:
    """The curve of one-minute roll-ups in time order, joined to equal spans of whole minutes where there are many.

    A minute with a SUSPECT reading is unknown: its extremes may be of that reading. One with BAD readings beside usable
    ones has its number, and is PARTLY unknown.
    """
    minutes = _minutes_from_the_last_before(minutes, span)
    state = _minute_states(minutes)
    known = np.flatnonzero((minutes.count[:, 0] > 0) & ((state == 0) | (state == Unknown.PARTLY)))
    each_ns = MINUTE_NS
    if len(known) > span.samples:
        each_ns = -(-_bucket_ns(span, span.samples - 3) // MINUTE_NS) * MINUTE_NS
    edges_ns, states = _minute_edges(minutes.minute_ns, state, span)
    lost_ns = edges_ns[:-1][(states > 0) & (states != Unknown.PARTLY)]
    broken = np.searchsorted(lost_ns, minutes.minute_ns[known], side="right")
    joined = _joined(minutes, known, each_ns, broken, span)
    part = Part(Resolution.MINUTE, span.from_ns, span.to_ns, each_ns)
    return CurveSeries(*joined, *_intervals(edges_ns, states, span), (part,))


def chained(first: CurveSeries, second: CurveSeries) -> CurveSeries:
    """Two parts of one curve, the older one first."""
    return CurveSeries(
        np.concatenate([first.t_ns, second.t_ns]),
        np.concatenate([first.low, second.low]),
        np.concatenate([first.high, second.high]),
        np.concatenate([first.mean, second.mean]),
        np.concatenate([first.starts, second.starts]),
        np.concatenate([first.unknown_from_ns, second.unknown_from_ns]),
        np.concatenate([first.unknown_to_ns, second.unknown_to_ns]),
        np.concatenate([first.unknown_kind, second.unknown_kind]),
        first.parts + second.parts,
    )


def extremes(bucket: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions of the lowest and the highest value of each bucket, in order. `bucket` must not fall; all finite."""
    start = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1))
    size = np.diff(start, append=len(bucket))
    chosen = []
    for reached in (np.minimum.reduceat(value, start), np.maximum.reduceat(value, start)):
        hits = np.flatnonzero(value == np.repeat(reached, size))
        chosen.append(hits[np.flatnonzero(np.diff(bucket[hits], prepend=bucket[:1] - 1))])
    return np.unique(np.concatenate(chosen))


def _bucket_ns(span: Span, buckets: int) -> int:
    return max(1, -(-(span.to_ns - span.from_ns + 1) // max(1, buckets)))


def _whole(span: Span) -> Times:
    return np.array([span.from_ns, span.to_ns], dtype=np.int64)


def _starts(broken: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where the count of what lies behind changes, and at the first sample."""
    return np.not_equal(np.diff(broken, prepend=-1), 0)


def _from_the_last_before(polls: Polls, span: Span) -> Polls:
    first = max(0, int(np.searchsorted(polls.t_ns, span.from_ns)) - 1)
    if first < len(polls.t_ns) and span.from_ns - polls.t_ns[first] > span.stale_after_ns:
        first += 1
    return Polls(polls.t_ns[first:], polls.value[first:], polls.quality[first:])


def _minutes_from_the_last_before(minutes: Minutes, span: Span) -> Minutes:
    """What was last said before the span holds at its begin, unless it is too old by then."""
    minute_ns = minutes.minute_ns
    first = max(0, int(np.searchsorted(minute_ns, span.from_ns - MINUTE_NS, side="right")) - 1)
    if first < len(minute_ns) and span.from_ns - minute_ns[first] - MINUTE_NS > span.stale_after_ns:
        first += 1
    low, high, mean = minutes.low[first:], minutes.high[first:], minutes.mean[first:]
    return Minutes(minute_ns[first:], low, high, mean, minutes.count[first:], minutes.quality[first:])


def _raw_states(polls: Polls, span: Span) -> NDArray[np.uint8]:
    """(p + 1,): what is known before the first reading, and from each reading until the next; 0 is known."""
    if not len(polls.t_ns):
        return np.array([Unknown.MISSING], dtype=np.uint8)
    quality, value = polls.quality[:, 0], polls.value[:, 0]
    bad = (quality == Quality.BAD) | ~np.isfinite(value)
    kind = np.where(bad, Unknown.BAD, np.where(quality == Quality.SUSPECT, Unknown.SUSPECT, 0)).astype(np.uint8)
    silent = np.diff(polls.t_ns, append=span.to_ns) > span.stale_after_ns
    late = polls.t_ns[0] > span.from_ns and span.entry_ns >= span.stale_after_ns
    before = Unknown.MISSING if late or polls.t_ns[0] - span.from_ns > span.stale_after_ns else 0
    return np.concatenate([[np.uint8(before)], np.where(silent, np.uint8(Unknown.MISSING), kind)])


def _minute_states(minutes: Minutes) -> NDArray[np.uint8]:
    quality, usable = minutes.quality[:, 0], minutes.count[:, 0] > 0
    bad = np.where(usable, Unknown.PARTLY, Unknown.BAD)
    state = np.where(quality == Quality.GOOD, 0, np.where(quality == Quality.SUSPECT, Unknown.SUSPECT, bad))
    return np.where((quality == Quality.GOOD) & ~usable, Unknown.BAD, state).astype(np.uint8)


def _minute_edges(minute_ns: Times, state: NDArray[np.uint8], span: Span) -> tuple[Times, NDArray[np.uint8]]:
    """Edges (e + 1,) and the state between them (e,): what was known lasts until the next minute, or its own end."""
    if not len(minute_ns):
        return _whole(span), np.array([Unknown.MISSING], dtype=np.uint8)
    ends_ns = np.append(minute_ns[1:], max(span.to_ns, int(minute_ns[-1]) + 1))
    silent = np.flatnonzero(ends_ns - minute_ns - MINUTE_NS > span.stale_after_ns)
    edges_ns = np.insert(minute_ns, silent + 1, minute_ns[silent] + MINUTE_NS)
    states = np.insert(state, silent + 1, np.uint8(Unknown.MISSING))
    late = minute_ns[0] > span.from_ns and span.entry_ns >= span.stale_after_ns
    before = Unknown.MISSING if late or minute_ns[0] - span.from_ns > max(span.stale_after_ns, MINUTE_NS) else 0
    first_ns = min(span.from_ns, int(minute_ns[0]))
    return np.concatenate([[first_ns], edges_ns, ends_ns[-1:]]), np.concatenate([[np.uint8(before)], states])


def _joined(
    minutes: Minutes, known: NDArray[np.intp], each_ns: int, broken: NDArray[np.intp], span: Span
) -> tuple[Times, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Minutes as spans of `each_ns`: the middle's time, the lowest, the highest, the mean, and where a line begins."""
    if not len(known):
        nothing = np.empty(0)
        return np.empty(0, np.int64), nothing, nothing, nothing, np.empty(0, np.bool_)
    count = minutes.count[known, 0].astype(np.float64)
    bucket = minutes.minute_ns[known] // each_ns
    start = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    low = np.minimum.reduceat(minutes.low[known, 0], start)
    high = np.maximum.reduceat(minutes.high[known, 0], start)
    mean = np.add.reduceat(minutes.mean[known, 0] * count, start) / np.add.reduceat(count, start)
    middle_ns = np.clip(bucket[start] * each_ns + each_ns // 2, span.from_ns, span.to_ns)
    return middle_ns, low, high, mean, _starts(broken[start])


def _intervals(edges_ns: Times, state: NDArray[np.uint8], span: Span) -> tuple[Times, Times, NDArray[np.uint8]]:
    """Runs of one unknown state as (from, to, kind), inside the span; a bounded number of them."""
    change = np.flatnonzero(np.diff(state, prepend=255))
    kind = state[change]
    from_ns = np.maximum(edges_ns[:-1][change], span.from_ns)
    to_ns = np.minimum(edges_ns[np.append(change[1:], len(state))], span.to_ns)
    unknown = (kind > 0) & (to_ns > from_ns)
    from_ns, to_ns, kind = from_ns[unknown], to_ns[unknown], kind[unknown]
    if len(kind) <= span.intervals:
        return from_ns, to_ns, kind
    apart = from_ns[1:] - to_ns[:-1] > _bucket_ns(span, span.intervals)
    first = np.flatnonzero(np.concatenate([[True], apart]))
    last = np.append(first[1:], len(kind)) - 1
    alone = first == last
    return from_ns[first], to_ns[last], np.where(alone, kind[first], Unknown.PARTLY).astype(np.uint8)
