"""Slows guessers down without keeping anybody out: counts of `screens.guessing` in bounded memory.

In: who tries (a login name, an address, its own seat if any) and monotonic time. Out: seconds to wait. Pure: reads no
clock. A restart forgets the counts, never whose seat a seat is.
"""

from typing import Final

from screens.guessing import FORGET_NS, Count, Guesses, Patience, network_of

MOST_KEYS: Final = 4096
WITH_AN_ADDRESS: Final = Patience(free=20, longest_s=900)


class CountsInMemory:
    """Counts by key. Beyond `most_keys` the one goes that waits least, so that a crowd of new keys frees nobody who
    waits."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._counts: dict[str, Count] = {}

    def get(self, key: str) -> Count:
        """See `Counts.get`."""
        return self._counts.get(key, Count())

    def put(self, key: str, count: Count) -> None:
        """See `Counts.put`."""
        self._counts.pop(key, None)
        if count == Count():
            return
        if len(self._counts) >= self._most_keys:
            del self._counts[min(self._counts, key=lambda each: self._counts[each].free_at_ns)]
        self._counts[key] = count


def login_guesses() -> Guesses:
    """The tries at the logins of one box."""
    return Guesses(CountsInMemory(), WITH_AN_ADDRESS)


class Throttle:
    """Tries at short codes, which belong to nobody: waits by address alone."""

    def __init__(self, patience: Patience = WITH_AN_ADDRESS, most_keys: int = MOST_KEYS) -> None:
        self._patience = patience
        self._counts = CountsInMemory(most_keys)

    def wait_s(self, address: str, now_mono_ns: int) -> int:
        """Whole seconds until the next try is allowed; 0: now."""
        return self._counts.get(network_of(address)).wait_s(now_mono_ns)

    def failed(self, address: str, now_mono_ns: int) -> None:
        """A code was wrong."""
        network = network_of(address)
        before = self._counts.get(network)
        failed = 1 if now_mono_ns - before.last_ns > FORGET_NS else before.failed + 1
        self._counts.put(network, Count(failed, now_mono_ns, now_mono_ns + self._patience.pause_ns(failed)))
