"""A bus of instruments behind one address: many units, one server, one set of faults.

In: values for its units, by unit. Out: registers that real clients read. A fault befalls the whole bus, as a cut cable
or a dead serial server does. Knows nothing of what the units measure.
"""

from collections.abc import Iterable, Mapping

from drivers.modbus.settings import ModbusTable
from drivers.sim.faults import FaultKind, Faults
from drivers.sim.instruments import Unit
from drivers.sim.modbus_server import ModbusTwinServer
from drivers.sim.registers import RegisterFace
from gateway.ports import Clock


class BusStation:
    """Units by number. `asset` is the name under which the bus takes fault orders."""

    def __init__(
        self, asset: str, tables: Mapping[str, ModbusTable], units: Iterable[Unit], port: int, clock: Clock
    ) -> None:
        self.asset = asset
        self.faults = Faults()
        self._clock = clock
        shown = list(units)
        self._faces = {number: RegisterFace(tables[table]) for number, table, _ in shown}
        first, *others = shown
        self.server = ModbusTwinServer(port, self._words(first), self.faults, clock, first[0])
        for unit in others:
            self.server.add_unit(unit[0], self._words(unit))

    def settle(self) -> None:
        """Let ordered faults begin and end; hang up on clients when connections are to be dropped."""
        self.faults.settle(self._clock.monotonic_ns())
        if FaultKind.DROP in self.faults.active:
            self.server.drop_connections()

    def show(self, units: Iterable[Unit]) -> None:
        """Put values into the registers, or what the faults in force make of them."""
        if FaultKind.FREEZE in self.faults.active:
            return
        turn = self._clock.monotonic_ns() // 1_000_000_000
        for unit in units:
            corrupt = FaultKind.CORRUPT in self.faults.active
            words = self._faces[unit[0]].corrupt(turn) if corrupt else self._words(unit)
            self.server.put(words, unit[0])

    def _words(self, unit: Unit) -> list[int]:
        return self._faces[unit[0]].words(unit[2])
