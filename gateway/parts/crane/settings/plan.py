"""From a site's tower cranes to their models: surroundings, cranes, groups; and to their shapes on the site plan.

In: the site's sections, the points that devices and people deliver. Out: a `CranePlan`; faults where a crane names a
point that no device delivers. Opens no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, radians, sin

from gateway.model.derivation import Derivation
from gateway.model.papers import DriverLookup
from gateway.model.plan_geometry import PlanPoint
from gateway.model.quantity import Point
from gateway.model.rule import ResolvedRule
from gateway.model.site_shapes import KeptOutArea, SiteShapes, TurningJib
from gateway.model.site_standing import SiteStanding
from gateway.parts.crane.group.zones import ZoneKind
from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.crane.model.description import CraneDescription, undescribed
from gateway.parts.crane.model.permission import CranePermission
from gateway.parts.crane.model.safety_device import CraneSilence
from gateway.parts.crane.model.tie_watch import TieWatch
from gateway.parts.crane.settings.crane import CraneSettings
from gateway.parts.crane.settings.papers import PapersSettings
from gateway.parts.crane.settings.yard import (
    Obstacles,
    PlannedGroup,
    PlannedSurroundings,
    YardCranes,
    plan_groups,
    plan_surroundings,
)
from gateway.parts.crane.settings.zones import LineClearances
from gateway.settings.document import KeyPath
from gateway.settings.kind import AssetPlan, KindPlan, KindPlanner, Planning
from gateway.settings.rulepack import Packs
from gateway.settings.site_file import AssetSettings

TOWER_CRANE_ID = "tower-crane"
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


@dataclass(frozen=True, slots=True, eq=False)
class CranePlan(KindPlan):
    """All cranes of a site: each among its surroundings, each by itself, those that can meet each other."""

    cranes: tuple[PlannedCrane, ...] = ()
    surroundings: tuple[PlannedSurroundings, ...] = ()
    groups: tuple[PlannedGroup, ...] = ()

    @property
    def watched(self) -> tuple[str, ...]:
        """Every crane that a device reads."""
        return tuple(crane.description.asset for crane in self.cranes)

    def models(self, drivers: DriverLookup, standing: SiteStanding) -> Iterator[Derivation]:
        """In an order in which each reads only what stands before it."""
        for surroundings in self.surroundings:
            yield from surroundings.models()
        for crane in self.cranes:
            yield from crane.models(drivers, standing)
        for group in self.groups:
            yield from group.models()

    def with_limits(self, rows: Sequence[ResolvedRule]) -> "CranePlan":
        """The cranes' records are flagged by the limits in force, and the groups are certain of no more."""
        groups = tuple(group.with_limits(rows) for group in self.groups)
        return replace(self, cranes=tuple(crane.with_marks(rows) for crane in self.cranes), groups=groups)


class CranePlanner(KindPlanner):
    """One site's tower cranes; notes faults in the site's document."""

    def __init__(self, planning: Planning) -> None:
        self._document = planning.document
        self._site = planning.site

    def plan(self, points: Mapping[str, Point], packs: Packs, before: Sequence[KindPlan]) -> CranePlan:  # noqa: ARG002
        """Everything that is valid."""
        cranes, lists = tuple(self._cranes(points)), self._site.lists
        yard = self._yard(cranes, points)
        obstacles = Obstacles(lists["zones"], lists["power_lines"], packs.table(LineClearances).by_voltage)
        surroundings = tuple(plan_surroundings(self._document, obstacles, yard))
        around = {point.point_id: point for each in surroundings for model in each.models() for point in model.outputs}
        groups = tuple(plan_groups(self._document, lists["crane_groups"], yard))
        return CranePlan(tuple(_among(crane, around) for crane in cranes), surroundings, groups)

    def _yard(self, cranes: Sequence[PlannedCrane], points: Mapping[str, Point]) -> YardCranes:
        """The cranes as their neighbours and surroundings meet them."""
        kinds = {asset: kind == TOWER_CRANE_ID for asset, kind in self._site.asset_kinds.items()}
        described = {crane.description.asset: crane.description for crane in cranes if crane.description.described}
        return YardCranes(kinds, described, frozenset(points))

    def _cranes(self, known: Mapping[str, Point]) -> Iterator[PlannedCrane]:
        """Every tower crane that a device reads; of one that nobody has described only what needs no description."""
        for path, asset in self._site.asset_paths:
            points = {point.role: point.point_id for point in known.values() if point.asset == asset.id}
            if asset.kind != TOWER_CRANE_ID or not points:
                continue
            crane = asset.section(CraneSettings)
            if crane is None:
                self._document.warn((*path, "kind"), "warn.crane_undescribed", found=asset.id)
            elif crane.wind_point is not None:
                self._check_wind((*path, "crane", "wind_point"), crane.wind_point, known)
                points["wind_ms"] = crane.wind_point
            description = undescribed(asset.id) if crane is None else crane.describe(asset.id)
            yield PlannedCrane(description, points, asset.section(PapersSettings))

    def _check_wind(self, path: KeyPath, wanted: str, known: Mapping[str, Point]) -> None:
        if wanted not in known:
            self._document.add(path, "crane.wind_unknown", found=wanted)


def _among(crane: PlannedCrane, around: Mapping[str, Point]) -> PlannedCrane:
    """The crane with what is derived of its surroundings beside what its devices deliver."""
    asset = crane.description.asset
    own = {point.quantity: point.point_id for point in around.values() if point.asset == asset}
    return replace(crane, points={**crane.points, **own})


def crane_shapes(assets: Sequence[AssetSettings], plan: AssetPlan) -> SiteShapes:
    """Every described crane; every zone and power line once, though several cranes may have to keep away from it."""
    around = plan.of(CranePlan).surroundings
    zones = {(zone.kind, zone.number, zone.corners): None for each in around for zone in each.zones}
    lines = {line.name: line for each in around for line in each.lines}
    cranes = ((asset.id, asset.section(CraneSettings)) for asset in assets)
    return SiteShapes(
        tuple(_jib(asset, crane) for asset, crane in cranes if crane is not None),
        tuple(_area(*zone) for zone in zones),
        tuple(tuple((x, y) for x, y, _, _ in line.wires) for line in lines.values()),
    )


def _area(kind: ZoneKind, number: int, corners: tuple[PlanPoint, ...]) -> KeptOutArea:
    return KeptOutArea("no-lift" if kind is ZoneKind.NO_LIFT else "forbidden", number, corners)


def _jib(asset: str, crane: CraneSettings) -> TurningJib:
    return TurningJib(
        asset=asset,
        number=crane.number,
        base=(crane.base_x_m, crane.base_y_m),
        jib_m=crane.jib_m,
        counter_jib_m=crane.counter_jib_m,
        radius_min_m=crane.radius_min_m,
        radius_max_m=crane.radius_max_m,
        slew_zero_deg=crane.slew_zero_deg,
        slew_clockwise=crane.slew_clockwise,
        luffing=crane.luffing,
        rails=_axis_ends(crane),
        rail_bearing_deg=crane.rails.bearing_deg if crane.rails else 0.0,
    )


def _axis_ends(crane: CraneSettings) -> tuple[PlanPoint, PlanPoint] | None:
    """Where the slewing axis is at both ends of the rails; None without rails."""
    if crane.rails is None:
        return None
    rails, x, y = crane.rails, crane.base_x_m, crane.base_y_m
    east, north = sin(radians(rails.bearing_deg)), cos(radians(rails.bearing_deg))
    return (x + rails.min_m * east, y + rails.min_m * north), (x + rails.max_m * east, y + rails.max_m * north)
