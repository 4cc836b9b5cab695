"""Requests on an RTU bus that were asked and not yet answered: what keeps a late reply off the wrong point. Pure.

In: what is asked, frames that arrive, the monotonic time. Out: whether a request may be asked now, and whose a frame
is. Knows no line and no values.

Theory of operation. An RTU reply names its unit, its function and its length, no more: two requests of one unit with
the same function and length have answers that cannot be told apart. But a unit answers in the order in which it was
asked, and a bus or a serial server delivers in order. So every request stays here until it is answered, or until an
answer to a later request of the same unit proves that it never will be. While it is here, the unit is asked for a
length that no open request has (a *probe*, at the same first address), and for nothing else: its answer clears what was
asked before it. The function does not make another shape: a unit may answer late *and* with the wrong one.

    asked   A(3, 20 bytes) . . . . . . . silence         ledger [A]
    poll    A again?  may_ask: no        probe P(3, 2 bytes)     [A P]
    comes   20 bytes:  A, late           thrown away             [P]
    comes    2 bytes:  P, the answer                             []        A may be asked again

An exception reply has no length. With several requests of its function open it counts for the oldest, and is not taken
for a certain answer of the newest; the rest are then *settling*, and block only requests of their own length, so that a
unit that refuses every probe can be asked again. What a unit never answered is forgotten after `forget_s`: a reply that
was held back for longer could be mistaken.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from drivers.modbus.plan import Request
from drivers.modbus.registers import BIT_FUNCTIONS
from drivers.modbus.replies import EXCEPTION_FLAG, data_bytes
from drivers.modbus.rtu import Frame

LONGER_PROBES = 8


class Owner(Enum):
    """Whose a frame is: the newest request's; perhaps the newest's (an exception); an earlier request's; nobody's."""

    NEWEST = "newest"
    UNCERTAIN = "uncertain"
    EARLIER = "earlier"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class _Open:
    """One request that waits for its answer, in the terms in which an answer can be recognised."""

    unit_id: int
    function: int
    data_bytes: int
    asked_at_ns: int
    settling: bool = False

    def may_be_answered_by(self, frame: Frame) -> bool:
        """Whether this frame can be the reply to what was asked."""
        if frame.unit_id != self.unit_id:
            return False
        if frame.function == self.function | EXCEPTION_FLAG:
            return True
        return frame.function == self.function and len(frame.data) == self.data_bytes + 1


class Ledger:
    """The open requests of one bus, in the order in which they were asked."""

    def __init__(self, forget_s: float) -> None:
        self._forget_ns = int(forget_s * 1e9)
        self._open: list[_Open] = []

    def __len__(self) -> int:
        return len(self._open)

    def may_ask(self, unit_id: int, request: Request, now_ns: int) -> bool:
        """Whether an answer to this could not be anything else: what the unit was asked before is settled."""
        self._forget(now_ns)
        length = data_bytes(request)
        return all(entry.settling and entry.data_bytes != length for entry in self._open if entry.unit_id == unit_id)

    def probe_for(self, unit_id: int, request: Request, now_ns: int) -> Request | None:
        """A request at the same address with an answer of another length, short ones first; None when none is left."""
        self._forget(now_ns)
        open_lengths = {entry.data_bytes for entry in self._open if entry.unit_id == unit_id}
        for probe in _other_lengths(request):
            if data_bytes(probe) not in open_lengths:
                return probe
        return None

    def asked(self, unit_id: int, request: Request, now_ns: int) -> None:
        """The request is on the wire."""
        self._open.append(_Open(unit_id, request.function, data_bytes(request), now_ns))

    def arrived(self, frame: Frame) -> Owner:
        """Whose the frame is. The requests that it answers, and those of its unit before them, are no longer open."""
        mine = [entry for entry in self._open if entry.may_be_answered_by(frame)]
        if not mine:
            return Owner.NOBODY
        newest = self._open[-1]
        self._answered(mine[0], by_exception=bool(frame.function & EXCEPTION_FLAG))
        if mine[0] is newest:
            return Owner.NEWEST
        return Owner.UNCERTAIN if newest in mine else Owner.EARLIER

    def _answered(self, answered: _Open, *, by_exception: bool) -> None:
        place = self._open.index(answered)
        left = [entry for i, entry in enumerate(self._open) if entry.unit_id != answered.unit_id or i > place]
        self._open = [
            replace(entry, settling=True) if by_exception and entry.unit_id == answered.unit_id else entry
            for entry in left
        ]

    def _forget(self, now_ns: int) -> None:
        self._open = [entry for entry in self._open if now_ns - entry.asked_at_ns < self._forget_ns]


def _other_lengths(request: Request) -> Iterator[Request]:
    step, most = (8, 2000) if request.function in BIT_FUNCTIONS else (1, 125)  # bits: lengths are counted in bytes
    counts = [
        *range(1, request.count, step),
        *range(request.count + step, request.count + step * LONGER_PROBES + 1, step),
    ]
    for count in counts:
        if count <= most and request.address + count <= 65_536:
            yield Request(request.function, request.address, count)
