from itertools import islice, pairwise

import pytest

from drivers.sim.story import OverloadPlan


def test_the_same_seed_tells_the_same_story_and_each_crane_its_own() -> None:
    plan = OverloadPlan(until_s=600)
    first, again = list(plan.schedule(7, "crane-1")), list(plan.schedule(7, "crane-1"))
    assert first == again
    assert first != list(plan.schedule(7, "crane-2"))
    assert first != list(plan.schedule(8, "crane-1"))


@pytest.mark.parametrize("seed", range(20))
def test_overloads_come_in_order_apart_and_are_over_in_time(seed: int) -> None:
    plan = OverloadPlan(first_after_s=3, every_s=15, jitter_s=2, duration_s=6, until_s=300)
    overloads = list(plan.schedule(seed, "crane-1"))
    assert 15 <= len(overloads) <= 20
    assert 1 <= overloads[0].at_s <= 5
    assert all(later.at_s - earlier.at_s >= 6 + 3 for earlier, later in pairwise(overloads))
    assert overloads[-1].at_s + 6 + 3 <= 300
    assert all(112 <= overload.peak_pct <= 118 for overload in overloads)


def test_without_an_end_the_story_goes_on() -> None:
    assert len(list(islice(OverloadPlan().schedule(1, "crane-1"), 500))) == 500


def test_every_zero_means_none() -> None:
    assert list(OverloadPlan(every_s=0).schedule(1, "crane-1")) == []


def test_overloads_that_would_run_into_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected 0 \(none\) or at least"):
        OverloadPlan(every_s=5, duration_s=6)
    with pytest.raises(ValueError, match="duration_s"):
        OverloadPlan(every_s=50, duration_s=1)
