"""Turns rules, overrides and points into the rows that are judged: one rule on one subject each.

In: the merged packs, the site's overrides, the bound points. Out: `ResolvedRule`s in the order of the packs and then of
the points, and warnings about rules that judge nothing. Knows nothing of YAML and protocols.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.model.alarm import RuleInfo
from gateway.model.quantity import Point
from gateway.model.rule import ResolvedRule, RuleFamily
from gateway.settings.binding import Field
from gateway.settings.document import Document
from gateway.settings.overriding import InForce, Overrides
from gateway.settings.rulepack import AnyRule, PackRule, SilenceSettings, ThresholdSettings
from gateway.settings.site import SiteParts


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about: a point, or a device with all its points."""

    name: str
    asset: str
    unit: str
    point_index: int = -1
    device_points: tuple[int, ...] = ()


class Resolver:
    """One site's rules on its points. `document` is the site file, for faults in its overrides."""

    def __init__(self, document: Document, site: SiteParts, rules: Mapping[str, PackRule], field: Field) -> None:
        self._document = document
        self._kinds = site.asset_kinds
        self._rules = rules
        self._field = field
        self._overrides = Overrides(document, site, rules)

    def resolve(self) -> tuple[ResolvedRule, ...]:
        """All rows."""
        rows = tuple(row for rule in self._rules.values() for row in self._rows(rule))
        for path, override in self._overrides.unused():
            if override.rule in self._rules:
                self._document.warn(path, "warn.override_without_point", rule=override.rule)
        return rows

    def _rows(self, rule: PackRule) -> list[ResolvedRule]:
        settings = rule.settings
        if settings is None:
            return []
        rows = [self._row(rule, settings, subject) for subject in self._subjects(rule, settings)]
        if not rows and (settings.kind == "*" or settings.kind in self._kinds.values()):
            wanted = f"{settings.kind} {_wanted(settings)}"
            rule.document.warn(rule.path, "warn.rule_without_point", rule=settings.id, wanted=wanted)
        return rows

    def _subjects(self, rule: PackRule, settings: AnyRule) -> Iterator[Subject]:
        if isinstance(settings, ThresholdSettings):
            for i, point in self._points_for(settings):
                if settings.unit in (None, point.unit):
                    yield Subject(point.point_id, point.asset, point.unit, i)
                else:
                    words = {"point": point.point_id, "found": point.unit or "-", "expected": settings.unit}
                    rule.document.add((*rule.path, "unit"), "rule.unit", **words)
        elif settings.per == "point":
            for i, point in self._points_for(settings):
                yield Subject(point.point_id, point.asset, "s", i, (i,))
        else:
            for device, asset in self._field.asset_of.items():
                if self._is_for(settings, asset):
                    yield Subject(device, asset, "s", -1, tuple(self._field.points.of_device(device)))

    def _points_for(self, settings: AnyRule) -> Iterator[tuple[int, Point]]:
        keys = (settings.key,) if isinstance(settings, ThresholdSettings) else settings.keys
        for i, point in enumerate(self._field.points.points):
            if self._is_for(settings, point.asset) and (keys is None or point.quantity in keys):
                yield i, point

    def _is_for(self, settings: AnyRule, asset: str) -> bool:
        return settings.kind in ("*", self._kinds.get(asset))

    def _row(self, rule: PackRule, settings: AnyRule, subject: Subject) -> ResolvedRule:
        force = self._overrides.apply(rule, settings, subject.asset)
        family = RuleFamily(settings.family)
        if family is RuleFamily.THRESHOLD:
            _warn_beyond_range(settings.id, force, self._field.points[subject.point_index])
        return ResolvedRule(
            info=_info(settings, force, subject.unit),
            family=family,
            subject=subject.name,
            asset=subject.asset,
            asset_kind=str(self._kinds.get(subject.asset) or ""),
            point_index=subject.point_index,
            device_points=subject.device_points,
            direction=settings.direction,
            limit=force.limit,
            deadband=force.deadband,
            on_delay_s=force.on_delay_s,
            off_delay_s=force.off_delay_s,
            suspected=settings.suspected,
            origin=force.origin,
        )


def _info(settings: AnyRule, force: InForce, unit: str) -> RuleInfo:
    return RuleInfo(
        rule_id=settings.id,
        title_zh=settings.title_zh,
        title_en=settings.title_en,
        severity=force.severity,
        unit=unit,
        limit_source=force.limit_source.value,
        clause=force.clause,
        certainty=force.certainty,
        reportable=settings.reportable,
    )


def _wanted(settings: AnyRule) -> str:
    if isinstance(settings, SilenceSettings):
        return ", ".join(settings.keys or ("device",))
    return settings.key


def _warn_beyond_range(rule_id: str, force: InForce, point: Point) -> None:
    """A limit that the instrument cannot reach: the rule would be silent for ever."""
    if not point.minimum <= force.limit <= point.maximum:
        words = {"rule": rule_id, "limit": force.limit, "point": point.point_id}
        bounds = {"low": f"{point.minimum:g}", "high": f"{point.maximum:g}"}
        force.document.warn(force.path, "warn.limit_beyond_range", **words, **bounds)
