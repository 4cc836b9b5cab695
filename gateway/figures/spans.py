"""Spans of time, and when the box was running: an hour in which nobody watched is no quiet hour.

    chain      started ------- stopped   started ---- X (power cut)   started ----
    running    [................]        [...........]                [...........  now

In: what the chain says of starts and stops. Out: spans, in order, that do not overlap. Times are UTC ns, ends excluded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `from_ns` until just before `to_ns`."""

    from_ns: int
    to_ns: int

    @property
    def seconds(self) -> float:
        """How long the span is, in seconds."""
        return max(0, self.to_ns - self.from_ns) / 1e9

    def overlap(self, other: "Span") -> "Span | None":
        """What both have in common; None when that is nothing."""
        cut = Span(max(self.from_ns, other.from_ns), min(self.to_ns, other.to_ns))
        return cut if cut.to_ns > cut.from_ns else None


@dataclass(frozen=True, slots=True)
class BoxStart:
    """A start of the box. `heard_before_ns` is the latest time that the run before it is known to have reached (0:
    there was none); `clean` says that the run before it ended by a sealed stop."""

    at_ns: int
    heard_before_ns: int
    clean: bool


def running_spans(starts: Sequence[BoxStart], until_ns: int) -> tuple[Span, ...]:
    """When the box ran, from its starts in the order of the chain. The last run goes on until `until_ns`.

    A run that ended in a power cut ends where it was last heard. A run that would end before it began (a clock was set
    back) is left out: what cannot be placed in time counts as not watched.
    """
    ends = [start.heard_before_ns for start in starts[1:]] + [until_ns]
    runs = (Span(start.at_ns, end) for start, end in zip(starts, ends, strict=False))
    return joined(run for run in runs if run.to_ns > run.from_ns)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in order, without overlaps."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.from_ns <= found[-1].to_ns:
            found[-1] = Span(found[-1].from_ns, max(found[-1].to_ns, span.to_ns))
        else:
            found.append(span)
    return tuple(found)


def within(spans: Iterable[Span], window: Span) -> tuple[Span, ...]:
    """The part of the spans that lies in a window."""
    cuts = (span.overlap(window) for span in spans)
    return tuple(cut for cut in cuts if cut is not None)


def gaps(spans: Sequence[Span], window: Span) -> tuple[Span, ...]:
    """The part of a window that no span covers; `spans` as `joined` gives them."""
    edges = [window.from_ns]
    for span in within(spans, window):
        edges += [span.from_ns, span.to_ns]
    edges.append(window.to_ns)
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple(Span(begin, end) for begin, end in pairs if end > begin)


def total_s(spans: Iterable[Span]) -> float:
    """How long these spans are together, in seconds."""
    return sum(span.seconds for span in spans)


def covered(at_ns: NDArray[np.int64], spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which moments (n,) lie in one of the spans, as `joined` gives them."""
    if not spans:
        return np.zeros(len(at_ns), dtype=np.bool_)
    begins = np.array([span.from_ns for span in spans], dtype=np.int64)
    ends = np.array([span.to_ns for span in spans], dtype=np.int64)
    nearest = np.searchsorted(begins, at_ns, side="right") - 1
    return (nearest >= 0) & (at_ns < ends[np.maximum(nearest, 0)])
