"""The site file as a whole, and its assets with what each kind of asset brings.

In: plain data. Out: frozen models. Knows nothing of files and lines. The docstrings below are what editors show.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.crane_group_settings import CraneGroupSettings
from gateway.settings.crane_settings import CraneSettings
from gateway.settings.crane_zone_settings import PowerLineSettings, ZoneSettings
from gateway.settings.papers_settings import IdentitySettings, PapersSettings
from gateway.settings.pit_settings import PitSettings
from gateway.settings.plan_settings import PlanSettings
from gateway.settings.schema import (
    AlarmSettings,
    AssetKind,
    BoxSettings,
    EscalationSettings,
    Name,
    OverrideSettings,
    SettingsModel,
    SiteSettings,
    StorageSettings,
    Title,
    WebSettings,
)

_KIND_OF_SECTION = {
    "crane": AssetKind.TOWER_CRANE,
    "papers": AssetKind.TOWER_CRANE,
    "pit": AssetKind.DEEP_PIT,
}


class AssetSettings(SettingsModel):
    """One thing on the site that is watched."""

    id: Name
    """Unique on the box. Its points are called `<id>.<key>`."""
    kind: AssetKind
    """What it is; decides which rules apply."""
    serial: Annotated[str, Field(min_length=1, max_length=50)]
    """The maker's serial number or the registration number."""
    title_zh: Title
    """Chinese name."""
    title_en: Title
    """English name."""
    crane: CraneSettings | None = None
    """A tower crane as built; without it nothing is derived that needs its load chart or its place."""
    papers: PapersSettings | None = None
    """A tower crane's registration, checks, ties; what is not filed is unknown, never in order."""
    pit: PitSettings | None = None
    """A deep pit: its papers, instruments and monitoring points."""
    plan: PlanSettings | None = None
    """Where it stands on the site plan; a crane's place is in its own section."""

    @model_validator(mode="after")
    def _sections_fit_the_kind(self) -> "AssetSettings":
        for section, kind in _KIND_OF_SECTION.items():
            if getattr(self, section) is not None and self.kind is not kind:
                context = {"section": section, "kind": kind.value, "found": self.kind.value}
                raise PydanticCustomError("asset.section", "a section of another kind", context)
        return self


class SiteFile(SettingsModel):
    """One construction site's gateway: what it watches, over which links, by which rules, and whom it tells."""

    version: Literal[1]
    """Version of this file format."""
    box: BoxSettings
    """This gateway box."""
    site: SiteSettings
    """The construction site."""
    storage: StorageSettings
    """Where data is kept, and how much."""
    rule_packs: Annotated[list[Name], Field(min_length=1)]
    """Rule packs in order; a later pack may replace a rule of an earlier one."""
    assets: Annotated[list[AssetSettings], Field(min_length=1)]
    """What is watched."""
    links: Annotated[list[Any], Field(default_factory=list)]
    """Connections to the field; `driver` chooses the protocol and with it the other keys. At least one, unless a pit is
    measured by hand."""
    devices: Annotated[list[Any], Field(default_factory=list)]
    """Devices on the links; each is read by a device table. At least one, unless a pit is measured by hand."""
    rule_overrides: Annotated[list[OverrideSettings], Field(default_factory=list)]
    """The site's own values for rules."""
    uplinks: Annotated[list[Any], Field(default_factory=list)]
    """Receivers; `kind` chooses the protocol and with it the other keys."""
    web: WebSettings = WebSettings()
    """The web page and API."""
    alarms: AlarmSettings = AlarmSettings()
    """Grouping, shelving and counting of alarms."""
    escalation: EscalationSettings = EscalationSettings()
    """Who is told when nobody answers."""
    crane_groups: Annotated[list[CraneGroupSettings], Field(default_factory=list)]
    """Cranes that can meet each other."""
    zones: Annotated[list[ZoneSettings], Field(default_factory=list)]
    """No-lift and forbidden zones (禁吊区, 禁入区) on the site plan."""
    power_lines: Annotated[list[PowerLineSettings], Field(default_factory=list)]
    """Overhead lines over or beside the site."""
    identity: IdentitySettings = IdentitySettings()
    """The encrypted identity file."""
