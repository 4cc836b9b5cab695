"""Which sequence numbers of a box were seen: a sliding window, so that pipelined sendings may overtake each other.

    seen below the window:         inside the window:             above:               far above:
    everything counts as used      one bit each                   everything is new    refused
    ...........................|<------- 1024 numbers ------->| highest ............| highest + 2^32 ......

The same idea as the anti-replay window of IPsec (RFC 4303, 3.4.3). A jump is bounded, so that one message cannot use up
all numbers that a box will ever have. In: numbers. Out: the next window. Pure.
"""

from dataclasses import dataclass

from contract.faults import SequenceTooFar, StaleSequence

WINDOW = 1024
MOST_AHEAD = 2**32
"""A box reserves numbers by the thousand at each start: four million starts without one message that arrived."""


@dataclass(frozen=True, slots=True)
class SequenceWindow:
    """`highest` seen so far (0 = none) and one bit for each number below it: bit i stands for `highest - i`."""

    highest: int = 0
    bits: int = 0

    def admit(self, seq: int) -> "SequenceWindow":
        """The window once `seq` is seen. Raises StaleSequence (with the highest seen) when it is used or too old, and
        SequenceTooFar for one that is out of reach."""
        if seq > self.highest:
            ahead = seq - self.highest
            if ahead > MOST_AHEAD:
                raise SequenceTooFar("seq", str(self.highest))
            bits = (self.bits << ahead) & _MASK if ahead < WINDOW else 0
            return SequenceWindow(seq, bits | 1)
        age = self.highest - seq
        if seq < 1 or age >= WINDOW or self.bits >> age & 1:
            raise StaleSequence("seq", str(self.highest))
        return SequenceWindow(self.highest, self.bits | 1 << age)


def window_from(seq: int) -> SequenceWindow:
    """The window of a box that begins anew with this number: all below count as used. A number that is out of reach is
    forgotten, so that a new beginning cannot be spoilt either."""
    return SequenceWindow(seq, _MASK) if seq <= MOST_AHEAD else SequenceWindow()


_MASK = (1 << WINDOW) - 1
