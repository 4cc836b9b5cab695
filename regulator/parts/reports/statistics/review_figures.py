"""Figures of the review desk: what one person there has to carry, how often alarms were false, how well two agree.

Per **operating position**: people are counted, not sites. A person-hour is one person who judged at least one item in
one hour of the clock; in an hour in which nobody judged, what was put into the queue waits for one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, case, func, select

from kit.words import Words
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items, review_verdicts
from regulator.parts.reports.statistics.alarm_day import FLOOD_ABOVE, TEN_MINUTES_NS
from regulator.parts.reports.statistics.figure import Figure
from regulator.parts.reports.statistics.making import Span, known, unknown
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.review.funnel import HOUR_NS
from regulator.parts.review.judgement import EntryKind, ItemState, Verdict
from regulator.parts.review.rates import FEWEST
from regulator.parts.review.statistics import Share, cohens_kappa, wilson

MOST_RATES = 500
NO_REVIEW = Words("本期没有人研判", "nobody judged in this period")


@dataclass(frozen=True, slots=True)
class CameraRate:
    """How often one camera (or device) was wrong by one rule. `share` None: fewer than twenty verdicts, hidden."""

    project_code: str
    project_name: str
    source_id: str
    rule_id: str
    n: int
    share: Share | None


def review_figures(db: Connection, selection: Selection, span: Span) -> list[Figure]:
    """Load of the desk, false alarms, agreement."""
    return [*_load(db, selection, span), _false_alarms(db, selection, span), _agreement(db, selection, span)]


def camera_rates(db: Connection, selection: Selection, span: Span) -> list[CameraRate]:
    """False-alarm rates per camera and rule, the worst first, those of too few verdicts last."""
    at = review_items.c
    keys = (at.project_code, at.source_id, at.rule_id)
    false = func.sum(case((at.verdict == Verdict.FALSE.value, 1), else_=0)).label("false_n")
    counted = (
        select(*keys, func.max(projects.c.name).label("name"), func.count().label("n"), false)
        .join(projects, projects.c.project_code == at.project_code, isouter=True)
        .where(*_decided(selection, span))
        .group_by(*keys)
        .order_by(func.count().desc(), *keys)
        .limit(MOST_RATES)
    )
    rates = [
        CameraRate(
            row.project_code, row.name or row.project_code, row.source_id, row.rule_id, int(row.n),
            wilson(int(row.false_n), int(row.n)) if row.n >= FEWEST else None,
        )
        for row in db.execute(counted)
    ]  # fmt: skip
    return sorted(rates, key=lambda rate: (rate.share is None, -(rate.share.value if rate.share else 0), -rate.n))


def peak_per_person(queued: Sequence[int], people: Mapping[int, int]) -> float:
    """The most items that came within any ten minutes, for each person at work in the hour in which the last of them
    came. `queued` rises, UTC ns; `people` by hour of the epoch."""
    most, first = 0.0, 0
    for place, at_ns in enumerate(queued):
        while queued[first] <= at_ns - TEN_MINUTES_NS:
            first += 1
        most = max(most, (place - first + 1) / max(1, people.get(at_ns // HOUR_NS, 0)))
    return most


def flood_windows(queued: Sequence[int], people: Mapping[int, int]) -> int:
    """Ten-minute windows of the clock in which more than ten items came for each person at work."""
    counts = Counter(at_ns // TEN_MINUTES_NS for at_ns in queued)
    windows_an_hour = HOUR_NS // TEN_MINUTES_NS
    return sum(
        count / max(1, people.get(window // windows_an_hour, 0)) > FLOOD_ABOVE for window, count in counts.items()
    )


def _load(db: Connection, selection: Selection, span: Span) -> list[Figure]:
    at = review_items.c
    came = select(at.queued_at_ns).where(
        at.queued_at_ns >= span.from_ns, at.queued_at_ns < span.to_ns, selection.covers(at.project_code)
    )
    queued = [int(at_ns) for at_ns in db.scalars(came.order_by(at.queued_at_ns))]
    people = _people(db, selection, span)
    hours = sum(people.values())
    if not span.desk.covered_days or (not queued and not hours):
        why = Words("本期没有条目送审", "nothing was put before reviewers in this period")
        return [unknown(key, span.review, why) for key in ("desk_rate", "desk_peak", "desk_flood")]
    windows = (span.to_ns - span.from_ns) // TEN_MINUTES_NS
    note = Words(f"{hours} 人时", f"{hours} person-hours")
    rate = known("desk_rate", len(queued) / hours, len(queued), span.review, note) if hours else unknown(
        "desk_rate", span.review, NO_REVIEW, len(queued)
    )  # fmt: skip
    return [
        rate,
        known("desk_peak", peak_per_person(queued, people), len(queued), span.review, note),
        known("desk_flood", 100 * flood_windows(queued, people) / windows, windows, span.review, note),
    ]


def _people(db: Connection, selection: Selection, span: Span) -> dict[int, int]:
    """How many people judged in each hour of the epoch."""
    at, said = review_items.c, review_verdicts.c
    hour = (said.at_ns // HOUR_NS).label("hour")
    judged = (
        select(hour, said.user_id)
        .join(review_items, at.item_id == said.item_id)
        .where(said.kind == EntryKind.JUDGED.value, said.at_ns >= span.from_ns, said.at_ns < span.to_ns)
        .where(selection.covers(at.project_code))
        .distinct()
    )
    found: dict[int, int] = defaultdict(int)
    for row in db.execute(judged):
        found[int(row.hour)] += 1
    return dict(found)


def _false_alarms(db: Connection, selection: Selection, span: Span) -> Figure:
    at = review_items.c
    counted = select(at.verdict, func.count().label("n")).where(*_decided(selection, span)).group_by(at.verdict)
    by_verdict = {row.verdict: int(row.n) for row in db.execute(counted)}
    n = sum(by_verdict.values())
    if n < FEWEST:
        why = Words(f"研判少于 {FEWEST} 条，不显示", f"hidden: fewer than {FEWEST} verdicts") if n else NO_REVIEW
        return unknown("false_alarms", span.review, why, n)
    share = wilson(by_verdict.get(Verdict.FALSE.value, 0), n)
    found = known("false_alarms", 100 * share.value, n, span.review)
    return replace(found, low=100 * share.low, high=100 * share.high)


def _agreement(db: Connection, selection: Selection, span: Span) -> Figure:
    first, second = review_items.alias("first_look"), review_items.alias("second_look")
    same = (first.c.box_id == second.c.box_id) & (first.c.alarm_id == second.c.alarm_id) & (second.c.round == 2)
    final = (first.c.state == ItemState.FINAL.value, second.c.state == ItemState.FINAL.value, first.c.round == 1)
    within = (second.c.judged_at_ns >= span.from_ns, second.c.judged_at_ns < span.to_ns)
    pairs = (
        select(first.c.verdict, second.c.verdict.label("other"))
        .join(second, same)
        .where(*final, *within, selection.covers(first.c.project_code))
    )
    found = cohens_kappa([(row.verdict, row.other) for row in db.execute(pairs)])
    if not found.n:
        why = Words("本期没有双盲复判", "nothing was judged twice in this period")
        return unknown("agreement", span.review, why)
    if found.kappa != found.kappa:  # NaN
        why = Words("两次研判全部同类，κ 无定义", "all verdicts are alike: kappa is not defined")
        return unknown("agreement", span.review, why, found.n)
    return known("agreement", found.kappa, found.n, span.review)


def _decided(selection: Selection, span: Span):  # type: ignore[no-untyped-def]  # clauses
    at = review_items.c
    return (
        at.round == 1,
        at.state == ItemState.FINAL.value,
        at.verdict.in_([Verdict.TRUE.value, Verdict.FALSE.value]),
        at.judged_at_ns >= span.from_ns,
        at.judged_at_ns < span.to_ns,
        selection.covers(at.project_code),
    )
