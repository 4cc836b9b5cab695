"""How guessers of passwords are slowed down without keeping anybody out, for both faces. Pure.

    own        one login name at a workplace (address, browser) where it has logged in lately: a few tries of its own
    strange    one login name from one other address: waits that double
    elsewhere  one login name from all other addresses together: so many an hour, however many addresses guess
    address    all login names from one address, but those whose workplace it is: waits that double

Guesses from elsewhere slow elsewhere only: whoever sits where they logged in before is looked at at once. Somebody at a
new address has no failures there, and is looked at at once too, until guesses from very many addresses have used up
what `elsewhere` allows; then they are given a place within a minute, which is kept for their address.

A try counts as failed from its beginning, so that many at once gain nothing; a success takes it back. IPv6 is counted
by /64, which is what one line is given. In: who tries, from where, the time. Out: seconds to wait.
"""

import ipaddress
import math
from dataclasses import dataclass
from typing import Final, Protocol

SECOND_NS: Final = 1_000_000_000
FORGET_NS: Final = 3600 * SECOND_NS
"""Failures are forgotten after an hour without one."""
WORKPLACE_NS: Final = 90 * 86_400 * SECOND_NS
"""How long a workplace stays somebody's own after their last login there (PD)."""
MOST_WORKPLACES: Final = 16
"""Of one login; the oldest is forgotten first."""
SHORTEST_BROWSER: Final = 32
"""Characters of the cookie that the face gives a browser; a shorter one was made up."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`free` failures cost nothing; then waits double from 2 s up to `longest_s`. PD."""

    free: int
    longest_s: int

    def pause_ns(self, failed: int) -> int:
        """How long to wait after so many failures."""
        beyond = failed - self.free
        return min(2 ** min(beyond + 1, 30), self.longest_s) * SECOND_NS if beyond >= 0 else 0


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `burst` at once, then one every `every_s`; a place is given up to `horizon_s` ahead. PD."""

    burst: int
    every_s: int
    horizon_s: int

    def taken(self, due_ns: int, now_ns: int) -> tuple[int, int]:
        """One more: what is due then, and when that one may begin. `due_ns`: what this gave last time, or 0."""
        due_ns = max(due_ns, now_ns) + self.every_s * SECOND_NS
        return due_ns, max(now_ns, due_ns - self.burst * self.every_s * SECOND_NS)


CODES: Final = Pace(burst=6, every_s=15, horizon_s=60)
"""Codes of a second factor, at one account, from networks that are not its own: two in the 30 s that a code lives.
A try fits three codes in a million: 5,760 a day guess one in 58 days, with the right password and all of them noted."""
OWN: Final = Patience(free=5, longest_s=60)
STRANGE: Final = Patience(free=3, longest_s=900)
ELSEWHERE: Final = Pace(burst=2000, every_s=2, horizon_s=60)
"""200 addresses never use that up: they have 2,800 tries in their first hour, and 800 an hour afterwards."""


@dataclass(frozen=True, slots=True)
class Count:
    """Of one key: failures, when the last one was, and until when the next one waits, ns of one clock."""

    failed: int = 0
    last_ns: int = 0
    free_at_ns: int = 0

    def wait_s(self, now_ns: int) -> int:
        """Whole seconds until the next one; 0: now."""
        return _seconds(self.free_at_ns, now_ns)


class Counts(Protocol):
    """Where counts are kept. A key that is unknown has an empty count."""

    def get(self, key: str) -> Count:
        """For a change: nobody else changes it meanwhile."""

    def put(self, key: str, count: Count) -> None:
        """Keep it; an empty one may be forgotten."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`workplace` is one of the login's own, or empty."""

    login: str
    network: str
    workplace: str = ""


class Turns:
    """Tries at one account from all networks together: each has its turn, and a turn that was given is kept for its
    network."""

    def __init__(self, counts: Counts, pace: Pace) -> None:
        self._counts = counts
        self._pace = pace

    def wait_s(self, who: str, network: str, now_ns: int) -> int:
        """0 when this try has its turn among those from elsewhere."""
        elsewhere, place = f"elsewhere:{who}", f"place:{who}|{network}"
        due_ns, begin_ns = self._pace.taken(self._counts.get(elsewhere).free_at_ns, now_ns)
        wait_s = _seconds(begin_ns, now_ns)
        if wait_s:
            given_ns = self._counts.get(place).free_at_ns
            if given_ns and now_ns < given_ns + self._pace.horizon_s * SECOND_NS:
                return self._wait_at(place, given_ns, now_ns)
            if wait_s > self._pace.horizon_s:
                return self._pace.horizon_s
            self._counts.put(place, Count(0, now_ns, begin_ns))
        self._counts.put(elsewhere, Count(0, now_ns, due_ns))
        return wait_s

    def take_back(self, who: str, now_ns: int) -> None:
        """A turn that was no guess."""
        elsewhere = f"elsewhere:{who}"
        due_ns = self._counts.get(elsewhere).free_at_ns - self._pace.every_s * SECOND_NS
        self._counts.put(elsewhere, Count(0, now_ns, max(0, due_ns)))

    def _wait_at(self, place: str, given_ns: int, now_ns: int) -> int:
        """A place is used once."""
        if now_ns >= given_ns:
            self._counts.put(place, Count())
        return _seconds(given_ns, now_ns)


class Guesses:
    """Waits of one face. `address`: its patience with one address."""

    def __init__(self, counts: Counts, address: Patience) -> None:
        self._counts = counts
        self._address = address
        self._turns = Turns(counts, ELSEWHERE)

    def begin(self, attempt: Attempt, now_ns: int) -> int:
        """Begin a try; seconds to wait when it may not begin yet, else 0."""
        kinds = self._kinds(attempt)
        counts = [(key, patience, self._known(key, now_ns)) for key, patience in kinds]
        wait_s = max(count.wait_s(now_ns) for _, _, count in counts)
        if not wait_s and not attempt.workplace:
            wait_s = self._turns.wait_s(attempt.login, attempt.network, now_ns)
        if wait_s:
            return wait_s
        for key, patience, count in counts:
            failed = count.failed + 1
            self._counts.put(key, Count(failed, now_ns, now_ns + patience.pause_ns(failed)))
        return 0

    def succeeded(self, attempt: Attempt, now_ns: int) -> None:
        """The password was right. The address keeps older failures: one account must not pay for guesses at others."""
        key, _ = self._kinds(attempt)[0]
        self._counts.put(key, Count())
        self._take_back(attempt, now_ns)

    def not_tried(self, attempt: Attempt, now_ns: int) -> None:
        """The try came to nothing through no fault of whoever tried."""
        key, _ = self._kinds(attempt)[0]
        self._counts.put(key, _one_less(self._counts.get(key)))
        self._take_back(attempt, now_ns)

    def _take_back(self, attempt: Attempt, now_ns: int) -> None:
        if attempt.workplace:
            return
        self._turns.take_back(attempt.login, now_ns)
        address = f"address:{attempt.network}"
        self._counts.put(address, _one_less(self._counts.get(address)))

    def _kinds(self, attempt: Attempt) -> tuple[tuple[str, Patience], ...]:
        if attempt.workplace:
            return ((f"own:{attempt.login}|{attempt.workplace}", OWN),)
        strange = f"strange:{attempt.login}|{attempt.network}"
        return (strange, STRANGE), (f"address:{attempt.network}", self._address)

    def _known(self, key: str, now_ns: int) -> Count:
        count = self._counts.get(key)
        return Count() if now_ns - count.last_ns > FORGET_NS else count


def network_of(address: str) -> str:
    """What is counted of an address: IPv4 whole, IPv6 its /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _one_less(count: Count) -> Count:
    return Count(max(0, count.failed - 1), count.last_ns, 0)


def _seconds(until_ns: int, now_ns: int) -> int:
    return max(0, math.ceil((until_ns - now_ns) / SECOND_NS))
