"""The Modbus TCP driver: a link's units, each polled by its own task, each poll one `Readings`.

In: a bound link. Out: readings into the sink. Ties link, decode and polling together; must not know rules or stores.
"""

import asyncio
import logging
from collections.abc import Sequence

from drivers.modbus.decode import TableDecoder, compile_table
from drivers.modbus.link import ExceptionReplyError, ModbusLink
from drivers.modbus.plan import Request
from drivers.modbus.registers import Words
from drivers.modbus.settings import ModbusDevice, ModbusTable, ModbusTcpLink
from drivers.polling import Pace, Poller
from gateway.model.reading import RawBlock, Readings
from gateway.ports import BoundDevice, BoundLink, Clock, DriverKind, LinkHealth, ReadingSink

logger = logging.getLogger(__name__)


class ModbusUnit:
    """One unit on a link, read whole by `read`. Implements `PolledDevice`."""

    def __init__(self, bound: BoundDevice, link: ModbusLink, clock: Clock) -> None:
        settings: ModbusDevice = bound.settings
        table: ModbusTable = bound.table
        self.device_id = settings.id
        self.point_index = bound.point_index
        self._unit_id = settings.unit_id
        self._decoder: TableDecoder = compile_table(table)
        self._link = link
        self._clock = clock
        self._refused: frozenset[Request] = frozenset()

    async def read(self) -> Readings:
        """One poll: every planned request in order. `observed_at_ns` is when the first reply had arrived.

        Requests that the unit refuses by an exception leave their points BAD. Raises LinkError when it refuses all, is
        absent, or does not answer; UnreadableReplyError when a reply is no answer.
        """
        requests = self._decoder.requests
        blocks: list[Words | None] = []
        refused: dict[Request, ExceptionReplyError] = {}
        observed_at_ns = 0
        for request in requests:
            try:
                blocks.append(await self._link.read(self._unit_id, request))
            except ExceptionReplyError as error:
                refused[request] = error
                if error.unit_is_absent or len(refused) == len(requests):
                    raise
                blocks.append(None)
            observed_at_ns = observed_at_ns or self._clock.now_ns()
        self._note_refusals(refused)
        value, quality = self._decoder.decode(blocks)
        raw = tuple(
            (request.address, block) for request, block in zip(requests, blocks, strict=True) if block is not None
        )
        received_at_ns = self._clock.now_ns() if len(requests) > 1 else observed_at_ns
        return Readings(
            self.device_id, self.point_index, value, quality, observed_at_ns, received_at_ns, RawBlock(blocks=raw)
        )

    def _note_refusals(self, refused: dict[Request, ExceptionReplyError]) -> None:
        """One line when a request begins to be refused, one when it is answered again."""
        if refused.keys() == self._refused:
            return
        for request in refused.keys() - self._refused:
            logger.warning("registers refused device=%s error=%r", self.device_id, str(refused[request]))
        for request in self._refused - refused.keys():
            logger.info(
                "registers back device=%s function=%d address=%d", self.device_id, request.function, request.address
            )
        self._refused = frozenset(refused)


class ModbusTcpDriver:
    """All units of one TCP connection. They share its lock, and nothing else: each has its own task and breaker."""

    def __init__(self, link: BoundLink, clock: Clock) -> None:
        settings: ModbusTcpLink = link.settings
        self.name = f"modbus-tcp:{settings.id}"
        self._link = ModbusLink(settings, clock)
        self._pollers = [
            Poller(
                ModbusUnit(device, self._link, clock),
                Pace(device.settings.poll_ms / 1000, settings.backoff_min_ms / 1000, settings.backoff_max_ms / 1000),
                clock,
            )
            for device in link.devices
        ]

    async def run(self, sink: ReadingSink) -> None:
        """Poll every unit until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for poller in self._pollers:
                    tasks.create_task(poller.run(sink))
        finally:
            self._link.close()

    def health(self) -> Sequence[LinkHealth]:
        """One entry a unit."""
        return [poller.health() for poller in self._pollers]


KIND = DriverKind(
    name="modbus-tcp",
    link_settings=ModbusTcpLink,
    device_settings=ModbusDevice,
    table_settings=ModbusTable,
    build=ModbusTcpDriver,
)
