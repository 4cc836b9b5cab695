"""A Modbus device read on its own: raw words beside decoded values, and which requests it refuses.

In: a link, a unit id, a register table. Out: `Sample`s. Sends the same reads as the gateway would, functions 1 to 4.
Must not know operators, sheets or stores.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.modbus.decode import TableDecoder, compile_table
from drivers.modbus.driver import rtu_link, rtu_tcp_link, tcp_link
from drivers.modbus.plan import Request
from drivers.modbus.registers import Words
from drivers.modbus.settings import ModbusRtuLink, ModbusRtuTcpLink, ModbusTable, ModbusTcpLink, RegisterPoint
from drivers.modbus.standby import WordSource
from gateway.model.errors import DecodeError, LinkError
from gateway.model.reading import Quality
from gateway.ports import Clock


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One read of a whole table. `blocks[i]` are the words of `requests[i]`, None when `errors[i]` says why not.

    `value` and `quality` have shape (points,), in table order.
    """

    at_ns: int
    requests: tuple[Request, ...]
    blocks: tuple[Words | None, ...]
    errors: tuple[str, ...]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def words_of(self, point: RegisterPoint) -> Words | None:
        """The raw words (or bits) behind a point; None when they could not be read."""
        for request, block in zip(self.requests, self.blocks, strict=True):
            if request.covers(point) and block is not None:
                first = point.address - request.address
                return block[first : first + point.type.words]
        return None


class Shows(Protocol):
    """A device that can be asked what it shows now, whatever it speaks."""

    keys: frozenset[str]

    async def shown(self) -> dict[str, float]:
        """Key -> value, NaN where it is not GOOD."""
        ...

    async def shown_often(self, count: int, pause_s: float) -> list[dict[str, float]]:
        """What is shown, looked at `count` times with pauses between."""
        ...


class Silent:
    """A device that answered nothing: it shows nothing, and is not asked."""

    def __init__(self, keys: frozenset[str]) -> None:
        self.keys = keys

    async def shown(self) -> dict[str, float]:
        """Nothing: there is no device that shows anything."""
        return {}

    async def shown_often(self, count: int, pause_s: float) -> list[dict[str, float]]:  # noqa: ARG002  # as `Shows` says
        """Nothing, once: whatever is looked for could not be read."""
        return [{}]


class DeviceOnBench:
    """One unit, read by its table when asked."""

    def __init__(self, link: WordSource, unit_id: int, table: ModbusTable, clock: Clock) -> None:
        self.table = table
        self.keys = frozenset(point.key for point in table.points)
        self._link = link
        self._unit_id = unit_id
        self._clock = clock
        self._decoder: TableDecoder = compile_table(table)

    async def read(self) -> Sample:
        """Every planned request once, in order. What fails is told in the sample; nothing is raised for it."""
        blocks: list[Words | None] = []
        errors: list[str] = []
        for request in self._decoder.requests:
            words, error = await self._ask(request)
            blocks.append(words)
            errors.append(error)
        value, quality = self._decoder.decode(blocks)
        at_ns = self._clock.now_ns()
        return Sample(at_ns, self._decoder.requests, tuple(blocks), tuple(errors), value, quality)

    async def read_often(self, count: int, pause_s: float) -> list[Sample]:
        """`count` samples with pauses between them; none for 0."""
        samples: list[Sample] = []
        for i in range(count):
            if i:
                await self._clock.sleep(pause_s)
            samples.append(await self.read())
        return samples

    async def shown(self) -> dict[str, float]:
        """Read once; key -> value, NaN where the quality is not GOOD."""
        return self.values(await self.read())

    async def shown_often(self, count: int, pause_s: float) -> list[dict[str, float]]:
        """The same, `count` times with pauses between them."""
        return [self.values(sample) for sample in await self.read_often(count, pause_s)]

    def values(self, sample: Sample) -> dict[str, float]:
        """Key -> value, NaN where the quality is not GOOD."""
        shown = np.where(sample.quality == Quality.GOOD, sample.value, np.nan)
        return {point.key: float(value) for point, value in zip(self.table.points, shown, strict=True)}

    async def _ask(self, request: Request) -> tuple[Words | None, str]:
        try:
            return await self._link.read(self._unit_id, request), ""
        except (LinkError, DecodeError) as error:
            return None, str(error)


def open_link(settings: object, clock: Clock) -> WordSource | None:
    """The link that these settings describe, not opened yet; None when it is no Modbus link."""
    if isinstance(settings, ModbusTcpLink):
        return tcp_link(settings, clock)
    if isinstance(settings, ModbusRtuLink):
        return rtu_link(settings, clock)
    if isinstance(settings, ModbusRtuTcpLink):
        return rtu_tcp_link(settings, clock)
    return None
