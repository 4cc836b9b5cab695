"""A Modbus twin as one unit: its register face, its server and its faults; and the crane and pit that stand behind.

In: physics steps. Out: registers that real clients read, and the overload log's entries. The faults are settled, the
registers swapped and the log told without giving the event loop away, so the log says what clients can read.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Generic, Protocol, TypeVar

from drivers.modbus.settings import ModbusTable
from drivers.sim.crane import CraneState, CraneTwin
from drivers.sim.faults import FaultKind, Faults
from drivers.sim.modbus_server import ModbusTwinServer
from drivers.sim.overload_log import OverloadLog
from drivers.sim.pit import PitState, PitTwin
from drivers.sim.registers import RegisterFace
from drivers.sim.story import PlannedOverload
from drivers.sim.weather import WeatherState
from gateway.ports import Clock

_LATE_S = 1.0
_DECIMALS = {"load_t": 3, "building_tilt_permille": 3}


class ModbusStation:
    """What every Modbus twin has. `shown` is what the registers hold now, by key; empty while they are corrupt."""

    def __init__(self, asset: str, table: ModbusTable, port: int, values: Mapping[str, float], clock: Clock) -> None:
        self.asset = asset
        self.faults = Faults()
        self.face = RegisterFace(table)
        self.shown: Mapping[str, float] = as_displayed(values)
        self.server = ModbusTwinServer(port, self.face.words(self.shown), self.faults, clock)
        self._clock = clock

    def settle(self) -> None:
        """Let ordered faults begin and end; hang up on clients when connections are to be dropped."""
        self.faults.settle(self._clock.monotonic_ns())
        if FaultKind.DROP in self.faults.active:
            self.server.drop_connections()

    def show(self, values: Mapping[str, float]) -> None:
        """Put values into the registers, or what the faults in force make of them."""
        if FaultKind.FREEZE in self.faults.active:
            return
        if FaultKind.CORRUPT in self.faults.active:
            self.shown = {}
            self.server.put(self.face.corrupt(self._clock.monotonic_ns() // 1_000_000_000))
            return
        self.shown = as_displayed(values)
        self.server.put(self.face.words(self.shown))


class Station(Protocol):
    """What a crane twin stands behind, whatever it speaks."""

    asset: str
    faults: Faults
    shown: Mapping[str, float]

    def show(self, values: Mapping[str, float]) -> None:
        """Let clients have these values, or what the faults in force make of them."""
        ...


S = TypeVar("S", bound=Station)


class CraneStation(Generic[S]):
    """A crane twin, its face, and the overloads planned for it (counted from the start of the story)."""

    def __init__(self, twin: CraneTwin, station: S, schedule: Iterator[PlannedOverload]) -> None:
        self.twin = twin
        self.station = station
        self._schedule = schedule
        self._next = next(schedule, None)

    def step(self, dt_s: float, story_s: float, wind_m_s: float, log: OverloadLog, clock: Clock) -> None:
        """One physics step, shown and logged. `story_s` is the time since the story began. Settle the faults before."""
        self._begin_due_overload(story_s)
        self.station.show(values_of(self.twin.step(dt_s, wind_m_s)))
        if self.station.faults.readable:
            log.served(self.station.asset, self.station.shown.get("moment_pct", math.nan), clock.now_ns())

    def _begin_due_overload(self, story_s: float) -> None:
        """Begin what is due. What a stalled process missed by a second or more is left out, to keep the gaps."""
        while self._next is not None and story_s >= self._next.at_s:
            due, self._next = self._next, next(self._schedule, None)
            if story_s - due.at_s < _LATE_S and not self.twin.overloaded:
                self.twin.overload(due.peak_pct, due.duration_s)


class PitStation:
    """A pit twin and its face."""

    def __init__(self, twin: PitTwin, station: ModbusStation) -> None:
        self.twin = twin
        self.station = station

    def step(self, dt_s: float, weather: WeatherState) -> None:
        """One step of the physics, then its registers show it."""
        self.station.show(values_of(self.twin.step(dt_s, weather.temperature_degc)))


def values_of(state: CraneState | PitState) -> dict[str, float]:
    """A twin's state by register key."""
    return asdict(state)


def as_displayed(values: Mapping[str, float]) -> dict[str, float]:
    """Values with an instrument's resolution (two decimals, load and tilt in per mille three); slew wraps to 0."""
    displayed = {key: round(value, _DECIMALS.get(key, 2)) for key, value in values.items()}
    if displayed.get("slew_deg") == 360.0:
        displayed["slew_deg"] = 0.0
    return displayed
