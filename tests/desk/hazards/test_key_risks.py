"""Accidents and stop orders put a project and its contractors on the key-risk list: nobody enters them again."""

from sqlalchemy import select

from regulator.base.model.hazard import HazardKind
from regulator.base.model.hazard_states import HazardAction as A
from regulator.base.records.ledger import entries_of
from regulator.base.records.tables.rounds import key_risks, risk_events
from regulator.parts.registry.rounds.key_risk import list_by_rules
from tests.fakes.desk_database import DAY_NS
from tests.fakes.hazard_bench import LI, WANG, HazardBench


def events(bench: HazardBench) -> list[tuple[str, str, str, str]]:
    with bench.database.reading() as db:
        rows = db.execute(select(risk_events).order_by(risk_events.c.kind))
        return [(row.kind, row.project_code, row.firm_code, row.on_day) for row in rows]


def listed(bench: HazardBench) -> set[tuple[str, str, str]]:
    with bench.database.transaction() as db:
        list_by_rules(db, bench.desk.ledger, bench.clock())
    with bench.database.reading() as db:
        return {(row.level, row.code, row.ground) for row in db.execute(select(key_risks))}


def accident(bench: HazardBench) -> str:
    return bench.open(
        kind=HazardKind.NON_FATAL_ACCIDENT, event_key="accident/1", observed_at_ns=bench.clock() - 2 * DAY_NS
    )


def test_a_confirmed_accident_is_listed_and_a_pending_one_is_not(bench: HazardBench) -> None:
    hazard_id = accident(bench)
    assert (events(bench), listed(bench)) == ([], set())
    bench.act(hazard_id, A.CONFIRM)
    assert events(bench) == [("accident", "p1", "f1", "2026-02-27")]
    assert listed(bench) == {("project", "p1", "accident"), ("firm", "f1", "accident")}
    with bench.database.reading() as db:
        kinds = [entry.fields["kind"] for entry in entries_of(db, "project:p1")]
    assert kinds.count("risk_event") == 1


def test_an_accident_that_was_none_lists_nobody_and_its_record_stays(bench: HazardBench) -> None:
    hazard_id = accident(bench)
    bench.act(hazard_id, A.CONFIRM)
    bench.act(hazard_id, A.WITHDRAW, WANG, words="核实后不是事故")
    bench.act(hazard_id, A.REJECT, WANG, words="核实后不是事故")
    assert listed(bench) == set()
    assert len(events(bench)) == 1


def test_a_stop_order_counts_once_however_often_it_is_confirmed(bench: HazardBench) -> None:
    hazard_id = bench.major()
    stop = ("stop_order", "p1", "f1", "2026-03-01")
    assert events(bench) == [stop]
    bench.act(hazard_id, A.WITHDRAW, WANG, words="再核实")
    bench.act(hazard_id, A.CONFIRM, LI, grade_major=True)
    assert events(bench) == [stop]
    assert ("firm", "f1", "stop_order") in listed(bench)
