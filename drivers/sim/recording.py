"""The story as a recorded series, without a socket and faster than the clock: `python -m drivers.sim.recording > FILE`.

In: seed and length. Out: CSV lines `time,point,value` with the points of `config/sites/afternoon.yaml`, for
`sitewarden replay`. Cranes speak ten times a second, the crane on MQTT twice, the rest once. The same arguments give
the same file. `--pit-days` records the pit alone, in its own time: a reading of everything each ten minutes.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from drivers.sim.afternoon import CRANES, FAILING_PIT, Story
from drivers.sim.crane import CraneTwin
from drivers.sim.instruments import PLACES, bus_units
from drivers.sim.mqtt_publisher import weather_record
from drivers.sim.pit import PitTwin
from drivers.sim.registers import shipped_tables
from drivers.sim.stage import MQTT_CRANE, Stage, StageOptions
from drivers.sim.station import as_displayed, values_of
from drivers.sim.weather import Weather
from kit.clock import SimulatedClock

STEP_S = 0.05
PIT_EVERY_S = 600.0
START = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
_MAST_KEYS = {"WindSpeed": "wind", "WindDirection": "wind_direction_deg", "Temperature": "temp", "Humidity": "rh"}


@dataclass(frozen=True, slots=True)
class RecordedValue:
    """One value of one point, `at_s` seconds after the story began."""

    at_s: float
    point_id: str
    value: float


class StoryRecording:
    """Steps the twins of a story as the field does, and notes what they show."""

    def __init__(self, story: Story, seed: int) -> None:
        self._story = story
        self._weather = Weather(f"{seed}:weather", story.climate)
        self._cranes = {name: CraneTwin(f"{seed}:{name}", CRANES[name]) for name in CRANES if name != MQTT_CRANE}
        self._pit = PitTwin(f"{seed}:pit-1", story.pit)
        tables, clock = shipped_tables(), SimulatedClock()
        self._stage = Stage(story, StageOptions(), seed, self._cranes, tables, self._pit.state, clock)
        self._overloads = [
            (planned, crane)
            for name, crane in self._cranes.items()
            for planned in story.overload_plan(name, until_s=3600.0).schedule(seed, name)
        ]

    def values(self, seconds: float) -> Iterator[RecordedValue]:
        """Everything that is shown in so many seconds, in the order of time."""
        for i in range(round(seconds / STEP_S)):
            at_s = round(i * STEP_S, 3)
            self._step(at_s)
            for point_id, value in self._shown(i):
                if math.isfinite(value):
                    yield RecordedValue(at_s, point_id, value)

    def _step(self, at_s: float) -> None:
        self._stage.lead(at_s, self._weather)
        wind_m_s = self._weather.step(STEP_S).wind_m_s
        for planned, crane in self._overloads:
            if planned.at_s <= at_s < planned.at_s + STEP_S and not crane.overloaded:
                crane.overload(planned.peak_pct, planned.duration_s)
        for crane in self._cranes.values():
            crane.step(STEP_S, wind_m_s)
        self._stage.step(STEP_S, wind_m_s)
        self._pit.step(STEP_S, self._weather.state.temperature_degc)

    def _shown(self, step: int) -> Iterator[tuple[str, float]]:
        if step % 2 == 0:
            for name, crane in self._cranes.items():
                yield from _points(name, as_displayed(values_of(crane.state)))
        if step % 10 == 0:
            yield from _points(MQTT_CRANE, as_displayed(values_of(self._stage.crane.state)))
        if step % 20 == 0:
            yield from self._slow()

    def _slow(self) -> Iterator[tuple[str, float]]:
        """What is read once a second."""
        yield from _instruments(self._pit, self._cranes["crane-1"])
        mast = weather_record(self._weather.state)
        yield from _points("mast-1", {_MAST_KEYS[name]: float(value) for name, value in mast.items()})


def pit_values(story: Story, seed: int, days: float) -> Iterator[RecordedValue]:
    """The failing pit in its own time, so that rates per day mean what they say."""
    pit = PitTwin(f"{seed}:pit-1", FAILING_PIT)
    crane = CraneTwin(f"{seed}:crane-1")
    for i in range(round(days * 86_400 / PIT_EVERY_S)):
        for point_id, value in _instruments(pit, crane):
            if math.isfinite(value) and point_id.startswith("pit-1."):
                yield RecordedValue(i * PIT_EVERY_S, point_id, value)
        pit.step(PIT_EVERY_S, story.climate.temperature_degc)


def main(arguments: list[str] | None = None) -> int:
    """Print the story's readings, one line each, to standard output."""
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.recording", description="The story as CSV.")
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--pit-days", type=float, default=0.0, help="so many days of the pit alone, in its own time")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same story")
    args = parser.parse_args(arguments)
    story = Story()
    pit = pit_values(story, args.seed, args.pit_days) if args.pit_days else None
    print("time,point,value")
    for each in pit or StoryRecording(story, args.seed).values(args.seconds):
        time = START + timedelta(seconds=each.at_s)
        print(f"{time.isoformat(timespec='milliseconds')},{each.point_id},{each.value!r}")
    return 0


def _instruments(pit: PitTwin, crane: CraneTwin) -> Iterator[tuple[str, float]]:
    """The pit's logger and every unit of the bus."""
    yield from _points("pit-1", as_displayed(values_of(pit.state)))
    for unit, _, values in bus_units(pit.state, crane.state):
        asset, prefix = PLACES[unit]
        yield from _points(asset, {f"{prefix}{key}": round(value, 4) for key, value in values.items()})


def _points(asset: str, values: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    return ((f"{asset}.{key}", value) for key, value in values.items())


if __name__ == "__main__":
    sys.exit(main())
