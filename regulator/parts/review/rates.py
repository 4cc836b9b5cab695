"""False-alarm rates: N / (Y + N) of final verdicts per camera (or device) and rule, with n and an interval.

In: a scope and a window. Out: rates; a rate of fewer than twenty verdicts is not told, and a window that is shorter
than thirty days, because the desk has not judged for longer, is marked indicative. Doubtful verdicts count in neither.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, case, func, select

from regulator.base.model.actor import Scope
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items
from regulator.parts.review.judgement import ItemState, Verdict
from regulator.parts.review.statistics import Share, wilson

DAY_NS: Final = 86_400_000_000_000
WINDOW_DAYS: Final = 30
FEWEST: Final = 20
ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Window:
    """A span that ends now. `covered_days` is how much of it the desk has judged in."""

    from_ns: int
    to_ns: int
    covered_days: float

    @property
    def indicative(self) -> bool:
        """Less than thirty days of verdicts."""
        return self.covered_days < WINDOW_DAYS


@dataclass(frozen=True, slots=True)
class Rate:
    """One camera and rule. `share` is None while there are too few verdicts to say; `n` is told all the same."""

    project_code: str
    project_name: str
    source_id: str
    rule_id: str
    n: int
    in_bulk: int
    share: Share | None


def window_of(db: Connection, scope: Scope, now_ns: int, days: int = WINDOW_DAYS) -> Window:
    """The last `days`, and how much of them has verdicts."""
    at, code = review_items.c, projects.c.project_code
    judged = select(func.min(at.judged_at_ns)).where(at.project_code == code, at.judged_at_ns > 0)
    firsts = select(judged.correlate(projects).scalar_subquery().label("first_ns")).where(in_scope(scope, code))
    first = db.scalar(select(func.min(firsts.subquery().c.first_ns)))
    from_ns = now_ns - days * DAY_NS
    covered_ns = now_ns - max(from_ns, first) if first else 0
    return Window(from_ns, now_ns, covered_ns / DAY_NS)


def false_alarm_rates(db: Connection, scope: Scope, window: Window) -> list[Rate]:
    """The worst first, those of too few verdicts last."""
    query = _counted(scope, window).join(projects, projects.c.project_code == review_items.c.project_code, isouter=True)
    query = query.add_columns(func.max(projects.c.name).label("name"))
    rates = [_rate(row) for row in db.execute(query.limit(ROWS))]
    return sorted(rates, key=lambda rate: (rate.share is None, -(rate.share.value if rate.share else 0), -rate.n))


def rate_of(db: Connection, scope: Scope, window: Window, item: "Row[Any]") -> Share | None:
    """The same of the camera and rule of one item; None while there are too few."""
    same = [review_items.c[name] == getattr(item, name) for name in ("project_code", "box_id", "source_id", "rule_id")]
    row = db.execute(_counted(scope, window).where(*same)).first()
    return wilson(row.false_n, row.n) if row is not None and row.n >= FEWEST else None


def _counted(scope: Scope, window: Window) -> "Select[tuple[object, ...]]":
    at = review_items.c
    false = func.sum(case((at.verdict == Verdict.FALSE.value, 1), else_=0))
    decided = and_(at.round == 1, at.state == ItemState.FINAL.value)
    told = at.verdict.in_([Verdict.TRUE.value, Verdict.FALSE.value])
    keys = (at.project_code, at.box_id, at.source_id, at.rule_id)
    return (
        select(*keys, func.count().label("n"), false.label("false_n"), func.sum(at.bulk).label("in_bulk"))
        .select_from(review_items)
        .where(decided, told, at.judged_at_ns >= window.from_ns, in_scope(scope, at.project_code))
        .group_by(*keys)
        .order_by(func.count().desc())
    )


def _rate(row) -> Rate:  # type: ignore[no-untyped-def]  # a row of `_counted` with the project's name
    share = wilson(int(row.false_n), int(row.n)) if row.n >= FEWEST else None
    name = row.name or row.project_code
    return Rate(row.project_code, name, row.source_id, row.rule_id, int(row.n), int(row.in_bulk), share)
