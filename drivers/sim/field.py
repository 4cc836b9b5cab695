"""The whole simulated field: two cranes and a pit on Modbus TCP, and on an RTU bus and a broker when asked for; a
weather mast on MQTT.

In: `SimOptions`, fault commands, a clock. Out: open ports on 127.0.0.1 and the overload log in the folder. Knows
nothing of the gateway that reads it.

One task steps the physics (50 ms by default) and shows it; one publishes the weather. Both run on the Clock port.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from drivers.sim.afternoon import CRANES, Story
from drivers.sim.crane import CraneTwin
from drivers.sim.faults import FaultCommand, Faults
from drivers.sim.frame_caller import CallOptions, FrameCaller, load_frames_table
from drivers.sim.modbus_server import ModbusTwinServer
from drivers.sim.mqtt_publisher import MastPublisher
from drivers.sim.overload_log import OverloadLog
from drivers.sim.pit import PitModel, PitTwin
from drivers.sim.registers import load_table, shipped_tables
from drivers.sim.rtu_bus import RtuBus
from drivers.sim.stage import BUS, MQTT_CRANE, Stage, StageOptions
from drivers.sim.station import CraneStation, ModbusStation, PitStation, values_of
from drivers.sim.story import OverloadPlan
from drivers.sim.weather import Climate, Weather
from gateway.ports import Clock

LOG_NAME = "overloads.jsonl"
CALLING_CRANE = "crane-4"
_LONGEST_STEP_S = 0.5
_PIT_EVERY_S = 0.5
_CONNECT_S = 10.0
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SimOptions:
    """What to simulate. Port 0 picks a free one; without `own_broker` the mast publishes to `broker_port`, without
    `with_mast` there is neither mast nor broker. `rtu` also
    puts the Modbus twins on a bus, see `RtuBus` (None: no bus): the cranes are units 1, 2, ..., the pit the next.
    `call`: a crane of its own, `crane-4`, calls a box and pushes frames (None: no such crane)."""

    folder: Path
    crane_ports: tuple[int, ...] = (0, 0)
    pit_port: int = 0
    broker_port: int = 0
    own_broker: bool = True
    with_mast: bool = True
    topic: str = "site/DEMO-0001/mast-1/realtime"
    seed: int = 1
    step_s: float = 0.05
    publish_every_s: float = 1.0
    plan: OverloadPlan = field(default_factory=OverloadPlan)
    climate: Climate = field(default_factory=Climate)
    pit: PitModel = field(default_factory=PitModel)
    rtu: str | None = None
    rtu_baud: int = 9600
    call: CallOptions | None = None
    tables: Path = field(default_factory=shipped_tables)
    story: Story | None = None
    stage: StageOptions = field(default_factory=StageOptions)


class SimField:
    """The twins as one thing to start and stop. Ports are real ones after `start`."""

    def __init__(self, options: SimOptions, clock: Clock) -> None:
        self.options = options
        self.broker_port = options.broker_port
        self._clock = clock
        seed = options.seed
        story = options.story
        self._weather = Weather(f"{seed}:weather", story.climate if story else options.climate)
        self.cranes = tuple(self._crane(f"crane-{i + 1}", port) for i, port in enumerate(options.crane_ports))
        self.calling = self._calling_crane(options.call) if options.call else None
        self.pit = self._pit("pit-1", options.pit_port, story.pit if story else options.pit)
        self.stage = self._set_stage(story) if story else None
        self.bus = self._bus(options.rtu, options.rtu_baud)
        self.mast_faults = Faults()
        self.mast: MastPublisher | None = None
        self.log_path = options.folder / LOG_NAME
        self._log: OverloadLog | None = None
        self._stack = AsyncExitStack()
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def crane_ports(self) -> tuple[int, ...]:
        """Where the cranes listen, in order."""
        return tuple(crane.station.server.port for crane in self.cranes)

    @property
    def pit_port(self) -> int:
        """The TCP port where the pit's logger listens."""
        return self.pit.station.server.port

    @property
    def rtu_units(self) -> dict[str, int]:
        """Which unit of the bus each twin is."""
        return {station.asset: i + 1 for i, station in enumerate(self._stations())}

    @property
    def bus_port(self) -> int:
        """Where the story's bus of instruments listens; 0 without a story."""
        return self.stage.bus.server.port if self.stage else 0

    @property
    def overloads_served(self) -> int:
        """How many overloads this run has begun to serve."""
        return 0 if self._log is None else self._log.count

    async def start(self) -> None:
        """Open every port and begin. Raises OSError when a port is taken or the folder cannot be written."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise

    async def stop(self) -> None:
        """End physics and publishing, close every port, finish the log."""
        await self._stack.aclose()

    async def wait(self) -> None:
        """Until stopped; raises what a task died of."""
        await asyncio.gather(*self._tasks)

    def command(self, order: FaultCommand) -> None:
        """Let a twin have a fault from its next step on. Raises ValueError for a twin that does not exist."""
        known = dict(self._faults())
        if order.twin not in known:
            raise ValueError(f"twin: found {order.twin}, expected one of {', '.join(known)}")
        known[order.twin].begin(order, self._clock.monotonic_ns())

    async def _open(self) -> None:
        self._log = OverloadLog(self.log_path)
        self._stack.push_async_callback(self._log.close)
        if self.options.own_broker and self.options.with_mast:
            await self._open_broker()
        for server in self._servers():
            await server.start()
            self._stack.push_async_callback(server.stop)
        if self.bus is not None:
            await self.bus.start()
            self._stack.push_async_callback(self.bus.stop)
        masts = [await self._open_mast()] if self.options.with_mast else []
        self._tasks = (
            asyncio.create_task(self._run_physics(self._log), name="sim-physics"),
            *(asyncio.create_task(self._run_mast(mast), name="sim-mast") for mast in masts),
            *self._open_stage(),
            *([asyncio.create_task(self.calling.station.run(), name="sim-caller")] if self.calling else []),
        )
        self._stack.push_async_callback(self._end_tasks)

    async def _open_mast(self) -> MastPublisher:
        self.mast = mast = MastPublisher("mast-1", self.options.topic, self.broker_port, self.mast_faults, self._clock)
        mast.start()
        self._stack.push_async_callback(mast.stop)
        if self.options.own_broker and not await mast.wait_connected(_CONNECT_S):
            raise OSError(f"mast-1: found no answer from our own broker on port {self.broker_port} in {_CONNECT_S:g} s")
        return mast

    def _open_stage(self) -> Iterator[asyncio.Task[None]]:
        if self.stage is not None:
            publisher = self.stage.open_publisher(self.broker_port)
            publisher.start()
            self._stack.push_async_callback(publisher.stop)
            yield asyncio.create_task(self.stage.run(), name="sim-stage")

    async def _open_broker(self) -> None:
        from drivers.sim.broker import DemoBroker  # noqa: PLC0415 - cranes and a pit are played without a broker's package

        broker = DemoBroker(self.options.broker_port)
        await broker.start()
        self._stack.push_async_callback(broker.stop)
        self.broker_port = broker.port

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run_physics(self, log: OverloadLog) -> None:
        began_ns = last_ns = self._clock.monotonic_ns()
        pit_due_s = 0.0
        while True:
            now_ns = self._clock.monotonic_ns()
            dt_s = min(_LONGEST_STEP_S, (now_ns - last_ns) / _NS)
            last_ns = now_ns
            if dt_s > 0:
                self._settle_faults()
                self._step_cranes(dt_s, (now_ns - began_ns) / _NS, log)
                pit_due_s += dt_s
            if pit_due_s >= _PIT_EVERY_S:
                self.pit.step(pit_due_s, self._weather.state)
                if self.stage is not None:
                    self.stage.show_bus(self.pit.twin.state)
                pit_due_s = 0.0
            await self._clock.sleep(self._until_next_step_s(began_ns))

    def _until_next_step_s(self, began_ns: int) -> float:
        """Steps lie on a grid from the start, so that their own length does not make them drift."""
        step_ns = int(self.options.step_s * _NS)
        left_ns = step_ns - (self._clock.monotonic_ns() - began_ns) % step_ns
        return (left_ns + 0.5) / _NS  # the half keeps a clock that cuts off fractions from waking 1 ns early

    def _settle_faults(self) -> None:
        for station in self._stations():
            station.settle()
        if self.calling is not None:
            self.calling.station.settle()
        if self.stage is not None:
            self.stage.bus.settle()

    def _step_cranes(self, dt_s: float, story_s: float, log: OverloadLog) -> None:
        if self.stage is not None:
            self.stage.lead(story_s, self._weather)
        wind_m_s = self._weather.step(dt_s).wind_m_s
        if self.stage is not None:
            self.stage.step(dt_s, wind_m_s)
        for crane in (*self.cranes, *((self.calling,) if self.calling else ())):
            crane.step(dt_s, story_s, wind_m_s, log, self._clock)

    async def _run_mast(self, mast: MastPublisher) -> None:
        while True:
            await self._clock.sleep(self.options.publish_every_s)
            self.mast_faults.settle(self._clock.monotonic_ns())
            await mast.publish(self._weather.state, self._clock.now_ns())

    def _calling_crane(self, call: CallOptions) -> CraneStation[FrameCaller]:
        options = self.options
        caller = FrameCaller(CALLING_CRANE, load_frames_table(options.tables, call.table), call, self._clock)
        twin = CraneTwin(f"{options.seed}:{CALLING_CRANE}")
        return CraneStation(twin, caller, options.plan.schedule(options.seed, CALLING_CRANE))

    def _crane(self, asset: str, port: int) -> CraneStation[ModbusStation]:
        options, seed = self.options, self.options.seed
        twin = CraneTwin(f"{seed}:{asset}", CRANES.get(asset) if options.story else None)
        table = load_table(options.tables, "crane-host-modbus")
        station = ModbusStation(asset, table, port, values_of(twin.state), self._clock)
        plan = options.plan
        if options.story is not None and options.story.overloads:
            plan = options.story.overload_plan(asset, plan.until_s)
        return CraneStation(twin, station, plan.schedule(seed, asset))

    def _pit(self, asset: str, port: int, model: PitModel) -> PitStation:
        twin = PitTwin(f"{self.options.seed}:{asset}", model)
        table = load_table(self.options.tables, "pit-logger-modbus")
        return PitStation(twin, ModbusStation(asset, table, port, values_of(twin.state), self._clock))

    def _bus(self, where: str | None, baud: int) -> RtuBus | None:
        units = {i + 1: station.server for i, station in enumerate(self._stations())}
        return None if where is None else RtuBus(where, units, self._clock, baud)

    def _set_stage(self, story: Story) -> Stage:
        options = self.options
        cranes = {crane.station.asset: crane.twin for crane in self.cranes}
        return Stage(story, options.stage, options.seed, cranes, options.tables, self.pit.twin.state, self._clock)

    def _servers(self) -> Sequence[ModbusTwinServer]:
        story = [self.stage.bus.server] if self.stage is not None else []
        return [*(station.server for station in self._stations()), *story]

    def _stations(self) -> Sequence[ModbusStation]:
        return [*(crane.station for crane in self.cranes), self.pit.station]

    def _faults(self) -> Iterator[tuple[str, Faults]]:
        yield from ((station.asset, station.faults) for station in self._stations())
        yield "mast-1", self.mast_faults
        if self.calling is not None:
            yield CALLING_CRANE, self.calling.station.faults
        if self.stage is not None:
            yield MQTT_CRANE, self.stage.crane_faults
            yield BUS, self.stage.bus.faults
