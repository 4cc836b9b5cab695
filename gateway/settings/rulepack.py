"""Rule packs: the shape of a pack file, and the packs of a site merged into one set of rules.

In: pack documents in the site's order. Out: one `PackRule` an id, with where it is written. A later pack may replace a
rule of an earlier one, but only when it says so. Knows nothing of points and devices.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.settings.checking import check, check_type, choice, not_a_mapping, unknown_key
from gateway.settings.document import Document, KeyPath
from gateway.settings.rule_families import FAMILIES, AnyRule
from gateway.settings.schema import Name, SettingsModel, Title


class RulePack(SettingsModel):
    """A set of rules with a name; sites list the packs they use."""

    version: Literal[1]
    """Version of this file format."""
    pack: Name
    """The pack's name, which is also the file's."""
    title_zh: Title
    """Chinese title."""
    title_en: Title
    """English title."""
    rules: Annotated[list[Any], Field(min_length=1)]
    """The rules; `family` chooses the other keys."""


@dataclass(frozen=True, slots=True)
class PackRule:
    """A rule and where it is written. `settings` is None when the rule itself has faults."""

    rule_id: str
    settings: AnyRule | None
    pack: str
    origin: str
    document: Document
    path: KeyPath


def read_pack(document: Document, source: Path, rules: dict[str, PackRule]) -> None:
    """Check one pack and merge its rules into `rules`. Faults and warnings go to the document."""
    pack = check(RulePack, document, (), document.data)
    if pack is not None and pack.pack != source.stem:
        document.add(("pack",), "pack.name", found=pack.pack, expected=source.stem)
    entries = document.data.get("rules") if isinstance(document.data, dict) else None
    own: dict[str, PackRule] = {}
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        path: KeyPath = ("rules", i)
        settings = _rule(document, path, entry)
        rule_id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(rule_id, str):
            origin = f"{source.parent.name}/{source.name}:{document.key_line(path)}"
            rule = PackRule(rule_id, settings, source.stem, origin, document, path)
            _merge(rule, own, rules, replaces=entry.get("replaces") is True)
    rules.update(own)


def _merge(rule: PackRule, own: dict[str, PackRule], earlier: dict[str, PackRule], *, replaces: bool) -> None:
    document, path = rule.document, (*rule.path, "id")
    if rule.rule_id in own:
        first = document.line((*own[rule.rule_id].path, "id"))
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
        if family is None:
            document.add((*path, "family"), "key.missing")
        else:
            choice(document, (*path, "family"), family, FAMILIES)
        known = {key for each in FAMILIES.values() for key in each.model_fields}
        for key in entry.keys() - known:
            unknown_key(document, (*path, key), known)
        return None
    rule: AnyRule | None = check_type(schema, document, path, entry)
    return rule
