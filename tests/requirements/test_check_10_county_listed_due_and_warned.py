"""Check 10: county-listed: due on listing + 30 d; warnings on day 15 and 24; overdue shown; an extension is logged."""

from datetime import date

import pytest
from sqlalchemy import select

from contract.signing import SignKey
from regulator.base.deadline_days import DueClass, due_day, end_of_day_ns, midnight_ns
from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.hazards import hazard_deadlines
from regulator.parts.hazards.board import board, due_counts
from regulator.parts.hazards.deadlines import DeadlineKind, open_deadlines
from screens.formats import local_day_time
from tests.fakes.desk_database import (
    DeskClock,
    clock,
    database,
    desk_key,
    desk_url,
    migrated,
    migrated_file,
    postgresql,
)
from tests.fakes.hazard_bench import CHEN, LI, WANG, ZHAO, HazardBench, register

__all__ = ["clock", "database", "desk_key", "desk_url", "migrated", "migrated_file", "postgresql"]
A = HazardAction
LISTED = date(2026, 3, 1)
DAY_15, DAY_24, LAST = date(2026, 3, 16), date(2026, 3, 25), date(2026, 3, 31)


@pytest.fixture
def bench(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> HazardBench:
    """On each database; the clock stands at 08:00 on the day of listing."""
    register(database)
    return HazardBench(database, desk_key, clock)


def said(bench: HazardBench, hazard_id: str, kind: str) -> list[tuple[str, str, str]]:
    """(warning or deadline kind, level, Beijing day) of entries of one kind."""
    with bench.database.reading() as db:
        entries = [entry.fields for entry in entries_about(db, hazard_id) if entry.fields["kind"] == kind]
    told = []
    for entry in entries:
        content, at_ns = entry["content"], entry["at_ns"]
        assert isinstance(content, dict)
        assert isinstance(at_ns, int)
        if content["what"] == "listing":
            what = str(content.get("warning", content["what"]))
            told.append((what, str(content["level"]), local_day_time(at_ns)[:10]))
    return told


def day_by_day(bench: HazardBench, until: date) -> None:
    """Run the desk's watch a minute after each midnight; twice, as two replicas would."""
    day = date.fromordinal(date.fromisoformat(local_day_time(bench.clock())[:10]).toordinal() + 1)
    while day <= until:
        bench.clock.at_ns = midnight_ns(day) + 60 * 10**9
        bench.watch.run(bench.clock())
        bench.watch.run(bench.clock())
        day = date.fromordinal(day.toordinal() + 1)


def test_listing_plus_30_days_with_warnings_on_day_15_and_24(bench: HazardBench) -> None:
    hazard_id = bench.major()
    with bench.database.reading() as db:
        rows = {row.level: row for row in open_deadlines(db, hazard_id, DeadlineKind.LISTING)}
    assert due_day(rows["county"].due_at_ns) == LAST == date.fromordinal(LISTED.toordinal() + 30)
    assert due_day(rows["city"].due_at_ns) == date.fromordinal(LISTED.toordinal() + 60)
    assert (rows["county"].pack, rows["county"].certainty) == ("pack-zj-2021", "V1")
    day_by_day(bench, LAST)
    warned = said(bench, hazard_id, "deadline_warning")
    assert [each for each in warned if each[1] == "county"] == [
        ("50%", "county", DAY_15.isoformat()),
        ("80%", "county", DAY_24.isoformat()),
    ]
    assert said(bench, hazard_id, "deadline_overdue") == []


def test_overdue_from_midnight_shown_and_handed_up(bench: HazardBench) -> None:
    hazard_id = bench.major()
    bench.clock.at_ns = end_of_day_ns(LAST) - 1
    with bench.database.reading() as db:
        assert due_counts(db, LI, bench.clock()).today == 1
    bench.watch.run(bench.clock())
    assert bench.value(hazard_id, "held_by_level") == "county"
    bench.clock.at_ns += 1
    bench.watch.run(bench.clock())
    bench.watch.run(bench.clock())
    with bench.database.reading() as db:
        counts = due_counts(db, LI, bench.clock())
        (column,) = [each for each in board(db, LI, bench.clock()) if each.state is HazardState.ORDERED]
    assert (counts.overdue, counts.today) == (1, 0)
    assert column.cards[0].due is DueClass.OVERDUE
    assert said(bench, hazard_id, "deadline_overdue") == [("listing", "county", "2026-04-01")]
    assert bench.value(hazard_id, "held_by_level") == "city"
    day_by_day(bench, date(2026, 5, 1))
    assert bench.value(hazard_id, "held_by_level") == "province"
    assert len(said(bench, hazard_id, "deadline_overdue")) == 2


def test_an_extension_needs_a_higher_level_and_is_logged(bench: HazardBench) -> None:
    hazard_id = bench.major()
    with pytest.raises(RefusedError, match="due_not_later"):
        bench.act(hazard_id, A.ASK_EXTENSION, LI, words="等待配件", due_day=LAST)
    bench.act(hazard_id, A.ASK_EXTENSION, LI, words="等待配件", due_day=date(2026, 4, 15))
    with pytest.raises(RefusedError, match="higher_level_needed"):
        bench.act(hazard_id, A.DECIDE_EXTENSION, WANG)
    with bench.database.reading() as db:
        before = {row.deadline_id: row.due_at_ns for row in db.execute(select(hazard_deadlines))}
    bench.act(hazard_id, A.DECIDE_EXTENSION, CHEN, words="同意")
    with bench.database.reading() as db:
        after = {row.deadline_id: row.due_at_ns for row in db.execute(select(hazard_deadlines))}
        (county,) = [r for r in open_deadlines(db, hazard_id, DeadlineKind.LISTING) if r.level == "county"]
        kinds = [entry.fields["kind"] for entry in entries_about(db, hazard_id)]
    assert before.items() <= after.items()
    assert due_day(county.due_at_ns) == date(2026, 4, 15)
    assert county.predecessor in before
    assert bench.value(hazard_id, "extensions") == 1
    assert kinds[-4:].count("hazard_decide_extension") == 1
    assert kinds[-2:] == ["deadline_ended", "deadline_started"]


def test_the_province_decides_over_what_the_city_has_listed_alone(bench: HazardBench) -> None:
    hazard_id = bench.major()
    bench.act(hazard_id, A.ASK_EXTENSION, CHEN, words="等待配件", due_day=date(2026, 4, 15))
    with pytest.raises(RefusedError, match="same_person"):
        bench.act(hazard_id, A.DECIDE_EXTENSION, CHEN)
    assert bench.act(hazard_id, A.DECIDE_EXTENSION, ZHAO, grant=False) is HazardState.ORDERED
    assert bench.value(hazard_id, "extensions") == 0
