"""The `zones:` and `power_lines:` of a site file: what its cranes must keep away from.

In: plain data. Out: frozen models that become zones and lines. Knows nothing of files; what is wrong is said by code,
the words are in `gateway.settings.wording`. The clearance that a voltage needs comes with a rule pack, or from the
line's owner; none is written here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.plan_geometry import PlanPoint, polar, sector
from gateway.parts.crane.group.power_lines import LineClearance, PowerLine
from gateway.parts.crane.group.zones import Zone, ZoneKind
from gateway.parts.crane.model.description import CraneDescription
from gateway.settings.document import Document
from gateway.settings.plan_settings import PlanPointSettings
from gateway.settings.rulepack import Packs
from gateway.settings.schema import Certainty, LimitSource, Name, SettingsModel, Title, certainty_fits

Height = Annotated[float, Field(ge=-500, le=10_000)]
Bearing = Annotated[float, Field(ge=0, le=360)]
Radius = Annotated[float, Field(ge=0, le=200)]
Clearance = Annotated[float, Field(gt=0, le=50)]
Voltage = Literal["<1kV", "1-15kV", "20-40kV", "60-110kV", "220kV", ">220kV"]
"""The classes of GB 5144-2006 10.4 (M-H), and what lies beyond; between two classes take the higher one."""


class SectorSettings(SettingsModel):
    """A sector around a crane (type A of docking practice; its shape is a product design)."""

    crane: Name
    """The crane in the middle."""
    from_deg: Bearing
    """Where it begins, degrees clockwise from site north."""
    to_deg: Bearing
    """Where it ends, clockwise; the same as `from_deg` for the full circle."""
    inner_m: Radius = 0.0
    """Inner radius, metres."""
    outer_m: Annotated[float, Field(gt=0, le=200)]
    """Outer radius, metres."""

    @model_validator(mode="after")
    def _inner_below_outer(self) -> "SectorSettings":
        if self.inner_m >= self.outer_m:
            context = {"low": self.inner_m, "high": self.outer_m, "low_key": "inner_m", "high_key": "outer_m"}
            raise PydanticCustomError("crane.order", "inner_m is not below outer_m", context)
        return self

    def corners(self, crane: CraneDescription) -> tuple[PlanPoint, ...]:
        """As a polygon around that crane."""
        base = (crane.base_x_m, crane.base_y_m)
        return sector(base, self.from_deg, self.to_deg, self.inner_m, self.outer_m)


class PolarPointSettings(SettingsModel):
    """A corner as a crane's driver sees it."""

    bearing_deg: Bearing
    """Degrees clockwise from site north."""
    radius_m: Radius
    """Metres from the slewing axis."""


class PolarSettings(SettingsModel):
    """A polygon of bearings and radii around a crane (type B of docking practice has four corners)."""

    crane: Name
    """The crane in the middle."""
    corners: Annotated[list[PolarPointSettings], Field(min_length=3, max_length=20)]
    """The corners in order."""

    def plan(self, crane: CraneDescription) -> tuple[PlanPoint, ...]:
        """As a polygon around that crane."""
        base = (crane.base_x_m, crane.base_y_m)
        return tuple(polar(base, corner.bearing_deg, corner.radius_m) for corner in self.corners)


class ZoneSettings(SettingsModel):
    """A zone that cranes must not enter (禁入区) or must not carry a load over (禁吊区). One shape of the three."""

    number: Annotated[int, Field(ge=1, le=99)]
    """What screens and platforms call it; each once for a kind on one crane. Platforms often take 1 to 5 only."""
    kind: ZoneKind
    """What is forbidden there."""
    title_zh: Title
    """Chinese name."""
    title_en: Title
    """English name."""
    polygon: Annotated[list[PlanPointSettings], Field(min_length=3, max_length=100)] | None = None
    """Corners in order, in the site's frame."""
    sector: SectorSettings | None = None
    """A sector around a crane."""
    polar: PolarSettings | None = None
    """Corners as bearings and radii around a crane."""
    cranes: Annotated[tuple[Name, ...], Field(max_length=64)] = ()
    """For which cranes; without it, all of them, or only the crane in the middle of a sector or polar shape."""
    bottom_m: Height | None = None
    """Where it begins, metres above the site's zero level; without it, at the bottom of everything."""
    top_m: Height | None = None
    """Where it ends; without it, it has no end."""

    @model_validator(mode="after")
    def _one_shape(self) -> "ZoneSettings":
        given = [shape for shape in (self.polygon, self.sector, self.polar) if shape is not None]
        if len(given) != 1:
            raise PydanticCustomError("zone.shape", "not exactly one shape", {"found": len(given)})
        if self.bottom_m is not None and self.top_m is not None and self.bottom_m >= self.top_m:
            context = {"low": self.bottom_m, "high": self.top_m, "low_key": "bottom_m", "high_key": "top_m"}
            raise PydanticCustomError("crane.order", "bottom_m is not below top_m", context)
        return self

    @property
    def centre(self) -> str | None:
        """The crane that the shape is drawn around; None for a polygon in the site's frame."""
        around = self.sector or self.polar
        return None if around is None else around.crane

    def concerns(self, crane: str) -> bool:
        """Whether it is a zone of this crane."""
        if self.cranes:
            return crane in self.cranes
        return self.centre in (None, crane)

    def build(self, centre: CraneDescription | None) -> Zone:
        """As the crane's model takes it; `centre` is described where the shape is drawn around a crane."""
        bottom = -inf if self.bottom_m is None else self.bottom_m
        top = inf if self.top_m is None else self.top_m
        return Zone(self.number, self.kind, self._corners(centre), bottom, top)

    def _corners(self, centre: CraneDescription | None) -> tuple[PlanPoint, ...]:
        if centre is not None and self.sector is not None:
            return self.sector.corners(centre)
        if centre is not None and self.polar is not None:
            return self.polar.plan(centre)
        return tuple((corner.x_m, corner.y_m) for corner in self.polygon or ())


class LineClearanceSettings(SettingsModel):
    """How far a crane must stay from wires: of one voltage class in a rule pack, or of one line of a site."""

    vertical_m: Clearance
    """Metres, vertically."""
    horizontal_m: Clearance
    """Metres, horizontally."""
    limit_source: LimitSource
    """Who says so."""
    clause: Annotated[str, Field(min_length=1, max_length=300)]
    """Clause, or document and page."""
    certainty: Certainty
    """How sure it is."""

    @model_validator(mode="after")
    def _certainty_fits_source(self) -> "LineClearanceSettings":
        if not certainty_fits(self.limit_source, self.certainty):
            context = {"source": self.limit_source.value, "certainty": self.certainty}
            raise PydanticCustomError("rule.certainty", "certainty and limit_source disagree", context)
        return self

    def build(self, voltage: Voltage) -> LineClearance:
        """As the crane's model takes it."""
        return LineClearance(voltage, self.vertical_m, self.horizontal_m, self.clause, self.certainty)


class VoltageClearanceSettings(LineClearanceSettings):
    """What a rule pack asks for lines of one voltage class."""

    voltage: Voltage
    """Voltage class."""


@dataclass(slots=True)
class LineClearances:
    """What a site's packs ask for, by voltage class; a later pack's figure replaces an earlier one's."""

    by_voltage: dict[str, LineClearance] = field(default_factory=dict)


def merge_clearances(
    read: Iterable[VoltageClearanceSettings],
    document: Document,  # noqa: ARG001
    shown: str,  # noqa: ARG001
    packs: Packs,
) -> None:
    """Put what one file says to what the packs before it say."""
    packs.table(LineClearances).by_voltage.update({each.voltage: each.build(each.voltage) for each in read})


class WirePointSettings(PlanPointSettings):
    """A line at one of its poles, or at the bottom of its sag."""

    low_m: Height
    """Lowest wire here and in the spans beside it, metres above the site's zero level."""
    high_m: Height
    """Highest wire here."""

    @model_validator(mode="after")
    def _low_not_above_high(self) -> "WirePointSettings":
        if self.low_m > self.high_m:
            context = {"low": self.low_m, "high": self.high_m, "low_key": "low_m", "high_key": "high_m"}
            raise PydanticCustomError("crane.order", "low_m is above high_m", context)
        return self


class PowerLineSettings(SettingsModel):
    """One overhead power line (架空输电线路)."""

    name: Name
    """Unique among the site's lines."""
    title_zh: Title
    """Chinese name."""
    title_en: Title
    """English name."""
    voltage: Voltage
    """Voltage class; between two classes the higher one."""
    wires: Annotated[list[WirePointSettings], Field(min_length=2, max_length=200)]
    """From pole to pole."""
    sway_m: Annotated[float, Field(ge=0, le=30)] = 0.0
    """How far wind carries the wires sideways, metres."""
    clearance: LineClearanceSettings | None = None
    """What the line's owner asks for; without it, what the rule packs say of its voltage."""

    def build(self, clearances: Mapping[str, LineClearance]) -> PowerLine | None:
        """As the crane's model takes it; None when nobody says how far to stay from this voltage."""
        own = None if self.clearance is None else self.clearance.build(self.voltage)
        clearance = own or clearances.get(self.voltage)
        if clearance is None:
            return None
        wires = tuple((at.x_m, at.y_m, at.low_m, at.high_m) for at in self.wires)
        return PowerLine(self.name, clearance, wires, self.sway_m)
