"""The soak's one summary of two worlds: what is counted is added, the memory is that of the world with nothing else."""

from pathlib import Path

from bench.soak import Summary, sample_times
from tests.fakes.history_box import START_NS, Box
from tests.fakes.site import SECOND_NS


def test_what_either_world_lost_is_in_the_summary() -> None:
    faults = Summary(7, lost=1, untold=2, bad_inputs_tried=100, faults_survived=3, faults={"kill": 3}, rss_mb=0.0)
    hole = (1, 2, "kill")
    faults.holes.append(hole)
    steady = Summary(8, duplicated=4, gaps_not_admitted=1, overloads=9, rss_slope_mb_per_h=1.5, rss_mb=180.0)
    steady.holes.append((3, 4, "none"))
    both = faults.joined(steady)
    assert (both.lost, both.duplicated, both.untold, both.gaps_not_admitted, both.overloads) == (1, 4, 2, 1, 9)
    assert (both.rss_slope_mb_per_h, both.rss_mb, both.seed, both.faults_survived) == (1.5, 180.0, 7, 3)
    assert both.holes == [hole, (3, 4, "none")]
    assert not both.whole


def test_a_world_that_said_nothing_makes_the_soak_fail() -> None:
    whole = Summary(7, faults_survived=3)
    assert whole.joined(Summary(8)).whole
    assert not whole.joined(Summary(8, failed={"steady": "said no figures"})).whole


def test_a_pause_is_seen_wherever_it_lies_in_a_long_run(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.fill(0, 299)
    box.fill(302, 700)
    box.store.flush(START_NS + 700 * SECOND_NS).done.result(10)
    times = sample_times(box.reader, "crane-1.q0", START_NS)
    box.close()
    assert [(at - START_NS) // SECOND_NS for at in times] == [*range(299), *range(302, 700)]
