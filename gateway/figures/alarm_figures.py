"""The figures of one window, all of them, with what they rest on.

In: a question (window, operator positions, the flood line) and what was found for it. Out: `AlarmFigures`. A figure
that cannot be known is None and is shown as unknown, never as nought.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.figures.alarm_load import (
    DAY_NS,
    FloodShare,
    TagCount,
    bad_actors,
    chattering,
    fleeting,
    flood_share,
    mix,
    peak,
    standing,
    standing_by_day,
)
from gateway.figures.answering import Durations, Share, late, time_active, time_to_acknowledge
from gateway.figures.episodes import Episodes
from gateway.figures.spans import Span, covered, gaps, total_s, within
from gateway.model.alarm import Severity

INDICATIVE_BELOW_S = 30 * 86_400.0
"""ISA-18.2 as read second hand (M-M): the alarm load is judged over at least 30 days."""
PRIORITIES = (Severity.P1, Severity.P2, Severity.P3)


@dataclass(frozen=True, slots=True)
class Question:
    """A window, how many people answer alarms side by side, and how many alarms in ten minutes one can take."""

    window: Span
    positions: int = 1
    flood_alarms: int = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What the store holds: episodes (those that were raised earlier and reach into the window as well) and when the
    box ran, in order and without overlaps."""

    episodes: Episodes
    running: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Alarms that were active for longer than a day: at the window's end, and at the end of its worst local day."""

    at_end: int
    worst_day: int | None


@dataclass(frozen=True, slots=True)
class AlarmFigures:
    """One window. `n` alarms called for somebody; rates are for one operator position, over the time that was watched.

    `unwatched` are the parts of the window in which the box did not run.
    """

    question: Question
    n: int
    watched_s: float
    unwatched: tuple[Span, ...]
    per_hour: float | None
    per_ten_minutes: float | None
    peak_ten_minutes: float | None
    flood: FloodShare
    standing: Standing
    chattering: tuple[TagCount, ...]
    fleeting: Share
    bad_actors: tuple[TagCount, ...]
    bad_actor_share: float | None
    mix: Mapping[Severity, int]
    acknowledged: Mapping[Severity, Durations]
    p1_late: Share
    active: Durations

    @property
    def indicative(self) -> bool:
        """Whether the window is too short to judge by."""
        return self.watched_s < INDICATIVE_BELOW_S


def alarm_figures(question: Question, found: Found) -> AlarmFigures:
    """Every figure that the question asks, counted from what was found."""
    window = question.window
    watched = within(found.running, window)
    calling = found.episodes.calling
    inside = (calling.raised_at_ns >= window.from_ns) & (calling.raised_at_ns < window.to_ns)
    asked = calling.where(inside & covered(calling.raised_at_ns, watched))
    worst = bad_actors(asked)
    n, watched_s = len(asked), total_s(watched)
    return AlarmFigures(
        question=question,
        n=n,
        watched_s=watched_s,
        unwatched=gaps(watched, window),
        per_hour=_rate(n, watched_s / 3600.0, question.positions),
        per_ten_minutes=_rate(n, watched_s / 600.0, question.positions),
        peak_ten_minutes=peak(asked.raised_at_ns) / question.positions if watched_s else None,
        flood=flood_share(asked.raised_at_ns, watched, question.flood_alarms * question.positions),
        standing=_standing(calling, watched, window),
        chattering=chattering(asked),
        fleeting=Share(fleeting(asked), n),
        bad_actors=worst,
        bad_actor_share=sum(each.raises for each in worst) / n if n else None,
        mix=mix(asked),
        acknowledged={severity: time_to_acknowledge(asked.of(severity)) for severity in PRIORITIES},
        p1_late=late(asked.of(Severity.P1), window.to_ns),
        active=time_active(asked),
    )


def _rate(n: int, units: float, positions: int) -> float | None:
    """Unknown while less than one unit was watched: a minute with one alarm is no hour with sixty."""
    return n / units / positions if units >= 1 else None


def _standing(episodes: Episodes, watched: Sequence[Span], window: Span) -> Standing:
    """Whole days only; a window without one has no worst day."""
    if not watched:
        return Standing(standing(episodes, window.to_ns), None)
    days = standing_by_day(episodes, Span(max(window.from_ns, watched[0].from_ns), window.to_ns), DAY_NS)
    return Standing(standing(episodes, window.to_ns), int(days.max()) if len(days) else None)
