"""The instruments of a pit in the site file, with calibration sheets; each builds what `gateway.parts.pit.model`
measures by.

In: plain data. Out: frozen models, and from them instruments over point ids. Knows nothing of files and lines. A point
is named by its id, or by its key alone when it is one of the same asset.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.parts.pit.model.hydrostatic_level import HydrostaticLevel
from gateway.parts.pit.model.inclinometer import InclinometerChain, InclinometerNode
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.strut_load import StrutLoad
from gateway.parts.pit.model.vibrating_wire import LinearSheet, PolynomialSheet, VibratingWire
from gateway.parts.pit.model.water_level import WaterLevel, WellReading
from gateway.settings.schema import Name, SettingsModel

MICROSTRAIN = "ue"
Metres = Annotated[float, Field(gt=0, le=200)]
Serial = Annotated[str, Field(max_length=50)]


def point_id(asset: str, written: str) -> str:
    """The id of a point that was written with its asset or without."""
    return written if "." in written else f"{asset}.{written}"


class SheetSettings(SettingsModel):
    """A gauge's calibration sheet: `g` and a zero reading, or the polynomial `a`, `b`, `c`; and temperature."""

    serial: Serial = ""
    """Serial number on the sheet."""
    calibrated: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    """Date of the sheet, YYYY-MM-DD."""
    unit: Literal["kPa", "kN", "mm", "ue"]
    """Unit of the quantity; ue is microstrain."""
    g: float | None = None
    """Linear factor, unit per digit: quantity = g (f0 - f) + k (t - t0). Its sign is the sheet's."""
    f0_digits: Annotated[float, Field(gt=0)] | None = None
    """Reading without load, digits (Hz squared / 1000)."""
    a: float | None = None
    """Polynomial a f2 + b f + c: factor of the square of the digits."""
    b: float | None = None
    """Polynomial: factor of the digits."""
    c: float | None = None
    """Polynomial: constant, from the zero reading on site."""
    k: float = 0.0
    """Temperature factor, unit per degree C; with 0 no temperature is asked for."""
    t0_c: float = 0.0
    """Temperature of the zero reading, degrees C."""

    @model_validator(mode="after")
    def _one_equation(self) -> "SheetSettings":
        linear = [self.g is not None, self.f0_digits is not None]
        polynomial = [self.a is not None, self.b is not None, self.c is not None]
        if not ((all(linear) and not any(polynomial)) or (all(polynomial) and not any(linear))):
            raise PydanticCustomError("pit.sheet", "give g and f0_digits, or a, b and c")
        return self

    @property
    def equation(self) -> LinearSheet | PolynomialSheet:
        """As the gauge takes it."""
        if self.g is not None and self.f0_digits is not None:
            return LinearSheet(self.g, self.f0_digits)
        return PolynomialSheet(self.a or 0.0, self.b or 0.0, self.c or 0.0)


class VibratingWireSettings(SettingsModel):
    """A vibrating-wire gauge on a logger channel."""

    id: Name
    """What points and struts call it."""
    frequency: Name
    """Point with the frequency, Hz."""
    reads_digits: bool = False
    """The logger says digits (Hz squared / 1000) instead of Hz."""
    temperature: Name | None = None
    """Point with the gauge's temperature, degrees C."""
    sheet: SheetSettings
    """Its calibration sheet."""

    @model_validator(mode="after")
    def _temperature_for_k(self) -> "VibratingWireSettings":
        if self.sheet.k and self.temperature is None:
            raise PydanticCustomError("pit.temperature", "k needs a temperature", {"found": self.sheet.k})
        return self

    @property
    def unit(self) -> str:
        """Unit of what it measures."""
        return self.sheet.unit

    def build(self, asset: str) -> VibratingWire:
        """The gauge over point ids."""
        return VibratingWire(
            point_id(asset, self.frequency),
            self.sheet.equation,
            point_id(asset, self.temperature) if self.temperature else "",
            self.sheet.k,
            self.sheet.t0_c,
            self.reads_digits,
        )


class NodeSettings(SettingsModel):
    """One node of an inclinometer chain."""

    tilt: Name
    """Point with its tilt towards the pit, degrees from vertical."""
    length_m: Metres
    """Gauge length of the segment, metres."""
    top_depth_m: Annotated[float, Field(ge=0, le=200)]
    """Depth of the segment's top below ground, metres."""


class InclinometerSettings(SettingsModel):
    """An in-place inclinometer chain. A point on it without `depth_m` stands for a point at each node."""

    id: Name
    """What points call it."""
    nodes: Annotated[list[NodeSettings], Field(min_length=1, max_length=200)]
    """Its nodes, deepest first."""
    surveyed_top: Name | None = None
    """Point with the surveyed displacement of the top, mm; without it the deepest end is taken as fixed."""

    @model_validator(mode="after")
    def _deepest_first(self) -> "InclinometerSettings":
        depths = [node.top_depth_m for node in self.nodes]
        if any(lower <= upper for lower, upper in pairwise(depths)):
            raise PydanticCustomError("pit.nodes", "nodes go from the deepest up", {"chain": self.id})
        return self

    @property
    def unit(self) -> str:
        """Unit of what it measures."""
        return "mm"

    def build(self, asset: str) -> InclinometerChain:
        """The chain over point ids."""
        nodes = tuple(
            InclinometerNode(point_id(asset, node.tilt), node.length_m, node.top_depth_m) for node in self.nodes
        )
        return InclinometerChain(nodes, point_id(asset, self.surveyed_top) if self.surveyed_top else "")


class HydrostaticSettings(SettingsModel):
    """A hydrostatic level: settlement of its tank against the reference tank."""

    id: Name
    """What points call it."""
    level: Name
    """Point with the liquid level in this tank, mm."""
    reference: Name
    """Point with the liquid level in the reference tank, mm."""
    temperature: Name | None = None
    """Point with this tank's temperature, degrees C."""
    reference_temperature: Name | None = None
    """Point with the reference tank's temperature, degrees C."""
    expansion_per_c: Annotated[float, Field(ge=0, le=0.002)] = 0.0
    """Volume expansion of the liquid by its data sheet, per degree C; 0 leaves levels uncorrected."""
    t0_c: float = 20.0
    """Temperature at which a level needs no correction, degrees C."""

    @model_validator(mode="after")
    def _temperatures_for_expansion(self) -> "HydrostaticSettings":
        if self.expansion_per_c and None in (self.temperature, self.reference_temperature):
            raise PydanticCustomError("pit.temperature", "needs temperatures", {"found": self.expansion_per_c})
        return self

    @property
    def unit(self) -> str:
        """Unit of what it measures."""
        return "mm"

    def build(self, asset: str) -> HydrostaticLevel:
        """The level over point ids."""
        return HydrostaticLevel(
            point_id(asset, self.level),
            point_id(asset, self.reference),
            point_id(asset, self.temperature) if self.temperature else "",
            point_id(asset, self.reference_temperature) if self.reference_temperature else "",
            self.expansion_per_c,
            self.t0_c,
        )


class StrutSettings(SettingsModel):
    """The gauges around one section of a strut."""

    id: Name
    """What points call it."""
    gauges: tuple[Name, ...] = ()
    """Ids of vibrating wires in microstrain (ue), compression positive."""
    strain_points: tuple[Name, ...] = ()
    """Points that say microstrain themselves, compression positive."""
    modulus_gpa: Annotated[float, Field(gt=0, le=1000)]
    """Young's modulus, GPa."""
    area_m2: Annotated[float, Field(gt=0, le=100)]
    """Area of the section, m2."""
    minimum_gauges: Annotated[int, Field(ge=1, le=16)] = 2
    """With fewer gauges alive the force is unknown."""

    @model_validator(mode="after")
    def _enough_gauges(self) -> "StrutSettings":
        given = len(self.gauges) + len(self.strain_points)
        if given < self.minimum_gauges:
            words = {"found": given, "bound": self.minimum_gauges}
            raise PydanticCustomError("pit.gauges", "fewer gauges than the minimum", words)
        return self

    @property
    def unit(self) -> str:
        """Unit of what it measures."""
        return "kN"

    def build(self, asset: str, wires: Mapping[str, VibratingWireSettings]) -> StrutLoad:
        """The section over its gauges; `wires` has every id in `gauges`."""
        direct = tuple(DirectReading(point_id(asset, point)) for point in self.strain_points)
        wired = tuple(wires[gauge].build(asset) for gauge in self.gauges)
        return StrutLoad((*wired, *direct), self.modulus_gpa, self.area_m2, self.minimum_gauges)


class WellSettings(SettingsModel):
    """A groundwater observation well; it measures the water's elevation, mm, which rises with the water."""

    id: Name
    """What points call it."""
    input: Name
    """Point with the depth, the column or the pressure."""
    reads: WellReading
    """depth_m: depth below the well head, metres. column_m: water over the probe, metres. pressure_kpa: kPa."""
    elevation_m: float
    """Elevation of the well head (for a depth) or of the probe, metres."""
    air_pressure: Name | None = None
    """Point with the air pressure, kPa, for an absolute pressure probe."""

    @property
    def unit(self) -> str:
        """Unit of what it measures."""
        return "mm"

    def build(self, asset: str) -> WaterLevel:
        """The well over point ids."""
        air = point_id(asset, self.air_pressure) if self.air_pressure else ""
        return WaterLevel(point_id(asset, self.input), self.reads, self.elevation_m, air)
