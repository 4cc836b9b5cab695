"""What a story adds to the field: a crane that publishes its record over MQTT, a bus of instruments, and the direction.

In: a `Story` and the seconds since it began. Out: orders to the cranes and the wind; a third crane's messages; the
bus's registers. One instance a field. Knows nothing of the other twins' ports.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from drivers.sim.afternoon import CRANES, FLAG_BELOW_M, Story, jib_to_line_m
from drivers.sim.bus import BusStation
from drivers.sim.crane import CraneTwin
from drivers.sim.crane_record import BROKEN_CRANE, crane_record
from drivers.sim.faults import Faults
from drivers.sim.instruments import Unit, bus_units
from drivers.sim.mqtt_publisher import TwinPublisher
from drivers.sim.pit import PitState
from drivers.sim.registers import load_table
from drivers.sim.weather import Weather
from gateway.ports import Clock

MQTT_CRANE = "crane-3"
BUS = "bus-1"


@dataclass(frozen=True, slots=True)
class StageOptions:
    """Where the bus listens (0: a free port), the third crane's topic, how often it publishes."""

    bus_port: int = 0
    crane_topic: str = "site/DEMO-0001/crane-3/realtime"
    publish_every_s: float = 0.5


class Stage:
    """The story's own twins, and who does what when. `cranes` are the Modbus cranes by name, led but not stepped."""

    def __init__(
        self,
        story: Story,
        options: StageOptions,
        seed: int,
        cranes: Mapping[str, CraneTwin],
        tables: Path,
        pit: PitState,
        clock: Clock,
    ) -> None:
        self.story = story
        self.options = options
        self.crane = CraneTwin(f"{seed}:{MQTT_CRANE}", CRANES[MQTT_CRANE])
        self.crane_faults = Faults()
        self.publisher: TwinPublisher | None = None
        self._cranes = {**cranes, MQTT_CRANE: self.crane}
        self._clock = clock
        units = list(self._units(pit))
        known = {table: load_table(tables, table) for table in dict.fromkeys(table for _, table, _ in units)}
        self.bus = BusStation(BUS, known, units, options.bus_port, clock)

    def open_publisher(self, broker_port: int) -> TwinPublisher:
        """The third crane's connection, not yet started."""
        topic, faults = self.options.crane_topic, self.crane_faults
        self.publisher = TwinPublisher(MQTT_CRANE, topic, broker_port, faults, self._clock)
        self.publisher.broken = BROKEN_CRANE
        return self.publisher

    def lead(self, story_s: float, weather: Weather) -> None:
        """Tell the wind and every crane what to do now."""
        weather.mean_m_s = self.story.mast_wind_m_s(story_s)
        for name, crane in self._cranes.items():
            crane.sent_to_deg = self.story.sent_to_deg(name, story_s)
            crane.climbing = self.story.climbs(name, story_s)
        lower, upper = (self._cranes.get(name) for name in ("crane-1", "crane-2"))
        if lower is not None and upper is not None:
            near_m = jib_to_line_m(lower.model, lower.slew.position, upper.model, upper.state)
            lower.multi_alarm = upper.multi_alarm = near_m < FLAG_BELOW_M

    def step(self, dt_s: float, wind_m_s: float) -> None:
        """One physics step of the third crane."""
        self.crane.step(dt_s, wind_m_s)

    def show_bus(self, pit: PitState) -> None:
        """Put what the instruments measure now into the bus's registers."""
        self.bus.show(self._units(pit))

    async def run(self) -> None:
        """Publish the third crane's record until cancelled."""
        assert self.publisher is not None
        while True:
            await self._clock.sleep(self.options.publish_every_s)
            self.crane_faults.settle(self._clock.monotonic_ns())
            await self.publisher.publish_record(crane_record(self.crane.state), self._clock.now_ns())

    def _units(self, pit: PitState) -> Iterator[Unit]:
        return bus_units(pit, self._cranes["crane-1"].state if "crane-1" in self._cranes else self.crane.state)
