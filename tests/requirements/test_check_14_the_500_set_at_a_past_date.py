"""Check 14: the 500 set at a past date is rebuilt exactly; a change without an approver is refused.

Random plans of joining and leaving go through the two people's doors; each day's members are held against a model that
knows only the approved changes, against the table, and against what the ledger alone tells.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.signing import generate_key
from regulator.base.coverage.set_membership import members_on, memberships_of, rebuilt_from
from regulator.base.kinds import Category
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_of
from regulator.parts.registry.projects.set_office import Action, Proposal, SetRules, decide, propose
from tests.fakes.desk_database import DeskClock, migrated_file
from tests.fakes.registry_desk import ADMIN, APPROVER, RegistryDesk

__all__ = ["migrated_file"]

PROJECTS = [f"p-{number:03}" for number in range(1, 6)]
DAYS = 30


@dataclass(frozen=True)
class Change:
    """After `wait` days, propose for `ahead` days later; somebody else approves, or does not."""

    wait: int
    code: str
    action: Action
    ahead: int
    approved: bool


CHANGES = st.lists(
    st.builds(
        Change,
        st.integers(0, 3),
        st.sampled_from(PROJECTS),
        st.sampled_from(Action),
        st.integers(0, 4),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=12,
)


@dataclass
class Model:
    """Who is in, by day, told only the changes that were approved."""

    first: date
    stays: dict[str, list[list[date | None]]] = field(default_factory=dict)

    def add(self, code: str, day: date) -> None:
        self.stays.setdefault(code, []).append([day, None])

    def remove(self, code: str, day: date) -> None:
        self.stays[code][-1][1] = day

    def on(self, day: date) -> list[str]:
        return sorted(
            code
            for code, stays in self.stays.items()
            for begin, end in stays
            if begin is not None and begin <= day and (end is None or day < end)
        )


@contextmanager
def planted(migrated: Path) -> Iterator[RegistryDesk]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated, target := Path(folder) / "desk.db")
        database = DeskDatabase(f"sqlite:///{target}")
        desk = RegistryDesk(database, Ledger(generate_key()), DeskClock(), SetRules("44", 3))
        desk.plant(len(PROJECTS))
        yield desk
        database.close()


def carry_out(desk: RegistryDesk, model: Model, change: Change) -> None:
    """Through the doors; the model hears of what was approved and nothing else."""
    day = desk.today + timedelta(days=change.ahead)
    try:
        with desk.act(ADMIN) as act:
            wanted = Proposal(change.action, change.code, day, Category.GOV_BUILDING)
            proposal_id = propose(act, desk.rules, wanted)
        with desk.act(APPROVER) as act:
            state = decide(act, desk.rules, proposal_id, approve=change.approved)
    except RefusedError:
        return
    if state.value == "approved":
        (model.add if change.action is Action.ADD else model.remove)(change.code, day)


@settings(max_examples=12, deadline=None)
@given(changes=CHANGES)
def test_every_day_is_rebuilt_from_the_approved_changes(migrated_file: Path, changes: list[Change]) -> None:
    with planted(migrated_file) as desk:
        model = Model(desk.today)
        seen: dict[date, list[str]] = {}
        for change in changes:
            for _ in range(change.wait):
                seen[desk.today] = members(desk, desk.today)
                desk.clock.move(days=1)
            carry_out(desk, model, change)
        for offset in range(-2, DAYS + 40):
            day = model.first + timedelta(days=offset)
            assert members(desk, day) == model.on(day) == from_ledger(desk, day)
            assert len(model.on(day)) <= desk.rules.size
        for day, as_it_was in seen.items():
            assert members(desk, day) == as_it_was, "a day that was over has changed"


def members(desk: RegistryDesk, day: date) -> list[str]:
    with desk.database.reading() as db:
        return [stay.project_code for stay in members_on(db, "44", day)]


def from_ledger(desk: RegistryDesk, day: date) -> list[str]:
    with desk.database.reading() as db:
        stays = rebuilt_from(entries_of(db, desk.rules.chain))
        assert stays == memberships_of(db, "44")
    return sorted(stay.project_code for stay in stays if stay.holds_on(day.isoformat()))


def test_a_change_without_an_approver_changes_nothing(migrated_file: Path) -> None:
    with planted(migrated_file) as desk:
        with desk.act(ADMIN) as act:
            proposal_id = propose(act, desk.rules, Proposal(Action.ADD, "p-001", desk.today, Category.URBAN_RAIL))
        desk.clock.move(days=1)
        assert members(desk, desk.today) == []
        with pytest.raises(RefusedError, match="not_your_duty"), desk.act(ADMIN) as act:
            decide(act, desk.rules, proposal_id, approve=True)
        assert members(desk, desk.today) == from_ledger(desk, desk.today) == []


def test_a_past_day_is_never_changed_by_a_later_one(migrated_file: Path) -> None:
    with planted(migrated_file) as desk:
        desk.join("p-001", "p-002")
        then = desk.today
        desk.clock.move(days=10)
        with desk.act(ADMIN) as act:
            leaving = propose(act, desk.rules, Proposal(Action.REMOVE, "p-001", desk.today))
        with desk.act(APPROVER) as act:
            decide(act, desk.rules, leaving, approve=True)
        with pytest.raises(RefusedError, match="back_dated"), desk.act(ADMIN) as act:
            propose(act, desk.rules, Proposal(Action.REMOVE, "p-002", then))
        assert members(desk, then) == ["p-001", "p-002"]
        assert members(desk, desk.today - timedelta(days=1)) == ["p-001", "p-002"]
        assert members(desk, desk.today) == ["p-002"]
