"""The `crane:` section of a tower crane in a site file: where it stands, how it is built, its maker's load chart.

In: plain data. Out: `CraneDescription`. Knows nothing of files; what is wrong is said by code, the words are in
`gateway.settings.wording`.
"""

from collections.abc import Sequence
from datetime import datetime
from math import inf, nan
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.parts.crane.model.description import Climb, CraneDescription
from gateway.parts.crane.model.load_chart import ChartFault, LoadChart, LoadCurve, fault_of
from gateway.parts.crane.settings.tuning import CraneTuning
from gateway.settings.plan_settings import Bearing, Place
from gateway.settings.schema import Name, SettingsModel

Length = Annotated[float, Field(gt=0, le=200)]
Height = Annotated[float, Field(gt=0, le=655.35)]
Radius = Annotated[float, Field(ge=0, le=99.99)]
Turn = Annotated[float, Field(ge=0, le=3600)]
PartsOfLine = Annotated[int, Field(ge=1, le=99)]


def _instant(written: object) -> object:
    """A time with its offset, such as 2026-03-01T08:00:00+08:00."""
    try:
        at = datetime.fromisoformat(written) if isinstance(written, str) else written
    except ValueError:
        at = None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise PydanticCustomError("crane.time", "a time with its offset", {"found": repr(written)[:60]})
    return at


Instant = Annotated[datetime, BeforeValidator(_instant)]


class ChartPointSettings(SettingsModel):
    """One column of the maker's load chart."""

    radius_m: Radius
    """Radius, metres."""
    rated_t: Annotated[float, Field(gt=0, le=99.99)]
    """What may be lifted there, tonnes."""


class ChartLineSettings(SettingsModel):
    """The maker's load chart for one number of parts of line (倍率)."""

    parts_of_line: PartsOfLine
    """Parts of line."""
    points: Annotated[list[ChartPointSettings], Field(min_length=2, max_length=500)]
    """The chart's columns, radii rising."""

    @model_validator(mode="after")
    def _radii_rise(self) -> "ChartLineSettings":
        fault = fault_of([point.radius_m for point in self.points], [point.rated_t for point in self.points])
        if fault is not None:
            why, i = fault
            code = "crane.chart_duplicate" if why is ChartFault.DUPLICATE else "crane.chart_not_rising"
            context = {"found": self.points[i].radius_m, "before": self.points[i - 1].radius_m}
            raise PydanticCustomError(code, "radii do not rise", context)
        return self

    def curve(self) -> LoadCurve:
        """As the crane model takes it."""
        radius_m = tuple(point.radius_m for point in self.points)
        return LoadCurve(self.parts_of_line, radius_m, tuple(point.rated_t for point in self.points))


class ClimbSettings(SettingsModel):
    """One climb (顶升) or lowering of the mast."""

    at: Instant
    """When it was finished, with offset: 2026-03-01T08:00:00+08:00."""
    mast_height_m: Height
    """Height of the mast since then, metres above the base."""


class RailsSettings(SettingsModel):
    """The rails of a travelling crane. The crane's base is where its travel reads 0."""

    min_m: Place
    """Travel at one end, metres."""
    max_m: Place
    """Travel at the other end, metres."""
    bearing_deg: Bearing
    """Where the rails lead as the travel rises, degrees clockwise from site north."""

    @model_validator(mode="after")
    def _ends_in_order(self) -> "RailsSettings":
        if self.min_m >= self.max_m:
            context = {"low": self.min_m, "high": self.max_m, "low_key": "min_m", "high_key": "max_m"}
            raise PydanticCustomError("crane.order", "min_m is not below max_m", context)
        return self


class CraneSettings(SettingsModel):
    """One tower crane as built. Heights are above its base, to the underside of the jib (luffing: its pivot)."""

    number: Annotated[int, Field(ge=0, le=15)] = 0
    """Its number in its group, 0 to 15; each once in a group."""
    load_chart: Annotated[list[ChartLineSettings], Field(min_length=1, max_length=10)]
    """The maker's load chart, one entry for each number of parts of line."""
    parts_of_line: PartsOfLine | None = None
    """Parts of line in use when the device does not say."""
    jib_m: Length
    """Slewing axis to jib tip, metres."""
    counter_jib_m: Length
    """Slewing axis to the end of the counter-jib, metres."""
    luffing: bool = False
    """Whether the jib luffs (动臂) instead of carrying a trolley."""
    base_x_m: Place
    """Slewing axis, metres east of the site's origin."""
    base_y_m: Place
    """Slewing axis, metres north of the site's origin."""
    base_z_m: Annotated[float, Field(ge=-500, le=9000)]
    """Base, metres above the site's zero level."""
    mast_height_m: Height
    """Height of the mast as first erected."""
    hook_height_max_m: Height
    """The hook's height when its block touches the jib, with the mast at `mast_height_m`."""
    climbs: Annotated[tuple[ClimbSettings, ...], Field(max_length=200)] = ()
    """Climbing history, oldest first."""
    ties_m: Annotated[tuple[Height, ...], Field(max_length=50)] = ()
    """Heights of the ties to the building (附着), lowest first."""
    radius_min_m: Radius
    """Smallest radius the hook can reach."""
    radius_max_m: Radius
    """Largest radius the hook can reach."""
    slew_zero_deg: Bearing = 0.0
    """Where the jib points when the device reads 0, degrees clockwise from site north: survey it."""
    slew_clockwise: bool = True
    """Whether the reading rises as the jib turns clockwise, seen from above."""
    slew_left_deg: Turn | None = None
    """How far the jib may turn anticlockwise from its zero, degrees; left out with a slip ring."""
    slew_right_deg: Turn | None = None
    """How far the jib may turn clockwise from its zero, degrees; left out with a slip ring."""
    rails: RailsSettings | None = None
    """The rails, if it travels."""
    tilt_axis_deg: Bearing = 0.0
    """Where the tilt sensor's +x axis points, degrees clockwise from site north, or from the jib if it turns."""
    tilt_turns: bool = False
    """Whether the tilt sensor sits above the slewing ring and turns with the jib."""
    trolley_max_m_s: Annotated[float, Field(gt=0, le=5)] = 1.0
    """Fastest trolley motion, metres a second."""
    slew_max_deg_s: Annotated[float, Field(gt=0, le=30)] = 4.8
    """Fastest slewing, degrees a second (0.8 r/min = 4.8)."""
    hoist_max_m_s: Annotated[float, Field(gt=0, le=10)] = 1.5
    """Fastest hoisting, metres a second."""
    jib_radius_m: Annotated[float, Field(gt=0, le=5)] = 1.0
    """Half the height of the jib's section, metres."""
    counter_jib_radius_m: Annotated[float, Field(gt=0, le=10)] = 1.5
    """Half the height of the counter-jib with its weights, metres."""
    mast_radius_m: Annotated[float, Field(gt=0, le=5)] = 1.2
    """Half the diagonal of the mast's section, metres."""
    load_radius_m: Annotated[float, Field(gt=0, le=10)] = 1.5
    """Half the size of a usual load, metres."""
    wind_point: Name | None = None
    """The point that measures its wind, when that is not one of its own: a weather mast's, such as `mast-1.wind`."""
    tuning: CraneTuning = CraneTuning()
    """How its derived quantities are computed."""

    @model_validator(mode="after")
    def _fits_together(self) -> "CraneSettings":
        self._check_order("radius_min_m", "radius_max_m", self.radius_min_m, self.radius_max_m)
        self._check_order("radius_max_m", "jib_m", self.radius_max_m, self.jib_m, equal=True)
        self._check_order("hook_height_max_m", "mast_height_m", self.hook_height_max_m, self.mast_height_m, equal=True)
        _check_rising("climbs", [climb.at.timestamp() for climb in self.climbs])
        _check_rising("ties_m", self.ties_m)
        if (self.slew_left_deg is None) != (self.slew_right_deg is None):
            raise PydanticCustomError("crane.slew_limits", "one slew limit")
        self._check_chart()
        return self

    def _check_order(self, low_key: str, high_key: str, low: float, high: float, equal: bool = False) -> None:
        if low > high or (low == high and not equal):
            context = {"low": low, "high": high, "low_key": low_key, "high_key": high_key}
            raise PydanticCustomError("crane.order", "out of order", context)

    def _check_chart(self) -> None:
        known = [line.parts_of_line for line in self.load_chart]
        for i, parts in enumerate(known):
            if parts in known[:i]:
                raise PydanticCustomError("crane.chart_twice", "one line twice", {"found": parts})
        if self.parts_of_line is not None and self.parts_of_line not in known:
            context = {"found": self.parts_of_line, "known": ", ".join(map(str, known))}
            raise PydanticCustomError("crane.chart_parts", "no line of the chart", context)

    def describe(self, asset: str) -> CraneDescription:
        """As the crane models take it; `asset` is the crane's id on the box."""
        rails = self.rails
        return CraneDescription(
            asset=asset,
            number=self.number,
            chart=LoadChart(tuple(line.curve() for line in self.load_chart)),
            slew_left_deg=-inf if self.slew_left_deg is None else -self.slew_left_deg,
            slew_right_deg=inf if self.slew_right_deg is None else self.slew_right_deg,
            climbs=tuple(Climb(_ns(climb.at), climb.mast_height_m) for climb in self.climbs),
            ties_m=self.ties_m,
            travel_min_m=nan if rails is None else rails.min_m,
            travel_max_m=nan if rails is None else rails.max_m,
            travel_bearing_deg=0.0 if rails is None else rails.bearing_deg,
            parameters=self.tuning.parameters(),
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
        )


_AS_THEY_ARE = (
    "jib_m",
    "counter_jib_m",
    "luffing",
    "base_x_m",
    "base_y_m",
    "base_z_m",
    "mast_height_m",
    "hook_height_max_m",
    "radius_min_m",
    "radius_max_m",
    "slew_zero_deg",
    "slew_clockwise",
    "parts_of_line",
    "tilt_axis_deg",
    "tilt_turns",
    "trolley_max_m_s",
    "slew_max_deg_s",
    "hoist_max_m_s",
    "jib_radius_m",
    "counter_jib_radius_m",
    "mast_radius_m",
    "load_radius_m",
)


def _check_rising(key: str, values: Sequence[float]) -> None:
    for i, value in enumerate(values[1:], start=1):
        if value <= values[i - 1]:
            raise PydanticCustomError("crane.not_rising", "not rising", {"key": key, "position": i + 1})


def _ns(at: datetime) -> int:
    """UTC nanoseconds, exact to the microsecond."""
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + at.microsecond * 1000
