"""Requests on an RTU bus that were asked and not yet answered: what keeps a late reply off the wrong point. Pure.

In: what is asked, frames that arrive, the monotonic time. Out: whether a request may be asked now, and whose a frame
is. Knows no line and no values.

Theory of operation. An RTU reply names its unit, its function and its length, no more: two requests of one unit with
the same function and length have answers that cannot be told apart. But a unit answers in the order in which it was
asked, and a bus or a serial server delivers in order. So every request stays here until it is answered, or until an
answer to a later request of the same unit proves that it never will be. While it is here, no request of the same shape
is asked of that unit; another shape is (a *probe*: the same first address, another length), and its answer clears what
was asked before it.

    asked   A(3, 20 bytes) . . . . . . . silence         ledger [A]
    poll    A again?  may_ask: no        probe P(3, 2 bytes)     [A P]
    comes   20 bytes:  A, late           thrown away             [P]
    comes    2 bytes:  P, the answer                             []        A may be asked again

An exception reply has no length. With several requests of its function open it counts for the oldest, and is not taken
for a certain answer of the newest. What a unit never answered is forgotten after `forget_s`, at the length of which a
unit would have to hold a reply back to be mistaken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from drivers.modbus.plan import Request
from drivers.modbus.replies import EXCEPTION_FLAG, data_bytes
from drivers.modbus.rtu import Frame

MAX_PROBES = 125


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

    def may_be_answered_by(self, frame: Frame) -> bool:
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
        """Whether an answer to this could be told from the answers that are still open."""
        self._forget(now_ns)
        shape = (unit_id, request.function, data_bytes(request))
        return all((entry.unit_id, entry.function, entry.data_bytes) != shape for entry in self._open)

    def probe_for(self, unit_id: int, request: Request, now_ns: int) -> Request | None:
        """A request at the same address with an answer of another length, short ones first; None when none is left."""
        for probe in _other_lengths(request):
            if self.may_ask(unit_id, probe, now_ns):
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
        self._answered(mine[0])
        if mine[0] is newest:
            return Owner.NEWEST
        return Owner.UNCERTAIN if newest in mine else Owner.EARLIER

    def _answered(self, answered: _Open) -> None:
        place = self._open.index(answered)
        self._open = [entry for i, entry in enumerate(self._open) if entry.unit_id != answered.unit_id or i > place]

    def _forget(self, now_ns: int) -> None:
        self._open = [entry for entry in self._open if now_ns - entry.asked_at_ns < self._forget_ns]


def _other_lengths(request: Request) -> Iterator[Request]:
    step = 8 if request.function <= 2 else 1  # bits: lengths are counted in bytes
    counts = [*range(1, request.count, step), *range(request.count + step, MAX_PROBES * step, step)]
    for count in counts:
        if request.address + count <= 65_536:
            yield Request(request.function, request.address, count)
