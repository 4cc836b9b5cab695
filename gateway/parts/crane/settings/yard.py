"""From a site's groups, zones and power lines to the models of cranes among each other and among obstacles.

In: the checked sections, the described cranes, the points that devices deliver. Out: `PlannedGroup`s and
`PlannedSurroundings`, which build their models anew for every start; faults in the site's document where a section
names what there is not. Opens no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.model.derivation import Derivation
from gateway.model.rule import ResolvedRule
from gateway.parts.crane.group.braking import Braking
from gateway.parts.crane.group.clearances import CraneGroupClearances
from gateway.parts.crane.group.group import CraneGroupDerivation
from gateway.parts.crane.group.members import INPUT_KEYS, CraneGroupParameters, GroupMember
from gateway.parts.crane.group.power_lines import LineClearance, PowerLine
from gateway.parts.crane.group.surroundings import CraneSurroundings, SurroundingsParameters
from gateway.parts.crane.group.zones import Zone
from gateway.parts.crane.model.description import CraneDescription
from gateway.parts.crane.model.geometry import CraneGeometry
from gateway.parts.crane.settings.groups import CraneGroupSettings
from gateway.parts.crane.settings.zones import PowerLineSettings, ZoneSettings
from gateway.settings.document import Document, KeyPath

_CERTAINLY_TOO_NEAR = (
    "crane.distance.alarm",
    "crane.prediction.alarm",
    "crane.clearance.jib_mast",
    "crane.clearance.vertical",
)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedGroup:
    """A group of cranes."""

    name: str
    members: tuple[GroupMember, ...]
    parameters: CraneGroupParameters

    def models(self) -> Iterator[Derivation]:
        """The distances, and the clearances where cranes can reach each other."""
        yield CraneGroupDerivation(self.name, self.members, self.parameters)
        clearances = CraneGroupClearances(self.name, self.members, self.parameters.danger_below_m)
        if clearances.outputs:
            yield clearances

    def with_limits(self, rows: Sequence[ResolvedRule]) -> "PlannedGroup":
        """What is said although a neighbour is silent is at or below the limits in force: a distance above one would be
        taken for normal, and nobody knows it."""
        own = {member.asset for member in self.members}
        limits = [row.limit for row in rows if row.asset in own and row.info.rule_id in _CERTAINLY_TOO_NEAR]
        danger_m = min([self.parameters.danger_below_m, *limits])
        return replace(self, parameters=replace(self.parameters, danger_below_m=danger_m))


@dataclass(frozen=True, slots=True, eq=False)
class PlannedSurroundings:
    """One crane among zones and power lines."""

    crane: GroupMember
    zones: tuple[Zone, ...]
    lines: tuple[PowerLine, ...]
    parameters: SurroundingsParameters

    def models(self) -> Iterator[Derivation]:
        """Its model."""
        yield CraneSurroundings(self.crane, self.zones, self.lines, self.parameters)


@dataclass(frozen=True, slots=True, eq=False)
class YardCranes:
    """The tower cranes of a site by asset id. `described` holds those with a valid `crane:` section; `delivered` the
    point ids that devices deliver. `assets` are all ids of the site, also of assets with faults."""

    assets: Mapping[str, bool]
    """Whether the asset is a tower crane."""
    described: Mapping[str, CraneDescription]
    delivered: frozenset[str]

    def member(self, asset: str, head_height_m: float = 0.0, braking: Braking | None = None) -> GroupMember:
        """A described crane as the models take it."""
        keys = tuple(key for key in INPUT_KEYS if f"{asset}.{key}" in self.delivered)
        geometry = CraneGeometry.of(self.described[asset], head_height_m)
        return GroupMember(asset, geometry, keys, braking or Braking())

    def fault_of(self, asset: str) -> str | None:
        """Why this asset cannot stand among others, as the code of a fault; None when it can."""
        if asset not in self.assets:
            return "group.crane_unknown"
        if not self.assets[asset]:
            return "group.crane_kind"
        if asset not in self.described:
            return "group.crane_undescribed"
        return "group.crane_rails" if self.described[asset].travels else None


Groups = Sequence[tuple[KeyPath, CraneGroupSettings]]
Zones = Sequence[tuple[KeyPath, ZoneSettings]]
Lines = Sequence[tuple[KeyPath, PowerLineSettings]]


def plan_groups(document: Document, groups: Groups, cranes: YardCranes) -> Iterator[PlannedGroup]:
    """The groups without faults. The paths are those of the entries in the site's document."""
    taken: dict[str, str] = {}
    names: dict[str, KeyPath] = {}
    for path, group in groups:
        before = len(document.faults)
        _check_name(document, path, group.name, names)
        _check_members(document, path, group, cranes)
        for i, member in enumerate(group.members):
            other = taken.setdefault(member.crane, group.name)
            if other != group.name:
                words = {"found": member.crane, "other": other}
                document.add((*path, "members", i, "crane"), "group.two_groups", **words)
        if len(document.faults) == before:
            yield PlannedGroup(group.name, _members(group, cranes), group.parameters())


def _check_name(document: Document, path: KeyPath, name: str, names: dict[str, KeyPath]) -> None:
    """Note a name that an earlier entry of the list already has."""
    first = names.setdefault(name, path)
    if first != path:
        document.add((*path, "name"), "id.duplicate", found=repr(name), first=document.line((*first, "name")))


def _check_members(document: Document, path: KeyPath, group: CraneGroupSettings, cranes: YardCranes) -> None:
    first: dict[int, str] = {}
    for i, member in enumerate(group.members):
        at = (*path, "members", i, "crane")
        code = cranes.fault_of(member.crane)
        if code is not None:
            document.add(at, code, found=member.crane)
            continue
        number = cranes.described[member.crane].number
        other = first.setdefault(number, member.crane)
        if other != member.crane:
            document.add(at, "group.number_taken", found=member.crane, other=other, number=number)


def _members(group: CraneGroupSettings, cranes: YardCranes) -> tuple[GroupMember, ...]:
    return tuple(cranes.member(member.crane, member.head_height_m, member.braking.build()) for member in group.members)


@dataclass(frozen=True, slots=True, eq=False)
class Obstacles:
    """What stands around the cranes of a site, and the clearances that the packs know, by voltage class."""

    zones: Zones
    lines: Lines
    clearances: Mapping[str, LineClearance]


def plan_surroundings(document: Document, obstacles: Obstacles, cranes: YardCranes) -> Iterator[PlannedSurroundings]:
    """Every described crane that has a zone or a line to keep away from. With a fault, none."""
    before = len(document.faults)
    lines = tuple(_lines(document, obstacles))
    _check_zones(document, obstacles.zones, cranes)
    if len(document.faults) > before:
        return
    for asset, description in cranes.described.items():
        zones = tuple(_built(zone, cranes) for _, zone in obstacles.zones if zone.concerns(asset))
        if (zones or lines) and description.travels:
            path, _ = [*obstacles.lines, *obstacles.zones][0]
            document.warn(path, "warn.crane_rails", found=asset)
        elif zones or lines:
            yield PlannedSurroundings(cranes.member(asset), zones, lines, SurroundingsParameters())


def _built(zone: ZoneSettings, cranes: YardCranes) -> Zone:
    return zone.build(None if zone.centre is None else cranes.described[zone.centre])


def _lines(document: Document, obstacles: Obstacles) -> Iterator[PowerLine]:
    names: dict[str, KeyPath] = {}
    for path, settings in obstacles.lines:
        _check_name(document, path, settings.name, names)
        line = settings.build(obstacles.clearances)
        if line is None:
            document.add((*path, "voltage"), "power_line.clearance", found=settings.voltage)
        else:
            yield line


def _check_zones(document: Document, zones: Zones, cranes: YardCranes) -> None:
    """Zones name cranes that can have them, and on each crane their numbers tell them apart."""
    first: dict[tuple[str, str, int], KeyPath] = {}
    for path, zone in zones:
        shape = "sector" if zone.sector is not None else "polar"
        named = [((*path, "cranes", i), crane) for i, crane in enumerate(zone.cranes)]
        named += [((*path, shape, "crane"), zone.centre)] if zone.centre is not None else []
        for at, crane in named:
            code = cranes.fault_of(crane)
            if code is not None:
                document.add(at, code, found=crane)
        for crane in filter(zone.concerns, cranes.described):
            other = first.setdefault((crane, zone.kind, zone.number), path)
            if other != path:
                document.add(
                    (*path, "number"), "zone.number_twice", found=zone.number, first=document.line((*other, "number"))
                )
                break
