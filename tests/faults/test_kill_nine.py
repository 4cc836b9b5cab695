"""kill -9, twenty times under load: every overload that could be seen is at the regulator once, every gap is admitted.

A box that is down sees nothing: an overload that begins and ends meanwhile is not held, but must lie in admitted gaps.
Nor does it see an alarm return then: one that it had no time to see go stands on, and tells the next overload too.
"""

import itertools
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from drivers.sim.overload_log import Overload
from gateway.app import DRIVERS, UPLINKS
from gateway.settings import load
from gateway.store.history_reader import HistoryReader
from regulator.intake.holdings import Holdings
from tests.fakes.demo_box import RULE, DemoBox, alerts_per_overload
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
UNSEEN_NS = 1_000_000_000
"""Shorter looks at an overload may miss it: 0.3 s on-delay of the rule, a poll, a commit."""
UNRETURNED_NS = 2_000_000_000
"""Shorter looks between two overloads may miss that the first is over: 1 s off-delay of the rule, the same."""


def test_every_overload_once_and_every_gap_admitted(tmp_path: Path) -> None:
    rng = random.Random(9)
    with (
        sim_field(tmp_path, *OVERLOAD) as field,
        regulator_process(tmp_path, "demo-box", "DEMO-0001") as regulator,
        DemoBox(tmp_path, field, regulator.url, tmp_path / "code", tmp_path / "box", CRANE_POLL_MS) as box,
    ):
        for _ in range(KILLS):
            box.gateway.start()
            polls = box.gateway.metric("sitewarden_polls")
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
        seen = [
            (overload, count)
            for overload, count in zip(overloads, counts, strict=True)
            if longest_look_ns(box, overload.started_at_ns, overload.ended_at_ns) > UNSEEN_NS
        ]
        assert sum(count for _, count in seen) >= 8
        untold = [overload for overload, count in seen if not count and not stands(box, overload, overloads, held)]
        assert not untold, list(zip(overloads, counts, strict=True))
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


def longest_look_ns(box: DemoBox, since: int, until: int) -> int:
    """The longest time without a moment of which the box says that it was blind. Two short looks with a start between
    them are none: each begins the rule's delay anew."""
    longest = 0
    for start, end in sorted(admitted_gaps(box)):
        if end > since:
            longest = max(longest, min(start, until) - since)
            since = end
    return max(longest, until - since)


def stands(box: DemoBox, overload: Overload, overloads: Sequence[Overload], held: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the crane's alarm stands at the regulator all through this overload, raised by an earlier one of which
    the box had no time to see the end."""
    before = max(
        (one for one in overloads if one.asset == overload.asset and one.ended_at_ns < overload.started_at_ns),
        key=lambda one: one.ended_at_ns,
        default=None,
    )
    if before is None or longest_look_ns(box, before.ended_at_ns, overload.started_at_ns) > UNRETURNED_NS:
        return False
    told = sorted(
        (alert["observed_at_ns"], alert["transition"])
        for alert in held
        if alert["rule_id"] == RULE
        and alert["asset"] == overload.asset
        and alert["transition"] in ("raised", "returned")
    )
    until_its_end = [transition for at_ns, transition in told if at_ns <= overload.ended_at_ns]
    return bool(until_its_end) and until_its_end[-1] == "raised"


def admitted_gaps(box: DemoBox) -> list[tuple[int, int]]:
    return [(gap["from_ns"], gap["to_ns"]) for gap in box.records("history_gap")]


def assert_gaps_admitted(box: DemoBox, folder: Path) -> None:
    """Whenever the history of a crane polled ten times a second pauses, a sealed record says so."""
    gaps = admitted_gaps(box)
    assert len(gaps) >= KILLS
    settings = load(folder / "demo-site.yaml", DRIVERS, UPLINKS)
    reader = HistoryReader(box.storage / "history.db", settings.points)
    try:
        trace = reader.trace("crane-1.moment_pct", 0, 2**62, 100_000)
    finally:
        reader.close()
    pauses = [(a, b) for a, b in itertools.pairwise(trace.t_ns.tolist()) if b - a > MISSED_NS]
    assert pauses, "a kill leaves a pause, else this test shows nothing"
    for start, end in pauses:
        assert any(first <= start + 300_000_000 and end >= last - 300_000_000 for first, last in gaps), (start, end)
