"""Figures of alarms at the sites, read from what was rolled up by day and project.

Per **site position**: one position a box is assumed, because no message says how many people sit before it; hours are
those in which minutes of the box arrived, so that a silent box makes no rate look better.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Connection, case, func, select

from kit.words import Words
from regulator.base.days import DAY_NS
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.reports import statistics_alarm_days, statistics_long_alarms
from regulator.parts.reports.statistics.figure import Figure, Window, quantile
from regulator.parts.reports.statistics.making import Span, known, unknown
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.reports.statistics.silencing import silenced_at

TOP = 10
Delays = dict[tuple[str, str], list[tuple[int, int]]]
"""(delay in ms, count), rising, by (what, priority)."""
NOTHING_HEARD = Words("本期没有收到任何监控主机的数据", "nothing was heard of any box in this period")
NO_ALARM = Words("本期没有报警，无从计算", "no alarm in this period: there is nothing to take a share of")
SITE_NOTE = Words(
    "每台监控主机按 1 个岗位计（监控主机不上报在岗人数）",
    "one position a box is assumed: boxes do not tell how many people there are",
)
_SUMS: Final = (
    "p1", "p2", "p3", "p1_waiting", "p2_waiting", "p3_waiting", "p1_late", "flood_windows", "busy_windows", "fleeting",
    "chattering",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlarmTotals:
    """Sums over the window; `heard_min`: minutes from boxes, each box for itself."""

    sums: dict[str, int]
    peak: int
    heard_min: int

    @property
    def raised(self) -> int:
        """All activations."""
        return self.sums["p1"] + self.sums["p2"] + self.sums["p3"]

    @property
    def silent(self) -> bool:
        """Whether nothing at all came."""
        return self.heard_min == 0 and self.raised == 0


def alarm_figures(db: Connection, selection: Selection, span: Span) -> list[Figure]:
    """Everything about alarms at the sites but their way to the desk."""
    totals, window = _totals(db, selection, span), span.feed
    tags, delays = _tags_and_delays(db, selection, span)
    return [
        *_load(totals, window),
        _standing(db, selection, span, totals),
        _count("chattering", totals.sums["chattering"], totals, window),
        _count("fleeting", totals.sums["fleeting"], totals, window),
        _bad_actors(tags, totals, window),
        *(_mix(level, totals, window) for level in ("p1", "p2", "p3")),
        _silenced(db, selection, span),
        *(_acknowledged(level, share, delays, totals, window) for level in ("p1", "p2", "p3") for share in (50, 95)),
        _late_p1(totals, window),
        *(_active(share, delays, window) for share in (50, 95)),
        _latency(delays, window),
    ]


def _load(totals: AlarmTotals, window: Window) -> list[Figure]:
    if totals.silent:
        return [unknown(key, window, NOTHING_HEARD) for key in ("site_rate", "site_peak", "site_flood")]
    peak = known("site_peak", totals.peak, totals.raised, window, SITE_NOTE)
    if totals.heard_min == 0:
        why = Words("没有收到分钟数据，在线时长未知", "no minutes arrived: for how long boxes were there is not known")
        return [
            unknown("site_rate", window, why, totals.raised),
            peak,
            unknown("site_flood", window, why, totals.raised),
        ]
    windows = max(totals.heard_min // 10, totals.sums["busy_windows"], 1)
    return [
        known("site_rate", totals.raised / (totals.heard_min / 60), totals.raised, window, SITE_NOTE),
        peak,
        known("site_flood", 100 * totals.sums["flood_windows"] / windows, windows, window, SITE_NOTE),
    ]


def _standing(db: Connection, selection: Selection, span: Span, totals: AlarmTotals) -> Figure:
    if totals.silent:
        return unknown("standing", None, NOTHING_HEARD)
    at = statistics_long_alarms.c
    still = (at.returned_at_ns == 0) | (at.returned_at_ns >= span.to_ns)
    stands = select(func.count(), func.coalesce(func.sum(_older(at, span)), 0)).where(
        selection.covers(at.project_code), at.raised_at_ns < span.to_ns, still
    )
    active, old = db.execute(stands).one()
    return known("standing", int(old), int(active), None)


def _older(at: Any, span: Span) -> "ColumnElement[int]":
    return case((at.raised_at_ns < span.to_ns - DAY_NS, 1), else_=0)


def _count(key: str, value: int, totals: AlarmTotals, window: Window) -> Figure:
    if totals.silent:
        return unknown(key, window, NOTHING_HEARD)
    return known(key, value, totals.raised, window)


def _bad_actors(tags: list[int], totals: AlarmTotals, window: Window) -> Figure:
    if not totals.raised:
        return unknown("bad_actors", window, NOTHING_HEARD if totals.silent else NO_ALARM)
    note = Words(f"测点 {len(tags)} 个", f"{len(tags)} tags")
    return known("bad_actors", 100 * sum(tags[:TOP]) / totals.raised, totals.raised, window, note)


def _mix(level: str, totals: AlarmTotals, window: Window) -> Figure:
    if not totals.raised:
        return unknown(f"mix_{level}", window, NOTHING_HEARD if totals.silent else NO_ALARM)
    return known(f"mix_{level}", 100 * totals.sums[level] / totals.raised, totals.raised, window)


def _silenced(db: Connection, selection: Selection, span: Span) -> Figure:
    found = silenced_at(db, selection, span.to_ns)
    if not found.told:
        why = Words("没有收到任何监控主机的证据链", "no box's chain of records has arrived")
        return unknown("silenced", None, why, found.boxes)
    note = Words(
        f"已搁置、停用或抑制 {found.silenced} 项；"
        f"{found.boxes} 台监控主机中 {found.told} 台的证据链已核，{found.gaps} 台有缺口",
        f"{found.silenced} silenced; chains of {found.told} of {found.boxes} boxes hold, {found.gaps} have a gap",
    )
    return known("silenced", found.without_reason, found.silenced, None, note)


def _acknowledged(level: str, share: int, delays: Delays, totals: AlarmTotals, window: Window) -> Figure:
    key, waiting = f"mtta_{level}_p{share}", totals.sums[f"{level}_waiting"]
    counts = delays["acknowledge", level.upper()]
    note = Words(f"另有 {waiting} 条未确认，不计入", f"{waiting} more were not acknowledged and are not in it")
    found = quantile(counts, share / 100)
    if found is None:
        why = Words(
            f"本期没有已确认的 {level.upper()} 报警", f"no {level.upper()} alarm was acknowledged in this period"
        )
        return unknown(key, window, NOTHING_HEARD if totals.silent else why, 0, note)
    return known(key, found / 1000, sum(count for _, count in counts), window, note)


def _late_p1(totals: AlarmTotals, window: Window) -> Figure:
    if not totals.sums["p1"]:
        why = Words("本期没有 P1 报警", "no P1 alarm in this period")
        return unknown("p1_unacknowledged", window, NOTHING_HEARD if totals.silent else why)
    return known("p1_unacknowledged", 100 * totals.sums["p1_late"] / totals.sums["p1"], totals.sums["p1"], window)


def _active(share: int, delays: Delays, window: Window) -> Figure:
    counts = _merged(delays, "active")
    found = quantile(counts, share / 100)
    if found is None:
        why = Words("本期没有已恢复的报警", "no alarm of this period has returned")
        return unknown(f"active_time_p{share}", window, why)
    return known(f"active_time_p{share}", found / 1000, sum(count for _, count in counts), window)


def _latency(delays: Delays, window: Window) -> Figure:
    counts = _merged(delays, "arrival")
    found = quantile(counts, 0.95)
    if found is None:
        return unknown("latency", window, Words("本期没有实时送达的报警", "no alarm arrived promptly in this period"))
    note = Words(
        "两端时钟之差计入；到达浏览器的时间另计", "the offset of both clocks is in it; the way on to a screen is not"
    )
    return known("latency", found / 1000, sum(count for _, count in counts), window, note)


def _totals(db: Connection, selection: Selection, span: Span) -> AlarmTotals:
    at = statistics_alarm_days.c
    sums = [func.coalesce(func.sum(at[name]), 0).label(name) for name in _SUMS]
    here = (selection.covers(at.project_code), at.day >= span.first, at.day <= span.last)
    row = db.execute(select(*sums, func.coalesce(func.max(at.peak), 0).label("most")).where(*here)).one()
    return AlarmTotals(
        {name: int(getattr(row, name)) for name in _SUMS}, int(row.most), heard_minutes(db, selection, span)
    )


def heard_minutes(db: Connection, selection: Selection, span: Span) -> int:
    """Minutes in which boxes told something: of each box and day the asset with the most, added up."""
    at = asset_days.c
    here = (selection.covers(at.project_code), at.day >= span.first, at.day <= span.last)
    a_box = select(func.max(at.minutes).label("most")).where(*here).group_by(at.project_code, at.day, at.box_id)
    return int(db.scalar(select(func.coalesce(func.sum(a_box.subquery().c.most), 0))) or 0)


def _tags_and_delays(db: Connection, selection: Selection, span: Span) -> tuple[list[int], Delays]:
    """Activations of each tag of the window, the busiest first; and how often each delay came."""
    at = statistics_alarm_days.c
    here = (selection.covers(at.project_code), at.day >= span.first, at.day <= span.last)
    tags: Counter[tuple[str, str]] = Counter()
    values: defaultdict[str, list[int]] = defaultdict(list)
    counts: defaultdict[str, list[int]] = defaultdict(list)
    for project, tags_text, delays_text in db.execute(select(at.project_code, at.tags, at.delays).where(*here)):
        for tag, raised in orjson.loads(tags_text).items():
            tags[project, tag] += raised
        for key, (delays_ms, how_often) in orjson.loads(delays_text).items():
            values[key] += delays_ms
            counts[key] += how_often
    delays: Delays = defaultdict(list)
    for key, found in values.items():
        what, _, severity = key.partition(" ")
        delays[what, severity] = _summed(found, counts[key])
    return [count for _, count in tags.most_common()], delays


def _summed(values: list[int], counts: list[int]) -> list[tuple[int, int]]:
    """Each value once, rising, with its counts added up."""
    distinct, place = np.unique(np.asarray(values, np.int64), return_inverse=True)
    totals = np.bincount(place, weights=np.asarray(counts, np.float64))
    return [(int(value), int(total)) for value, total in zip(distinct, totals, strict=True)]


def _merged(delays: Delays, what: str) -> list[tuple[int, int]]:
    together: dict[int, int] = defaultdict(int)
    for (each, _), counts in delays.items():
        for value, count in counts if each == what else ():
            together[value] += count
    return sorted(together.items())
