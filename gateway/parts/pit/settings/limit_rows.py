"""A pit's limits as rules: for each monitoring point and each limit in force, the rows that the packs ask for.

In: pits as described, the packs' tables, the box's points. Out: `MadeRule`s: a rule with its own limit on one point,
which the resolver treats like any other; and warnings for points that nothing judges. The derived points that rows are
on are those of the pit's models: `<point>`, `<point>_rate`, and `<point>_pct_f2` and the like for loads.

    limit of a point --x ratio of a row--> threshold, or readings in a row, on one point
         |                                      |
         clause, certainty, source              severity, delays, only while the neighbours rise too
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.model.quantity import Point, PointTable
from gateway.parts.pit.model.description import PitDescription, PitPoint
from gateway.parts.pit.model.items import DesignShare, rate_item, share_item
from gateway.parts.pit.settings.limit_tables import PitItemSettings, PitRowSettings, Side
from gateway.parts.pit.settings.limits import PitLimit, PitLimits, less_sure, limits_of
from gateway.parts.pit.settings.merged_tables import PitLimitTables
from gateway.settings.document import Document, KeyPath
from gateway.settings.rule_families import ConsecutiveSettings, ThresholdSettings
from gateway.settings.rulepack import MadeRule, PackRule, Packs
from gateway.settings.schema import LimitSource

DEEP_PIT_ID = "deep-pit"
RISING = "pit_rising_together"
_MOST_WORDS = 300
PitRule = ThresholdSettings | ConsecutiveSettings


@dataclass(frozen=True, slots=True)
class DescribedPit:
    """A pit of the site file; `path` is where the file describes it, for warnings."""

    path: KeyPath
    description: PitDescription


class PitRows:
    """The rows of all pits of a site. Warnings go to the site's document."""

    def __init__(self, document: Document, packs: Packs, points: PointTable) -> None:
        self._document = document
        self._spelled = packs.rules
        self._tables = packs.table(PitLimitTables)
        self._points = points
        self._by_item = {(point.asset, point.role, point.quantity): i for i, point in enumerate(points.points)}

    def of(self, pits: Sequence[DescribedPit]) -> tuple[MadeRule, ...]:
        """In the order of the pits, their points and the packs' rows. A rule that a pack spells out is left to it."""
        rows = [row for pit in pits for point in pit.description.points for row in self._rows_of(pit, point)]
        return tuple(row for row in rows if row.rule.rule_id not in self._spelled)

    def _rows_of(self, pit: DescribedPit, point: PitPoint) -> Iterator[MadeRule]:
        description = pit.description
        origin = f"{self._document.name}:{self._document.key_line(pit.path)}: {description.asset}.{point.name}"
        limits = limits_of(description, point, self._tables, origin)
        self._warn(pit, point, limits)
        for row in self._tables.rows.values():
            for on in self._places(description.asset, point, limits, row):
                yield from self._built(point, row, on)

    def _places(
        self, asset: str, point: PitPoint, limits: PitLimits, row: PitRowSettings
    ) -> Iterator[tuple[PitLimit, int, int]]:
        """What the row judges: the limit, the position of the judged point, and of the one that says "rising"."""
        rising = self._by_item.get((asset, RISING, f"{point.name}_rising"), -1)
        if row.rising and rising < 0:
            return
        for limit, role, quantity in _judged(point, limits, row):
            index = self._by_item.get((asset, role, quantity), -1)
            if limit is not None and index >= 0:
                yield limit, index, rising if row.rising else -1

    def _built(self, point: PitPoint, row: PitRowSettings, on: tuple[PitLimit, int, int]) -> Iterator[MadeRule]:
        limit, index, rising = on
        facts = self._tables.items.get(point.item) or PitItemSettings(item=point.item)
        judged = self._points[index]
        for settings in _settings_of(point, row, limit, facts, judged):
            document, path = (limit.entry.document, limit.entry.path) if limit.entry else (self._document, ())
            rule = PackRule(settings.id, settings, "", limit.origin, document, path)
            exact = limit.exact or row.of != "cumulative"
            yield MadeRule(rule, settings, index, rising, exact, _suppressors(settings.id, row))

    def _warn(self, pit: DescribedPit, point: PitPoint, limits: PitLimits) -> None:
        words = {"point": f"{pit.description.asset}.{point.name}", "item": point.item.value}
        if limits.empty:
            self._document.warn(pit.path, "warn.pit_no_limit", **words)
        elif limits.cumulative is not None and not limits.cumulative.exact:
            self._document.warn(pit.path, "warn.pit_no_depth", **words)
        if limits.strictest and not limits.empty:
            self._document.warn(pit.path, "warn.pit_strictest", **words)


def _suppressors(rule_id: str, row: PitRowSettings) -> tuple[str, ...]:
    """The ids of the rows that suppress this rule, on its own side where an item has two."""
    kind, item, side, _ = rule_id.split(".")
    named = [name.split(".") for name in row.suppressed_while]
    return tuple(f"{kind}.{item}.{side if part == row.id.split('.')[0] else part}.{step}" for part, step in named)


def _judged(point: PitPoint, limits: PitLimits, row: PitRowSettings) -> list[tuple[PitLimit | None, str, str]]:
    """The limits that a row is made of, with the item and the name of the point that each judges."""
    item, name = point.item, point.name
    if row.of == "cumulative":
        return [(limits.cumulative, item.value, name)]
    if row.of == "rate":
        return [(limits.rate, rate_item(item), f"{name}_rate")]
    if row.of == "day_rate":
        return [(limits.rate, f"{item}_day_rate", f"{name}_day_rate")]
    shares = [share for share in limits.shares if (share is DesignShare.FY) == (row.of == "load_low")]
    return [(limits.shares[share], share_item(item, share), f"{name}_pct_{share}") for share in shares]


def _settings_of(
    point: PitPoint, row: PitRowSettings, limit: PitLimit, facts: PitItemSettings, judged: Point
) -> Iterator[PitRule]:
    """The rule, or the two of an item whose rise and fall are told apart."""
    titles = point.facts.title_zh, point.facts.title_en
    bound = limit.value / row.ratio if row.of == "load_low" else limit.value * row.ratio
    common = _common(row, limit, facts, round(bound, 9), judged)
    part = row.id
    if row.of == "cumulative" and facts.high is not None and facts.low is not None:
        for side, sign in ((facts.high, 1.0), (facts.low, -1.0)):
            side_part = part.replace("cumulative", side.id, 1)
            key = "high" if sign > 0 else "low"
            yield _rule(point, side_part, row, titles, side, {**common, key: sign * round(bound, 9)})
        return
    key = "low" if row.of == "load_low" else "high" if facts.sides == "high" else "either"
    yield _rule(point, part, row, titles, None, {**common, key: round(bound, 9)})


def _rule(
    point: PitPoint,
    part: str,
    row: PitRowSettings,
    titles: tuple[str, str],
    side: Side | None,
    common: dict[str, Any],
) -> PitRule:
    zh, en = (f"（{side.title_zh}）", f" ({side.title_en})") if side else ("", "")
    named = {
        "id": f"pit.{point.item.value}.{part}",
        "title_zh": f"{titles[0]}{zh}{row.title_zh}",
        "title_en": f"{titles[1]}{en}: {row.title_en}",
    }
    if row.times is not None:
        times = {"times": row.times, "spacing_s": row.spacing_s, "gap_s": row.gap_s}
        return ConsecutiveSettings(family="consecutive", **named, **common, **times)
    deadband = round(row.deadband * abs(next(common[key] for key in ("high", "low", "either") if key in common)), 9)
    return ThresholdSettings(family="threshold", **named, **common, deadband=deadband, on_delay_s=row.on_delay_s)


def _common(
    row: PitRowSettings, limit: PitLimit, facts: PitItemSettings, bound: float, judged: Point
) -> dict[str, Any]:
    """What both families have."""
    source, certainty, words = _source(row, limit, shared=bound != limit.value)
    if not limit.exact and row.of == "cumulative":
        words += "; depth not given: upper bound only"
    if row.danger and facts.danger:
        words += f"; {facts.danger}"
    return {
        "kind": DEEP_PIT_ID,
        "key": judged.role,
        "unit": judged.unit,
        "severity": row.severity,
        "reportable": row.reportable,
        "suspected": row.suspected,
        "hazard": facts.hazard if row.suspected else None,
        "limit_source": source,
        "clause": words[:_MOST_WORDS],
        "certainty": certainty,
        "off_delay_s": row.off_delay_s,
    }


def _source(row: PitRowSettings, limit: PitLimit, *, shared: bool) -> tuple[LimitSource, str, str]:
    """Who set what is compared, how sure that is, and the clause. A share of the product's own is never a code's."""
    if not shared:
        return limit.limit_source, limit.certainty, limit.clause
    if row.certainty == "PD":
        return (
            LimitSource.PRODUCT_DEFAULT,
            "PD",
            f"product default: {row.clause}, of {limit.clause} ({limit.certainty})",
        )
    certainty = less_sure(limit.certainty, row.certainty)
    return limit.limit_source, certainty, f"{limit.clause}; {row.clause} ({row.certainty})"
