"""The site file's sections, each checked by itself, so that one fault does not hide the next.

In: the site's document. Out: `SiteParts`: what is valid as models, and the raw lists that other modules bind.
Knows nothing of drivers, tables and rules.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from gateway.settings.checking import check, check_type, describe, not_a_mapping, unknown_key
from gateway.settings.crane_group_settings import CraneGroupSettings
from gateway.settings.crane_zone_settings import PowerLineSettings, ZoneSettings
from gateway.settings.document import Document, KeyPath
from gateway.settings.papers_settings import IdentitySettings
from gateway.settings.schema import (
    AlarmSettings,
    AssetKind,
    BoxSettings,
    EscalationSettings,
    Name,
    OverrideSettings,
    SiteSettings,
    StorageSettings,
    WebSettings,
)
from gateway.settings.site_file import AssetSettings, SiteFile

M = TypeVar("M", bound=BaseModel)
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SiteParts:
    """The site file after its own check; a section with faults is None or left out."""

    box: BoxSettings | None
    site: SiteSettings | None
    storage: StorageSettings | None
    web: WebSettings | None
    asset_paths: tuple[tuple[KeyPath, AssetSettings], ...]
    asset_kinds: dict[str, AssetKind | None]
    overrides: tuple[tuple[KeyPath, OverrideSettings], ...]
    rule_packs: tuple[tuple[KeyPath, str], ...]
    links: tuple[tuple[KeyPath, Raw], ...]
    devices: tuple[tuple[KeyPath, Raw], ...]
    uplinks: tuple[tuple[KeyPath, Raw], ...]
    alarms: AlarmSettings | None
    escalation: EscalationSettings | None
    identity: IdentitySettings | None
    crane_groups: tuple[tuple[KeyPath, CraneGroupSettings], ...]
    zones: tuple[tuple[KeyPath, ZoneSettings], ...]
    power_lines: tuple[tuple[KeyPath, PowerLineSettings], ...]

    @property
    def assets(self) -> tuple[AssetSettings, ...]:
        """The assets that are valid."""
        return tuple(asset for _, asset in self.asset_paths)


def read_site(document: Document) -> SiteParts:
    """Check every section of the site file on its own. Faults go to the document."""
    data: Raw = document.data if isinstance(document.data, dict) else {}
    if not isinstance(document.data, dict) and not document.faults:
        not_a_mapping(document, (), document.data)
    _check_outline(document, data)
    _check_field(document, data)
    assets = _mappings(document, data, "assets")
    checked = [(path, check(AssetSettings, document, path, raw)) for path, raw in assets]
    check_unique(document, assets, "id")
    return SiteParts(
        box=_section(BoxSettings, document, data, "box"),
        site=_section(SiteSettings, document, data, "site"),
        storage=_section(StorageSettings, document, data, "storage"),
        web=_web(document, data),
        asset_paths=tuple((path, asset) for path, asset in checked if asset is not None),
        asset_kinds={raw["id"]: _kind(raw) for _, raw in assets if isinstance(raw.get("id"), str)},
        overrides=_checked(OverrideSettings, document, data, "rule_overrides"),
        rule_packs=_rule_packs(document, data),
        links=_mappings(document, data, "links"),
        devices=_mappings(document, data, "devices"),
        uplinks=_mappings(document, data, "uplinks"),
        alarms=_section(AlarmSettings, document, data, "alarms") if "alarms" in data else AlarmSettings(),
        escalation=_section(EscalationSettings, document, data, "escalation")
        if "escalation" in data
        else EscalationSettings(),
        crane_groups=_checked(CraneGroupSettings, document, data, "crane_groups"),
        zones=_checked(ZoneSettings, document, data, "zones"),
        power_lines=_checked(PowerLineSettings, document, data, "power_lines"),
        identity=_section(IdentitySettings, document, data, "identity") if "identity" in data else IdentitySettings(),
    )


def check_unique(document: Document, entries: tuple[tuple[KeyPath, Raw], ...], key: str) -> None:
    """Note every entry whose `key` an earlier entry of the list already has."""
    first: dict[str, int] = {}
    for path, raw in entries:
        name = raw.get(key)
        if not isinstance(name, str):
            continue
        if name in first:
            document.add((*path, key), "id.duplicate", found=name, first=first[name])
        else:
            first[name] = document.line((*path, key))


def _check_outline(document: Document, data: Raw) -> None:
    """Top-level keys: unknown ones, missing ones, and the version."""
    if not isinstance(document.data, dict):
        return
    for key in data:
        if key not in SiteFile.model_fields:
            document.cut_short = True
            unknown_key(document, (key,), SiteFile.model_fields)
    for key, field in SiteFile.model_fields.items():
        if key not in data and field.is_required():
            document.cut_short = True
            document.add((key,), "key.missing")
    if "version" in data:
        check_type(Literal[1], document, ("version",), data["version"])


def _check_field(document: Document, data: Raw) -> None:
    """Something has to be read: links and devices are needed, unless surveyors measure a pit."""
    if not isinstance(document.data, dict) or _measured_by_hand(data.get("assets")):
        return
    for key in ("links", "devices"):
        if key not in data:
            document.cut_short = True
            document.add((key,), "key.missing")
        elif data[key] == []:
            document.add((key,), "list.at_least", count=0, bound=1)


def _measured_by_hand(assets: Any) -> bool:
    """Whether any pit has a point that is read by hand, as written: the pit's other faults are told elsewhere."""
    pits = [asset.get("pit") for asset in assets if isinstance(asset, dict)] if isinstance(assets, list) else []
    points = [pit.get("points") for pit in pits if isinstance(pit, dict)]
    each = [point for listed in points if isinstance(listed, list) for point in listed if isinstance(point, dict)]
    return any(point.get("by_hand") is True for point in each)


def _list(document: Document, data: Raw, key: str) -> list[Any]:
    """The list under a top-level key; empty when it is missing, and when it is something else."""
    value = data.get(key, [])
    if not isinstance(value, list):
        document.cut_short = True
        document.add((key,), "type.list", found=describe(document, (key,), value))
        return []
    if not value and key in data and SiteFile.model_fields[key].is_required():
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


def _kind(raw: Raw) -> AssetKind | None:
    kind = raw.get("kind")
    return AssetKind(kind) if kind in list(AssetKind) else None


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
