"""One caller's connection: what it may do, for how long, and what is still owed to it.

In: chunks of a TCP stream, the monotonic time. Out: frames, as they are asked for; replies, once what they acknowledge
is in the history. Knows no device but by position, and no grammar but its framing.

    read --> cutter --> (driver) --> owed: FIFO of (commit, reply) --> write
                                     at most 64, then nothing more is read: the caller waits
"""

import asyncio
import socket
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from drivers.frames.cutter import Cutter, Frame, Refused
from drivers.frames.roster import Allowance
from drivers.frames.settings import FramesLink
from gateway.model.errors import StoreError
from gateway.ports import Clock

MOST_BROKEN = 20
"""Frames in a row that are none: whoever sends so many is not worth the time that each of them costs."""
MOST_NOISE_BYTES = 65_536
"""Bytes without one sound frame between them."""
_MOST_OWED = 64
_MOST_UNSENT_BYTES = 16_384
_BURST_S = 5.0
_READ_BYTES = 4096
_NS = 1_000_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Owed:
    """A reply, to be sent when `commit` is done; empty for a frame that wants none."""

    reply: bytes
    commit: Awaitable[None] | None = None


class Caller:
    """One connection. `device` is whose it is, once it has said so; `reason` why it was hung up on. Raises OSError when
    it is gone before it was looked at."""

    def __init__(
        self, number: int, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], cutter: Cutter, clock: Clock
    ) -> None:
        self.number = number
        self.device: int | None = None
        self.reason = ""
        self.cutter = cutter
        self._reader, self._writer = streams
        self._writer.transport.set_write_buffer_limits(_MOST_UNSENT_BYTES)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST_UNSENT_BYTES)
        peer = self._writer.get_extra_info("socket").getpeername()
        self.host, self.address = str(peer[0]), f"{peer[0]}:{peer[1]}"
        self._clock = clock
        self._owed: asyncio.Queue[Owed | None] = asyncio.Queue(_MOST_OWED)
        self._since_ns = self._sound_ns = clock.monotonic_ns()
        self._frame_since_ns: int | None = None
        self._writing_since_ns: int | None = None
        self._waits_for_us = False
        self._broken = 0
        self._noise_before = 0
        self.unexplained_noise = 0
        """Bytes before the newest sound frame, or before the end, that did not even look like a frame."""

    def hang_up(self, reason: str) -> None:
        """End the connection now. The first reason stands."""
        self.reason = self.reason or reason
        self._writer.transport.abort()

    def overdue(self, bounds: FramesLink) -> str:
        """Why the caller has had its time; '' while it has some left. Time in which it waits for the box is not its."""
        now_ns = self._clock.monotonic_ns()
        if _longer(self._writing_since_ns, now_ns, bounds.frame_s):
            return f"it takes no reply for {bounds.frame_s:g} s"
        if self.device is None and _longer(self._since_ns, now_ns, bounds.hello_s):
            return f"it did not say within {bounds.hello_s:g} s which device it is"
        if self._waits_for_us:
            return ""
        if _longer(self._frame_since_ns, now_ns, bounds.frame_s):
            return f"a frame was not complete after {bounds.frame_s:g} s"
        return f"nothing sound for {bounds.idle_s:g} s" if _longer(self._sound_ns, now_ns, bounds.idle_s) else ""

    def end(self) -> None:
        """No frame will come any more."""
        self.unexplained_noise = self._unexplained()

    async def chunk(self) -> bytes:
        """The next bytes; none when the connection is over."""
        try:
            return await self._reader.read(_READ_BYTES)
        except OSError as error:
            self.reason = self.reason or f"connection lost: {error.strerror or error}"
            return b""

    def cut(self, chunk: bytes) -> Iterator[Frame | Refused]:
        """What the chunk completes. Ends early when the caller has sent too much that is nothing."""
        found = False
        for cut in self.cutter.feed(chunk):
            found = True
            self._judge(cut)
            yield cut
            if self.reason:
                return
        if not self.cutter.in_frame:
            self._frame_since_ns = None
        elif found or self._frame_since_ns is None:
            self._frame_since_ns = self._clock.monotonic_ns()
        if self.cutter.noise - self._noise_before > MOST_NOISE_BYTES:
            self.hang_up(f"{MOST_NOISE_BYTES} bytes without a frame")

    async def owe(self, owed: Owed | None) -> None:
        """Remember a reply, waiting for room. None: there will be no more."""
        await self.wait_for_us(self._owed.put(owed))

    async def pay(self) -> None:
        """Send replies in order, each when what it acknowledges is kept, until there will be no more."""
        while (owed := await self._owed.get()) is not None:
            try:
                if owed.commit is not None:
                    await owed.commit
                if owed.reply and not self.reason:
                    await self._send(owed.reply)
            except StoreError as error:
                self.hang_up(f"the history could not keep a frame: {error}")
            except OSError as error:
                self.hang_up(f"connection lost: {error.strerror or error}")

    async def wait_for_us(self, what: Awaitable[T]) -> T:
        """Wait for the box's own sake: the caller's time does not run."""
        began_ns = self._clock.monotonic_ns()
        self._waits_for_us = True
        try:
            return await what
        finally:
            self._waits_for_us = False
            waited_ns = self._clock.monotonic_ns() - began_ns
            self._sound_ns += waited_ns
            if self._frame_since_ns is not None:
                self._frame_since_ns += waited_ns

    def _unexplained(self) -> int:
        return 0 if self._broken else self.cutter.noise - self._noise_before

    async def _send(self, reply: bytes) -> None:
        self._writing_since_ns = self._clock.monotonic_ns()
        self._writer.write(reply)
        await self._writer.drain()
        self._writing_since_ns = None

    def _judge(self, cut: Frame | Refused) -> None:
        if isinstance(cut, Frame):
            self.unexplained_noise = self._unexplained()
            self._broken, self._noise_before = 0, self.cutter.noise
            self._sound_ns = self._clock.monotonic_ns()
            return
        self._broken += 1
        if self._broken >= MOST_BROKEN:
            self.hang_up(f"{MOST_BROKEN} broken frames in a row")


def allowances(bounds: FramesLink, frame_bytes: int, now_ns: int) -> tuple[Allowance, Allowance]:
    """How many frames, and how many bytes, one caller may send."""
    rate = bounds.max_frames_per_s
    burst = max(1.0, _BURST_S * rate)
    return Allowance(rate, burst, now_ns), Allowance(rate * frame_bytes, max(burst * frame_bytes, _READ_BYTES), now_ns)


def _longer(since_ns: int | None, now_ns: int, seconds: float) -> bool:
    return since_ns is not None and now_ns - since_ns > seconds * _NS
