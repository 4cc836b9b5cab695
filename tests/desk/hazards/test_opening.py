"""A hazard is opened once for one cause, never before it was seen, and late only with a reason."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_about
from regulator.base.records.tables.hazards import hazard_evidence, hazards
from regulator.parts.hazards.opening import LateEntry, open_hazard
from tests.fakes.desk_database import DAY_NS, HOUR_NS, START_NS

REVIEWER = Actor("li", "李工", Scope(Level.COUNTY, "440105"), frozenset({Duty.REVIEWER}))
FOUND = NewHazard(
    project_code="p1",
    channel=Channel.INSPECTION,
    kind=HazardKind.HAZARD,
    grade=Grade.GENERAL,
    title_zh="临边防护缺失",
    title_en="Edge rail missing",
    place_id="edge-3",
    observed_at_ns=START_NS - HOUR_NS,
    event_key="inspection/1",
    blobs=("a" * 64,),
)


def opened(database: DeskDatabase, ledger: Ledger, new: NewHazard, late: LateEntry | None = None) -> str:
    with database.transaction() as db:
        return open_hazard(db, ledger, new, REVIEWER, START_NS, late)


def test_the_same_cause_opens_one_hazard(database: DeskDatabase, ledger: Ledger) -> None:
    first = opened(database, ledger, FOUND)
    again = opened(database, ledger, replace(FOUND, title_zh="别的"))
    other = opened(database, ledger, replace(FOUND, event_key="inspection/2"))
    assert first == again != other
    with database.reading() as db:
        row = db.execute(select(hazards).where(hazards.c.hazard_id == first)).one()
        assert (row.state, row.title_zh, row.back_dated) == ("pending", "临边防护缺失", 0)
        (entry,) = entries_about(db, first)
        assert row.number == f"YH-p1-2026-{entry.seq}"
        assert db.scalar(select(func.count()).where(hazard_evidence.c.hazard_id == first)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"observed_at_ns": START_NS + 1}, "observed_after_opening"),
        ({"observed_at_ns": 0}, "observed_after_opening"),
        ({"channel": Channel.DEVICE, "observed_at_ns": START_NS + HOUR_NS}, "observed_after_opening"),
        ({"observed_at_ns": START_NS - 8 * DAY_NS}, "back_dated_without_reason"),
        ({"title_zh": "  "}, "no_title"),
        ({"event_key": ""}, "no_event_key"),
    ],
)
def test_what_is_refused(database: DeskDatabase, ledger: Ledger, change: dict[str, object], code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        opened(database, ledger, replace(FOUND, **change))  # type: ignore[arg-type]
    assert refused.value.code == code
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(hazards)) == 0


def test_a_late_entry_says_why_and_shows(database: DeskDatabase, ledger: Ledger) -> None:
    old = replace(FOUND, observed_at_ns=START_NS - 30 * DAY_NS)
    hazard_id = opened(database, ledger, old, LateEntry("纸质检查表补录"))
    with database.reading() as db:
        row = db.execute(select(hazards).where(hazards.c.hazard_id == hazard_id)).one()
        assert (row.back_dated, row.back_date_reason) == (1, "纸质检查表补录")
        content = entries_about(db, hazard_id)[0].fields["content"]
        assert isinstance(content, dict)
        assert content["back_dated"] is True


def test_a_box_that_was_long_offline_is_marked_and_not_refused(database: DeskDatabase, ledger: Ledger) -> None:
    late = replace(FOUND, channel=Channel.DEVICE, observed_at_ns=START_NS - 30 * DAY_NS, event_key="box/7")
    hazard_id = opened(database, ledger, late)
    with database.reading() as db:
        assert db.scalar(select(hazards.c.back_dated).where(hazards.c.hazard_id == hazard_id)) == 1


def test_text_is_kept_as_it_is(database: DeskDatabase, ledger: Ledger) -> None:
    nasty = "'); DROP TABLE hazards; -- <script>alert(1)</script>"
    hazard_id = opened(database, ledger, replace(FOUND, title_zh=nasty, words=nasty, place_id=nasty))
    with database.reading() as db:
        row = db.execute(select(hazards).where(hazards.c.hazard_id == hazard_id)).one()
        assert (row.title_zh, row.words, row.place_id) == (nasty, nasty, nasty)
