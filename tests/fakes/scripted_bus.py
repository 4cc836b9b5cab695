"""An RTU bus on a simulated clock: a `Line` whose units answer as a test says, late, wrongly or not at all.

    bus = ScriptedBus(clock, units=[1, 2, 3])
    bus.script = lambda asked: Answer(Kind.LATE, delay_s=0.4)

Every reply names the very request that it answers: its first word is the request's number on this bus, the words after
it are `word_at(unit, address)`. A unit works off what it was asked in order, as units do; bytes travel at the bus' baud
rate. `requests` keeps what was asked, with the time.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from drivers.modbus.rtu import wire_s, with_checksum
from gateway.model.errors import LinkError
from kit.clock import SimulatedClock

BAUD = 19_200


class Kind(Enum):
    """How a unit answers one request."""

    RIGHT = "right"
    SILENT = "silent"
    OTHER_UNIT = "other unit"
    OTHER_FUNCTION = "other function"
    OTHER_LENGTH = "other length"
    BAD_CHECKSUM = "bad checksum"
    CUT = "cut"
    TAIL = "tail"
    TWICE = "twice"
    NOISE_BEFORE = "noise before"
    NOISE = "noise"
    EXCEPTION = "exception"


@dataclass(frozen=True)
class Answer:
    kind: Kind = Kind.RIGHT
    delay_s: float = 0.002
    code: int = 4


@dataclass(frozen=True)
class Asked:
    """One request as it was on the wire."""

    number: int
    at_s: float
    unit: int
    function: int
    address: int
    count: int


def word_at(unit: int, address: int) -> int:
    """What unit and address say, different for all of them."""
    return (unit * 1009 + address * 13) % 65_521


class ScriptedBus:
    """Implements `Line`. `answers` counts per kind what was really sent."""

    def __init__(self, clock: SimulatedClock, units: Sequence[int], where: str = "scripted-bus") -> None:
        self.where = where
        self.arrived = asyncio.Event()
        self.script: Callable[[Asked], Answer] = lambda asked: Answer()
        self.requests: list[Asked] = []
        self.opened = 0
        self.refuses_to_open = False
        self._clock = clock
        self._units = set(units)
        self._free_at_ns = dict.fromkeys(units, 0)
        self._heard = bytearray()
        self._open = False
        self._deliveries: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        return self._open

    async def open(self, timeout_s: float) -> None:
        if self.refuses_to_open:
            raise LinkError(f"cannot open {self.where}")
        self.opened += 1
        self._open = True

    def take(self) -> bytes:
        taken = bytes(self._heard)
        self._heard.clear()
        self.arrived.clear()
        return taken

    def close(self) -> None:
        self._open = False

    def lose(self) -> None:
        """The line is gone, as when the adapter is pulled out."""
        self._open = False
        self.arrived.set()

    def say(self, data: bytes) -> None:
        """Bytes that nobody asked for."""
        self._heard += data
        self.arrived.set()

    async def stop(self) -> None:
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    def send(self, data: bytes) -> None:
        assert with_checksum(data[:-2]) == data
        assert len(data) == 8
        now_s = self._clock.monotonic_ns() / 1e9
        asked = Asked(
            len(self.requests) + 1,
            now_s,
            data[0],
            data[1],
            int.from_bytes(data[2:4], "big"),
            int.from_bytes(data[4:6], "big"),
        )
        self.requests.append(asked)
        if asked.unit not in self._units:
            return
        answer = self.script(asked)
        if answer.kind is Kind.SILENT:
            return
        reply = reply_to(asked, answer)
        started_ns = max(self._clock.monotonic_ns(), self._free_at_ns[asked.unit])
        took_s = wire_s(BAUD, len(data)) + answer.delay_s + wire_s(BAUD, len(reply))
        self._free_at_ns[asked.unit] = due_ns = started_ns + int(took_s * 1e9)
        delivery = asyncio.get_running_loop().create_task(self._deliver(due_ns, reply))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)

    async def _deliver(self, due_ns: int, reply: bytes) -> None:
        await self._clock.sleep((due_ns - self._clock.monotonic_ns()) / 1e9)
        if self._open:
            self.say(reply)


def reply_to(asked: Asked, answer: Answer) -> bytes:
    """The bytes of this answer to that request."""
    if answer.kind is Kind.EXCEPTION:
        return with_checksum(bytes((asked.unit, asked.function | 0x80, answer.code)))
    count = asked.count + (60 if answer.kind is Kind.OTHER_LENGTH else 0)
    words = [asked.number, *(word_at(asked.unit, asked.address + i) for i in range(1, count))]
    data = b"".join(word.to_bytes(2, "big") for word in words)
    unit = asked.unit + (100 if answer.kind is Kind.OTHER_UNIT else 0)
    function = 7 - asked.function if answer.kind is Kind.OTHER_FUNCTION else asked.function
    frame = with_checksum(bytes((unit, function, len(data))) + data)
    spoilt = {
        Kind.BAD_CHECKSUM: frame[:-1] + bytes((frame[-1] ^ 1,)),
        Kind.CUT: frame[:-3],
        Kind.TAIL: frame + b"\x00",
        Kind.TWICE: frame * 2,
        Kind.NOISE_BEFORE: b"\xff" + frame,
        Kind.NOISE: b"\x00\xff\x55\xaa\x00\xff\x55",
    }
    return spoilt.get(answer.kind, frame)
