"""Principals are told of a major hazard and their reading is on record; a refused order counts its days."""

import pytest
from sqlalchemy import insert

from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.hazard_states import HazardAction as A
from regulator.base.model.hazard_states import HazardState
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.duties import guarantors
from regulator.base.records.tables.people import accounts, grants
from regulator.parts.hazards.board import Filter, board, find_hazards
from regulator.parts.hazards.notices import note_read, notices_of
from regulator.parts.hazards.record import find_hazard
from tests.fakes.hazard_bench import LI, WANG, HazardBench

PEOPLE = {
    "u-project": ("project", "p1", '["responder"]', {"approved_at_ns": 1}),
    "u-firm": ("firm", "f1", '["responder"]', {"approved_at_ns": 1}),
    "u-other": ("project", "p2", '["responder"]', {"approved_at_ns": 1}),
    "u-left": ("project", "p1", '["responder"]', {"approved_at_ns": 1, "revoked_at_ns": 2}),
    "u-waits": ("firm", "f1", '["responder"]', {}),
    "u-looks": ("project", "p1", '["viewer"]', {"approved_at_ns": 1}),
}
READER = Actor("u-project", "u-project", Scope(Level.PROJECT, "p1"), frozenset({Duty.RESPONDER}))


@pytest.fixture
def people(bench: HazardBench) -> None:
    with bench.database.transaction() as db:
        for number, (user_id, (level, code, duties, more)) in enumerate(PEOPLE.items()):
            db.execute(insert(accounts).values(user_id=user_id, login=user_id, name=user_id, home_level="province"))
            row = {"grant_id": f"g{number}", "user_id": user_id, "level": level, "scope_code": code, "duties": duties}
            db.execute(insert(grants).values(**row, proposed_by="[]", **more))
        named = {"project_code": "p1", "work_code": "w1", "role": "leader", "name": "局领导", "named_by": "li"}
        db.execute(insert(guarantors).values(**named, user_id="u-leader"))


def kinds(bench: HazardBench, hazard_id: str) -> list[object]:
    with bench.database.reading() as db:
        return [entry.fields["kind"] for entry in entries_about(db, hazard_id)]


@pytest.mark.usefixtures("people")
def test_who_answers_for_it_is_told_once_and_reading_is_on_record(bench: HazardBench) -> None:
    hazard_id = bench.major()
    with bench.database.reading() as db:
        told = {each.user_id: each.because for each in notices_of(db, hazard_id)}
        assert told == {"u-project": "responder", "u-firm": "responder", "u-leader": "guarantor"}
        unread = find_hazards(db, READER, Filter(unread=True), bench.clock())
        assert [card.hazard.hazard_id for card in unread] == [hazard_id]
        hazard = find_hazard(db, READER, hazard_id)
    with bench.database.transaction() as db:
        assert note_read(db, bench.office.ledger, hazard, READER, bench.clock.move(hours=3))
        assert not note_read(db, bench.office.ledger, hazard, READER, bench.clock())
        assert not note_read(db, bench.office.ledger, hazard, LI, bench.clock())
    with bench.database.reading() as db:
        read = {
            each.user_id: each.read_at_ns - each.told_at_ns for each in notices_of(db, hazard_id) if each.read_at_ns
        }
        assert find_hazards(db, READER, Filter(unread=True), bench.clock()) == ()
    assert read == {"u-project": 3 * 3_600_000_000_000}
    assert kinds(bench, hazard_id).count("hazard_notice_read") == 1
    bench.act(hazard_id, A.WITHDRAW, WANG, words="再核实")
    bench.act(hazard_id, A.CONFIRM, LI, grade_major=True)
    assert kinds(bench, hazard_id).count("hazard_notified") == 1


def test_that_nobody_could_be_told_is_on_record_and_a_general_hazard_tells_nobody(bench: HazardBench) -> None:
    assert kinds(bench, bench.major()).count("hazard_notified") == 1
    general = bench.open(event_key="inspection/2")
    bench.act(general, A.CONFIRM)
    assert "hazard_notified" not in kinds(bench, general)


def test_a_refused_order_counts_its_days_by_the_calendar(bench: HazardBench) -> None:
    hazard_id = bench.open()
    bench.act(hazard_id, A.CONFIRM)
    bench.act(hazard_id, A.ORDER)
    assert days(bench) == 0
    bench.clock.move(hours=15.5)
    bench.act(hazard_id, A.RECORD_REFUSAL, words="拒不整改", evidence=(bench.photo(),))
    assert days(bench) == 1
    bench.clock.move(hours=0.6)
    assert days(bench) == 2
    bench.clock.move(days=9)
    assert days(bench) == 11
    bench.act(hazard_id, A.RESUME_RECTIFICATION, words="同意整改")
    assert days(bench) == 0
    bench.act(hazard_id, A.RECORD_REFUSAL, words="再次拒绝", evidence=(bench.photo(),))
    assert days(bench) == 1


def days(bench: HazardBench) -> int:
    with bench.database.reading() as db:
        columns = {column.state: column.cards for column in board(db, LI, bench.clock())}
        (card,) = [card for cards in columns.values() for card in cards]
        assert (card in columns[HazardState.REFUSED_BY_SITE]) == bool(card.refused_days)
    return card.refused_days
