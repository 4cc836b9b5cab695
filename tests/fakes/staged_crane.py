"""A crane twin that moves only when it is told to, behind the twins' own Modbus server, in a thread of its own.

`StagedBus` puts several of them on one RTU bus, a pseudo-terminal.

What its host shows follows from the crane's state by the sim's load chart; `shown_load` falsifies the load cell, and
`table` decides in which order the words lie on the wire.
"""

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from drivers.modbus.settings import ModbusTable
from drivers.numbers.types import ByteOrder
from drivers.sim.crane import LoadChart
from drivers.sim.faults import Faults
from drivers.sim.modbus_server import ModbusTwinServer
from drivers.sim.registers import RegisterFace
from drivers.sim.rtu_bus import RtuBus
from kit.clock import SystemClock
from tests.fakes.modbus_binding import shipped_table


def crane_table(order: ByteOrder = ByteOrder.ABCD) -> ModbusTable:
    return shipped_table("crane-host-modbus").model_copy(update={"order": order})


class StagedCrane:
    """`port` answers from entering to leaving the block."""

    def __init__(self, order: ByteOrder = ByteOrder.ABCD, shown_load: float = 1.0) -> None:
        self._face = RegisterFace(crane_table(order))
        self.shown_load = shown_load
        self.load_t, self.radius_m, self.hook_m, self.slew_deg = 0.0, 20.0, 15.0, 200.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server = ModbusTwinServer(0, self._words(), Faults(), SystemClock())

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def server(self) -> ModbusTwinServer:
        return self._server

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def show(self) -> None:
        """Put the state into the registers; reads that begin afterwards see it."""
        words = self._words()

        async def put() -> None:
            self._server.put(words)

        asyncio.run_coroutine_threadsafe(put(), self._loop).result(10)

    def slew(self, by_deg: float) -> None:
        self.slew_deg = (self.slew_deg + by_deg) % 360
        self.show()

    def trolley(self, by_m: float) -> None:
        self.radius_m += by_m
        self.show()

    def hoist(self, by_m: float) -> None:
        self.hook_m += by_m
        self.show()

    def hang(self, load_t: float) -> None:
        self.load_t = load_t
        self.show()

    def _words(self) -> list[int]:
        rated_t = LoadChart().rated_t(self.radius_m)
        load_t = self.load_t * self.shown_load
        return self._face.words(
            {
                "load_t": load_t,
                "rated_t": rated_t,
                "moment_pct": 100 * load_t / rated_t,
                "radius_m": self.radius_m,
                "hook_m": self.hook_m,
                "crane_h_m": 48.0,
                "slew_deg": self.slew_deg,
                "wind_ms": 4.2,
                "tilt_deg": 0.05,
                "multiple": 4,
                "motor": 0,
                "work_status": 0,
            }
        )


class StagedBus:
    """One RTU bus with a staged crane a unit; `path` is its serial port, from entering to leaving the block."""

    def __init__(self, cranes: Mapping[int, StagedCrane]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._bus = RtuBus("", {unit: crane.server for unit, crane in cranes.items()}, SystemClock())

    @property
    def path(self) -> str:
        return self._bus.path

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._bus.start(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._bus.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
