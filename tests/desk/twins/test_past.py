"""A made-up province's past: what a desk shows of it, and that the desk's own checks hold afterwards."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from contract.chain import ChainHead
from regulator.base.accounts.passwords import Passwords
from regulator.base.days import day_of
from regulator.base.desk import Desk
from regulator.base.model.actor import SYSTEM, Duty, Level, Scope
from regulator.base.model.hazard_states import HazardState
from regulator.base.records.ledger import verify_ledger
from regulator.base.records.tables.coverage import coverage_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.ledger import ledger_heads
from regulator.base.records.tables.supervision import draws
from regulator.base.settings import DeskSettings
from regulator.parts.reports.statistics.gathering import statistics_of
from regulator.parts.reports.statistics.making import span_of
from regulator.parts.reports.statistics.selection import Selection
from regulator.running import open_desk
from regulator.twins.founding import MadePerson, found
from regulator.twins.past import Past, PastClock, PastPlan, began_ns, live_the_past
from regulator.twins.province import PROVINCE_CODE, MadeProject, made_projects

NOW_NS = 1_796_000_000_000_000_000
PLAN = PastPlan(days=40, alarms_a_day=7.0)
INSPECTORS = tuple(
    MadePerson(f"choucha{number}", f"抽查员{number}", Scope(Level.PROVINCE, PROVINCE_CODE), frozenset({Duty.INSPECTOR}))
    for number in (1, 2)
)


@dataclass(frozen=True)
class Told:
    desk: Desk
    projects: list[MadeProject]
    past: Past


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder: Path = tmp_path_factory.mktemp("past")
    settings = DeskSettings(
        database=f"sqlite:///{folder / 'desk.db'}", blobs=str(folder / "blobs"), key_file=folder / "desk.pem",
        province_code=PROVINCE_CODE,
    )  # fmt: skip
    clock = PastClock(began_ns(NOW_NS, PLAN.days))
    desk = open_desk(settings, clock)
    projects = made_projects(40)
    founded = found(desk, projects, Passwords(), INSPECTORS)
    yield Told(desk, projects, asyncio.run(live_the_past(desk, clock, projects, founded, NOW_NS, PLAN)))
    desk.database.close()


def test_no_office_refused_anything(told: Told) -> None:
    assert told.past.refused == []
    assert told.past.alarms > 150
    assert told.past.judged > 30


def test_no_figure_of_the_last_thirty_days_is_unknown(told: Told) -> None:
    today = day_of(NOW_NS)
    with told.desk.database.reading() as db:
        selection = Selection(SYSTEM.scope)
        span = span_of(db, selection, today - timedelta(days=30), today - timedelta(days=1))
        figures = statistics_of(db, selection, span).figures
    assert [figure.definition.key for figure in figures if figure.value is None] == []


def test_the_coverage_of_past_days_rises_and_has_holes(told: Told) -> None:
    at = coverage_days.c
    counted = select(at.day, func.count()).where(at.reached == "data").group_by(at.day).order_by(at.day)
    with told.desk.database.reading() as db:
        covered = [row[1] for row in db.execute(counted)]
    assert len(covered) == PLAN.days
    assert covered[-1] > covered[0]
    assert 0.75 * len(told.projects) <= covered[-1] < len(told.projects)


def test_hazards_stand_in_many_states_and_some_are_overdue(told: Told) -> None:
    at = hazards.c
    with told.desk.database.reading() as db:
        states = set(db.scalars(select(at.state)))
        late = db.scalar(select(func.count()).where(at.due_at_ns > 0, at.due_at_ns < NOW_NS, at.closed_at_ns == 0))
    assert {HazardState.CLOSED.value, HazardState.RECTIFYING.value} < states
    assert len(states) >= 4
    assert late


def test_a_draw_was_drawn_and_is_public(told: Told) -> None:
    with told.desk.database.reading() as db:
        (state,) = db.scalars(select(draws.c.state))
    assert state == "revealed"


def test_every_chain_of_the_ledger_holds(told: Told) -> None:
    with told.desk.database.reading() as db:
        chains = list(db.scalars(select(ledger_heads.c.chain)))
        keys = {told.desk.key.public.key_id: told.desk.key.public}
        ends = [verify_ledger(db, chain, keys) for chain in chains]
    assert chains
    assert [end for end in ends if not isinstance(end, ChainHead)] == []


def test_boxes_can_go_on_where_their_past_ended(told: Told) -> None:
    boxes = {made.box_id for made in told.projects if made.box_id}
    assert set(told.past.boxes) == boxes
    assert any(kept.chain_seq for kept in told.past.boxes.values())
