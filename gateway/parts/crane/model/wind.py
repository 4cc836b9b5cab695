"""Means of the wind: over 1 s and 3 s, over 2 and 10 minutes, the largest 3 s mean of 10 minutes, and its force.

In: speeds and when they were observed. Out: `Wind`. Knows nothing of limits. No clause says over how long the wind that
a limit means is averaged (standards reference 1.6): the spans are product design (PD), the 3 s and 10 min ones after
WMO practice for gusts and means.

    sample stands for    |--- w ---|--- w ---|     hole     |- hold -|--- w ---|
                         x         x         x                       x         x        t

Means are weighted by time: a sample stands for the time since the one before it, and for no more than the hold, so a
hole in the data is not filled. A mean whose span is not covered well enough is not known (NaN), never widened.

An anemometer that is read more seldom than its hold, but regularly and at least every 30 s, has no 3 s mean: there the
sample itself is said in its place. The wind that a crane's alarm means is the instantaneous one (GB 6067.1 9.6.1.2, V2;
standards reference 1.6), and no alarm at all would be worse than one on a single sample.

The short means keep samples of the last 3 s, at most one in 20 ms. The long ones keep a ring of one-second buckets, so
memory is bounded whatever the rate, and their spans are whole buckets with the newest one still filling. All sums are
whole numbers (micrometres a second, nanoseconds), hence exact: no drift over months.
"""

from bisect import bisect_right
from collections import deque
from math import isnan, nan
from typing import NamedTuple

from gateway.model.derivation import Json
from gateway.model.kept_state import items, kept, known, mapping, numbers, optional_whole, whole, wholes
from gateway.parts.crane.model.parameters import WindParameters

SECOND_NS = 1_000_000_000
_SPARSEST_NS = 20_000_000
_SELDOM_NS = 30 * SECOND_NS
"""Longest regular interval at which a single sample stands for the wind. PD: platforms are told every 20 s."""
_TEN_MINUTES = 600
_TWO_MINUTES = 120
BEAUFORT_FROM_M_S = (0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7)


class Wind(NamedTuple):
    """Speeds in m/s, NaN where not known."""

    mean_1s_m_s: float
    mean_3s_m_s: float
    gust_3s_m_s: float
    mean_2min_m_s: float
    mean_10min_m_s: float


UNKNOWN = Wind(nan, nan, nan, nan, nan)


def beaufort(speed_m_s: float) -> float:
    """Wind force (风力等级) 0 to 12 by its lower bounds; NaN for NaN. Standards reference 1.6, M-H."""
    if isnan(speed_m_s):
        return nan
    return float(bisect_right(BEAUFORT_FROM_M_S, speed_m_s))


class WindMeans:
    """The wind at one crane. Feed it with rising times (ns, any origin that stays the same)."""

    def __init__(self, parameters: WindParameters) -> None:
        self._coverage = parameters.coverage
        self._hold_ns = int(parameters.hold_s * SECOND_NS)
        self._short = (
            _ShortMean(SECOND_NS, self._hold_ns, self._coverage),
            _ShortMean(3 * SECOND_NS, self._hold_ns, self._coverage),
        )
        self._long = _LongMeans(self._hold_ns, int(parameters.mean_hold_s * SECOND_NS), self._coverage)
        self._heard_ns: int | None = None
        self._interval_ns = 0
        self._said = UNKNOWN

    def add(self, t_ns: int, speed_m_s: float) -> Wind:
        """Take a sample observed at `t_ns` (NaN: there was none) and say what is known now.

        A sample within 20 ms of the last one is left out.
        """
        if isnan(speed_m_s):
            said = self._without(t_ns)
            self._heard_ns = t_ns if self._heard_ns is not None else None
            return said
        if self._heard_ns is not None and t_ns - self._heard_ns < _SPARSEST_NS:
            return self._said
        since_ns = 0 if self._heard_ns is None else t_ns - self._heard_ns
        self._heard_ns = t_ns
        speed = round(speed_m_s * 1e6)
        one, three = self._short[0].add(t_ns, since_ns, speed), self._short[1].add(t_ns, since_ns, speed)
        seldom = self._hold_ns < since_ns <= _SELDOM_NS and self._hold_ns < self._interval_ns <= _SELDOM_NS
        self._interval_ns = since_ns
        if seldom:
            one, three = (speed_m_s if isnan(mean) else mean for mean in (one, three))
        self._said = Wind(one, three, *self._long.add(t_ns, since_ns, speed, three))
        return self._said

    def silent(self, t_ns: int) -> Wind:
        """What is known at `t_ns` when nothing new was observed: the same, until the last sample is too old."""
        hold_ns = self._hold_ns
        if hold_ns < self._interval_ns <= _SELDOM_NS:
            hold_ns = self._interval_ns * 3 // 2
        if self._heard_ns is None or t_ns - self._heard_ns <= hold_ns:
            return self._said
        return self._without(t_ns)

    def _without(self, t_ns: int) -> Wind:
        if self._heard_ns is None:
            return UNKNOWN
        self._said = Wind(nan, nan, *self._long.at(t_ns))
        return self._said

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "heard_ns": self._heard_ns,
            "interval_ns": self._interval_ns,
            "short": [mean.saved() for mean in self._short],
            "long": self._long.saved(),
            "said": [kept(each) for each in self._said],
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        for mean, each in zip(self._short, items(state.get("short"), 2), strict=True):
            mean.restore(each)
        self._long.restore(state.get("long"))
        self._heard_ns = optional_whole(state.get("heard_ns"))
        self._interval_ns = optional_whole(state.get("interval_ns")) or 0
        self._said = Wind(*[known(each) for each in items(state.get("said"), 5)])


class _ShortMean:
    """Mean over (t - span, t], exact to the part of a sample that has left the span."""

    def __init__(self, span_ns: int, hold_ns: int, coverage: float) -> None:
        self._span_ns = span_ns
        self._hold_ns = hold_ns
        self._least_ns = coverage * span_ns
        self._kept: deque[tuple[int, int, int]] = deque()
        self._covered_ns = 0
        self._integral = 0

    def add(self, t_ns: int, since_ns: int, speed: int) -> float:
        """The mean (m/s) with this sample (µm/s), which came `since_ns` after the one before."""
        weight_ns = since_ns if since_ns < self._hold_ns else self._hold_ns
        samples = self._kept
        samples.append((t_ns, weight_ns, speed))
        covered_ns, integral = self._covered_ns + weight_ns, self._integral + weight_ns * speed
        begin_ns = t_ns - self._span_ns
        oldest_ns, weight_ns, speed = samples[0]
        while oldest_ns <= begin_ns:
            covered_ns -= weight_ns
            integral -= weight_ns * speed
            samples.popleft()
            oldest_ns, weight_ns, speed = samples[0]
        self._covered_ns, self._integral = covered_ns, integral
        left_ns = begin_ns - (oldest_ns - weight_ns)
        if left_ns > 0:
            covered_ns, integral = covered_ns - left_ns, integral - left_ns * speed
        if covered_ns == 0 or covered_ns < self._least_ns:
            return nan
        return integral / covered_ns / 1e6

    def saved(self) -> Json:
        return [list(each) for each in self._kept]

    def restore(self, saved: Json) -> None:
        self._kept = deque((each[0], each[1], each[2]) for each in (wholes(each, 3) for each in items(saved)))
        self._covered_ns = sum(weight_ns for _, weight_ns, _ in self._kept)
        self._integral = sum(weight_ns * speed for _, weight_ns, speed in self._kept)


class _LongMeans:
    """Two and ten minutes of one-second buckets, counted from the first sample."""

    def __init__(self, gust_hold_ns: int, hold_ns: int, coverage: float) -> None:
        self._gust_hold_ns = gust_hold_ns
        self._hold_ns = hold_ns
        self._least_2min_ns, self._least_10min_ns = (
            coverage * span_s * SECOND_NS for span_s in (_TWO_MINUTES, _TEN_MINUTES)
        )
        self._origin_ns: int | None = None
        self._now = 0
        self._covered = [0] * _TEN_MINUTES
        self._integral = [0] * _TEN_MINUTES
        self._gusted = [0] * _TEN_MINUTES
        self._sum_10min = [0, 0]
        self._sum_2min = [0, 0]
        self._gusts_known_ns = 0
        self._gusts: deque[tuple[int, float]] = deque()

    def add(self, t_ns: int, since_ns: int, speed: int, gust_m_s: float) -> tuple[float, float, float]:
        """Gust, 2 and 10 minute mean (m/s) with this sample (µm/s) and the 3 s mean at its time."""
        self._advance(t_ns)
        weight_ns = min(since_ns, self._hold_ns)
        way = weight_ns * speed
        slot = self._now % _TEN_MINUTES
        for total in (self._sum_10min, self._sum_2min):
            total[0] += weight_ns
            total[1] += way
        self._covered[slot] += weight_ns
        self._integral[slot] += way
        if not isnan(gust_m_s):
            self._note_gust(slot, min(since_ns, self._gust_hold_ns), gust_m_s)
        return self._means()

    def at(self, t_ns: int) -> tuple[float, float, float]:
        """The same at a time without a sample."""
        self._advance(t_ns)
        return self._means()

    def _note_gust(self, slot: int, weight_ns: int, gust_m_s: float) -> None:
        self._gusted[slot] += weight_ns
        self._gusts_known_ns += weight_ns
        while self._gusts and self._gusts[-1][1] <= gust_m_s:
            self._gusts.pop()
        self._gusts.append((self._now, gust_m_s))

    def _means(self) -> tuple[float, float, float]:
        gust_m_s = nan
        if self._gusts and self._gusts_known_ns >= self._least_10min_ns:
            gust_m_s = self._gusts[0][1]
        return gust_m_s, _mean(self._sum_2min, self._least_2min_ns), _mean(self._sum_10min, self._least_10min_ns)

    def _advance(self, t_ns: int) -> None:
        """Let go of the buckets that have left the spans; after a long hole all have."""
        if self._origin_ns is None:
            self._origin_ns = t_ns
        now = (t_ns - self._origin_ns) // SECOND_NS
        if now <= self._now:
            return
        if now - self._now >= _TEN_MINUTES:
            self._clear()
            self._now = now
        for bucket in range(self._now + 1, now + 1):
            left = (bucket - _TWO_MINUTES) % _TEN_MINUTES
            self._sum_2min[0] -= self._covered[left]
            self._sum_2min[1] -= self._integral[left]
            slot = bucket % _TEN_MINUTES
            self._sum_10min[0] -= self._covered[slot]
            self._sum_10min[1] -= self._integral[slot]
            self._gusts_known_ns -= self._gusted[slot]
            self._covered[slot] = self._integral[slot] = 0
            self._gusted[slot] = 0
        self._now = now
        while self._gusts and self._gusts[0][0] <= self._now - _TEN_MINUTES:
            self._gusts.popleft()

    def _clear(self) -> None:
        for ring in (self._covered, self._integral):
            ring[:] = [0] * _TEN_MINUTES
        self._gusted = [0] * _TEN_MINUTES
        self._sum_10min, self._sum_2min = [0, 0], [0, 0]
        self._gusts_known_ns = 0
        self._gusts.clear()

    def saved(self) -> Json:
        return {
            "origin_ns": self._origin_ns,
            "now": self._now,
            "covered": list(self._covered),
            "integral": list(self._integral),
            "gusted": list(self._gusted),
            "gusts": [list(each) for each in self._gusts],
        }

    def restore(self, saved: Json) -> None:
        state = mapping(saved)
        self._origin_ns = optional_whole(state.get("origin_ns"))
        self._now = whole(state.get("now"))
        self._covered = wholes(state.get("covered"), _TEN_MINUTES)
        self._integral = wholes(state.get("integral"), _TEN_MINUTES)
        self._gusted = wholes(state.get("gusted"), _TEN_MINUTES)
        self._gusts = deque((int(at), gust) for at, gust in (numbers(each, 2) for each in items(state.get("gusts"))))
        self._gusts_known_ns = sum(self._gusted)
        lately = [(self._now - back) % _TEN_MINUTES for back in range(_TWO_MINUTES)]
        self._sum_10min = [sum(self._covered), sum(self._integral)]
        self._sum_2min = [sum(self._covered[i] for i in lately), sum(self._integral[i] for i in lately)]


def _mean(total: list[int], least_ns: float) -> float:
    """m/s of [time ns, µm/s x ns]; NaN with less than `least_ns`."""
    covered_ns, integral = total
    if covered_ns == 0 or covered_ns < least_ns:
        return nan
    return integral / covered_ns / 1e6
