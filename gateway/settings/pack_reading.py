"""The rule packs that a site is judged by: those it names, each from the nearest place that has it.

    what the regulator offered and the box took  >  the site's own `rules/`  >  the shipped ones

A pack of the regulator's that the site does not name comes after those that it names. In: names, folders. Out: the
merged rules, and which packs they are. Faults go to the site file and the packs' own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.packs import pack_sha256
from gateway.model.rule_pack import PackInForce, PackOrigin
from gateway.settings.checking import check, check_type, choice, not_a_mapping, unknown_key
from gateway.settings.document import Document, KeyPath
from gateway.settings.kept_packs import KeptPack, files_of
from gateway.settings.library import PACK_HEAD, Library, opened_once, parts_of
from gateway.settings.rule_families import AnyRule
from gateway.settings.rulepack import PackRule, Packs
from gateway.settings.shapes import FileShapes
from gateway.settings.site import SiteParts

Families = Mapping[str, type[AnyRule]]


@dataclass(frozen=True, slots=True)
class ReadPacks:
    """The rules of all packs, and each pack in the order of reading."""

    packs: Packs
    in_force: tuple[PackInForce, ...]


def read_packs(
    document: Document,
    site: SiteParts,
    library: Library,
    kept: Sequence[KeptPack],
    opened: dict[Path, Document],
    shapes: FileShapes,
) -> ReadPacks:
    """Read them all. `document` is the site file."""
    packs, in_force = Packs(), []
    own = {pack.name: pack for pack in kept}
    for name, head in _heads(document, site, library, own).items():
        read_pack({part: opened_once(part, opened) for part in parts_of(head)}, packs, shapes)
        in_force.append(PackInForce(name, _digest(head), _origin(name, head, library, own)))
    return ReadPacks(packs, tuple(in_force))


def _heads(document: Document, site: SiteParts, library: Library, own: Mapping[str, KeptPack]) -> dict[str, Path]:
    heads: dict[str, Path] = {}
    for path, name in site.rule_packs:
        found = (own[name].head if name in own else None) or library.find("rules", name)
        if found is None:
            document.cut_short = True
            choice(document, path, name, library.names("rules"))
        else:
            heads[name] = found
    more = {pack.name: pack.head for pack in own.values() if pack.name not in heads}
    return heads | {name: head for name, head in more.items() if head is not None}


def _origin(name: str, head: Path, library: Library, own: Mapping[str, KeptPack]) -> PackOrigin:
    if name in own and head == own[name].head:
        return PackOrigin.REGULATOR
    return PackOrigin.SHIPPED if head.is_relative_to(library.folders[-1] / "rules") else PackOrigin.SITE


def _digest(head: Path) -> str:
    """Empty for files that went away meanwhile: then there is a fault that says so."""
    try:
        return pack_sha256(files_of(head))
    except OSError:
        return ""


def read_pack(parts: Mapping[Path, Document], packs: Packs, shapes: FileShapes) -> None:
    """Check one pack, its head first, and merge it into `packs`. Faults and warnings go to the documents.

    A pack is one file, or a folder whose `pack.yaml` names it and whose other files hold its parts. A later pack may
    replace a rule of an earlier one, but only when it says so.
    """
    own: dict[str, PackRule] = {}
    first = next(iter(parts))
    folder = first.name == PACK_HEAD and first.parent.name != "rules"
    for i, (source, document) in enumerate(parts.items()):
        name = source.parent.name if folder else source.stem
        shown = f"{source.parent.parent.name}/{name}/{source.name}" if folder else f"{source.parent.name}/{source.name}"
        part = check(shapes.part if i else shapes.pack, document, (), document.data)
        if part is not None and part.pack != name:
            document.add(("pack",), "pack.name", found=part.pack, expected=name)
        _read_rules(document, name, shown, own, packs.rules, shapes.families)
        if part is not None:
            packs.deadlines.update({each.id: each for each in part.deadlines})
            for table in shapes.pack_tables:
                table.merge(getattr(part, table.key), document, shown, packs)
    packs.rules.update(own)
    head = parts[first]
    telling = {"rules", "deadlines", *(table.key for table in shapes.pack_tables)}
    if not any(_says_something(document, telling) for document in parts.values()) and not head.faults:
        head.add((), "pack.empty")


def _says_something(document: Document, telling: set[str]) -> bool:
    data = document.data
    return bool(document.faults) or (isinstance(data, dict) and bool(data.keys() & telling))


def _read_rules(
    document: Document,
    name: str,
    shown: str,
    own: dict[str, PackRule],
    earlier: dict[str, PackRule],
    families: Families,
) -> None:
    entries = document.data.get("rules") if isinstance(document.data, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        path: KeyPath = ("rules", i)
        settings = _rule(document, path, entry, families)
        rule_id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(rule_id, str):
            origin = f"{shown}:{document.key_line(path)}"
            rule = PackRule(rule_id, settings, name, origin, document, path)
            _merge(rule, own, earlier, replaces=entry.get("replaces") is True)


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


def _rule(document: Document, path: KeyPath, entry: Any, families: Families) -> AnyRule | None:
    if not isinstance(entry, dict):
        not_a_mapping(document, path, entry)
        return None
    family = entry.get("family")
    schema = families.get(family) if isinstance(family, str) else None
    if schema is None:
        document.cut_short = True
        if family is None:
            document.add((*path, "family"), "key.missing")
        else:
            choice(document, (*path, "family"), family, families)
        known = {key for each in families.values() for key in each.model_fields}
        for key in entry.keys() - known:
            unknown_key(document, (*path, key), known)
        return None
    rule: AnyRule | None = check_type(schema, document, path, entry)
    document.cut_short |= rule is None
    return rule
