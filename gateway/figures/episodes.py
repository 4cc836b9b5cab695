"""Alarm episodes as columns: what the figures are counted from.

In: made by the store's reader. Out: read by the calculations. Knows neither files nor screens.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.alarm import Severity

SEVERITIES: tuple[Severity, ...] = (Severity.P1, Severity.P2, Severity.P3, Severity.LOG)
"""A severity's place here is its number in the column."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What can alarm: one rule on one subject."""

    rule_id: str
    subject: str


@dataclass(frozen=True, slots=True, eq=False)
class Episodes:
    """Episodes in the order in which they were raised; every column is (n,). Times are UTC ns, 0 = not yet.

    `tag` counts in `tags`, `severity` in `SEVERITIES`. `open` is still on the list. An episode that is neither open nor
    returned ended in a way that nobody saw: another one of the same tag took its place.
    """

    raised_at_ns: NDArray[np.int64]
    acknowledged_at_ns: NDArray[np.int64]
    returned_at_ns: NDArray[np.int64]
    severity: NDArray[np.uint8]
    tag: NDArray[np.int32]
    open: NDArray[np.bool_]
    tags: tuple[Tag, ...]

    def __len__(self) -> int:
        return len(self.raised_at_ns)

    def where(self, chosen: NDArray[np.bool_]) -> "Episodes":
        """Those of them for which `chosen` says yes."""
        return Episodes(
            self.raised_at_ns[chosen],
            self.acknowledged_at_ns[chosen],
            self.returned_at_ns[chosen],
            self.severity[chosen],
            self.tag[chosen],
            self.open[chosen],
            self.tags,
        )

    @property
    def calling(self) -> "Episodes":
        """Those that ask somebody for something: all but LOG."""
        return self.where(self.severity != SEVERITIES.index(Severity.LOG))

    def of(self, severity: Severity) -> "Episodes":
        """Those of them that have this one severity."""
        return self.where(self.severity == SEVERITIES.index(severity))
