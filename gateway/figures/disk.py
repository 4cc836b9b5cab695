r"""Days until the disk is full, from measured growth.

    free |\
         | \  history and alarms grow
         |  \____                      <- the history has reached its bound and grows no more
         |       \____  alarms alone
         +------------\------ days

In: sizes, and what was added over which time. Out: days, or None while too little has been measured. Pure.
"""

from dataclasses import dataclass

LEAST_MEASURED_S = 6 * 3600.0
"""Less history than this says nothing of a day (PD)."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """Bytes. `added` came to the history within `added_over_s`; the alarms' file holds `alarms` since `alarms_over_s`.

    `kept_s` is how far back the raw history reaches.
    """

    free: int
    history: int
    history_bound: int
    added: int
    added_over_s: float
    alarms: int
    alarms_over_s: float
    kept_s: float


@dataclass(frozen=True, slots=True)
class DiskOutlook:
    """Growth in bytes a day, and days; None where too little was measured, or where nothing grows.

    `days_to_bound` is until the oldest raw history leaves; that is meant to happen. `days_left` is until the disk is
    full.
    """

    facts: DiskFacts
    history_a_day: float | None
    alarms_a_day: float | None
    days_to_bound: float | None
    days_left: float | None

    @property
    def measured(self) -> bool:
        """Whether there is enough history to say anything."""
        return self.history_a_day is not None


def disk_outlook(facts: DiskFacts) -> DiskOutlook:
    """What the growth up to now comes to."""
    history = _a_day(facts.added, facts.added_over_s)
    alarms = _a_day(facts.alarms, facts.alarms_over_s)
    if history is None or alarms is None:
        return DiskOutlook(facts, history, alarms, None, None)
    to_bound = max(0, facts.history_bound - facts.history) / history if history > 0 else None
    return DiskOutlook(facts, history, alarms, to_bound, _left(facts.free, history, alarms, to_bound))


def _a_day(added: int, over_s: float) -> float | None:
    return added / over_s * DAY_S if over_s >= LEAST_MEASURED_S else None


def _left(free: int, history: float, alarms: float, to_bound_days: float | None) -> float | None:
    """Both grow until the history has reached its bound, then the alarms alone."""
    both = history + alarms
    if both <= 0:
        return None
    if to_bound_days is None or free <= to_bound_days * both:
        return free / both
    return to_bound_days + (free - to_bound_days * both) / alarms if alarms > 0 else None
