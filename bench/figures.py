"""How long the figures take over a season: 100,000 alarms in 90 days, read from the disk and counted.

    python -m bench.figures

Each run opens the file anew, as the page does. Prints the median and the worst of the runs.
"""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from gateway.figures.alarm_figures import AlarmFigures, Found, Question, alarm_figures
from gateway.figures.spans import Span
from gateway.model.alarm import Alarm, RuleInfo, Severity
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import AlertStore, Commit

ALARMS = 100_000
DAYS = 90
RUNS = 15
NOW_NS = 1_800_000_000_000_000_000
SPAN_NS = DAYS * 86_400_000_000_000
TAGS = 400
A_COMMIT = 2_000


def _alarms(rng: np.random.Generator) -> list[Alarm]:
    raised = np.sort(rng.integers(NOW_NS - SPAN_NS, NOW_NS - 3_600_000_000_000, ALARMS))
    tag = rng.zipf(1.3, ALARMS) % TAGS
    severity = rng.choice([Severity.P1, Severity.P2, Severity.P3], ALARMS, p=[0.05, 0.15, 0.8])
    held_ns = (rng.exponential(300.0, ALARMS) * 1e9).astype(np.int64)
    answered_ns = (rng.exponential(60.0, ALARMS) * 1e9).astype(np.int64)
    made = []
    for i in range(ALARMS):
        at, name = int(raised[i]), f"point-{tag[i]}"
        info = RuleInfo(f"rule-{tag[i]}", "力矩超限", "load moment", severity[i], "%", "GB 5144", "6.1", "M-H", True)
        alarm = Alarm(f"bench:{i}", info, f"crane-1.{name}", "crane-1", "tower-crane", False, at, 101.0, 100.0)
        returned, acknowledged = at + int(held_ns[i]), at + int(answered_ns[i])
        made.append(
            replace(
                alarm,
                active=False,
                acknowledged=True,
                returned_at_ns=returned,
                acknowledged_at_ns=acknowledged,
                acknowledged_by="officer",
                acknowledge_reason="现场已检查",
            )
        )
    return made


def _fill(folder: Path) -> Path:
    store = AlertStore(folder, 2**20)
    alarms = _alarms(np.random.default_rng(1))
    for start in range(0, ALARMS, A_COMMIT):
        store.commit(Commit(NOW_NS, alarms=alarms[start : start + A_COMMIT])).result()
    path = store.path
    store.close()
    return path


def _asked(path: Path) -> tuple[float, float, AlarmFigures]:
    window = Span(NOW_NS - SPAN_NS, NOW_NS)
    begun = time.perf_counter()
    episodes = AlarmReader(path).episodes(window.from_ns, window.to_ns)
    read = time.perf_counter()
    figures = alarm_figures(Question(window), Found(episodes, (window,)))
    return read - begun, time.perf_counter() - read, figures


def main() -> None:
    """Fill a store, ask it, print."""
    with tempfile.TemporaryDirectory() as folder:
        path = _fill(Path(folder))
        runs = [_asked(path) for _ in range(RUNS)]
    figures = runs[0][2]
    total = [(read + counted) * 1e3 for read, counted, _ in runs]
    print(f"{figures.n} alarms in {DAYS} days, {RUNS} runs, each on a connection of its own")
    print(f"  read from the file  median {statistics.median(read * 1e3 for read, _, _ in runs):7.1f} ms")
    print(f"  counted             median {statistics.median(counted * 1e3 for _, counted, _ in runs):7.1f} ms")
    print(f"  both                median {statistics.median(total):7.1f} ms, worst {max(total):.1f} ms (limit 300 ms)")


if __name__ == "__main__":
    main()
