"""The site file after its own check, section by section.

In: made by `read_site`. Out: what is valid as models, and the raw lists that other modules bind. Knows nothing of
drivers, tables and rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.settings.document import Document, KeyPath
from gateway.settings.schema import (
    AlarmSettings,
    BoxSettings,
    EscalationSettings,
    IdentitySettings,
    OverrideSettings,
    SiteSettings,
    StorageSettings,
    WebSettings,
)
from gateway.settings.site_file import AssetSettings

Raw = dict[str, Any]
Entries = tuple[tuple[KeyPath, Any], ...]
"""The valid entries of a list, each with its path."""


@dataclass(frozen=True, slots=True)
class SiteParts:
    """The site file after its own check; a section with faults is None or left out. `by_hand` are the assets that
    people measure, `lists` what the kinds of assets bring, by key."""

    box: BoxSettings | None
    site: SiteSettings | None
    storage: StorageSettings | None
    web: WebSettings | None
    asset_paths: tuple[tuple[KeyPath, AssetSettings], ...]
    asset_kinds: dict[str, str | None]
    by_hand: frozenset[str]
    overrides: tuple[tuple[KeyPath, OverrideSettings], ...]
    rule_packs: tuple[tuple[KeyPath, str], ...]
    links: tuple[tuple[KeyPath, Raw], ...]
    devices: tuple[tuple[KeyPath, Raw], ...]
    uplinks: tuple[tuple[KeyPath, Raw], ...]
    alarms: AlarmSettings | None
    escalation: EscalationSettings | None
    identity: IdentitySettings | None
    lists: Mapping[str, Entries]

    @property
    def assets(self) -> tuple[AssetSettings, ...]:
        """The assets that are valid."""
        return tuple(asset for _, asset in self.asset_paths)


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
