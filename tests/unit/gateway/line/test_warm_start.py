"""What a gateway that starts again knows of the time before."""

from pathlib import Path

import numpy as np
import pytest

from gateway.alarms import AlarmTable
from gateway.line.warm_start import warm_start
from gateway.model.reading import Quality
from gateway.model.verdict import Truth
from gateway.rules.table import RuleTable
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore
from tests.fakes.site import BOUNDS, BOX, MINUTE_NS, NOW_NS, layout, points, poll
from tests.fakes.windowed_rules import rate

POINTS = points(1)
HOURS = 2
PER_S = 1 / 3600
LAYOUT = layout(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two hours of history, three polls a minute, rising by 1 an hour; then a clean stop."""
    store = HistoryStore(tmp_path, POINTS, BOUNDS, NOW_NS)
    for at_ns in range(NOW_NS, NOW_NS + HOURS * 60 * MINUTE_NS, MINUTE_NS // 3):
        store.append(poll(LAYOUT, (at_ns - NOW_NS) / 1e9 * PER_S, at_ns))
    store.flush(NOW_NS).done.result(10)
    store.close(NOW_NS + HOURS * 60 * MINUTE_NS)
    return tmp_path


def _started(folder: Path, rules: RuleTable, after_ns: int) -> RuleTable:
    store = HistoryStore(folder, POINTS, BOUNDS, NOW_NS)
    reader = HistoryReader(store.path, POINTS)
    warm_start(reader, POINTS, rules, AlarmTable(BOX, rules.rules), after_ns)
    reader.close()
    store.close(after_ns)
    return rules


def _first(rules: RuleTable, at_ns: int) -> tuple[Truth, float]:
    verdicts = rules.on_readings(poll(LAYOUT, (at_ns - NOW_NS) / 1e9 * PER_S, at_ns))
    return Truth(verdicts.truth[0]), float(verdicts.measured[0])


def test_a_rate_over_an_hour_is_known_at_the_first_sample_after_a_restart(folder: Path) -> None:
    start_ns = NOW_NS + (HOURS * 60 + 4) * MINUTE_NS
    rules = _started(folder, RuleTable([rate(limit=PER_S / 2, window_s=3600.0, gap_s=600.0)]), start_ns)
    truth, measured = _first(rules, start_ns)
    assert truth is Truth.TRUE
    assert measured == pytest.approx(PER_S, rel=1e-6)


def test_a_stop_longer_than_the_gap_leaves_the_rate_unknown(folder: Path) -> None:
    start_ns = NOW_NS + (HOURS * 60 + 11) * MINUTE_NS
    rules = _started(folder, RuleTable([rate(limit=PER_S / 2, window_s=3600.0, gap_s=600.0)]), start_ns)
    assert _first(rules, start_ns)[0] is Truth.UNKNOWN


def test_a_window_that_the_history_does_not_fill_is_unknown(folder: Path) -> None:
    start_ns = NOW_NS + (HOURS * 60 + 4) * MINUTE_NS
    rules = _started(folder, RuleTable([rate(limit=PER_S / 2, window_s=10_800.0, gap_s=600.0)]), start_ns)
    assert _first(rules, start_ns)[0] is Truth.UNKNOWN


def test_a_history_from_the_future_is_not_believed(folder: Path) -> None:
    rules = _started(folder, RuleTable([rate(limit=PER_S / 2, window_s=3600.0, gap_s=600.0)]), NOW_NS)
    assert _first(rules, NOW_NS)[0] is Truth.UNKNOWN


def test_what_is_remembered_is_judged_only_by_its_own_rules() -> None:
    rules = RuleTable([rate(0, window_s=60.0), rate(1, window_s=60.0)])
    t_ns = NOW_NS + np.arange(61, dtype=np.int64) * 10**9
    rules.remember(0, t_ns, np.arange(61, dtype=np.float64) * 2)
    verdicts = rules.on_readings(poll(layout(2), [122.0, 122.0], NOW_NS + 61 * 10**9, Quality.GOOD))
    assert list(verdicts.truth) == [Truth.TRUE, Truth.UNKNOWN]
