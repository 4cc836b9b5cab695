"""A site's own values for rules: which are allowed, and what is in force after them.

In: a rule of a pack and the site's overrides. Out: the values in force for an asset, with who set the limit and where
that is written. Of two overrides of one rule, the one that names the asset beats the one for all assets. A looser limit
needs a `limit_source`; a limit that the site sets is never still called a clause's.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.model.alarm import Severity
from gateway.model.rule import Direction
from gateway.settings.checking import choice
from gateway.settings.document import Document, KeyPath
from gateway.settings.rule_families import (
    MOST_CHANGES,
    AnyRule,
    ChangeCountSettings,
    ConsecutiveSettings,
    FlatLineSettings,
    LossSettings,
    RateOfChangeSettings,
    SilenceSettings,
    ThresholdSettings,
)
from gateway.settings.rulepack import PackRule
from gateway.settings.schema import LimitSource, OverrideSettings, least_certainty
from gateway.settings.site import SiteParts

ALL_PCT = 100
_VALUES = {"limit", "deadband", "on_delay_s", "off_delay_s", "severity"}


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule's values on one asset. `document` and `path` say where the limit is written, for warnings about it."""

    limit: float
    deadband: float
    on_delay_s: float
    off_delay_s: float
    severity: Severity
    limit_source: LimitSource
    clause: str
    certainty: str
    origin: str
    document: Document
    path: KeyPath


class Overrides:
    """The overrides of one site file; their faults go to it."""

    def __init__(self, document: Document, site: SiteParts, rules: Mapping[str, PackRule]) -> None:
        self._document = document
        self._site = site
        self._rules = rules
        self._kept: dict[tuple[str, str | None], tuple[KeyPath, OverrideSettings]] = {}
        self._used: set[KeyPath] = set()
        for path, override in site.overrides:
            self._keep(path, override)

    def apply(self, rule: PackRule, settings: AnyRule, asset: str) -> InForce:
        """The values in force for this rule on this asset."""
        base = InForce(
            limit=settings.limit,
            deadband=settings.deadband,
            on_delay_s=settings.on_delay_s,
            off_delay_s=settings.off_delay_s,
            severity=settings.severity,
            limit_source=settings.limit_source,
            clause=settings.clause,
            certainty=settings.certainty,
            origin=rule.origin,
            document=rule.document,
            path=rule.path,
        )
        found = self._kept.get((settings.id, asset)) or self._kept.get((settings.id, None))
        if found is None:
            return base
        path, override = found
        self._used.add(path)
        changed = override.model_dump(exclude_none=True, include=_VALUES)
        origin = f"{self._document.name}:{self._document.key_line(path)}: {override.reason}"
        inside = replace(base, **changed, origin=origin, document=self._document, path=path)
        return _with_source(inside, override) if _sets_limit(override) else inside

    def unused(self) -> Iterator[tuple[KeyPath, OverrideSettings]]:
        """Overrides that no row has asked for."""
        return ((path, override) for path, override in self._kept.values() if path not in self._used)

    def _keep(self, path: KeyPath, override: OverrideSettings) -> None:
        rule = self._rules.get(override.rule)
        if rule is None:
            choice(self._document, (*path, "rule"), override.rule, self._rules)
        if override.asset is not None and override.asset not in self._site.asset_kinds:
            choice(self._document, (*path, "asset"), override.asset, self._site.asset_kinds)
        key = (override.rule, override.asset)
        if key in self._kept:
            first = self._document.key_line(self._kept[key][0])
            self._document.add(path, "override.twice", rule=override.rule, first=first)
            return
        self._kept[key] = (path, override)
        if rule is not None and rule.settings is not None:
            self._check_kind(path, override, rule.settings)
            self._check_values(path, override, rule.settings)

    def _check_kind(self, path: KeyPath, override: OverrideSettings, rule: AnyRule) -> None:
        kind = self._site.asset_kinds.get(override.asset or "")
        if kind is not None and rule.kind not in ("*", kind):
            words = {"asset": override.asset, "found": kind, "expected": rule.kind, "rule": rule.id}
            self._document.add((*path, "asset"), "override.asset_kind", **words)

    def _check_values(self, path: KeyPath, override: OverrideSettings, rule: AnyRule) -> None:
        given = override.model_dump(exclude_none=True).keys()
        if not given & (_VALUES | {"limit_source", "clause"}):
            self._document.add(path, "override.nothing")
        if isinstance(rule, SilenceSettings):
            for key in sorted(given & {"deadband", "on_delay_s"}):
                self._document.add((*path, key), "override.silence", key=key, rule=rule.id)
        else:
            for key in sorted(given & _VALUES - _changeable(rule)):
                words = {"key": key, "rule": rule.id, "family": rule.family}
                self._document.add((*path, key), "override.key", **words, known=", ".join(sorted(_changeable(rule))))
        if override.severity is Severity.P1 and rule.suppressed_while is not None:
            self._document.add((*path, "severity"), "rule.suppressed_p1", rule=rule.id)
        if override.limit is not None:
            self._check_limit((*path, "limit"), override.limit, rule)
        if override.limit is not None and override.limit_source is None and _looser(rule, override.limit):
            self._document.add((*path, "limit"), "override.loosens", found=override.limit, base=rule.limit)

    def _check_limit(self, path: KeyPath, limit: float, rule: AnyRule) -> None:
        """A time, a count and a step are above nothing; a flat line is longer than its gap."""
        signed = isinstance(rule, ThresholdSettings | RateOfChangeSettings | ConsecutiveSettings)
        positive = not signed or _sizes(rule)
        if positive and limit <= 0:
            self._document.add(path, "range.above", found=limit, bound=0)
        elif isinstance(rule, FlatLineSettings) and limit <= rule.gap_s:
            self._document.add(path, "rule.gap", found=rule.gap_s, window=limit)
        elif isinstance(rule, ChangeCountSettings) and limit > MOST_CHANGES:
            self._document.add(path, "range.at_most", found=limit, bound=MOST_CHANGES)
        elif isinstance(rule, LossSettings) and limit >= ALL_PCT:
            self._document.add(path, "range.below", found=limit, bound=ALL_PCT)


def _changeable(rule: AnyRule) -> set[str]:
    """Which values a rule of this family has at all; a step limit only where the rule names its points."""
    own = {key for key in _VALUES if key in type(rule).model_fields} | {"severity"}
    return own | {"limit"} if math.isfinite(rule.limit) else own


def _sizes(rule: AnyRule) -> bool:
    families = RateOfChangeSettings | ThresholdSettings | ConsecutiveSettings
    return isinstance(rule, families) and rule.either is not None


def _looser(rule: AnyRule, limit: float) -> bool:
    return limit < rule.limit if rule.direction is Direction.LOW else limit > rule.limit


def _sets_limit(override: OverrideSettings) -> bool:
    return not (override.limit is None and override.limit_source is None and override.clause is None)


def _with_source(inside: InForce, override: OverrideSettings) -> InForce:
    """Name the limit's new source: a limit set by the site is the site's, unless the override says whose it is."""
    source = override.limit_source or LimitSource.SITE_SCHEME
    certainty = override.certainty or least_certainty(source)
    return replace(inside, limit_source=source, clause=override.clause or override.reason, certainty=certainty)
