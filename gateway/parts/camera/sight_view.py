"""What a camera's page says of the people it could judge: a line over the picture, shares in words, hours and days.

In: `CameraSight`. Out: rows for templates, on the site's calendar. What nobody knows is a dash and never a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite
from typing import Final

from gateway.model.sight import DAY_H, NOT_JUDGED, CameraSight, Reach, SightHour, Why, added
from screens.formats import local_day, site_time

HOUR_NS: Final = 3_600_000_000_000
LOW_SHARE: Final = 0.5
"""Below it the page asks for another place or lens; the limit of `vision.camera.judges_few`."""


@dataclass(frozen=True, slots=True)
class SightRow:
    """An hour, a day or the last 24 hours. Minutes are whole, shares whole percent rounded down, "–" of nobody."""

    title: str
    total: SightHour

    @property
    def asked_min(self) -> int:
        """Person-minutes of those whose helmet is asked for."""
        return floor(self.total.asked_s / 60)

    @property
    def elsewhere_min(self) -> int:
        """Person-minutes where no helmet is asked for."""
        return floor(self.total.person_s.get(Why.UNWATCHED, 0.0) / 60)

    def percent(self, why: str) -> str:
        """A cause's share of the person-minutes asked, for people to read."""
        part = self.total.part(Why(why))
        return f"{floor(100 * part + 1e-9)} %" if isfinite(part) else "–"

    def minutes(self, of: str) -> int:
        """Of the camera: judged_s, unjudged_s or blind_s."""
        return floor(float(getattr(self.total, of)) / 60)


@dataclass(frozen=True, slots=True)
class SightView:
    """`reasons` of the last 24 hours, the commonest first. `days` and `hours` newest first."""

    day: SightRow
    reasons: tuple[Why, ...]
    reach: Reach | None
    days: tuple[SightRow, ...]
    hours: tuple[SightRow, ...]

    @property
    def enough(self) -> bool:
        """Whether enough was seen for the share to say anything."""
        return isfinite(self.day.total.share)

    @property
    def low(self) -> bool:
        """Whether the share is so low that the site should act."""
        return self.enough and self.day.total.share <= LOW_SHARE


def sight_view(sight: CameraSight) -> SightView:
    """For the page of one camera."""
    by_day: dict[str, list[SightHour]] = {}
    for hour in reversed(sight.hours):
        by_day.setdefault(local_day(hour.hour * HOUR_NS), []).append(hour)
    days = tuple(SightRow(day, added(hours, hours[-1].hour)) for day, hours in by_day.items())
    recent = [hour for hour in reversed(sight.hours) if hour.hour >= sight.day.hour][:DAY_H]
    seen = [why for why in NOT_JUDGED if sight.day.person_s.get(why, 0.0) > 0]
    reasons = tuple(sorted(seen, key=lambda why: -sight.day.person_s[why]))
    return SightView(SightRow("", sight.day), reasons, sight.reach, days, _by_hour(recent))


def _by_hour(hours: Sequence[SightHour]) -> tuple[SightRow, ...]:
    return tuple(SightRow(site_time(hour.hour * HOUR_NS).strftime("%m-%d %H:00"), hour) for hour in hours)
