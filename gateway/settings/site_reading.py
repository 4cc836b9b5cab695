"""Checks the site file's sections, each by itself, so that one fault does not hide the next.

In: the site's document, the schemas with what the kinds of assets bring. Out: `SiteParts`. Knows nothing of drivers,
tables and rules.
"""

from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from gateway.settings.checking import check, check_type, describe, not_a_mapping, unknown_key
from gateway.settings.document import Document, KeyPath
from gateway.settings.schema import (
    AlarmSettings,
    BoxSettings,
    EscalationSettings,
    IdentitySettings,
    Name,
    OverrideSettings,
    SiteSettings,
    StorageSettings,
    WebSettings,
)
from gateway.settings.shapes import FileShapes
from gateway.settings.site import Raw, SiteParts, check_unique
from gateway.settings.site_file import SiteFile

M = TypeVar("M", bound=BaseModel)


def read_site(document: Document, shapes: FileShapes) -> SiteParts:
    """Check every section of the site file on its own. Faults go to the document."""
    data: Raw = document.data if isinstance(document.data, dict) else {}
    if not isinstance(document.data, dict) and not document.faults:
        not_a_mapping(document, (), document.data)
    _check_outline(document, data, shapes)
    _check_field(document, data, shapes)
    assets = _mappings(document, data, "assets")
    checked = [(path, check(shapes.asset, document, path, raw), raw) for path, raw in assets]
    check_unique(document, assets, "id")
    return SiteParts(
        box=_section(BoxSettings, document, data, "box"),
        site=_section(SiteSettings, document, data, "site"),
        storage=_section(StorageSettings, document, data, "storage"),
        web=_web(document, data),
        asset_paths=tuple((path, asset) for path, asset, _ in checked if asset is not None),
        asset_kinds={raw["id"]: shapes.kind(raw.get("kind")) for _, raw in assets if isinstance(raw.get("id"), str)},
        by_hand=frozenset(asset.id for _, asset, raw in checked if asset is not None and shapes.by_hand(raw)),
        overrides=_checked(OverrideSettings, document, data, "rule_overrides"),
        rule_packs=_rule_packs(document, data),
        links=_mappings(document, data, "links"),
        devices=_mappings(document, data, "devices"),
        uplinks=_mappings(document, data, "uplinks"),
        alarms=_section(AlarmSettings, document, data, "alarms") if "alarms" in data else AlarmSettings(),
        escalation=_section(EscalationSettings, document, data, "escalation")
        if "escalation" in data
        else EscalationSettings(),
        lists={each.key: _checked(each.schema, document, data, each.key) for each in shapes.site_sections},
        identity=_section(IdentitySettings, document, data, "identity") if "identity" in data else IdentitySettings(),
    )


def _check_outline(document: Document, data: Raw, shapes: FileShapes) -> None:
    """Top-level keys: unknown ones, missing ones, and the version."""
    if not isinstance(document.data, dict):
        return
    fields = shapes.site.model_fields
    for key in data:
        if key not in fields:
            document.cut_short = True
            unknown_key(document, (key,), fields)
    for key, field in fields.items():
        if key not in data and field.is_required():
            document.cut_short = True
            document.add((key,), "key.missing")
    if "version" in data:
        check_type(Literal[1], document, ("version",), data["version"])


def _check_field(document: Document, data: Raw, shapes: FileShapes) -> None:
    """Something has to be read: links and devices are needed, unless surveyors measure an asset."""
    if not isinstance(document.data, dict) or _measured_by_hand(data.get("assets"), shapes):
        return
    for key in ("links", "devices"):
        if key not in data:
            document.cut_short = True
            document.add((key,), "key.missing")
        elif data[key] == []:
            document.add((key,), "list.at_least", count=0, bound=1)


def _measured_by_hand(assets: Any, shapes: FileShapes) -> bool:
    """Whether people measure any asset, as written: its other faults are told elsewhere."""
    return isinstance(assets, list) and any(shapes.by_hand(asset) for asset in assets if isinstance(asset, dict))


def _list(document: Document, data: Raw, key: str) -> list[Any]:
    """The list under a top-level key; empty when it is missing, and when it is something else."""
    value = data.get(key, [])
    if not isinstance(value, list):
        document.cut_short = True
        document.add((key,), "type.list", found=describe(document, (key,), value))
        return []
    if not value and key in data and key in SiteFile.model_fields and SiteFile.model_fields[key].is_required():
        document.add((key,), "list.at_least", count=0, bound=1)
    return value


def _mappings(document: Document, data: Raw, key: str) -> tuple[tuple[KeyPath, Raw], ...]:
    """The mappings in the list under a top-level key, each with its path."""
    entries: list[tuple[KeyPath, Raw]] = []
    for i, entry in enumerate(_list(document, data, key)):
        path: KeyPath = (key, i)
        if isinstance(entry, dict):
            entries.append((path, entry))
        else:
            not_a_mapping(document, path, entry)
    return tuple(entries)


def _checked(schema: type[M], document: Document, data: Raw, key: str) -> tuple[tuple[KeyPath, M], ...]:
    """The entries of a list that are valid, each with its path."""
    entries = [(path, check(schema, document, path, raw)) for path, raw in _mappings(document, data, key)]
    return tuple((path, entry) for path, entry in entries if entry is not None)


def _section(schema: type[M], document: Document, data: Raw, key: str) -> M | None:
    return check(schema, document, (key,), data[key]) if key in data else None


def _rule_packs(document: Document, data: Raw) -> tuple[tuple[KeyPath, str], ...]:
    packs: dict[str, KeyPath] = {}
    for i, raw in enumerate(_list(document, data, "rule_packs")):
        path: KeyPath = ("rule_packs", i)
        name = check_type(Name, document, path, raw)
        if name is None:
            document.cut_short = True
            continue
        if name in packs:
            document.add(path, "pack.twice", found=name)
        else:
            packs[name] = path
    return tuple((path, name) for name, path in packs.items())


def _web(document: Document, data: Raw) -> WebSettings | None:
    return _section(WebSettings, document, data, "web") if "web" in data else WebSettings()
