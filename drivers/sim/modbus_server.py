"""A twin's face to the wire: a Modbus TCP server that hands out what the twin puts into its registers, for one unit or
for several behind one address, as a serial server has them.

In: register words, from the physics; requests, from real clients. Out: responses, or what the faults in force make of
them. Registers can only be read: writes (functions 5, 6, 15, 16, 22, 23) are refused with exception 1 (illegal
function), as the gateway must never write to the field. Knows nothing of what the words mean.

A read sees one consistent set of words: `put` swaps the whole set, and the server copies it into its registers when a
request comes in, without giving the loop away in between.
"""

import asyncio
import logging
from collections.abc import Sequence

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.transport import ModbusProtocol

from drivers.sim.faults import FaultKind, Faults
from gateway.ports import Clock

_READ_FUNCTIONS = frozenset({1, 2, 3, 4})
_LOOPBACK = "127.0.0.1"


class ModbusTwinServer:
    """Units on one port of 127.0.0.1; registers from address 0, the same for functions 3 and 4.

    `words` are those of unit `unit_id`; more units join with `add_unit` before the start.
    """

    def __init__(self, port: int, words: Sequence[int], faults: Faults, clock: Clock, unit_id: int = 1) -> None:
        self.port = port
        self._units = {unit_id: list(words)}
        self._unit_id = unit_id
        self.faults = faults
        self._clock = clock
        self._server: _FaultyTcpServer | None = None

    @property
    def words(self) -> Sequence[int]:
        """What reads of the first unit return now."""
        return self._units[self._unit_id]

    def add_unit(self, unit_id: int, words: Sequence[int]) -> None:
        """One more unit behind the same port. Raises ValueError when there is one of that number."""
        if unit_id in self._units:
            raise ValueError(f"unit: found {unit_id} twice, expected a number of its own for each")
        self._units[unit_id] = list(words)

    async def start(self) -> None:
        """Listen; afterwards `port` is the real port. Raises OSError when the port is taken."""
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
        devices = [self._device(unit_id) for unit_id in self._units]
        server = _FaultyTcpServer(devices, self.port, self.faults, self._clock)
        if not await server.listen():
            raise OSError(f"twin's Modbus server: found port {self.port} taken on {_LOOPBACK}, expected a free one")
        self._server = server
        self.port = server.bound_port()

    async def stop(self) -> None:
        """Close the listener and every connection."""
        if self._server is not None:
            await self._server.stop()
            self._server = None

    def put(self, words: Sequence[int], unit_id: int | None = None) -> None:
        """From now on reads of this unit (the first when none is named) return these words; as many as at the start."""
        unit_id = self._unit_id if unit_id is None else unit_id
        known = len(self._units[unit_id])
        if len(words) != known:
            raise ValueError(f"registers: found {len(words)} words, expected {known}")
        self._units[unit_id] = list(words)

    def drop_connections(self) -> None:
        """Close what is connected; the listener stays."""
        if self._server is not None:
            self._server.drop_connections()

    def _device(self, unit_id: int) -> SimDevice:
        registers = SimData(0, values=list(self._units[unit_id]), datatype=DataType.REGISTERS)

        async def before_answer(
            function: int,
            _start_address: int,
            _address: int,
            _count: int,
            held: list[int],
            _written: list[int] | list[bool] | None,
        ) -> ExcCodes | None:
            """Refuse what is not a read; else copy the twin's words into the server's registers."""
            if function not in _READ_FUNCTIONS:
                return ExcCodes.ILLEGAL_FUNCTION
            words = self._units[unit_id]
            held[: len(words)] = words
            return None

        return SimDevice(unit_id, simdata=[registers], action=before_answer)


class _FaultyTcpServer(ModbusTcpServer):
    """The library's server with connections that obey the faults in force."""

    def __init__(self, devices: list[SimDevice], port: int, faults: Faults, clock: Clock) -> None:
        super().__init__(devices, address=(_LOOPBACK, port))
        self.faults = faults
        self.clock = clock
        self.late: set[asyncio.Task[None]] = set()

    def callback_new_connection(self) -> ModbusProtocol:
        """Give each connection a handler of its own."""
        return _FaultyConnection(self)

    def bound_port(self) -> int:
        """The TCP port that was really bound, where 0 was asked for."""
        listener: object = self.transport
        assert isinstance(listener, asyncio.Server)
        return int(listener.sockets[0].getsockname()[1])

    def drop_connections(self) -> None:
        """Close every connection; each takes itself off the list."""
        for connection in list(self.active_connections.values()):
            connection.close()

    async def stop(self) -> None:
        """Close everything and forget late replies."""
        for reply in self.late:
            reply.cancel()
        await asyncio.gather(*self.late, return_exceptions=True)
        self.close()


class _FaultyConnection(ServerRequestHandler):
    """One client's connection: refuses it, answers late or not at all while such a fault is in force."""

    def __init__(self, owner: _FaultyTcpServer) -> None:
        self.owner = owner
        super().__init__(owner, None, None, None)  # type: ignore[no-untyped-call]  # the library leaves it untyped

    def callback_connected(self) -> None:
        """Accept, and hang up again while connections are being dropped."""
        super().callback_connected()
        if FaultKind.DROP in self.owner.faults.active:
            asyncio.get_running_loop().call_soon(self.close)

    def send(self, data: bytes, addr: tuple[str, int] | None = None) -> None:
        """Put a reply on the wire: now, late, or never."""
        faults = self.owner.faults
        if FaultKind.SILENCE in faults.active:
            self.recv_buffer = b""
            return
        if FaultKind.DELAY in faults.active:
            late = asyncio.get_running_loop().create_task(self._send_late(data, faults.delay_s))
            self.owner.late.add(late)
            late.add_done_callback(self.owner.late.discard)
            return
        super().send(data, addr)

    async def _send_late(self, data: bytes, delay_s: float) -> None:
        await self.owner.clock.sleep(delay_s)
        if self.transport:
            super().send(data)
