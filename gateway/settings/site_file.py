"""The site file as a whole, and its assets, without what each kind of asset brings: `shapes` puts that in.

In: plain data. Out: frozen models. Knows nothing of files and lines. The docstrings below are what editors show.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field

from gateway.settings.plan_settings import PlanSettings
from gateway.settings.schema import (
    AlarmSettings,
    BoxSettings,
    EscalationSettings,
    IdentitySettings,
    Name,
    OverrideSettings,
    SettingsModel,
    SiteSettings,
    StorageSettings,
    Title,
    WebSettings,
)

S = TypeVar("S", bound=BaseModel)


class AssetSettings(SettingsModel):
    """One thing on the site that is watched."""

    id: Name
    """Unique on the box. Its points are called `<id>.<key>`."""
    kind: str
    """What it is; decides which rules apply."""
    serial: Annotated[str, Field(min_length=1, max_length=50)]
    """The maker's serial number or the registration number."""
    title_zh: Title
    """Chinese name."""
    title_en: Title
    """English name."""
    plan: PlanSettings | None = None
    """Where it stands on the site plan; a crane's place is in its own section."""

    def section(self, schema: type[S]) -> S | None:
        """What the file says of it in the section of this schema, which its kind brings; None: nothing."""
        return next((said for _, said in self if isinstance(said, schema)), None)


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
    identity: IdentitySettings = IdentitySettings()
    """The encrypted identity file."""
