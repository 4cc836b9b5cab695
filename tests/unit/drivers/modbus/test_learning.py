"""A plan that takes requests apart, remembers it, and forgets it after an hour."""

from drivers.modbus.learning import RELEARN_S, LearningPlan
from drivers.modbus.plan import Request
from tests.fakes.modbus_binding import point, table

GAPPED = table([point("a", 0), point("b", 4), point("c", 6), point("d", 20)], max_gap=10)
WHOLE = Request(3, 0, 8)
PARTS = (Request(3, 0, 2), Request(3, 4, 4))
FAR = Request(3, 20, 2)


def test_runs_read_over_nothing_and_adjacent_points_stay_together() -> None:
    plan = LearningPlan(GAPPED)
    assert plan.decoder.requests == (WHOLE, FAR)
    assert plan.runs_of(WHOLE) == PARTS
    assert plan.runs_of(FAR) == ()


def test_what_was_learned_replaces_the_request_in_its_place() -> None:
    plan = LearningPlan(GAPPED)
    plan.learn(WHOLE, PARTS, 0)
    assert plan.decoder.requests == (*PARTS, FAR)
    assert plan.has_learned


def test_it_is_forgotten_after_an_hour() -> None:
    plan = LearningPlan(GAPPED)
    plan.learn(WHOLE, PARTS, 0)
    plan.relearn(int((RELEARN_S - 1) * 1e9))
    assert plan.has_learned
    plan.relearn(int(RELEARN_S * 1e9))
    assert plan.decoder.requests == (WHOLE, FAR)
