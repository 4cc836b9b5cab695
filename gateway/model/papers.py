"""What the papers of a crane say: its registration, the filed climbing checks, its driver's certificate.

In: dates and filed checks from the settings, and a lookup of drivers. Out: yes, no, or not known, at a given time.
Pure: no file, no clock. Knows neither names nor ID numbers: a driver is the number that the crane's device sends.

Papers carry dates, not times. A date is a whole local day (UTC+8), the last one included: what is valid until 31 March
is valid through 31 March 24:00 and expired from 1 April 00:00 on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Protocol

LOCAL = timezone(timedelta(hours=8))
"""Beijing time, the one legal time of all sites in China; it knows no summer time."""


class Papers(Protocol):
    """Questions of a crane model about papers. None means unknown and is never shown as in order."""

    def climb_checked(self, now_ns: int) -> bool | None:
        """Whether a check before climbing (顶升前检查, MH24-8-3) is on file that still covers `now_ns` (UTC ns)."""
        ...

    def registered(self, now_ns: int) -> bool | None:
        """Whether the registration for use (使用登记, MH24-8-1) is valid at `now_ns` (UTC ns)."""
        ...

    def driver_certified(self, driver_no: str, now_ns: int) -> bool | None:
        """Whether this driver's special-work certificate (特种作业操作资格证, MH24-4-3) is valid at `now_ns`."""
        ...


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included; None where the paper states no such day."""

    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        """Whether `day` lies in the period, both ends included."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class DriverStanding:
    """What is on file about the person behind a driver number; no name, no ID number.

    `person_id` is random. `holds_certificates`: any special-work certificate is on file. `driver_until` is the last
    day of the best crane driver's certificate, None when there is none of that kind.
    """

    person_id: str
    holds_certificates: bool
    driver_until: date | None


DriverLookup = Callable[[str, str], DriverStanding | None]
"""(asset, driver number as the device sends it) -> what is on file; None when nobody is known by that number."""


def nobody_known(_asset: str, _driver_no: str) -> DriverStanding | None:
    """The lookup of a site that keeps no identities: every driver is unknown."""
    return None


@dataclass(frozen=True, slots=True)
class CranePapers:
    """One crane's papers as the site filed them. None in a field: the site files nothing of that kind here.

    `registration` is the period of the registration for use. `climbing_checks` are the days of filed checks; each
    covers that day and the following ones, `climbing_check_days` in all (PD: the code asks for a check before climbing
    and names no number of days). `inspections` are the periods that the inspection reports (检验报告) cover.
    `maintenance_due` is the last day for the next maintenance.
    """

    asset: str
    registration: Period | None = None
    climbing_checks: tuple[date, ...] | None = None
    climbing_check_days: int = 2
    inspections: tuple[Period, ...] | None = None
    maintenance_due: date | None = None
    drivers: DriverLookup = nobody_known

    def registered(self, now_ns: int) -> bool | None:
        """MH24-8-1 (建质规〔2024〕5号 Art. 8(1), V1): None when no registration is filed, False outside its days."""
        return None if self.registration is None else self.registration.covers(local_day(now_ns))

    def climb_checked(self, now_ns: int) -> bool | None:
        """MH24-8-3 (建质规〔2024〕5号 Art. 8(3), V1): None when the site files no checks here; False when none covers
        today. A check with a later day does not count yet."""
        if self.climbing_checks is None:
            return None
        day = local_day(now_ns)
        return any(0 <= (day - checked).days < self.climbing_check_days for checked in self.climbing_checks)

    def driver_certified(self, driver_no: str, now_ns: int) -> bool | None:
        """MH24-4-3 (建质规〔2024〕5号 Art. 4(3), V1; 建设部令166号 Art. 25, V1).

        None: nobody is known by the number, or no certificate at all is on file for the person. False: the crane
        driver's certificate has expired, or the person holds certificates but none for tower cranes.
        """
        standing = self.drivers(self.asset, driver_no)
        if standing is None or not standing.holds_certificates:
            return None
        return standing.driver_until is not None and local_day(now_ns) <= standing.driver_until

    def inspected(self, now_ns: int) -> bool | None:
        """Whether an inspection report covers today; None when the site files none here."""
        if self.inspections is None:
            return None
        return any(period.covers(local_day(now_ns)) for period in self.inspections)

    def maintained(self, now_ns: int) -> bool | None:
        """Whether the next maintenance is not overdue; None when no day is filed."""
        return None if self.maintenance_due is None else local_day(now_ns) <= self.maintenance_due


def driver_number(said: float | str) -> str:
    """A driver's number as it is looked up: what a device sends as 7.0, "7" or "007" is "7". Empty when the device says
    that nobody is logged in (0, blank) or does not say (NaN)."""
    if isinstance(said, float | int):
        return str(int(said)) if math.isfinite(said) and said else ""
    text = said.strip().upper()
    return text.lstrip("0") if text.isascii() and text.isdigit() else text


def local_day(now_ns: int) -> date:
    """The local calendar day (UTC+8) of a UTC time in ns."""
    return datetime.fromtimestamp(now_ns // 1_000_000_000, LOCAL).date()
