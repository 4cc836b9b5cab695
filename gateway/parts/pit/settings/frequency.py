"""The file of the reading intervals: how often a pit has to be read, by standard, stage and grade.

In: the shipped (or a site's own) YAML document. Out: a `FrequencyTable`, or faults in the document. Every row carries
its certainty, because these tables were not all read in the standard itself. Knows nothing of pits and points.
"""

from typing import Annotated, Literal

from pydantic import Field

from gateway.parts.pit.model.description import SafetyGrade
from gateway.parts.pit.model.frequency import DepthInterval, FrequencyTable, PhaseInterval, PitPhase
from gateway.settings.checking import check
from gateway.settings.document import Document
from gateway.settings.schema import Certainty, SettingsModel

Hours = Annotated[float, Field(gt=0, le=24 * 90)]
Depth = Annotated[float, Field(gt=0, le=1000)]
Clause = Annotated[str, Field(min_length=1, max_length=300)]


class PhaseRow(SettingsModel):
    """How often at one stage and grade."""

    phase: PitPhase
    """Stage of the works."""
    grade: Literal[1, 2, 3]
    """Safety grade."""
    every_h: tuple[Hours, Hours]
    """Shortest and longest interval of the table's range, hours; the longest is what counts as overdue."""

    def build(self) -> PhaseInterval:
        """As the table has it."""
        return PhaseInterval(self.phase, SafetyGrade(self.grade), min(self.every_h), max(self.every_h))


class DepthRow(SettingsModel):
    """How often at one excavated depth of pits up to one design depth."""

    excavated_up_to_m: Depth
    """Excavated depth up to and including this, metres."""
    design_up_to_m: Depth
    """Design depth up to and including this, metres; 1000 where the table has no upper end."""
    every_h: tuple[Hours, Hours]
    """Shortest and longest interval, hours."""

    def build(self) -> DepthInterval:
        """As the table has it."""
        return DepthInterval(self.excavated_up_to_m, self.design_up_to_m, min(self.every_h), max(self.every_h))


class BuildingTable(SettingsModel):
    """Building works."""

    clause: Clause
    """Standard and clause."""
    certainty: Certainty
    """How sure it is."""
    rows: Annotated[list[PhaseRow], Field(min_length=1)]
    """Its cells."""


class RailTable(SettingsModel):
    """Urban rail by open cut."""

    clause: Clause
    """Standard and clause."""
    certainty: Certainty
    """How sure it is."""
    rows: Annotated[list[DepthRow], Field(min_length=1)]
    """Its cells."""


class FrequencyFile(SettingsModel):
    """How often a pit has to be read."""

    version: Literal[1]
    """Version of this file format."""
    building: BuildingTable
    """Building works."""
    urban_rail: RailTable
    """Urban rail by open cut."""

    def build(self) -> FrequencyTable:
        """As the pit's model takes it."""
        return FrequencyTable(
            tuple(row.build() for row in self.building.rows),
            tuple(row.build() for row in self.urban_rail.rows),
            self.building.clause,
            self.building.certainty,
            self.urban_rail.clause,
            self.urban_rail.certainty,
        )


def read_frequency(document: Document) -> FrequencyTable | None:
    """The table in a document; None when there are faults, which the document then holds."""
    file = check(FrequencyFile, document, (), document.data)
    return None if file is None else file.build()
