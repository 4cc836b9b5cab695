"""Turns rules, overrides and points into the rows that are judged: one rule on one subject each.

In: the merged packs, the site's overrides, the bound points, what kinds make of their tables. Out: `ResolvedRule`s in
the order of the packs and then of the points, then those of the kinds, and warnings about rules that judge nothing.
Knows nothing of YAML and protocols.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.model.alarm import RuleInfo
from gateway.model.quantity import Point
from gateway.model.rule import (
    ChangeCountParameters,
    Condition,
    ConsecutiveParameters,
    Direction,
    FlatLineParameters,
    GateParameters,
    LossParameters,
    Parameters,
    RateParameters,
    ResolvedRule,
    RuleFamily,
)
from gateway.settings.binding import Field
from gateway.settings.document import Document
from gateway.settings.overriding import InForce, Overrides
from gateway.settings.rule_families import (
    AnyRule,
    ChangeCountSettings,
    ConsecutiveSettings,
    FlatLineSettings,
    ImpossibleSettings,
    LossSettings,
    OnePointRule,
    RateOfChangeSettings,
    SilenceSettings,
    ThresholdSettings,
)
from gateway.settings.rule_shape import While
from gateway.settings.rulepack import MadeRule, PackRule, Packs
from gateway.settings.site import SiteParts
from gateway.settings.suppressing import check_suppression

ValueRule = OnePointRule | ImpossibleSettings
_PER = {"second": ("s", 1.0), "minute": ("min", 60.0), "hour": ("h", 3600.0), "day": ("d", 86_400.0)}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about: a point, or a device with all its points."""

    name: str
    asset: str
    unit: str
    point_index: int = -1
    device_points: tuple[int, ...] = ()
    conditions: tuple[Condition, ...] = ()
    stale_after_s: float = 0.0
    exact: bool = True


class Resolver:
    """One site's rules on its points. `document` is the site file, for faults in its overrides; `made` are the rules
    that kinds make of their tables, `ruled` the assets whose description makes rules."""

    def __init__(
        self,
        document: Document,
        site: SiteParts,
        packs: Packs,
        field: Field,
        made: Sequence[MadeRule] = (),
        ruled: Collection[str] = (),
    ) -> None:
        self._document = document
        self._kinds = site.asset_kinds
        self._field = field
        self._made = made
        self._ruled = frozenset(ruled)
        self._rules = packs.rules
        self._known: Mapping[str, PackRule] = {**packs.rules, **_templates(made)}
        self._overrides = Overrides(document, site, self._known)

    def resolve(self) -> tuple[ResolvedRule, ...]:
        """All rows."""
        check_suppression(self._known)
        rows = tuple(row for rule in self._rules.values() for row in self._rows(rule))
        rows += tuple(self._made_row(row) for row in self._made)
        for path, override in self._overrides.unused():
            if override.rule in self._known:
                self._document.warn(path, "warn.override_without_point", rule=override.rule)
        return rows

    def _made_row(self, row: MadeRule) -> ResolvedRule:
        point = self._field.points[row.point_index]
        known = [self._field.points[i].stale_after_s for i in (row.while_point,) if i >= 0]
        conditions = tuple(Condition(row.while_point, Direction.HIGH, 0.5, stale_s) for stale_s in known)
        subject = Subject(
            point.point_id, point.asset, point.unit, row.point_index, (), conditions, point.stale_after_s, row.exact
        )
        return replace(self._row(row.rule, row.settings, subject), suppressed_here=row.suppressed_here)

    def _rows(self, rule: PackRule) -> list[ResolvedRule]:
        settings = rule.settings
        if settings is None:
            return []
        rows = [self._row(rule, settings, subject) for subject in self._subjects(rule, settings)]
        if not rows and not settings.optional and self._has_subjects(settings):
            wanted = f"{settings.kind} {_wanted(settings)}"
            rule.document.warn(rule.path, "warn.rule_without_point", rule=settings.id, wanted=wanted)
        return rows

    def _has_subjects(self, settings: AnyRule) -> bool:
        """Whether the site has an asset that the rule is for."""
        ruled = self._ruled if settings.undescribed else frozenset()
        return any(settings.kind in ("*", kind) and asset not in ruled for asset, kind in self._kinds.items())

    def _subjects(self, rule: PackRule, settings: AnyRule) -> Iterator[Subject]:
        if isinstance(settings, LossSettings):
            yield from self._devices(settings, "%", self._field.asked)
        elif not isinstance(settings, SilenceSettings):
            yield from self._judged_points(rule, settings)
        elif settings.per == "point":
            for i, point in self._points_for(settings):
                yield Subject(point.point_id, point.asset, "s", i, (i,))
        else:
            yield from self._devices(settings, "s", self._field.asset_of.keys())

    def _devices(self, settings: AnyRule, unit: str, devices: Collection[str]) -> Iterator[Subject]:
        """The devices among these on assets that the rule is for, each with all its points."""
        for device, asset in self._field.asset_of.items():
            if device in devices and self._is_for(settings, asset):
                yield Subject(device, asset, unit, -1, tuple(self._field.points.of_device(device)))

    def _judged_points(self, rule: PackRule, settings: ValueRule) -> Iterator[Subject]:
        for i, point in self._points_for(settings):
            conditions = self._conditions(rule, settings, point.asset)
            if settings.unit not in (None, point.unit):
                words = {"point": point.point_id, "found": point.unit or "-", "expected": settings.unit}
                rule.document.add((*rule.path, "unit"), "rule.unit", **words)
            elif conditions is not None:
                unit = _limit_unit(settings, point.unit)
                yield Subject(point.point_id, point.asset, unit, i, (), conditions, point.stale_after_s)

    def _conditions(self, rule: PackRule, settings: ValueRule, asset: str) -> tuple[Condition, ...] | None:
        """What `only_when` asks for on this asset; None when the asset lacks a point for it."""
        found = [self._condition(rule, asked, asset) for asked in _asked(settings)]
        conditions = tuple(each for each in found if each is not None)
        return conditions if len(conditions) == len(found) else None

    def _condition(self, rule: PackRule, asked: While, asset: str) -> Condition | None:
        for i, point in enumerate(self._field.points.points):
            if (point.asset, point.role) == (asset, asked.key):
                return Condition(i, asked.direction, asked.bound, point.stale_after_s)
        if rule.settings is not None and not rule.settings.optional:
            rule.document.warn((*rule.path, "only_when"), "warn.condition_without_point", asset=asset, found=asked.key)
        return None

    def _points_for(self, settings: ValueRule | SilenceSettings) -> Iterator[tuple[int, Point]]:
        keys = settings.keys if isinstance(settings, SilenceSettings | ImpossibleSettings) else (settings.key,)
        for i, point in enumerate(self._field.points.points):
            known = settings.undescribed and point.asset in self._ruled
            if self._is_for(settings, point.asset) and (keys is None or point.role in keys) and not known:
                yield i, point

    def _is_for(self, settings: AnyRule, asset: str) -> bool:
        return settings.kind in ("*", self._kinds.get(asset))

    def _row(self, rule: PackRule, settings: AnyRule, subject: Subject) -> ResolvedRule:
        force = self._overrides.apply(rule, settings, subject.asset)
        family = RuleFamily(settings.family)
        if family is RuleFamily.THRESHOLD:
            either = settings.direction is Direction.EITHER
            _warn_beyond_range(settings.id, force, self._field.points[subject.point_index], either=either)
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
            latching=settings.latching,
            suppressed_while=tuple(each.rule for each in settings.suppressed_while or ()),
            origin=force.origin,
            parameters=_parameters(settings, subject),
        )


def _templates(rows: Iterable[MadeRule]) -> Mapping[str, PackRule]:
    """One rule an id, so that a site's overrides can be checked against it: the strictest of its points."""
    strictest: dict[str, MadeRule] = {}
    for row in rows:
        known = strictest.get(row.settings.id)
        reach = row.settings.direction.reach
        if known is None or reach(row.settings.limit) < reach(known.settings.limit):
            strictest[row.settings.id] = row
    return {rule_id: row.rule for rule_id, row in strictest.items()}


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
        hazard=settings.hazard or "",
    )


def _limit_unit(settings: ValueRule, unit: str) -> str:
    """The unit of the limit of a rule on a point in `unit`."""
    if isinstance(settings, RateOfChangeSettings):
        return f"{unit}/{_PER[settings.per][0]}"
    if isinstance(settings, ImpossibleSettings):
        return f"{unit}/s" if settings.max_step_per_s is not None else ""
    if isinstance(settings, FlatLineSettings):
        return "s"
    return "" if isinstance(settings, ChangeCountSettings) else unit


def _parameters(settings: AnyRule, subject: Subject) -> Parameters | None:
    """What the family needs beyond limit, deadband and delays."""
    if isinstance(settings, ThresholdSettings):
        gated = bool(subject.conditions) or not subject.exact
        return GateParameters(subject.conditions, subject.stale_after_s, subject.exact) if gated else None
    if isinstance(settings, ConsecutiveSettings):
        return ConsecutiveParameters(settings.times, settings.spacing_s, settings.gap_s)
    if isinstance(settings, RateOfChangeSettings):
        per_s, either = _PER[settings.per][1], settings.either is not None
        return RateParameters(settings.window_s, settings.gap_s, settings.min_samples, per_s, either)
    if isinstance(settings, FlatLineSettings):
        watch = (settings.tolerance, settings.gap_s, settings.min_samples)
        (condition,) = subject.conditions or (Condition(-1, Direction.HIGH, 0.0, 0.0),)
        return FlatLineParameters(*watch, condition.point_index, condition.bound)
    if isinstance(settings, ChangeCountSettings):
        level = math.nan if settings.level is None else settings.level
        return ChangeCountParameters(settings.window_s, settings.gap_s, settings.min_change, level)
    return (
        LossParameters(settings.window_s, settings.min_requests, settings.outage_s)
        if isinstance(settings, LossSettings)
        else None
    )


def _asked(settings: ValueRule) -> tuple[While, ...]:
    """The conditions that a rule names."""
    if isinstance(settings, ThresholdSettings):
        return settings.only_when or ()
    if isinstance(settings, FlatLineSettings) and settings.only_when is not None:
        return (While(key=settings.only_when.key, above=settings.only_when.above),)
    return ()


def _wanted(settings: AnyRule) -> str:
    if isinstance(settings, LossSettings):
        return "device that is asked"
    if isinstance(settings, SilenceSettings | ImpossibleSettings):
        return ", ".join(settings.keys or ("device",))
    return settings.key


def _warn_beyond_range(rule_id: str, force: InForce, point: Point, *, either: bool) -> None:
    """A limit that the instrument cannot reach: the rule would be silent for ever."""
    low, high = (0.0, max(abs(point.minimum), abs(point.maximum))) if either else (point.minimum, point.maximum)
    if not low <= force.limit <= high:
        words = {"rule": rule_id, "limit": force.limit, "point": point.point_id}
        bounds = {"low": f"{point.minimum:g}", "high": f"{point.maximum:g}"}
        force.document.warn(force.path, "warn.limit_beyond_range", **words, **bounds)
