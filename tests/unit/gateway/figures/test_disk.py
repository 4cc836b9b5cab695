"""How long the disk lasts: measured, unknown while too little was, and with the history's bound in it."""

from dataclasses import replace

import pytest

from gateway.figures.disk import DAY_S, LEAST_MEASURED_S, DiskFacts, disk_outlook

GIB = 2**30
FACTS = DiskFacts(
    free=10 * GIB,
    history=2 * GIB,
    history_bound=4 * GIB,
    added=GIB,
    added_over_s=DAY_S,
    alarms=GIB,
    alarms_over_s=10 * DAY_S,
    kept_s=2 * DAY_S,
)


def test_until_the_bound_both_grow_and_then_the_alarms_alone() -> None:
    found = disk_outlook(FACTS)
    assert (found.history_a_day, found.days_to_bound) == (GIB, 2.0)
    assert found.days_left == pytest.approx(2.0 + (10 - 2 * 1.1) / 0.1)


def test_a_disk_that_is_full_before_the_bound_says_when() -> None:
    assert disk_outlook(replace(FACTS, free=GIB)).days_left == pytest.approx(1 / 1.1)
    assert disk_outlook(replace(FACTS, free=0)).days_left == 0.0


def test_a_history_at_its_bound_takes_no_more_room() -> None:
    found = disk_outlook(replace(FACTS, history=5 * GIB))
    assert (found.days_to_bound, found.days_left) == (0.0, pytest.approx(100.0))


@pytest.mark.parametrize("field", ["added_over_s", "alarms_over_s"])
def test_too_little_history_is_unknown_and_not_for_ever(field: str) -> None:
    found = disk_outlook(replace(FACTS, **{field: LEAST_MEASURED_S - 1}))  # type: ignore[arg-type]
    assert (found.days_left, found.days_to_bound) == (None, None)
    assert found.measured == (field != "added_over_s")


def test_what_does_not_grow_has_no_end_to_tell() -> None:
    found = disk_outlook(replace(FACTS, added=0, alarms=0))
    assert (found.measured, found.days_left, found.days_to_bound) == (True, None, None)
    assert disk_outlook(replace(FACTS, alarms=0)).days_left is None
