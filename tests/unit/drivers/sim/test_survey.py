"""The surveyor's table of the demonstration: a forecast must see what is in it."""

from drivers.sim.survey import CALM, CREEPING, surveyors_table
from gateway.parts.pit.forecast.forecast import Forecast, Forecaster
from gateway.parts.pit.hand_entry import KnownPoint, When, parse

LAST_NS = 1_795_000_000_000_000_000


def test_it_is_read_without_a_fault_and_the_same_each_time() -> None:
    table = surveyors_table(LAST_NS)
    known = {name: KnownPoint(f"pit-1.{name}_hand", "mm") for name in (CREEPING, *CALM)}
    parsed = parse(table.encode(), "survey.csv", known, When(LAST_NS))
    assert (len(parsed.rows), parsed.faults) == (3 * 41, ())
    assert parsed.rows[-1].at_ns == LAST_NS
    assert surveyors_table(LAST_NS) == table
    assert surveyors_table(LAST_NS, seed=2) != table


def test_the_creeping_prism_gets_an_interval_around_the_true_time_and_the_calm_ones_none() -> None:
    known = {name: KnownPoint(name, "mm") for name in (CREEPING, *CALM)}
    forecasters = {name: Forecaster() for name in known}
    said: dict[str, Forecast] = {}
    for row in parse(surveyors_table(LAST_NS).encode(), "survey.csv", known, When(LAST_NS)).rows:
        said[row.point_id] = forecasters[row.point_id].add(row.at_ns, row.value, 24.0)
    assert said[CREEPING].failure_low_h < 32.0 < said[CREEPING].failure_high_h
    assert all(not said[name].failure_low_h < 1e9 for name in CALM)
