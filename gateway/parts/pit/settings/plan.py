"""From a site's deep pits to their models: each point's, then the pit's; and to the rules on their points.

In: the site's `pit:` sections, the points that devices and people deliver, the packs' limit tables. Out: a `PitPlan`;
faults where a pit names a point that nothing delivers. Reads the table of reading intervals, opens nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

from gateway.model.derivation import Derivation
from gateway.model.papers import DriverLookup
from gateway.model.quantity import Point, PointTable
from gateway.model.site_standing import SiteStanding
from gateway.parts.pit.model.description import PitDescription
from gateway.parts.pit.model.frequency import FrequencyTable
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.pit import PitDerivation
from gateway.parts.pit.model.point import PitPointDerivation
from gateway.parts.pit.model.surroundings import PitSurroundings
from gateway.parts.pit.settings.frequency import read_frequency
from gateway.parts.pit.settings.limit_rows import DescribedPit, PitRows
from gateway.parts.pit.settings.limits import limits_of
from gateway.parts.pit.settings.merged_tables import PitLimitTables
from gateway.parts.pit.settings.pit import PitSettings
from gateway.parts.pit.settings.points import HAND_SUFFIX
from gateway.settings.kind import KindPlan, KindPlanner, Planning
from gateway.settings.library import opened_once
from gateway.settings.rulepack import MadeRule, Packs
from gateway.settings.settings import Settings

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
class PitPlan(KindPlan):
    """All pits of a site, and how often they have to be read."""

    pits: tuple[PlannedPit, ...] = ()
    frequency: FrequencyTable = field(default_factory=FrequencyTable)

    @property
    def watched(self) -> tuple[str, ...]:
        """Every described pit."""
        return tuple(pit.description.asset for pit in self.pits)

    def models(self, drivers: DriverLookup, standing: SiteStanding) -> Iterator[Derivation]:  # noqa: ARG002
        """Pit by pit."""
        for pit in self.pits:
            yield from pit.models(self.frequency)


class PitPlanner(KindPlanner):
    """One site's deep pits; notes faults in the site's document."""

    def __init__(self, planning: Planning) -> None:
        self._planning = planning
        self._document = planning.document
        self._pits = tuple(_described(planning))
        self.measured = tuple(point for pit in self._pits for point in _hand_points(pit.description))
        self.ruled = frozenset(pit.description.asset for pit in self._pits)

    def plan(self, points: Mapping[str, Point], packs: Packs, before: Sequence[KindPlan]) -> PitPlan:  # noqa: ARG002
        """Everything that is valid."""
        for pit in self._pits:
            self._check_inputs(pit, points)
        tables = packs.table(PitLimitTables)
        pits = tuple(PlannedPit(pit.description, _limits(pit.description, tables)) for pit in self._pits)
        return PitPlan(pits, self._frequency() or FrequencyTable())

    def rules(self, packs: Packs, points: PointTable) -> Sequence[MadeRule]:
        """The rows of the limit tables, on each point."""
        return PitRows(self._document, packs, points).of(self._pits)

    def _frequency(self) -> FrequencyTable | None:
        """The shipped table of reading intervals; None without a pit, and when it has faults."""
        file = self._planning.root / FREQUENCY_FILE
        return read_frequency(opened_once(file, self._planning.opened)) if self._pits else None

    def _check_inputs(self, pit: DescribedPit, points: Mapping[str, Point]) -> None:
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
            if point_id not in points:
                self._document.add(pit.path, "pit.input_unknown", name=name, found=point_id)


def described_pits(settings: Settings) -> tuple[PitDescription, ...]:
    """The pits of a site in force."""
    return tuple(pit.description for pit in settings.plan.of(PitPlan).pits)


def measured_by_hand(asset: Mapping[str, Any]) -> bool:
    """Whether the asset as written is a pit with a point that is read by hand."""
    pit = asset.get("pit")
    points = pit.get("points") if isinstance(pit, dict) else None
    each = points if isinstance(points, list) else []
    return any(isinstance(point, dict) and point.get("by_hand") is True for point in each)


def _described(planning: Planning) -> Iterator[DescribedPit]:
    for path, asset in planning.site.asset_paths:
        pit = asset.section(PitSettings)
        if pit is not None:
            yield DescribedPit((*path, "pit"), pit.build(asset.id))


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


def _limits(pit: PitDescription, tables: PitLimitTables) -> Mapping[str, float]:
    found = {point.name: limits_of(pit, point, tables, "").cumulative for point in pit.points}
    return {name: limit.value if limit is not None and limit.exact else nan for name, limit in found.items()}
