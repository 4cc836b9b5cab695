"""From what a site says of its assets to the models that derive what no instrument reads.

In: the site's assets, the points that its devices deliver, the limits in force. Out: an `AssetPlan`, which builds the
models anew for every start and every reload; the points they derive; faults where an asset names a point that no device
delivers. Reads the table of reading intervals, opens nothing else.

    site --> descriptions --> plan --> models, in an order in which each reads only what stands before it:
                                       surroundings of cranes, cranes, groups of cranes, pit points, pits,
                                       the site's weather
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from pathlib import Path

from gateway.model.derivation import Derivation
from gateway.model.papers import DriverLookup, nobody_known
from gateway.model.quantity import Point, PointTable
from gateway.model.rule import ResolvedRule
from gateway.model.site_standing import NOTHING_KNOWN, SiteStanding
from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.crane.model.description import CraneDescription, undescribed
from gateway.parts.crane.model.safety_device import CraneSilence
from gateway.parts.crane.model.tie_watch import TieWatch
from gateway.parts.pit.model.description import PitDescription
from gateway.parts.pit.model.frequency import FrequencyTable
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.pit import PitDerivation
from gateway.parts.pit.model.point import PitPointDerivation
from gateway.parts.pit.model.surroundings import PitSurroundings
from gateway.parts.weather.site_watch import CranePermission, WeatherWatch
from gateway.settings.binding import Field
from gateway.settings.crane_yard_plan import (
    Obstacles,
    PlannedGroup,
    PlannedSurroundings,
    YardCranes,
    plan_groups,
    plan_surroundings,
)
from gateway.settings.document import Document, KeyPath
from gateway.settings.library import opened_once
from gateway.settings.papers_settings import PapersSettings
from gateway.settings.pit_frequency import read_frequency
from gateway.settings.pit_limits import limits_of
from gateway.settings.pit_limits_rows import DescribedPit
from gateway.settings.pit_point_settings import HAND_SUFFIX
from gateway.settings.rulepack import Packs
from gateway.settings.schema import AssetKind
from gateway.settings.site import SiteParts

FREQUENCY_FILE = Path("pit", "reading-frequency.yaml")


@dataclass(frozen=True, slots=True, eq=False)
class PlannedPit:
    """A pit, and the size of the cumulative limit in force at each of its points (NaN: none is known)."""

    description: PitDescription
    limits: Mapping[str, float]

    def models(self, frequency: FrequencyTable) -> Iterator[Derivation]:
        """Each point's model, then the pit's."""
        pit = self.description
        around = PitSurroundings(pit)
        for point in pit.points:
            yield PitPointDerivation(pit, point, self.limits[point.name], around)
        yield PitDerivation(pit, frequency, around)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedCrane:
    """A tower crane, the points that its devices deliver by key, and its papers (None: nothing was ever filed)."""

    description: CraneDescription
    points: Mapping[str, str]
    papers: PapersSettings | None

    def models(self, drivers: DriverLookup, standing: SiteStanding) -> Iterator[Derivation]:
        """The crane's model, and those that watch it."""
        asset = self.description.asset
        papers = None if self.papers is None else self.papers.papers(asset, drivers)
        crane = CraneDerivation(self.description, self.points, papers)
        yield crane
        permission = CranePermission(asset, [point.point_id for point in crane.outputs], standing)
        if permission.outputs:
            yield permission
        if "motor" in self.points:
            others = [point for key, point in self.points.items() if key != "motor" and point.startswith(f"{asset}.")]
            yield CraneSilence(asset, self.points["motor"], others)
        if self.papers is not None:
            registry = self.papers.tie_registry()
            yield TieWatch(asset, registry, self.points.get("crane_h_m"), self.description.mast_height_at)

    def with_marks(self, rows: Sequence[ResolvedRule]) -> "PlannedCrane":
        """The working cycles' records are flagged by the limits that the rules judge by."""
        asset = self.description.asset
        limits = {row.info.rule_id: row.limit for row in rows if row.asset == asset and row.info.rule_id in _MARKS}
        parameters = self.description.parameters
        marks = replace(parameters.marks, **{_MARKS[rule]: limit for rule, limit in limits.items()})
        return replace(self, description=replace(self.description, parameters=replace(parameters, marks=marks)))


_MARKS = {
    "crane.moment.prealarm": "moment_prealarm_pct",
    "crane.moment.alarm": "moment_alarm_pct",
    "crane.wind.prealarm": "wind_prealarm_m_s",
    "crane.wind.lifting_stop": "wind_alarm_m_s",
    "crane.height.alarm": "height_margin_m",
    "crane.radius_out.alarm": "radius_margin_m",
    "crane.slew_left.alarm": "slew_margin_deg",
}
"""Rules whose limits a cycle's record is flagged by. Not the tilt's: that limit is for an empty hook, and a load bends
the mast far beyond it."""


@dataclass(frozen=True, slots=True, eq=False)
class AssetPlan:
    """What the models of a site are built from. The same plan builds the same models, each with a state of its own."""

    cranes: tuple[PlannedCrane, ...] = ()
    surroundings: tuple[PlannedSurroundings, ...] = ()
    groups: tuple[PlannedGroup, ...] = ()
    pits: tuple[PlannedPit, ...] = ()
    frequency: FrequencyTable = field(default_factory=FrequencyTable)

    def models(
        self, drivers: DriverLookup = nobody_known, standing: SiteStanding = NOTHING_KNOWN
    ) -> tuple[Derivation, ...]:
        """All models of the box, none of which has seen anything yet."""
        return tuple(self._models(drivers, standing))

    def with_marks(self, rows: Sequence[ResolvedRule]) -> "AssetPlan":
        """The same plan, its cranes' records flagged by the limits in force, and its groups certain of no more."""
        groups = tuple(group.with_limits(rows) for group in self.groups)
        return replace(self, cranes=tuple(crane.with_marks(rows) for crane in self.cranes), groups=groups)

    def _models(self, drivers: DriverLookup, standing: SiteStanding) -> Iterator[Derivation]:
        for surroundings in self.surroundings:
            yield from surroundings.models()
        for crane in self.cranes:
            yield from crane.models(drivers, standing)
        for group in self.groups:
            yield from group.models()
        for pit in self.pits:
            yield from pit.models(self.frequency)
        if self.cranes or self.pits:
            yield WeatherWatch(standing)


class AssetPlanner:
    """One site's assets, described; notes faults in the site's document."""

    def __init__(self, document: Document, site: SiteParts, field: Field) -> None:
        self._document = document
        self._site = site
        self._points = {point.point_id: point for point in field.points.points}
        self.pits = tuple(self._pits())
        self._points |= {point.point_id: point for point in self.hand_points()}
        for pit in self.pits:
            self._check_inputs(pit)

    def hand_points(self) -> Iterator[Point]:
        """The points that surveyors measure: no device delivers them."""
        for pit in self.pits:
            yield from _hand_points(pit.description)

    def plan(self, packs: Packs, frequency: FrequencyTable | None) -> AssetPlan:
        """Everything that is valid."""
        pits = tuple(PlannedPit(pit.description, _limits(pit.description, packs)) for pit in self.pits)
        cranes = tuple(self._cranes())
        yard = self._yard(cranes)
        obstacles = Obstacles(self._site.zones, self._site.power_lines, packs.line_clearances)
        surroundings = tuple(plan_surroundings(self._document, obstacles, yard))
        around = {point.point_id: point for each in surroundings for model in each.models() for point in model.outputs}
        return AssetPlan(
            tuple(_among(crane, around) for crane in cranes),
            surroundings,
            tuple(plan_groups(self._document, self._site.crane_groups, yard)),
            pits,
            frequency or FrequencyTable(),
        )

    def _yard(self, cranes: Sequence[PlannedCrane]) -> YardCranes:
        """The cranes as their neighbours and surroundings meet them."""
        kinds = {asset: kind is AssetKind.TOWER_CRANE for asset, kind in self._site.asset_kinds.items()}
        described = {crane.description.asset: crane.description for crane in cranes if crane.description.described}
        return YardCranes(kinds, described, frozenset(self._points))

    def _cranes(self) -> Iterator[PlannedCrane]:
        """Every tower crane that a device reads; of one that nobody has described only what needs no description."""
        for path, asset in self._site.asset_paths:
            points = {point.role: point.point_id for point in self._points.values() if point.asset == asset.id}
            if asset.kind is not AssetKind.TOWER_CRANE or not points:
                continue
            if asset.crane is None:
                self._document.warn((*path, "kind"), "warn.crane_undescribed", found=asset.id)
            elif asset.crane.wind_point is not None:
                points["wind_ms"] = self._wind_point((*path, "crane", "wind_point"), asset.crane.wind_point)
            description = undescribed(asset.id) if asset.crane is None else asset.crane.describe(asset.id)
            yield PlannedCrane(description, points, asset.papers)

    def _wind_point(self, path: KeyPath, wanted: str) -> str:
        if wanted not in self._points:
            self._document.add(path, "crane.wind_unknown", found=wanted)
        return wanted

    def _pits(self) -> Iterator[DescribedPit]:
        for path, asset in self._site.asset_paths:
            if asset.pit is not None:
                yield DescribedPit((*path, "pit"), asset.pit.build(asset.id))

    def _check_inputs(self, pit: DescribedPit) -> None:
        """Every point that an instrument reads, and those that say excavated depth and rain, must be there."""
        description = pit.description
        wanted = [(point.name, each) for point in description.points for each in point.source.inputs]
        for key, named in (
            ("excavated_point", description.stage.excavated_point),
            ("rain_point", description.rain_point),
        ):
            if named:
                wanted.append((key, named))
        for name, point_id in dict.fromkeys(wanted):
            if point_id not in self._points:
                self._document.add(pit.path, "pit.input_unknown", name=name, found=point_id)


def _among(crane: PlannedCrane, around: Mapping[str, Point]) -> PlannedCrane:
    """The crane with what is derived of its surroundings beside what its devices deliver."""
    asset = crane.description.asset
    own = {point.quantity: point.point_id for point in around.values() if point.asset == asset}
    return replace(crane, points={**crane.points, **own})


def with_derived(document: Document, bound: Field, derived: Sequence[Point]) -> Field:
    """The field with what is derived and what surveyors measure, after the points of its devices."""
    points = {point.point_id: point for point in bound.points.points}
    for point in derived:
        if point.point_id in points:
            words = {"point": point.point_id, "other": points[point.point_id].device}
            document.add(("assets",), "point.duplicate", **words)
        else:
            points[point.point_id] = point
    return replace(bound, points=PointTable(tuple(points.values())))


def frequency_table(root: Path, opened: dict[Path, Document]) -> FrequencyTable | None:
    """The shipped table of reading intervals; None when it has faults."""
    return read_frequency(opened_once(root / FREQUENCY_FILE, opened))


def hand_device(asset: str, name: str) -> str:
    """The virtual device of a point that a surveyor measures: one each, for no two are read at the same time."""
    return f"{asset}:{name}{HAND_SUFFIX}"


def _hand_points(pit: PitDescription) -> Iterator[Point]:
    for point in pit.points:
        hand = f"{pit.asset}.{point.name}{HAND_SUFFIX}"
        if isinstance(point.source, DirectReading) and point.source.point == hand:
            yield Point(
                point_id=hand,
                asset=pit.asset,
                quantity=f"{point.name}{HAND_SUFFIX}",
                unit=point.facts.unit,
                device=hand_device(pit.asset, point.name),
                title_zh=f"{point.title_zh}（人工）",
                title_en=f"{point.title_en} (by hand)",
                stale_after_s=point.valid_for_s,
                source="entered by hand",
            )


def _limits(pit: PitDescription, packs: Packs) -> Mapping[str, float]:
    found = {point.name: limits_of(pit, point, packs, "").cumulative for point in pit.points}
    return {name: limit.value if limit is not None and limit.exact else nan for name, limit in found.items()}
