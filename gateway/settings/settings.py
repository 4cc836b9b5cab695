"""What the gateway runs by: everything merged, checked and frozen.

In: made by `gateway.settings.load` only. Out: read by `app`, which hands each part what it needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model.errors import Fault
from gateway.model.hazard import HazardCatalogue
from gateway.model.quantity import PointTable
from gateway.model.rule import ResolvedRule
from gateway.model.rule_card import RuleCard
from gateway.model.rule_pack import PackInForce
from gateway.ports import BoundLink, UplinkKind
from gateway.settings.kind import AssetKind, AssetPlan
from gateway.settings.schema import (
    AlarmSettings,
    BoxSettings,
    EscalationSettings,
    IdentitySettings,
    SiteSettings,
    StorageSettings,
    WebSettings,
)
from gateway.settings.site_file import AssetSettings


@dataclass(frozen=True, slots=True)
class BoundUplink:
    """A configured receiver: what it is, and an instance of `kind.settings`."""

    name: str
    kind: UplinkKind
    settings: Any


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """One site's gateway. `rules` are rows: one rule on one subject, in an order that is stable for the same files.

    `digest` is the SHA-256 (hex) of all of it in canonical form, without file names, comments, order of keys and
    secrets: two boxes with one digest judge alike. The cards are not in it: what to do about an alarm judges nothing.
    `cards` are by rule id, for those of the rules that have one. `rule_packs` are what `rules` were made of, in
    the order of reading. `warnings` do not stop a start.
    """

    file: str
    box: BoxSettings
    site: SiteSettings
    storage: StorageSettings
    assets: tuple[AssetSettings, ...]
    links: tuple[BoundLink, ...]
    points: PointTable
    plan: AssetPlan
    rules: tuple[ResolvedRule, ...]
    hazards: HazardCatalogue
    cards: Mapping[str, RuleCard]
    uplinks: tuple[BoundUplink, ...]
    web: WebSettings
    alarms: AlarmSettings
    escalation: EscalationSettings
    identity: IdentitySettings
    digest: str
    rule_packs: tuple[PackInForce, ...]
    warnings: tuple[Fault, ...]
    kinds: tuple[AssetKind, ...]
