"""Which sequence numbers of a box were seen: a sliding window, so that pipelined sendings may overtake each other.

    seen below the window:         inside the window:             above:
    everything counts as used      one bit each                   everything is new
    ...........................|<------- 1024 numbers ------->| highest

The same idea as the anti-replay window of IPsec (RFC 4303, 3.4.3). In: numbers. Out: the next window. Pure.
"""

from dataclasses import dataclass

from contract.faults import StaleSequence

WINDOW = 1024


@dataclass(frozen=True, slots=True)
class SequenceWindow:
    """`highest` seen so far (0 = none) and one bit for each number below it: bit i stands for `highest - i`."""

    highest: int = 0
    bits: int = 0

    def admit(self, seq: int) -> "SequenceWindow":
        """The window once `seq` is seen. Raises StaleSequence (with the highest seen) when it is used or too old."""
        if seq > self.highest:
            ahead = seq - self.highest
            bits = (self.bits << ahead) & _MASK if ahead < WINDOW else 0
            return SequenceWindow(seq, bits | 1)
        age = self.highest - seq
        if seq < 1 or age >= WINDOW or self.bits >> age & 1:
            raise StaleSequence("seq", str(self.highest))
        return SequenceWindow(self.highest, self.bits | 1 << age)


_MASK = (1 << WINDOW) - 1
