"""What the papers of a crane say: its registration, the filed climbing checks, its driver's certificate.

In: dates and filed checks from the settings, and a lookup of drivers. Out: yes, no, or not known, at a given time.
Pure: no file, no clock. Knows neither names nor ID numbers: a driver is the number that the crane's device sends.
"""

from typing import Protocol


class Papers(Protocol):
    """What a crane model asks about papers. None always means: not known; it is never to be shown as in order."""

    def climb_checked(self, now_ns: int) -> bool | None:
        """Whether a check before climbing (顶升前检查, MH24-8-3) is on file that still covers `now_ns` (UTC ns)."""
        ...

    def registered(self, now_ns: int) -> bool | None:
        """Whether the registration for use (使用登记, MH24-8-1) is valid at `now_ns` (UTC ns)."""
        ...

    def driver_certified(self, driver_no: str, now_ns: int) -> bool | None:
        """Whether this driver's special-work certificate (特种作业操作资格证, MH24-4-3) is valid at `now_ns`."""
        ...
