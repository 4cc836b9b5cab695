"""The load of alarms on the people who answer them: rate, peak, flood, chatter, bad actors, standing alarms.

In: episodes and the spans in which the box watched. Out: counts and shares; None where there is nothing to count from.
The rules of counting are ISA-18.2's and EEMUA 191's as read second hand (M-M); the numbers of chatter and of fleeting
alarms are product design.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.figures.episodes import SEVERITIES, Episodes, Tag
from gateway.figures.spans import Span
from gateway.model.alarm import Severity

TEN_MINUTES_NS = 600_000_000_000
DAY_NS = 86_400_000_000_000
ZONE_NS = 8 * 3_600_000_000_000
CHATTER_RAISES = 3
CHATTER_NS = 60_000_000_000
FLEETING_NS = 30_000_000_000
"""Over before anybody could have read it and acted (PD)."""
BAD_ACTORS = 10


@dataclass(frozen=True, slots=True)
class TagCount:
    """How often one tag was raised."""

    tag: Tag
    raises: int


@dataclass(frozen=True, slots=True)
class FloodShare:
    """Of `windows` ten-minute windows that were watched, `flooded` had more alarms than people can take."""

    windows: int
    flooded: int

    @property
    def share(self) -> float | None:
        """0 to 1; None when no window was watched."""
        return self.flooded / self.windows if self.windows else None


def peak(raised_at_ns: NDArray[np.int64], within_ns: int = TEN_MINUTES_NS) -> int:
    """The most raises (in order) within any such time, wherever it begins: a window that is closed at both ends."""
    if not len(raised_at_ns):
        return 0
    ends = np.searchsorted(raised_at_ns, raised_at_ns + within_ns, side="right")
    return int((ends - np.arange(len(raised_at_ns))).max())


def flood_share(raised_at_ns: NDArray[np.int64], watched: Sequence[Span], most: int) -> FloodShare:
    """Ten-minute windows with more than `most` raises. Windows without any alarm count, those without any watch not."""
    seen = [
        np.arange(span.from_ns // TEN_MINUTES_NS, -(-span.to_ns // TEN_MINUTES_NS), dtype=np.int64) for span in watched
    ]
    windows = np.unique(np.concatenate(seen)) if seen else np.empty(0, dtype=np.int64)
    hit, raises = np.unique(raised_at_ns // TEN_MINUTES_NS, return_counts=True)
    flooded = np.isin(hit[raises > most], windows)
    return FloodShare(len(windows), int(flooded.sum()))


def chattering(episodes: Episodes) -> tuple[TagCount, ...]:
    """Tags that were raised at least three times within a minute, and how many raises took part; the worst first."""
    order = np.lexsort((episodes.raised_at_ns, episodes.tag))
    tag, raised = episodes.tag[order], episodes.raised_at_ns[order]
    ahead = CHATTER_RAISES - 1
    if len(tag) <= ahead:
        return ()
    first = (tag[ahead:] == tag[:-ahead]) & (raised[ahead:] - raised[:-ahead] <= CHATTER_NS)
    part = np.zeros(len(tag), dtype=np.bool_)
    for step in range(CHATTER_RAISES):
        part[step : step + len(first)] |= first
    return _counted(episodes, tag[part])


def fleeting(episodes: Episodes) -> int:
    """How many were over within half a minute without anybody's answer."""
    returned = episodes.returned_at_ns
    over = (returned > 0) & (returned - episodes.raised_at_ns <= FLEETING_NS)
    answered = (episodes.acknowledged_at_ns > 0) & (episodes.acknowledged_at_ns <= returned)
    return int((over & ~answered).sum())


def bad_actors(episodes: Episodes) -> tuple[TagCount, ...]:
    """The ten tags that were raised most often."""
    return _counted(episodes, episodes.tag)[:BAD_ACTORS]


def standing(episodes: Episodes, at_ns: int, after_ns: int = DAY_NS) -> int:
    """How many had been active for longer than a day at a moment."""
    return int(_standing(episodes, np.array([at_ns], dtype=np.int64), after_ns)[0])


def standing_by_day(episodes: Episodes, window: Span, after_ns: int = DAY_NS) -> NDArray[np.int64]:
    """How many had been active for longer than a day at the end of each local day (UTC+8) of the window."""
    first = (window.from_ns + ZONE_NS) // DAY_NS + 1
    ends = np.arange(first, (window.to_ns + ZONE_NS) // DAY_NS + 1, dtype=np.int64) * DAY_NS - ZONE_NS
    return _standing(episodes, ends, after_ns)


def mix(episodes: Episodes) -> dict[Severity, int]:
    """How many there were of each priority."""
    counts = np.bincount(episodes.severity, minlength=len(SEVERITIES))
    return {severity: int(counts[i]) for i, severity in enumerate(SEVERITIES) if severity is not Severity.LOG}


def _standing(episodes: Episodes, at_ns: NDArray[np.int64], after_ns: int) -> NDArray[np.int64]:
    """Raised long enough before, and not yet returned then. What ended unseen is not counted as standing for ever."""
    placed = (episodes.returned_at_ns > 0) | episodes.open
    begun = np.sort(episodes.raised_at_ns[placed] + after_ns)
    ended = episodes.returned_at_ns[placed & (episodes.returned_at_ns - episodes.raised_at_ns > after_ns)]
    return np.searchsorted(begun, at_ns, side="left") - _short(episodes, at_ns, after_ns) - _until(ended, at_ns)


def _short(episodes: Episodes, at_ns: NDArray[np.int64], after_ns: int) -> NDArray[np.int64]:
    """Of those raised long enough before: the ones that never lasted that long."""
    returned = episodes.returned_at_ns
    brief = episodes.raised_at_ns[(returned > 0) & (returned - episodes.raised_at_ns <= after_ns)] + after_ns
    return np.searchsorted(np.sort(brief), at_ns, side="left")


def _until(ended_ns: NDArray[np.int64], at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(np.sort(ended_ns), at_ns, side="right")


def _counted(episodes: Episodes, tags: NDArray[np.int32]) -> tuple[TagCount, ...]:
    numbers, raises = np.unique(tags, return_counts=True)
    found = [TagCount(episodes.tags[int(i)], int(n)) for i, n in zip(numbers, raises, strict=True)]
    return tuple(sorted(found, key=lambda each: (-each.raises, each.tag.rule_id, each.tag.subject)))
