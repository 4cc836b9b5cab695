r"""Who speaks for a device: one caller at a time, and what happens when two say that they are it. Pure.

In: who names which device, who was heard, the monotonic time. Out: whether a caller is believed, and how far. Knows no
socket and no frame.

    free --names it--> held --silent for too long, another names it--> held by the other
                        | \--another names it meanwhile: refused, and the holder is challenged
                        |            challenged, and it speaks on --> contested for contest_s
                        '--leaves--> free

Theory of operation. A caller's identity is a text that anybody can send. Two that send the same one at the same time
cannot be told apart, so neither the first nor the last is right by being it. The first keeps the device while it
speaks, and the values are SUSPECT as long as it and another both do: shown and kept, judged UNKNOWN. A unit that lost
its connection and calls again is the ordinary case: the old connection says no more, so it is taken over, and nothing
is in doubt. Too long is `takeover_s`, or three times the longest gap of late between two frames of the device: two
units that each speak every 20 s must not take the device from each other between their frames. Two that are never
connected at the same time cannot be told from one.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

_NS = 1_000_000_000
_GAPS = 8
_LONGEST_GAPS = 3
_SHORTEST_GAP_NS = _NS
"""Frames that arrive together say nothing of a unit's rhythm."""


class Claim(Enum):
    """What a caller gets who names a device: it has it (or had it already), it takes it over, or it is refused."""

    HAS = "has"
    TAKES_OVER = "takes over"
    REFUSED = "refused"


@dataclass(slots=True)
class _Held:
    caller: int
    heard_ns: int
    challenged: bool = False


class Roster:
    """The devices of one link by position, the callers by number."""

    def __init__(self, takeover_s: float, contest_s: float) -> None:
        self._takeover_ns = int(takeover_s * _NS)
        self._contest_ns = int(contest_s * _NS)
        self._held: dict[int, _Held] = {}
        self._contested_until_ns: dict[int, int] = {}
        self._gaps_ns: dict[int, deque[int]] = {}

    def claim(self, device: int, caller: int, now_ns: int) -> Claim:
        """A sound frame of the caller names the device."""
        held = self._held.get(device)
        if held is not None and held.caller != caller:
            if now_ns - held.heard_ns < self._too_long_ns(device):
                held.challenged = True
                return Claim.REFUSED
            self._note_gap(device, now_ns - held.heard_ns)
            self._held[device] = _Held(caller, now_ns)
            return Claim.TAKES_OVER
        self._held[device] = held or _Held(caller, now_ns)
        return Claim.HAS

    def heard(self, device: int, caller: int, now_ns: int) -> bool:
        """The caller speaks for the device; False when it is not the one that does."""
        held = self._held.get(device)
        if held is None or held.caller != caller:
            return False
        self._note_gap(device, now_ns - held.heard_ns)
        held.heard_ns = now_ns
        if held.challenged:
            held.challenged = False
            self._contested_until_ns[device] = now_ns + self._contest_ns
        return True

    def holder(self, device: int) -> int | None:
        """Who speaks for the device now."""
        held = self._held.get(device)
        return None if held is None else held.caller

    def contested(self, device: int, now_ns: int) -> bool:
        """Whether two callers have lately been this device at the same time."""
        return now_ns < self._contested_until_ns.get(device, now_ns)

    def leave(self, device: int, caller: int) -> bool:
        """The caller is gone; whether it spoke for the device."""
        if self.holder(device) != caller:
            return False
        del self._held[device]
        return True

    def _too_long_ns(self, device: int) -> int:
        return max(self._takeover_ns, _LONGEST_GAPS * max(self._gaps_ns.get(device, ()), default=0))

    def _note_gap(self, device: int, gap_ns: int) -> None:
        if gap_ns >= _SHORTEST_GAP_NS:
            self._gaps_ns.setdefault(device, deque(maxlen=_GAPS)).append(gap_ns)


class Allowance:
    """A sender's bound: so many a second, and a burst of `burst`. What exceeds it has to wait; nothing is dropped."""

    def __init__(self, rate_per_s: float, burst: float, now_ns: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._left = burst
        self._at_ns = now_ns

    def take(self, amount: float, now_ns: int) -> float:
        """Take `amount`; how long to wait before the next, in seconds."""
        self._left = min(self._burst, self._left + (now_ns - self._at_ns) / _NS * self._rate_per_s) - amount
        self._at_ns = now_ns
        return max(0.0, -self._left / self._rate_per_s)


@dataclass(slots=True)
class _Stranger:
    address: str
    frames: int
    heard_ns: int


class Strangers:
    """Identities that belong to no device, the newest `most` of them: for the person who has to enter them."""

    def __init__(self, most: int, shown_s: float) -> None:
        self._most = most
        self._shown_ns = int(shown_s * _NS)
        self._known: dict[str, _Stranger] = {}

    def note(self, identity: str, address: str, now_ns: int) -> int:
        """One more frame of it; how many there were."""
        frames = self._known.pop(identity).frames if identity in self._known else 0
        self._known[identity] = _Stranger(address, frames + 1, now_ns)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return frames + 1

    def shown(self, now_ns: int) -> str:
        """Those heard lately, newest first; '' when there are none."""
        lately = [(name, one) for name, one in self._known.items() if now_ns - one.heard_ns <= self._shown_ns]
        return ", ".join(f"{name!r} from {one.address} (frames: {one.frames})" for name, one in reversed(lately))
