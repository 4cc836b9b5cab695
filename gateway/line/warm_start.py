"""After a restart: what the last moments of the history said, so that an on-delay is not started anew.

A box that is killed and comes back every second must still raise an alarm whose condition held all the while. In: the
newest history. Out: on-delays that run, in the alarm table, and rates that know the day before; nothing is raised,
nothing is recorded.
"""

import itertools

import numpy as np

from gateway.alarms import AlarmTable
from gateway.model.quantity import PointTable
from gateway.model.reading import Quality, Readings
from gateway.model.rule import ConsecutiveParameters, RateParameters, ResolvedRule
from gateway.ports import ReadingBlock
from gateway.rules.table import RuleTable
from gateway.store.blocks import MINUTE_NS
from gateway.store.history_reader import MAX_SAMPLES, HistoryReader

SPARE_NS = 2_000_000_000
LONGEST_NS = 150_000_000_000
OUTDATED_NS = 600_000_000_000
MAX_POLLS = 1_500


def warm_start(reader: HistoryReader, points: PointTable, rules: RuleTable, alarms: AlarmTable, now_ns: int) -> int:
    """Judge the last moments of the history, when they are not older than ten minutes; the number of polls judged."""
    last_ns = reader.last_sample_ns()
    longest_s = max((max(rule.on_delay_s, rule.off_delay_s) for rule in rules.rules), default=0.0)
    from_ns = last_ns - min(int(longest_s * 1e9) + SPARE_NS, LONGEST_NS)
    if last_ns <= now_ns:
        _remember_days(reader, points, rules, now_ns, from_ns)
    if not 0 <= now_ns - last_ns <= OUTDATED_NS:
        return 0
    blocks = reader.newest_blocks(from_ns, MAX_POLLS)
    polls = sorted(
        itertools.chain.from_iterable(_polls(block, points) for block in blocks), key=lambda poll: poll.observed_at_ns
    )
    for readings in polls:
        if readings.observed_at_ns >= from_ns:
            alarms.warm(rules.on_readings(readings))
    return len(polls)


def _remember_days(reader: HistoryReader, points: PointTable, rules: RuleTable, now_ns: int, before_ns: int) -> None:
    """Rates over hours and days, and readings in a row, take the good minutes of the last run, each as its mean at its
    middle. How old the history may be needs no bound here: a hole that is too long makes them UNKNOWN by itself."""
    windows_s: dict[int, float] = {}
    for rule in rules.rules:
        if (reach_s := _reach_s(rule)) > 0:
            windows_s[rule.point_index] = max(windows_s.get(rule.point_index, 0.0), reach_s)
    for point_index, window_s in windows_s.items():
        from_ns = now_ns - int(window_s * 1e9) - MINUTE_NS
        if from_ns + MINUTE_NS >= before_ns:
            continue
        found = reader.minutes(points[point_index].point_id, from_ns, before_ns, MAX_SAMPLES)
        good = (found.count[:, 0] > 0) & (found.quality[:, 0] == Quality.GOOD)
        good &= found.minute_ns + MINUTE_NS <= before_ns
        rules.remember(point_index, found.minute_ns[good] + MINUTE_NS // 2, found.mean[good, 0])


def _reach_s(rule: ResolvedRule) -> float:
    """How far back a rule can make use of the history; 0 when it cannot."""
    own = rule.parameters
    if isinstance(own, RateParameters):
        return own.window_s + own.gap_s
    return own.times * own.gap_s if isinstance(own, ConsecutiveParameters) else 0.0


def _polls(block: ReadingBlock, points: PointTable) -> list[Readings]:
    """The polls of a block as they were read; points that are no longer configured are left out."""
    known = [column for column, point in enumerate(block.points) if point.point_id in points.index_of]
    index = np.array([points.index_of[block.points[column].point_id] for column in known], dtype=np.int32)
    return [
        Readings(block.device, index, value[known], quality[known], int(t_ns), int(t_ns))
        for t_ns, value, quality in zip(block.observed_at_ns, block.value, block.quality, strict=True)
    ]
