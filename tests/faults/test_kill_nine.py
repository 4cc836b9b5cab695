"""kill -9, twenty times under load: every overload that could be seen is at the regulator once, every gap is admitted.

A box that is down sees nothing: an overload that begins and ends meanwhile is not held, but must lie in admitted gaps.
Nor does it see an alarm return then: one that it had no time to see go stands on, and tells the next overload too.
"""

import itertools
import random
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import load
from gateway.store.history_reader import HistoryReader
from regulator.base.intake.holdings import Holdings
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.demo_box import DemoBox, admitted_gaps, alerts_per_overload, untold
from tests.fakes.regulator_process import regulator_process
from tests.fakes.sim_field import sim_field
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]

KILLS = 20
CRANE_POLL_MS = 10  # about 2,400 readings a second from the two cranes
OVERLOAD = (
    "--overload-first-s",
    "2",
    "--overload-every-s",
    "13.5",
    "--overload-jitter-s",
    "1",
    "--overload-for-s",
    "7",
)
MISSED_NS = 600_000_000


def test_every_overload_once_and_every_gap_admitted(tmp_path: Path) -> None:
    rng = random.Random(9)
    with (
        sim_field(tmp_path, *OVERLOAD) as field,
        regulator_process(tmp_path, "demo-box", "DEMO-0001") as regulator,
        DemoBox(tmp_path, field, regulator.url, tmp_path / "code", tmp_path / "box", CRANE_POLL_MS) as box,
    ):
        watched_from_ns = 0
        for _ in range(KILLS):
            box.gateway.start()
            polls = box.gateway.metric("sitewarden_polls")
            watched_from_ns = watched_from_ns or time.time_ns()
            wanted = polls + rng.randint(30, 400)
            wait_until(lambda wanted=wanted: box.gateway.metric("sitewarden_polls") >= wanted, "some polls")
            box.gateway.kill()
        box.gateway.start()
        last = [overload for overload in field.overloads() if overload.ended_at_ns]
        wait_until(lambda: len([o for o in field.overloads() if o.ended_at_ns]) > len(last), "one more overload")
        wait_until(lambda: box.pending() == 0, "an empty outbox", 30)
        box.gateway.stop()
        overloads = [overload for overload in field.overloads() if overload.ended_at_ns]
        held = regulator_alerts(regulator.folder)
        counts = alerts_per_overload(overloads, held)
        assert sum(counts) >= 8
        assert not untold(box, overloads, held, watched_from_ns), list(zip(overloads, counts, strict=True))
        assert max(counts) == 1, list(zip(overloads, counts, strict=True))
        assert len({alert["key"] for alert in held}) == len(held)
    box.assert_chain_holds()
    assert_gaps_admitted(box, tmp_path)


def regulator_alerts(folder: Path) -> list[dict[str, Any]]:
    store = Holdings.at(folder / "regulator.db")
    try:
        return store.alerts()
    finally:
        store.close()


def assert_gaps_admitted(box: DemoBox, folder: Path) -> None:
    """Whenever the history of a crane polled ten times a second pauses, a sealed record says so."""
    gaps = admitted_gaps(box)
    assert len(gaps) >= KILLS
    settings = load(folder / "demo-site.yaml", DRIVERS, UPLINKS, KINDS)
    reader = HistoryReader(box.storage / "history.db", settings.points)
    try:
        trace = reader.trace("crane-1.moment_pct", 0, 2**62, 100_000)
    finally:
        reader.close()
    pauses = [(a, b) for a, b in itertools.pairwise(trace.t_ns.tolist()) if b - a > MISSED_NS]
    assert pauses, "a kill leaves a pause, else this test shows nothing"
    for start, end in pauses:
        assert any(first <= start + 300_000_000 and end >= last - 300_000_000 for first, last in gaps), (start, end)
