"""The `pit:` section of an asset: depth, grade, stage, instruments, monitoring points, baselines.

In: plain data. Out: frozen models, and from them a `PitDescription`. Whether the points that instruments read exist on
the box is for who binds the site: `input_ids` of the description's points says what they are. Knows no files and lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.parts.pit.model.description import (
    Baseline,
    BaselineKind,
    PitDescription,
    PitPoint,
    PitStage,
    PitTrade,
    SafetyGrade,
)
from gateway.parts.pit.model.inclinometer import InclinometerChain, InclinometerDepth
from gateway.parts.pit.model.instrument import DirectReading, Instrument
from gateway.parts.pit.model.items import ITEMS, ItemFacts
from gateway.parts.pit.model.outputs import Ending
from gateway.parts.pit.model.reading_quality import QualityGates
from gateway.parts.pit.settings.instruments import (
    MICROSTRAIN,
    HydrostaticSettings,
    InclinometerSettings,
    Metres,
    StrutSettings,
    VibratingWireSettings,
    WellSettings,
    point_id,
)
from gateway.parts.pit.settings.points import (
    HAND_SUFFIX,
    BaselineSettings,
    Moment,
    PitPointSettings,
    QualitySettings,
    RateSettings,
    moment_ns,
)
from gateway.settings.schema import Name, SettingsModel

AnyInstrument = VibratingWireSettings | InclinometerSettings | HydrostaticSettings | StrutSettings | WellSettings
_ALREADY = Baseline(BaselineKind.INITIAL, 0, "instrument", "the instrument counts from the zero survey", 0.0, 0.0)


class PitSettings(SettingsModel):
    """A deep pit: its papers, its instruments and its monitoring points."""

    design_depth_m: Metres | None = None
    """Design depth H, metres. Without it limits in per cent of H cannot be judged."""
    safety_grade: Literal[1, 2, 3] | None = None
    """Safety grade of the support."""
    trade: PitTrade = PitTrade.BUILDING
    """Whose frequency table counts: building works or urban rail by open cut."""
    third_party_monitored: bool | None = None
    """Whether an independent unit monitors the pit; left out: nobody has said."""
    excavated_m: Annotated[float, Field(ge=0, le=200)] | None = None
    """Excavated depth as last written down, metres; or `excavated_point`."""
    excavated_point: Name | None = None
    """Point that says the excavated depth, metres."""
    rain_point: Name | None = None
    """Rain gauge's counter, mm in all: the early warning asks whether rain explains a movement."""
    base_slab_cast: Moment | None = None
    """When the base slab was cast, ISO 8601 with offset."""
    vibrating_wires: tuple[VibratingWireSettings, ...] = ()
    """Vibrating-wire gauges."""
    inclinometers: tuple[InclinometerSettings, ...] = ()
    """In-place inclinometer chains."""
    hydrostatic_levels: tuple[HydrostaticSettings, ...] = ()
    """Hydrostatic levels."""
    struts: tuple[StrutSettings, ...] = ()
    """Sections of struts with several gauges."""
    wells: tuple[WellSettings, ...] = ()
    """Groundwater observation wells."""
    points: Annotated[list[PitPointSettings], Field(min_length=1, max_length=2000)]
    """Monitoring points."""
    baselines: tuple[BaselineSettings, ...] = ()
    """Zero surveys, re-zeroings and changed sensors."""
    rate: RateSettings = RateSettings()
    """Rate window of points that have none of their own."""
    quality: QualitySettings = QualitySettings()
    """Gates of quality of points that have none of their own."""

    @model_validator(mode="after")
    def _parts_fit(self) -> "PitSettings":
        if self.excavated_m is not None and self.excavated_point is not None:
            raise PydanticCustomError("pit.excavated", "give one of both")
        _once([each.id for each in self.instruments()])
        _once([point.name for point in self.points])
        for strut in self.struts:
            self._check_gauges(strut)
        instruments = {each.id: each for each in self.instruments()}
        for point in self.points:
            _check_instrument(point, instruments)
        names = PointNames(self)
        for neighbour in (each for point in self.points for each in point.neighbours):
            _known(neighbour, names.of)
        for baseline in self.baselines:
            _check_baseline(baseline, names)
        _once([name + suffix for name in names.every for suffix in ("", HAND_SUFFIX, *Ending)])
        return self

    def build(self, asset: str) -> PitDescription:
        """The description of the pit that is asset `asset`."""
        building = _Building(self, asset)
        points = tuple(built for point in self.points for built in building.points(point))
        cast = None if self.base_slab_cast is None else moment_ns(self.base_slab_cast)
        excavated = point_id(asset, self.excavated_point) if self.excavated_point else ""
        return PitDescription(
            asset,
            points,
            self.design_depth_m,
            None if self.safety_grade is None else SafetyGrade(self.safety_grade),
            self.trade,
            PitStage(self.excavated_m, excavated, cast),
            self.third_party_monitored,
            point_id(asset, self.rain_point) if self.rain_point else "",
        )

    def instruments(self) -> Iterator[AnyInstrument]:
        """All of them, of every kind."""
        yield from self.vibrating_wires
        yield from self.inclinometers
        yield from self.hydrostatic_levels
        yield from self.struts
        yield from self.wells

    def _check_gauges(self, strut: StrutSettings) -> None:
        wires = {wire.id: wire.unit for wire in self.vibrating_wires}
        for gauge in strut.gauges:
            _known(gauge, wires)
            _same_unit(wires[gauge], MICROSTRAIN, gauge)


class PointNames:
    """What points are called once a chain's point stands for one at each of its nodes.

    `depths` has for each point of the settings its names, and of a chain's the node each is at; `of` has for each name
    that may be written the names it means; `every` lists the names of all monitoring points.
    """

    def __init__(self, settings: PitSettings) -> None:
        chains = {chain.id: chain for chain in settings.inclinometers}
        self.depths = {point.name: _depths_of(point, chains.get(point.instrument or "")) for point in settings.points}
        self.every = [name for depths in self.depths.values() for name, _ in depths]
        self.of: dict[str, tuple[str, ...]] = {name: (name,) for name in self.every}
        self.of |= {name: tuple(each for each, _ in depths) for name, depths in self.depths.items()}


class _Building:
    """Builds the points of one pit from its settings, which fit together."""

    def __init__(self, settings: PitSettings, asset: str) -> None:
        self._settings = settings
        self._asset = asset
        self._names = PointNames(settings)
        self._instruments = dict(self._built())

    def points(self, point: PitPointSettings) -> Iterator[PitPoint]:
        """The monitoring point, or one for each depth of its chain."""
        for name, position in self._names.depths[point.name]:
            yield self._point(point, name, self._source(point, position))

    def _point(self, point: PitPointSettings, name: str, source: Instrument) -> PitPoint:
        facts = ITEMS[point.item]
        depth_m = source.depth_m if isinstance(source, InclinometerDepth) else point.depth_m
        at_depth = "" if name == point.name else f" {depth_m:g} m"
        return PitPoint(
            name=name,
            item=point.item,
            source=source,
            title_zh=(point.title_zh or f"{facts.title_zh} {point.name.upper()}") + at_depth,
            title_en=(point.title_en or f"{facts.title_en} {point.name.upper()}") + at_depth,
            structure=point.structure,
            depth_m=depth_m,
            sign=-1 if point.reverse else 1,
            baselines=self._baselines(point, name),
            neighbours=tuple(each for near in point.neighbours for each in self._names.of[near]),
            line=point.line,
            reading_interval_s=point.reading_interval_s,
            valid_for_s=point.valid_s,
            required_every_h=point.required_every_h,
            rising_per_day=point.rising_per_day or facts.rising_per_day,
            control=point.control.build() if point.control else None,
            rate=(point.rate or self._settings.rate).build(),
            gates=self._gates(point, facts),
        )

    def _gates(self, point: PitPointSettings, facts: ItemFacts) -> QualityGates:
        """A surveyor's readings of a quiet point are the same for days: only a point of its own gates is flat."""
        gates = (point.quality or self._settings.quality).build(facts)
        return replace(gates, flat_after_s=0.0) if point.by_hand and point.quality is None else gates

    def _baselines(self, point: PitPointSettings, name: str) -> tuple[Baseline, ...]:
        own = [each.build() for each in self._settings.baselines if each.point in (point.name, name)]
        start = [_ALREADY] if point.already_cumulative else []
        return tuple(sorted([*start, *own], key=lambda baseline: baseline.at_ns))

    def _source(self, point: PitPointSettings, position: int) -> Instrument:
        """The instrument over point ids."""
        direct = point.read_from(self._asset)
        if direct is not None:
            return DirectReading(direct, point.scale)
        instrument = self._instruments[point.instrument or ""]
        return InclinometerDepth(instrument, position) if isinstance(instrument, InclinometerChain) else instrument

    def _built(self) -> Iterator[tuple[str, Instrument | InclinometerChain]]:
        wires = {wire.id: wire for wire in self._settings.vibrating_wires}
        for each in self._settings.instruments():
            yield (
                each.id,
                each.build(self._asset, wires) if isinstance(each, StrutSettings) else each.build(self._asset),
            )


def _depths_of(point: PitPointSettings, chain: InclinometerSettings | None) -> list[tuple[str, int]]:
    """A point's names, and the node of its chain that each is at (0 without a chain)."""
    if chain is None:
        return [(point.name, 0)]
    depths = [node.top_depth_m for node in chain.nodes]
    if point.depth_m is not None:
        return [(point.name, depths.index(point.depth_m))]
    return [(f"{point.name}-{round(depth * 100)}cm", position) for position, depth in enumerate(depths)]


def _check_instrument(point: PitPointSettings, instruments: Mapping[str, AnyInstrument]) -> None:
    """The point's instrument is there, measures in the item's unit, and has a node at the point's depth."""
    if point.instrument is None:
        return
    _known(point.instrument, instruments)
    instrument = instruments[point.instrument]
    _same_unit(instrument.unit, ITEMS[point.item].unit, point.name)
    if isinstance(instrument, InclinometerSettings) and point.depth_m is not None:
        _known(str(point.depth_m), [str(node.top_depth_m) for node in instrument.nodes])


def _check_baseline(baseline: BaselineSettings, names: PointNames) -> None:
    _known(baseline.point, names.of)
    if baseline.zero is not None and len(names.of[baseline.point]) > 1:
        raise PydanticCustomError("pit.zero_for_chain", "one zero for many depths", {"found": baseline.point})


def _known(name: str, known: Mapping[str, object] | Sequence[str]) -> None:
    if name not in known:
        words = {"found": name, "known": ", ".join(sorted(known)[:30]) or "-"}
        raise PydanticCustomError("pit.unknown_name", "an unknown name", words)


def _same_unit(found: str, expected: str, name: str) -> None:
    if found != expected:
        raise PydanticCustomError("pit.unit", "another unit", {"found": found, "expected": expected, "name": name})


def _once(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise PydanticCustomError("pit.name_twice", "a name given twice", {"found": name})
        seen.add(name)
