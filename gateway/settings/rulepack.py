"""Rule packs: the shape of a pack's files, and the packs of a site merged into one set of rules.

In: pack documents in the site's order. Out: one `PackRule` an id, with where it is written, and the tables that pit
rules are made of. A pack is one file, or a folder whose `pack.yaml` names it and whose other files hold its parts.
A later pack may replace a rule of an earlier one, but only when it says so. Knows nothing of points and devices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.parts.crane.group.power_lines import LineClearance
from gateway.parts.pit.model.items import PitItem
from gateway.settings.checking import check, check_type, choice, not_a_mapping, unknown_key
from gateway.settings.crane_zone_settings import VoltageClearanceSettings
from gateway.settings.document import Document, KeyPath
from gateway.settings.library import PACK_HEAD
from gateway.settings.pit_limits_schema import (
    PitItemSettings,
    PitLimitSettings,
    PitRowSettings,
    PitTables,
    PostSlab,
)
from gateway.settings.rule_families import FAMILIES, AnyRule
from gateway.settings.schema import Certainty, Name, SettingsModel, Title


class Deadline(SettingsModel):
    """How soon something has to be done, by a notice or a code. Data for those who run clocks."""

    id: Name
    """Unique in all packs."""
    within_h: Annotated[float, Field(gt=0, le=87_600)]
    """Hours from the start."""
    start: Annotated[str, Field(min_length=1, max_length=100)]
    """What starts the clock."""
    title_zh: Title
    """Chinese title."""
    title_en: Title
    """English title."""
    clause: Annotated[str, Field(min_length=1, max_length=300)]
    """Notice or clause."""
    certainty: Certainty
    """How sure it is."""


class RulePackPart(SettingsModel):
    """A file beside a pack's `pack.yaml`: some of its rules."""

    version: Literal[1]
    """Version of this file format."""
    pack: Name
    """The pack's name, which is also the folder's."""
    rules: Annotated[tuple[Any, ...], Field(min_length=1)] = ()
    """The rules; `family` chooses the other keys."""
    pit_limits: PitTables = PitTables()
    """Limits of pits, and the rows that are made of them."""
    deadlines: tuple[Deadline, ...] = ()
    """How soon things have to be done."""
    line_clearances: tuple[VoltageClearanceSettings, ...] = ()
    """How far cranes must stay from overhead lines; a later pack's figure for a voltage replaces an earlier one's."""


class RulePack(RulePackPart):
    """A set of rules with a name; sites list the packs they use."""

    title_zh: Title
    """Chinese title."""
    title_en: Title
    """English title."""


@dataclass(frozen=True, slots=True)
class PackRule:
    """A rule and where it is written. `settings` is None when the rule itself has faults."""

    rule_id: str
    settings: AnyRule | None
    pack: str
    origin: str
    document: Document
    path: KeyPath


@dataclass(frozen=True, slots=True)
class PitLimitEntry:
    """An entry of a limit table and where it is written."""

    settings: PitLimitSettings
    origin: str
    document: Document
    path: KeyPath


@dataclass(frozen=True, slots=True)
class PitItemEntry:
    """How an item is judged, and where that is written."""

    settings: PitItemSettings
    document: Document
    path: KeyPath


@dataclass(slots=True)
class Packs:
    """Everything that a site's packs say, merged. `deadlines` and `rows` are by id, `line_clearances` by voltage."""

    rules: dict[str, PackRule] = field(default_factory=dict)
    limits: list[PitLimitEntry] = field(default_factory=list)
    items: dict[PitItem, PitItemEntry] = field(default_factory=dict)
    rows: dict[str, PitRowSettings] = field(default_factory=dict)
    post_slab: PostSlab | None = None
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    line_clearances: dict[str, LineClearance] = field(default_factory=dict)


def read_pack(parts: Mapping[Path, Document], packs: Packs) -> None:
    """Check one pack, its head first, and merge it into `packs`. Faults and warnings go to the documents."""
    own: dict[str, PackRule] = {}
    first = next(iter(parts))
    folder = first.name == PACK_HEAD and first.parent.name != "rules"
    for i, (source, document) in enumerate(parts.items()):
        name = source.parent.name if folder else source.stem
        shown = f"{source.parent.parent.name}/{name}/{source.name}" if folder else f"{source.parent.name}/{source.name}"
        part = check(RulePackPart if i else RulePack, document, (), document.data)
        if part is not None and part.pack != name:
            document.add(("pack",), "pack.name", found=part.pack, expected=name)
        _read_rules(document, name, shown, own, packs.rules)
        if part is not None:
            _read_pit(part.pit_limits, document, shown, packs)
            packs.deadlines.update({each.id: each for each in part.deadlines})
            packs.line_clearances.update({each.voltage: each.build(each.voltage) for each in part.line_clearances})
    packs.rules.update(own)
    head = parts[first]
    if not any(_says_something(document) for document in parts.values()) and not head.faults:
        head.add((), "pack.empty")


def _says_something(document: Document) -> bool:
    data = document.data
    return bool(document.faults) or (
        isinstance(data, dict) and bool(data.keys() & {"rules", "pit_limits", "deadlines", "line_clearances"})
    )


def _read_rules(
    document: Document, name: str, shown: str, own: dict[str, PackRule], earlier: dict[str, PackRule]
) -> None:
    entries = document.data.get("rules") if isinstance(document.data, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        path: KeyPath = ("rules", i)
        settings = _rule(document, path, entry)
        rule_id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(rule_id, str):
            origin = f"{shown}:{document.key_line(path)}"
            rule = PackRule(rule_id, settings, name, origin, document, path)
            _merge(rule, own, earlier, replaces=entry.get("replaces") is True)


def _read_pit(tables: PitTables, document: Document, shown: str, packs: Packs) -> None:
    for i, limit in enumerate(tables.limits):
        path: KeyPath = ("pit_limits", "limits", i)
        packs.limits.append(PitLimitEntry(limit, f"{shown}:{document.key_line(path)}", document, path))
    for i, item in enumerate(tables.items):
        packs.items[item.item] = PitItemEntry(item, document, ("pit_limits", "items", i))
    packs.post_slab = tables.post_slab or packs.post_slab
    for i, row in enumerate(tables.rows):
        if row.id in packs.rows and not row.replaces:
            document.add(("pit_limits", "rows", i, "id"), "pit.row_twice", found=row.id)
        if row.id not in packs.rows and row.replaces:
            document.warn(("pit_limits", "rows", i, "id"), "warn.replaces_nothing", rule=row.id)
        packs.rows[row.id] = row
    for i, row in enumerate(tables.rows):
        for name in row.suppressed_while:
            _check_suppressor(document, ("pit_limits", "rows", i, "suppressed_while"), row, packs.rows.get(name))


def _check_suppressor(document: Document, path: KeyPath, row: PitRowSettings, other: PitRowSettings | None) -> None:
    """Only a graver row of the same limit suppresses, so that there is no circle."""
    if other is None or other.of != row.of or other.severity.value >= row.severity.value:
        document.add(path, "pit.suppressor", row=row.id)


def _merge(rule: PackRule, own: dict[str, PackRule], earlier: dict[str, PackRule], *, replaces: bool) -> None:
    document, path = rule.document, (*rule.path, "id")
    if rule.rule_id in own:
        other = own[rule.rule_id]
        line = other.document.line((*other.path, "id"))
        first = line if other.document is document else f"{line} ({other.document.name})"
        document.add(path, "rule.twice_in_pack", found=rule.rule_id, first=first)
        return
    own[rule.rule_id] = rule
    if rule.rule_id in earlier and not replaces:
        document.add(path, "rule.replaces", found=rule.rule_id, other=earlier[rule.rule_id].pack)
    if rule.rule_id not in earlier and replaces:
        document.warn(path, "warn.replaces_nothing", rule=rule.rule_id)


def _rule(document: Document, path: KeyPath, entry: Any) -> AnyRule | None:
    if not isinstance(entry, dict):
        not_a_mapping(document, path, entry)
        return None
    family = entry.get("family")
    schema = FAMILIES.get(family) if isinstance(family, str) else None
    if schema is None:
        document.cut_short = True
        if family is None:
            document.add((*path, "family"), "key.missing")
        else:
            choice(document, (*path, "family"), family, FAMILIES)
        known = {key for each in FAMILIES.values() for key in each.model_fields}
        for key in entry.keys() - known:
            unknown_key(document, (*path, key), known)
        return None
    rule: AnyRule | None = check_type(schema, document, path, entry)
    document.cut_short |= rule is None
    return rule
