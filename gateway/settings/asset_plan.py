"""From what a site says of its assets to the models that derive what no instrument reads, kind by kind.

In: the site's assets, the points that its devices deliver, the merged packs. Out: an `AssetPlan`, which builds the
models anew for every start and every reload; the rules that kinds make of their tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.model.quantity import Point, PointTable
from gateway.settings.binding import Field
from gateway.settings.document import Document
from gateway.settings.kind import AssetKind, AssetPlan, KindPlan, Planning
from gateway.settings.rulepack import MadeRule, Packs


class AssetPlanner:
    """One site's assets, described, in the order of the kinds."""

    def __init__(self, planning: Planning, kinds: Sequence[AssetKind], field: Field) -> None:
        self._planners = [kind.planner(planning) for kind in kinds if kind.planner is not None]
        self._points = {point.point_id: point for point in (*field.points.points, *self.measured())}

    def measured(self) -> Iterator[Point]:
        """The points that people measure: no device delivers them."""
        return (point for planner in self._planners for point in planner.measured)

    @property
    def ruled(self) -> frozenset[str]:
        """The assets whose own description makes rules."""
        return frozenset(asset for planner in self._planners for asset in planner.ruled)

    def plan(self, packs: Packs) -> AssetPlan:
        """Everything that is valid."""
        plans: list[KindPlan] = []
        for planner in self._planners:
            plans.append(planner.plan(self._points, packs, plans))
        return AssetPlan(tuple(plans))

    def rules(self, packs: Packs, points: PointTable) -> tuple[MadeRule, ...]:
        """What the kinds make of their tables."""
        return tuple(rule for planner in self._planners for rule in planner.rules(packs, points))


def with_derived(document: Document, bound: Field, derived: Sequence[Point]) -> Field:
    """The field with what is derived and what people measure, after the points of its devices."""
    points = {point.point_id: point for point in bound.points.points}
    for point in derived:
        if point.point_id in points:
            words = {"point": point.point_id, "other": points[point.point_id].device}
            document.add(("assets",), "point.duplicate", **words)
        else:
            points[point.point_id] = point
    return replace(bound, points=PointTable(tuple(points.values())))
