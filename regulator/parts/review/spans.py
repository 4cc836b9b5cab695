"""The time axes of an item: one for its stills, its clip and its curve together.

    wide   half an hour before the alarm to ten minutes after it
    close  what the pictures cover, at least ten seconds before and after: there where stills or a clip came

In: when it was raised, its pictures. Out: spans in UTC ns. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from regulator.parts.review.pictures import Picture

SECOND_NS: Final = 1_000_000_000
BEFORE_NS, AFTER_NS = 1800 * SECOND_NS, 600 * SECOND_NS
CLOSE_NS: Final = 10 * SECOND_NS
FARTHEST_NS: Final = 300 * SECOND_NS
"""A picture farther from the alarm than this does not stretch the close axis: a clock was wrong, or it came by hand."""


class SpanName(Enum):
    """Which span of time the curve's axis shows."""

    CLOSE = "close"
    WIDE = "wide"


@dataclass(frozen=True, slots=True)
class Span:
    """From, to (UTC ns). `gap_ns`: beyond it two values are not joined, and the time between them is unknown."""

    name: SpanName
    from_ns: int
    to_ns: int
    gap_ns: int


def wide_span(raised_at_ns: int) -> Span:
    """Minutes: a minute's value stands in its middle, one may be missing."""
    return Span(SpanName.WIDE, raised_at_ns - BEFORE_NS, raised_at_ns + AFTER_NS, 150 * SECOND_NS)


def close_span(raised_at_ns: int, pictures: Sequence[Picture]) -> Span:
    """The close span about an alarm, wide enough for its pictures."""
    near = range(raised_at_ns - FARTHEST_NS, raised_at_ns + FARTHEST_NS)
    ends = [end for each in pictures for end in (each.at_ns, each.at_ns + each.duration_ms * 1_000_000) if end in near]
    first = min([raised_at_ns - CLOSE_NS, *ends])
    last = max([raised_at_ns + CLOSE_NS, *ends])
    return Span(SpanName.CLOSE, first, last, 5 * SECOND_NS)


def spans_of(raised_at_ns: int, pictures: Sequence[Picture]) -> tuple[Span, ...]:
    """The axes that an item has, the first one first shown."""
    moving = [each for each in pictures if not each.blurred]
    wide = wide_span(raised_at_ns)
    return (close_span(raised_at_ns, moving), wide) if moving else (wide,)
