"""How many working cycles, by whom and in which shift: the running ledger (台账) of a crane.

In: each finished cycle's tally. Out: counts for the whole crane, by driver and by shift. Bounded: 64 drivers and 62
shifts (a month of two), of which the longest unused go first, into the crane's total only. Source: product design
(standards reference 7.6, PD). Emergency stops are not counted: no crane host is known to say them.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from gateway.model.derivation import Json
from gateway.model.kept_state import items, mapping, numbers, text
from gateway.parts.crane.model.parameters import ShiftParameters

LOCAL = timezone(timedelta(hours=8))
_MOST_DRIVERS = 64
_MOST_SHIFTS = 62


@dataclass(slots=True)
class Tally:
    """Counts over some cycles. `load_height_t_m` sums the largest load times the height change."""

    cycles: int = 0
    load_height_t_m: float = 0.0
    moment_prealarms: int = 0
    moment_alarms: int = 0
    over_wind: int = 0

    def add(self, other: "Tally") -> None:
        """Count the other's cycles too."""
        self.cycles += other.cycles
        self.load_height_t_m += other.load_height_t_m
        self.moment_prealarms += other.moment_prealarms
        self.moment_alarms += other.moment_alarms
        self.over_wind += other.over_wind

    def saved(self) -> Json:
        """The state to keep."""
        return [self.cycles, self.load_height_t_m, self.moment_prealarms, self.moment_alarms, self.over_wind]

    @classmethod
    def restored(cls, saved: Json) -> "Tally":
        """From a kept state. Raises ValueError when it is none."""
        cycles, load_height, prealarms, alarms, wind = numbers(saved, 5)
        return cls(int(cycles), load_height, int(prealarms), int(alarms), int(wind))


class CycleLedger:
    """The ledger of one crane."""

    def __init__(self, shifts: ShiftParameters) -> None:
        self._starts_h = shifts.starts_h
        self.total = Tally()
        self.by_driver: OrderedDict[str, Tally] = OrderedDict()
        self.by_shift: OrderedDict[str, Tally] = OrderedDict()

    def add(self, driver: str, started_ns: int, tally: Tally) -> None:
        """Enter a finished cycle; `driver` empty where not known, `started_ns` in UTC decides the shift."""
        self.total.add(tally)
        _enter(self.by_driver, driver, tally, _MOST_DRIVERS)
        _enter(self.by_shift, self.shift_of(started_ns), tally, _MOST_SHIFTS)

    def shift_of(self, at_ns: int) -> str:
        """The shift (班次) at a UTC time, such as `2026-03-01/2`: the local day on which it began and its number."""
        local = datetime.fromtimestamp(at_ns // 1_000_000_000, LOCAL)
        begun = sum(local.hour >= start for start in self._starts_h)
        if begun == 0:
            return f"{local.date() - timedelta(days=1)}/{len(self._starts_h)}"
        return f"{local.date()}/{begun}"

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "total": self.total.saved(),
            "by_driver": [[name, tally.saved()] for name, tally in self.by_driver.items()],
            "by_shift": [[name, tally.saved()] for name, tally in self.by_shift.items()],
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        self.by_driver = _restored(state.get("by_driver"))
        self.by_shift = _restored(state.get("by_shift"))
        self.total = Tally.restored(state.get("total"))


def _enter(tallies: "OrderedDict[str, Tally]", name: str, tally: Tally, most: int) -> None:
    tallies.setdefault(name, Tally()).add(tally)
    tallies.move_to_end(name)
    if len(tallies) > most:
        tallies.popitem(last=False)


def _restored(saved: Json) -> "OrderedDict[str, Tally]":
    entries = [items(each, 2) for each in items(saved)]
    return OrderedDict((text(name), Tally.restored(tally)) for name, tally in entries)
