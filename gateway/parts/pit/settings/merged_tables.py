"""The pit limits of a site's packs, merged: limit tables, how items are judged, the rows that are made of limits.

In: what each file of a pack says, in the order of reading. Out: `PitLimitTables`, each entry with where it is written.
"""

from dataclasses import dataclass, field

from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.settings.limit_tables import (
    PitItemSettings,
    PitLimitSettings,
    PitRowSettings,
    PitTables,
    PostSlab,
)
from gateway.settings.document import Document, KeyPath
from gateway.settings.rulepack import NamedHazard, Packs


@dataclass(frozen=True, slots=True)
class PitLimitEntry:
    """An entry of a limit table and where it is written."""

    settings: PitLimitSettings
    origin: str
    document: Document
    path: KeyPath


@dataclass(slots=True)
class PitLimitTables:
    """Everything that the packs say of pits. `rows` are by id."""

    limits: list[PitLimitEntry] = field(default_factory=list)
    items: dict[PitItem, PitItemSettings] = field(default_factory=dict)
    rows: dict[str, PitRowSettings] = field(default_factory=dict)
    post_slab: PostSlab | None = None


def merge_tables(read: PitTables, document: Document, shown: str, packs: Packs) -> None:
    """Put what one file says to what the packs before it say."""
    merged = packs.table(PitLimitTables)
    for i, limit in enumerate(read.limits):
        path: KeyPath = ("pit_limits", "limits", i)
        merged.limits.append(PitLimitEntry(limit, f"{shown}:{document.key_line(path)}", document, path))
    for i, item in enumerate(read.items):
        named = f"pit.{item.item}"
        merged.items[item.item] = item
        packs.hazards.pop(named, None)
        if item.hazard is not None:
            packs.hazards[named] = NamedHazard(item.hazard, document, ("pit_limits", "items", i, "hazard"))
    merged.post_slab = read.post_slab or merged.post_slab
    for i, row in enumerate(read.rows):
        if row.id in merged.rows and not row.replaces:
            document.add(("pit_limits", "rows", i, "id"), "pit.row_twice", found=row.id)
        if row.id not in merged.rows and row.replaces:
            document.warn(("pit_limits", "rows", i, "id"), "warn.replaces_nothing", rule=row.id)
        merged.rows[row.id] = row
    for i, row in enumerate(read.rows):
        for name in row.suppressed_while:
            _check_suppressor(document, ("pit_limits", "rows", i, "suppressed_while"), row, merged.rows.get(name))


def _check_suppressor(document: Document, path: KeyPath, row: PitRowSettings, other: PitRowSettings | None) -> None:
    """Only a graver row of the same limit suppresses, so that there is no circle."""
    if other is None or other.of != row.of or other.severity.value >= row.severity.value:
        document.add(path, "pit.suppressor", row=row.id)
