"""Words + register table -> values and qualities (`drivers.numbers.decode` does the numbers).

In: the words of each planned request, `None` for one that failed. Out: `value (n,) float64`, `quality (n,) uint8` in
table order. Pure: no I/O, no clock. Knows nothing of requests' timing or of rules.

    blocks   [w0 w1 .. | w40 w41 .. | ...]   replies, concatenated --> bytes --> values

Quality is BAD, and the value NaN, for what is not good as a number, and for every point of a failed block; the rest is
in `drivers.belief`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.belief import Flags, Floats, Qualities, qualities
from drivers.fault_bits import FaultBits, fault_bits
from drivers.modbus.plan import Request, plan_requests, request_of
from drivers.modbus.registers import BIT_FUNCTIONS, Words
from drivers.modbus.settings import ModbusTable, RegisterPoint
from drivers.numbers.decode import Bytes, NumberDecoder, compile_numbers
from drivers.numbers.types import ByteOrder
from gateway.model.errors import DecodeError


@dataclass(frozen=True, slots=True, eq=False)
class TableDecoder:
    """A register table, compiled. `requests` are what to read; `decode` turns the replies into values."""

    requests: tuple[Request, ...]
    _numbers: NumberDecoder
    _fault_bits: FaultBits | None
    _request_of_point: NDArray[np.intp]

    def decode(self, blocks: Sequence[Words | None], lost: Flags | None = None) -> tuple[Floats, Qualities]:
        """One entry of `blocks` a request, in order: its words (bits as 0 and 1), or None when it failed. `lost` (n,)
        marks points whose words mean nothing though their block is there.

        Raises DecodeError when a block is not as long as its request; never for any content.
        """
        value, good = self._numbers.decode(self._bytes(blocks), self._lost(blocks) if lost is None else lost)
        return value, qualities(value, good, self._fault_bits)

    def _lost(self, blocks: Sequence[Words | None]) -> Flags | None:
        failed = [i for i, block in enumerate(blocks) if block is None]
        return np.isin(self._request_of_point, failed) if failed else None

    def _bytes(self, blocks: Sequence[Words | None]) -> Bytes:
        """Of every word the low byte, then the high byte."""
        if len(blocks) != len(self.requests):
            raise DecodeError(f"{len(blocks)} blocks for {len(self.requests)} requests")
        for block, request in zip(blocks, self.requests, strict=True):
            if block is not None and len(block) != request.count:
                raise DecodeError(f"{len(block)} words at address {request.address}, expected {request.count}")
        present = [
            np.zeros(request.count, dtype=np.uint16) if block is None else block
            for block, request in zip(blocks, self.requests, strict=True)
        ]
        words = present[0] if len(present) == 1 else np.concatenate(present)
        return np.ascontiguousarray(words, dtype="<u2").view(np.uint8)


def compile_table(table: ModbusTable, requests: tuple[Request, ...] = ()) -> TableDecoder:
    """Work out once what `TableDecoder.decode` needs at every poll. `requests` may be given where the plan will not do;
    each point must be whole in one of them.
    """
    requests = requests or plan_requests(table)
    points = table.points
    owner = np.array([request_of(requests, point) for point in points], dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum([request.count for request in requests])])
    first = [int(starts[i]) + p.address - requests[i].address for i, p in zip(owner, points, strict=True)]
    places = [_byte_places(table, point, word) for point, word in zip(points, first, strict=True)]
    return TableDecoder(
        requests=requests,
        _numbers=compile_numbers(points, places),
        _fault_bits=fault_bits(points),
        _request_of_point=owner,
    )


def _byte_places(table: ModbusTable, point: RegisterPoint, first_word: int) -> Sequence[int]:
    """Where the bytes of a point lie, from the least significant on. On the wire a word's high byte is first."""
    words = range(first_word, first_word + point.type.words)
    arriving = [byte for word in words for byte in (2 * word + 1, 2 * word)]
    coil = point.function in BIT_FUNCTIONS  # a bit has no order
    return (ByteOrder.ABCD if coil else table.order_of(point)).least_first(arriving)
