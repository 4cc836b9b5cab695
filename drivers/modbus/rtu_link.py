"""One line to a Modbus RTU bus: asks for words, one request at a time, and never takes a late reply for an answer.

In: unit id and `Request`. Out: the words of the reply, or an error that says function, address, unit and reason. Sends
functions 1 to 4 only. Must not know tables, values or schedules.

Theory of operation. One exchange under the lock of the bus:

    silence --> [probe, while a request of the same shape is unanswered] --> request --> reply --> silence --> words

The line must have been silent for 3.5 characters before a request, for `quiet_ms` after anything but an answer; what
comes meanwhile is thrown away, and shown to the ledger, which knows late replies. A reply counts when it is one whole
frame with the right checksum, unit, function and length, nothing before it but late replies of other requests, nothing
after it; everything else is an error with the bytes in it. No exchange repeats: the poller's back-off decides.
After `REOPEN_AFTER` failures in a row the line is closed, and opened anew by the next exchange.
"""

import asyncio
from dataclasses import dataclass

from drivers.modbus.ledger import Ledger, Owner
from drivers.modbus.lines import Line
from drivers.modbus.patience import Patience
from drivers.modbus.plan import Request
from drivers.modbus.registers import Words
from drivers.modbus.replies import (
    EXCEPTION_FLAG,
    ExceptionReplyError,
    NotAnAnswerError,
    exception_name,
    words_of,
)
from drivers.modbus.rtu import (
    REQUEST_BYTES,
    BrokenFrameError,
    Frame,
    first_frame,
    reply_bytes,
    request_frame,
    silence_s,
    wire_s,
)
from drivers.polling import UnreadableReplyError
from gateway.model.errors import LinkError
from gateway.ports import Clock

NEVER_QUIET_S = 2.0
REOPEN_AFTER = 3
_SHOWN_BYTES = 32
_REST_STEP_S = 0.5


@dataclass(frozen=True, slots=True)
class BusTiming:
    """A bus in numbers: see `drivers.modbus.settings.RtuBusSettings`."""

    baud: int
    timeout_ms: float
    down_timeout_ms: float
    extra_silence_ms: float
    quiet_ms: float
    forget_s: float

    @property
    def silence_s(self) -> float:
        """How long the line is quiet between two frames (3.5 characters)."""
        return silence_s(self.baud, self.extra_silence_ms)


class RtuBus:
    """What all lines to one bus share: whose turn it is, what is unanswered, whom to wait for."""

    def __init__(self, timing: BusTiming) -> None:
        self.timing = timing
        self.turn = asyncio.Lock()
        self.untrusted_turn = asyncio.Lock()
        self.ledger = Ledger(timing.forget_s)
        self.patience = Patience(timing.timeout_ms, timing.down_timeout_ms)
        self.late_replies = 0


class RtuLink:
    """One line to a bus, opened when first needed and again after failures. Implements `WordSource`."""

    replies_may_be_late = True
    on_standby = False

    def __init__(self, line: Line, bus: RtuBus, clock: Clock) -> None:
        self._line = line
        self._bus = bus
        self._clock = clock
        self._timing = bus.timing
        self._last_heard_ns = clock.monotonic_ns()
        self._in_doubt = True
        self._failures_in_a_row = 0

    @property
    def address(self) -> str:
        """Where the bus is reached: a device file or host and port."""
        return self._line.where

    async def read(self, unit_id: int, request: Request) -> Words:
        """The words (functions 3, 4) or bits as 0 and 1 (functions 1, 2) that the unit answers.

        A unit that keeps failing may be kept waiting, so that the others are not. Raises ExceptionReplyError for an
        exception reply, UnreadableReplyError for a reply that is none, LinkError for silence or a lost line.
        """
        if self._bus.patience.trusts(unit_id):
            return await self._in_turn(unit_id, request)
        while (rest_s := self._bus.patience.rest_s(unit_id, self._clock.monotonic_ns())) > 0:
            await self._clock.sleep(min(rest_s, _REST_STEP_S))
        async with self._bus.untrusted_turn:  # between two of them the trusted ones that wait have their turn
            return await self._in_turn(unit_id, request)

    def close(self) -> None:
        """Let go of the line; the next read opens it again."""
        self._line.close()
        self._in_doubt = True

    async def _in_turn(self, unit_id: int, request: Request) -> Words:
        async with self._bus.turn:
            try:
                words = await self._exchange(unit_id, request)
            except ExceptionReplyError:
                self._failures_in_a_row = 0
                raise
            except (LinkError, UnreadableReplyError):
                self._failures_in_a_row += 1
                if self._failures_in_a_row >= REOPEN_AFTER:
                    self._failures_in_a_row = 0
                    self.close()
                raise
            self._failures_in_a_row = 0
            return words

    async def _exchange(self, unit_id: int, request: Request) -> Words:
        ledger = self._bus.ledger
        if not self._line.is_open:
            await self._line.open(self._timing.timeout_ms / 1000)
            self._in_doubt, self._last_heard_ns = True, self._clock.monotonic_ns()
        await self._silence()
        if not ledger.may_ask(unit_id, request, self._clock.monotonic_ns()):
            await self._clear_up(unit_id, request)
        return await self._ask(unit_id, request)

    async def _clear_up(self, unit_id: int, request: Request) -> None:
        """Ask for another length, so that its answer shows that no late reply can come any more."""
        probe = self._bus.ledger.probe_for(unit_id, request, self._clock.monotonic_ns())
        if probe is None:
            raise LinkError(f"too many unanswered requests, left alone for a while, {self._asking(unit_id, request)}")
        try:
            await self._ask(unit_id, probe)
        except ExceptionReplyError:
            await self._silence()
        if not self._bus.ledger.may_ask(unit_id, request, self._clock.monotonic_ns()):
            raise LinkError(f"a late reply is still possible, not asked again, {self._asking(unit_id, request)}")

    async def _ask(self, unit_id: int, request: Request) -> Words:
        """One request and its reply; on return or exception reply the line has been silent since."""
        bus, started_ns = self._bus, self._clock.monotonic_ns()
        wire = wire_s(self._timing.baud, REQUEST_BYTES + 2 * reply_bytes(request))
        timeout_ms = bus.patience.timeout_ms(unit_id)
        self._in_doubt = True
        self._line.send(request_frame(unit_id, request))
        bus.ledger.asked(unit_id, request, started_ns)
        try:
            frame, owner = await self._reply(unit_id, request, started_ns + int((timeout_ms / 1000 + wire) * 1e9))
            words = self._words(frame, owner, unit_id, request)
        except ExceptionReplyError:
            bus.patience.answered(unit_id, self._took_ms(started_ns, wire))
            self._in_doubt = False
            raise
        except (LinkError, UnreadableReplyError):
            self._last_heard_ns = now_ns = self._clock.monotonic_ns()
            if self._line.is_open:  # a lost line is not the unit's fault
                bus.patience.failed(unit_id, now_ns - started_ns + int(self._timing.quiet_ms * 1e6), now_ns)
            raise
        bus.patience.answered(unit_id, self._took_ms(started_ns, wire))
        self._in_doubt = False
        return words

    async def _reply(self, unit_id: int, request: Request, deadline_ns: int) -> tuple[Frame, Owner]:
        received = b""
        pending = b""
        while True:
            try:
                found = first_frame(pending)
            except BrokenFrameError as error:
                raise self._unreadable(unit_id, request, str(error), received) from None
            if found is None:
                more = await self._more(deadline_ns, unit_id, request, received)
                received, pending = received + more, pending + more
                continue
            frame, pending = found
            owner = self._bus.ledger.arrived(frame)
            if owner is Owner.NOBODY:
                what = f"unit {frame.unit_id}, function code {frame.function}, {len(frame.data)} bytes"
                raise self._unreadable(unit_id, request, what, received)
            if owner is Owner.EARLIER:
                self._bus.late_replies += 1
                continue
            await self._nothing_follows(unit_id, request, received, pending)
            return frame, owner

    async def _more(self, deadline_ns: int, unit_id: int, request: Request, received: bytes) -> bytes:
        """The next bytes. Raises when the deadline passes or the line is lost first."""
        left_s = (deadline_ns - self._clock.monotonic_ns()) / 1e9
        if left_s > 0 and await self._arrives(left_s) and (data := self._heard()):
            return data
        if not self._line.is_open:
            raise LinkError(f"connection lost {self._asking(unit_id, request)}")
        if received:
            raise self._unreadable(unit_id, request, "no whole frame in time", received)
        raise LinkError(f"no reply in time {self._asking(unit_id, request)}")

    async def _nothing_follows(self, unit_id: int, request: Request, received: bytes, pending: bytes) -> None:
        if not pending and await self._arrives(self._timing.silence_s):
            pending = self._heard()
        if pending:
            what = f"{len(pending)} bytes more after the frame"
            raise self._unreadable(unit_id, request, what, received + pending)

    def _words(self, frame: Frame, owner: Owner, unit_id: int, request: Request) -> Words:
        if frame.function & EXCEPTION_FLAG:
            code = frame.data[0]
            message = f"exception {code} ({exception_name(code)}) {self._asking(unit_id, request)}"
            raise ExceptionReplyError(message, code, certain=owner is Owner.NEWEST)
        try:
            return words_of(frame.function, frame.data, request)
        except NotAnAnswerError as error:
            raise self._unreadable(unit_id, request, str(error), frame.data) from None

    async def _silence(self) -> None:
        """Wait until the line has been silent for long enough. Raises LinkError when somebody never stops talking."""
        needed_s = max(self._timing.silence_s, self._timing.quiet_ms / 1000 if self._in_doubt else 0.0)
        limit_ns = self._clock.monotonic_ns() + int((NEVER_QUIET_S + needed_s) * 1e9)
        stray = self._heard() if self._line.arrived.is_set() else b""
        while (left_ns := self._last_heard_ns + int(needed_s * 1e9) - self._clock.monotonic_ns()) > 0:
            if self._clock.monotonic_ns() > limit_ns:
                raise LinkError(
                    f"{self._line.where} is busy all the time: there is another master, or the baud rate is wrong"
                )
            if await self._arrives(left_ns / 1e9):
                stray += self._heard()
        self._throw_away(stray)
        if not self._line.is_open:
            raise LinkError(f"connection to {self._line.where} lost")

    def _throw_away(self, stray: bytes) -> None:
        """Look for late replies in what nobody waits for, so that the ledger knows of them."""
        try:
            while (found := first_frame(stray)) is not None:
                frame, stray = found
                self._bus.late_replies += self._bus.ledger.arrived(frame) is not Owner.NOBODY
        except BrokenFrameError:
            return

    def _heard(self) -> bytes:
        self._last_heard_ns = self._clock.monotonic_ns()
        return self._line.take()

    async def _arrives(self, within_s: float) -> bool:
        """Whether something came, or the line was lost, in time."""
        if self._line.arrived.is_set():
            return True
        waits = [asyncio.ensure_future(self._line.arrived.wait()), asyncio.ensure_future(self._clock.sleep(within_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self._line.arrived.is_set()

    def _took_ms(self, started_ns: int, wire_s: float) -> float:
        return max(0.0, (self._clock.monotonic_ns() - started_ns) / 1e6 - wire_s * 1000)

    def _unreadable(self, unit_id: int, request: Request, found: str, received: bytes) -> UnreadableReplyError:
        shown = received[:_SHOWN_BYTES].hex(" ")
        text = f"reply is not an answer: {found} {self._asking(unit_id, request)}; received {shown or 'nothing'}"
        return UnreadableReplyError(text, received)

    def _asking(self, unit_id: int, request: Request) -> str:
        return (
            f"asking {self._line.where} unit {unit_id} for function {request.function}, "
            f"address {request.address}, count {request.count}"
        )
