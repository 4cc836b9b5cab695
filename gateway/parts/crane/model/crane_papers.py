"""Whether a crane is used as its papers allow: registered, its climb checked, its driver certified.

In: what it does, and `Papers`. Out: 0 in order, 1 not, NaN not known. Papers are asked when it matters and at most
every ten seconds; a new driver number is asked about at once. Knows neither dates nor people.
"""

from math import isnan, nan
from typing import NamedTuple

from gateway.model.papers import Papers
from gateway.parts.crane.model.cycle_record import driver_text

SECOND_NS = 1_000_000_000
_ASK_EVERY_NS = 10 * SECOND_NS


class PaperFaults(NamedTuple):
    """1: the papers do not allow what is being done; 0: they do, or nothing is being done; NaN: not known."""

    climbing_unchecked: float
    unregistered_use: float
    driver_uncertified: float


UNKNOWN = PaperFaults(nan, nan, nan)


class _Answer:
    """One question's last answer: None not known."""

    def __init__(self) -> None:
        self.said: bool | None = None
        self.about = ""
        self._asked_ns: int | None = None

    def due(self, now_ns: int, about: str = "") -> bool:
        """Whether to ask again; also when the clock went back."""
        fresh = self._asked_ns is not None and 0 <= now_ns - self._asked_ns < _ASK_EVERY_NS
        if fresh and about == self.about:
            return False
        self._asked_ns, self.about = now_ns, about
        return True


class PaperWatch:
    """The papers of one crane, watched. Without papers nothing is known."""

    def __init__(self, papers: Papers | None) -> None:
        self._papers = papers
        self._checked, self._registered, self._certified = _Answer(), _Answer(), _Answer()

    def step(self, now_ns: int, climbing: bool | None, used: bool | None, driver_no: float) -> PaperFaults:
        """Judge what is being done at `now_ns` (UTC)."""
        if self._papers is None:
            return UNKNOWN
        papers = self._papers
        if climbing and self._checked.due(now_ns):
            self._checked.said = papers.climb_checked(now_ns)
        if used and self._registered.due(now_ns):
            self._registered.said = papers.registered(now_ns)
        driver = driver_text(driver_no)
        if used and driver is not None and self._certified.due(now_ns, driver):
            self._certified.said = papers.driver_certified(driver, now_ns)
        certified = None if isnan(driver_no) else self._certified.said
        return PaperFaults(
            _fault(climbing, self._checked.said), _fault(used, self._registered.said), _fault(used, certified)
        )


def _fault(done: bool | None, allowed: bool | None) -> float:
    if done is False:
        return 0.0
    if done is None or allowed is None:
        return nan
    return 0.0 if allowed else 1.0
