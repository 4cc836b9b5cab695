"""What an address may send in vain: messages that nobody proved to be a box's, counted by number and bytes a minute.

In: failures. Out: how long an address has to wait. Only what may be a stranger's counts, and whoever proves who he is
before the body (`contract.sender`) is not held back, so that a box suffers from no stranger behind the same address.
Counts of the newest `MOST_ADDRESSES` are kept. Knows no HTTP. On one event loop.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 60.0
MOST_ADDRESSES: Final = 4096
IPV6_SITE_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most failures and bytes of them in a minute."""

    failures: int
    size_bytes: int


@dataclass(slots=True)
class _Spent:
    until_s: float
    failures: int = 0
    size_bytes: int = 0


class FailureBudget:
    """`now_s`: a clock that never goes back."""

    def __init__(self, allowance: Allowance, now_s: Callable[[], float] = time.monotonic) -> None:
        self._allowance, self._now_s = allowance, now_s
        self._spent: OrderedDict[str, _Spent] = OrderedDict()

    def failed(self, address: str, size_bytes: int) -> None:
        """Count one; an address of nothing (no network between) is not counted."""
        if not address:
            return
        name, now_s = site_of(address), self._now_s()
        spent = self._spent.get(name)
        if spent is None or spent.until_s <= now_s:
            self._spent.pop(name, None)
            spent = self._spent[name] = _Spent(now_s + WINDOW_S)
            if len(self._spent) > MOST_ADDRESSES:
                self._spent.popitem(last=False)
        spent.failures += 1
        spent.size_bytes += size_bytes

    def wait_s(self, address: str) -> int:
        """Whole seconds until the address may fail again; 0: now."""
        spent, now_s = self._spent.get(site_of(address)), self._now_s()
        if spent is None or spent.until_s <= now_s:
            return 0
        most = self._allowance
        used_up = spent.failures >= most.failures or spent.size_bytes >= most.size_bytes
        return int(spent.until_s - now_s) + 1 if used_up else 0


def site_of(address: str) -> str:
    """An address; of IPv6 the network of one site, within which anybody has as many as he likes."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address}/{IPV6_SITE_BITS}", strict=False))
    except ValueError:
        return address
