"""Rule packs: the shape of a pack file, and the packs of a site merged into one set of rules.

In: pack documents in the site's order. Out: one `PackRule` an id, with where it is written. A later pack may replace a
rule of an earlier one, but only when it says so. Knows nothing of points and devices.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.alarm import Severity
from gateway.model.rule import Direction
from gateway.settings.checking import check, check_type, choice, not_a_mapping, unknown_key
from gateway.settings.document import Document, KeyPath
from gateway.settings.schema import (
    AssetKind,
    Certainty,
    LimitSource,
    Name,
    Seconds,
    SettingsModel,
    Title,
    certainty_fits,
)

PointKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class RuleSettings(SettingsModel):
    """What every rule says of itself: whom it is for, how grave it is, and where its limit comes from."""

    id: Name
    """Unique; `<asset family>.<quantity>.<step>` by habit."""
    kind: AssetKind | Literal["*"]
    """The kind of asset it is for, or "*" for all."""
    replaces: bool = False
    """Whether it takes the place of an earlier pack's rule of the same id."""
    severity: Severity
    """P1 is the gravest; log is recorded and shown, and never sounds."""
    reportable: bool
    """Whether its alarms go to the regulator as suspected hazards."""
    suspected: bool = False
    """Whether a hit alone proves nothing and a second fact is needed (major-hazard clauses)."""
    title_zh: Title
    """Chinese title."""
    title_en: Title
    """English title."""
    limit_source: LimitSource
    """Who set the limit."""
    clause: Annotated[str, Field(min_length=1, max_length=300)]
    """Standard and clause, or the document."""
    certainty: Certainty
    """How sure the clause is: V1 read in it, V2 second-hand, M-H, M-M, M-L from memory, PD product design, SITE given
    by the designer, the maker or the site."""

    @model_validator(mode="after")
    def _certainty_fits_source(self) -> "RuleSettings":
        if not certainty_fits(self.limit_source, self.certainty):
            context = {"source": self.limit_source.value, "certainty": self.certainty}
            raise PydanticCustomError("rule.certainty", "certainty and limit_source disagree", context)
        return self


class ThresholdSettings(RuleSettings):
    """A value at or beyond a limit."""

    family: Literal["threshold"]
    """Chooses this shape."""
    key: PointKey
    """The point it judges, by its key in the device table."""
    unit: str | None = None
    """Unit of the limit; a point in another unit is then refused."""
    high: float | None = None
    """Upper limit: at or above it is wrong."""
    low: float | None = None
    """Lower limit: at or below it is wrong."""
    deadband: Annotated[float, Field(ge=0)] = 0.0
    """How far back behind the limit a value must go before the condition ends, in the point's unit."""
    on_delay_s: Seconds = 0.0
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds = 0.0
    """How long the condition must be gone before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _one_limit(self) -> "ThresholdSettings":
        given = (self.high is not None) + (self.low is not None)
        if given != 1:
            raise PydanticCustomError("rule.one_limit", "give exactly one of high and low", {"found": given})
        return self

    @property
    def limit(self) -> float:
        """The one limit."""
        return self.high if self.high is not None else float(self.low or 0.0)

    @property
    def direction(self) -> Direction:
        """Which side of the limit is wrong."""
        return Direction.HIGH if self.high is not None else Direction.LOW


class SilenceSettings(RuleSettings):
    """Nothing usable heard for too long, from a device or from single points."""

    family: Literal["silence"]
    """Chooses this shape."""
    after_s: Annotated[float, Field(gt=0, le=604_800)]
    """Age of the last good value that counts as silence, seconds."""
    per: Literal["device", "point"] = "device"
    """One alarm for a device, or one for each point."""
    keys: Annotated[tuple[PointKey, ...], Field(min_length=1)] | None = None
    """With per: point, only these keys."""
    off_delay_s: Seconds = 0.0
    """How long values must be back before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _keys_need_points(self) -> "SilenceSettings":
        if self.keys is not None and self.per != "point":
            raise PydanticCustomError("rule.keys_need_points", "keys go with per: point")
        return self

    @property
    def limit(self) -> float:
        """The age that counts as silence, seconds."""
        return self.after_s

    @property
    def direction(self) -> Direction:
        """An age is wrong when it is high."""
        return Direction.HIGH

    @property
    def deadband(self) -> float:
        """None: one good value ends a silence."""
        return 0.0

    @property
    def on_delay_s(self) -> float:
        """None: the age is the delay."""
        return 0.0


AnyRule = ThresholdSettings | SilenceSettings
FAMILIES: dict[str, type[RuleSettings]] = {
    "threshold": ThresholdSettings,
    "silence": SilenceSettings,
}


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
        known = ThresholdSettings.model_fields.keys() | SilenceSettings.model_fields.keys()
        for key in entry.keys() - known:
            unknown_key(document, (*path, key), known)
        return None
    rule: AnyRule | None = check_type(schema, document, path, entry)
    return rule
