"""What a camera could judge of the people it saw: person-seconds by hour and why, and from which row of its picture on.

In: nothing. Out: plain records that `vision.sight` fills and screens show. A **person-second** is one person in sight
for one second. A share is of the people whose helmet is asked for; too few of them give no share (NaN), never 100 %.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import nan
from typing import Final

DAY_H: Final = 24
ENOUGH_PERSON_S: Final = 600.0
"""Ten person-minutes: below that a share says nothing of a camera. PD"""


class Why(StrEnum):
    """What became of one person in one frame: judged, or why not. UNWATCHED: no helmet is asked for there."""

    JUDGED = "judged"
    TOO_SMALL = "too_small"
    CUT = "cut_by_frame"
    NO_HEAD = "no_head"
    UNCLEAR = "unclear"
    UNWATCHED = "unwatched"


NOT_JUDGED: Final = (Why.TOO_SMALL, Why.CUT, Why.NO_HEAD, Why.UNCLEAR)


@dataclass(frozen=True, slots=True)
class SightHour:
    """One hour of a camera, or several added up. `hour`: whole hours since 1970, UTC. `person_s`: person-seconds by
    what became of them. Seconds of the camera: `judged_s` nobody in sight, or half of them and more judged,
    `unjudged_s` fewer than half, `blind_s` the picture not usable or nothing that judges it."""

    hour: int
    person_s: Mapping[Why, float]
    judged_s: float = 0.0
    unjudged_s: float = 0.0
    blind_s: float = 0.0

    @property
    def asked_s(self) -> float:
        """Person-seconds of those whose helmet is asked for."""
        return sum(self.person_s.get(why, 0.0) for why in (Why.JUDGED, *NOT_JUDGED))

    def part(self, why: Why) -> float:
        """Share of `asked_s`, 0..1; NaN of nobody."""
        asked_s = self.asked_s
        return self.person_s.get(why, 0.0) / asked_s if asked_s else nan

    @property
    def share(self) -> float:
        """Share that was judged, 0..1; NaN below `ENOUGH_PERSON_S`."""
        return self.part(Why.JUDGED) if self.asked_s >= ENOUGH_PERSON_S else nan


@dataclass(frozen=True, slots=True)
class Reach:
    """Rows of the picture as fractions from its upper edge, by the feet of people. Between `seen_from` and `seen_to`
    people were seen; from `judged_from` down their heads are large enough, None when nowhere. Above `seen_from` nobody
    was seen: nothing is known there."""

    seen_from: float
    seen_to: float
    judged_from: float | None


@dataclass(frozen=True, slots=True)
class CameraSight:
    """`hours` oldest first, those without a frame left out; `day` the last 24 of them added up. `reach` is None before
    enough people were seen."""

    hours: tuple[SightHour, ...]
    day: SightHour
    reach: Reach | None


def added(hours: Iterable[SightHour], hour: int) -> SightHour:
    """Several hours as one row that begins with `hour`."""
    person_s = dict.fromkeys(Why, 0.0)
    judged_s = unjudged_s = blind_s = 0.0
    for each in hours:
        for why, seconds in each.person_s.items():
            person_s[why] += seconds
        judged_s, unjudged_s, blind_s = judged_s + each.judged_s, unjudged_s + each.unjudged_s, blind_s + each.blind_s
    return SightHour(hour, person_s, judged_s, unjudged_s, blind_s)
