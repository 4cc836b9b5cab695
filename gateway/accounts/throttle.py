"""Slows guessers down: after some failures each further try must wait, twice as long each time.

In: who tries (a login name, an address) and monotonic time. Out: seconds to wait. A try counts as failed from its
beginning, so that many at once gain nothing; a success takes it back. Memory is bounded. Pure: reads no clock.
"""

import math
from dataclasses import dataclass

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """`free` failures cost nothing; then waits grow from `first_s` up to `longest_s`. All forgotten after `forget_s`
    without a failure. All PD."""

    free: int
    first_s: float
    longest_s: float
    forget_s: float = 3600.0


WITH_A_NAME = Patience(free=5, first_s=2.0, longest_s=60.0)
"""Short at most: a guesser must not be able to keep a supervisor out during an alarm. One guess a minute finds no
password that the rule allows."""
WITH_AN_ADDRESS = Patience(free=20, first_s=2.0, longest_s=900.0)


@dataclass(slots=True)
class _Tries:
    failed: int
    last_mono_ns: int
    free_at_mono_ns: int


class Throttle:
    """The failures of one kind of key."""

    def __init__(self, patience: Patience, most_keys: int = 4096) -> None:
        self._patience = patience
        self._most_keys = most_keys
        self._tries: dict[str, _Tries] = {}

    def wait_s(self, key: str, now_mono_ns: int) -> int:
        """Whole seconds until the next try is allowed; 0: now."""
        tries = self._tries.get(key)
        return max(0, math.ceil((tries.free_at_mono_ns - now_mono_ns) / SECOND_NS)) if tries else 0

    def begin(self, key: str, now_mono_ns: int) -> None:
        """A try begins, and counts as failed until `forgive` or `clear`."""
        tries = self._tries.pop(key, None)
        if tries is None or now_mono_ns - tries.last_mono_ns > self._patience.forget_s * SECOND_NS:
            tries = _Tries(0, now_mono_ns, now_mono_ns)
        tries.failed += 1
        tries.last_mono_ns = now_mono_ns
        tries.free_at_mono_ns = now_mono_ns + round(self._pause_s(tries.failed) * SECOND_NS)
        self._tries[key] = tries
        if len(self._tries) > self._most_keys:
            del self._tries[next(iter(self._tries))]  # the one that failed longest ago

    def forgive(self, key: str) -> None:
        """That try was good; older failures stay counted."""
        tries = self._tries.get(key)
        if tries is not None:
            tries.failed -= 1
            tries.free_at_mono_ns = tries.last_mono_ns

    def clear(self, key: str) -> None:
        """Forget the key's failures."""
        self._tries.pop(key, None)

    def _pause_s(self, failed: int) -> float:
        beyond = failed - self._patience.free
        if beyond < 0:
            return 0.0
        return min(self._patience.longest_s, self._patience.first_s * 2.0 ** min(beyond, 30))


class LoginThrottle:
    """Names and addresses together: a try waits for both."""

    def __init__(self) -> None:
        self._names = Throttle(WITH_A_NAME)
        self._addresses = Throttle(WITH_AN_ADDRESS)

    def begin(self, name: str, address: str, now_mono_ns: int) -> int:
        """Begin a try; the seconds to wait when it may not begin yet, else 0."""
        wait_s = max(self._names.wait_s(name, now_mono_ns), self._addresses.wait_s(address, now_mono_ns))
        if not wait_s:
            self._names.begin(name, now_mono_ns)
            self._addresses.begin(address, now_mono_ns)
        return wait_s

    def succeeded(self, name: str, address: str) -> None:
        """The name's failures are over. The address's stay: whoever has one account must not guess others' with it."""
        self._names.clear(name)
        self._addresses.forgive(address)

    def not_tried(self, name: str, address: str) -> None:
        """The try came to nothing through no fault of whoever tried."""
        self._names.forgive(name)
        self._addresses.forgive(address)
