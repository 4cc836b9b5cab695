"""After a restart: what the last moments of the history said, so that an on-delay is not started anew.

A box that is killed and comes back every second must still raise an alarm whose condition held all the while. In: the
newest history. Out: on-delays that run, in the alarm table; nothing is raised, nothing is recorded.
"""

import itertools

import numpy as np

from gateway.alarms import AlarmTable
from gateway.model.quantity import PointTable
from gateway.model.reading import Readings
from gateway.ports import ReadingBlock
from gateway.rules.table import RuleTable
from gateway.store.history_reader import HistoryReader

SPARE_NS = 2_000_000_000
LONGEST_NS = 150_000_000_000
OUTDATED_NS = 600_000_000_000
MAX_POLLS = 5_000


def warm_start(reader: HistoryReader, points: PointTable, rules: RuleTable, alarms: AlarmTable, now_ns: int) -> int:
    """Judge the last moments of the history, when they are not older than ten minutes; the number of polls judged."""
    last_ns = reader.last_sample_ns()
    if not 0 <= now_ns - last_ns <= OUTDATED_NS:
        return 0
    longest_s = max((rule.on_delay_s for rule in rules.rules), default=0.0)
    from_ns = last_ns - min(int(longest_s * 1e9) + SPARE_NS, LONGEST_NS)
    blocks = reader.newest_blocks(from_ns, MAX_POLLS)
    polls = sorted(
        itertools.chain.from_iterable(_polls(block, points) for block in blocks), key=lambda poll: poll.observed_at_ns
    )
    for readings in polls:
        if readings.observed_at_ns >= from_ns:
            alarms.warm(rules.on_readings(readings))
    return len(polls)


def _polls(block: ReadingBlock, points: PointTable) -> list[Readings]:
    """The polls of a block as they were read; points that are no longer configured are left out."""
    known = [column for column, point in enumerate(block.points) if point.point_id in points.index_of]
    index = np.array([points.index_of[block.points[column].point_id] for column in known], dtype=np.int32)
    return [
        Readings(block.device, index, value[known], quality[known], int(t_ns), int(t_ns))
        for t_ns, value, quality in zip(block.observed_at_ns, block.value, block.quality, strict=True)
    ]
