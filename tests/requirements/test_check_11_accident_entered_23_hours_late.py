"""Check 11: an accident entered 23 h after it happened: red clock, receipt kept, and 48 h that run on their own."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from contract.signing import SignKey
from regulator.base.deadline_days import Urgency
from regulator.base.model.hazard import HazardKind
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.hazards import hazard_warnings
from regulator.base.records.tables.registry import projects
from regulator.parts.hazards.accidents import (
    AccidentClock,
    AccidentDesk,
    FollowUp,
    NewReceipt,
    Target,
    clocks_of,
    receipts_of,
)
from tests.fakes.desk_database import (
    HOUR_NS,
    START_NS,
    DeskClock,
    clock,
    database,
    desk_key,
    desk_url,
    migrated,
    migrated_file,
    postgresql,
)
from tests.fakes.hazard_bench import AUDITOR, LI, STRANGER, HazardBench, register

__all__ = ["clock", "database", "desk_key", "desk_url", "migrated", "migrated_file", "postgresql"]
HAPPENED_NS = START_NS - 23 * HOUR_NS


@pytest.fixture
def bench(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> HazardBench:
    """On each database; the project lies in Guangdong, whose plan gives 24 h and 48 h."""
    register(database)
    with database.transaction() as db:
        mine = projects.c.project_code == "p1"
        db.execute(update(projects).where(mine).values(province_code="44", city_code="4401"))
    return HazardBench(database, desk_key, clock)


def accident(bench: HazardBench) -> str:
    return bench.open(kind=HazardKind.NON_FATAL_ACCIDENT, title_zh="物体打击，一人受伤", observed_at_ns=HAPPENED_NS)


def clocks(bench: HazardBench, hazard_id: str) -> dict[Target, AccidentClock]:
    with bench.database.reading() as db:
        return {each.target: each for each in clocks_of(db, hazard_id, bench.clock())}


def test_red_after_23_hours_and_each_clock_of_its_own(bench: HazardBench) -> None:
    hazard_id = accident(bench)
    found = clocks(bench, hazard_id)
    assert found[Target.PROVINCE].due_at_ns == HAPPENED_NS + 24 * HOUR_NS
    assert found[Target.NATIONAL].due_at_ns == HAPPENED_NS + 48 * HOUR_NS
    assert (found[Target.PROVINCE].urgency, found[Target.NATIONAL].urgency) == (Urgency.RED, Urgency.CALM)
    assert (found[Target.PROVINCE].certainty, "第 15 项" in found[Target.PROVINCE].clause) == ("V1", True)
    bench.watch.run(bench.clock())
    bench.watch.run(bench.clock())
    with bench.database.reading() as db:
        given = set(db.scalars(select(hazard_warnings.c.name).where(hazard_warnings.c.given_at_ns > 0)))
        told = [entry.fields["kind"] for entry in entries_about(db, hazard_id)]
    assert given == {"T-6h", "T-1h"}
    assert told.count("deadline_warning") == 2
    desk = AccidentDesk(bench.office.ledger)
    bench.clock.move(seconds=1800)
    receipt = NewReceipt(Target.PROVINCE, "GD-2026-17", bench.clock())
    with bench.database.transaction() as db:
        assert desk.record_receipt(db, hazard_id, receipt, LI, bench.clock()) == 1
    bench.clock.move(hours=24.6)
    bench.watch.run(bench.clock())
    found = clocks(bench, hazard_id)
    assert (found[Target.PROVINCE].receipt_number, found[Target.PROVINCE].urgency) == ("GD-2026-17", Urgency.RED)
    assert (found[Target.NATIONAL].submitted_at_ns, found[Target.NATIONAL].urgency) == (0, Urgency.OVERDUE)


def test_receipts_are_added_and_never_changed(bench: HazardBench) -> None:
    hazard_id, desk = accident(bench), AccidentDesk(bench.office.ledger)
    now_ns = bench.clock()
    with bench.database.transaction() as db:
        desk.record_receipt(db, hazard_id, NewReceipt(Target.PROVINCE, "GD-1", now_ns), LI, now_ns)
        desk.record_receipt(db, hazard_id, NewReceipt(Target.PROVINCE, "GD-2 更正", now_ns), LI, now_ns)
    with bench.database.reading() as db:
        assert [row.receipt_number for row in receipts_of(db, hazard_id)] == ["GD-1", "GD-2 更正"]
        signed = [each.fields["content"] for each in entries_about(db, hazard_id)]
    assert [each["receipt_number"] for each in signed if isinstance(each, dict) and "receipt_number" in each] == [
        "GD-1",
        "GD-2 更正",
    ]
    for receipt, actor, code in [
        (NewReceipt(Target.NATIONAL, " ", now_ns), LI, "no_receipt_number"),
        (NewReceipt(Target.NATIONAL, "X", now_ns + 1), LI, "bad_time"),
        (NewReceipt(Target.NATIONAL, "X", HAPPENED_NS - 1), LI, "bad_time"),
        (NewReceipt(Target.NATIONAL, "X", now_ns), replace(AUDITOR, scope=LI.scope), "not_your_duty"),
        (NewReceipt(Target.NATIONAL, "X", now_ns), STRANGER, "no_such_hazard"),
    ]:
        with pytest.raises(RefusedError, match=code), bench.database.transaction() as db:
            desk.record_receipt(db, hazard_id, receipt, actor, now_ns)


def test_the_five_follow_ups_are_ticked_once_each(bench: HazardBench) -> None:
    hazard_id, desk = accident(bench), AccidentDesk(bench.office.ledger)
    with bench.database.transaction() as db:
        for item in FollowUp:
            desk.follow_up(db, hazard_id, item, "已办", LI, bench.clock())
    with pytest.raises(RefusedError, match="already_done"), bench.database.transaction() as db:
        desk.follow_up(db, hazard_id, FollowUp.CREDIT, "再办", LI, bench.clock())
