"""A hazard as it stands, read from its row within an actor's scope."""

import json
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, select

from regulator.base.model.actor import Actor, Level
from regulator.base.model.hazard import Channel, Grade, HazardKind
from regulator.base.model.hazard_states import SETTLED, HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.registry import projects


@dataclass(frozen=True, slots=True)
class HazardRecord:
    """The columns of `hazards`, with names where the row has texts. Times UTC ns, 0: not come."""

    hazard_id: str
    number: str
    project_code: str
    channel: Channel
    kind: HazardKind
    grade: Grade
    state: HazardState
    title_zh: str
    title_en: str
    words: str
    place_id: str
    rule_id: str
    box_id: str
    alarm_id: str
    event_key: str
    catalogue_code: str
    catalogue_edition: str
    other_code: str
    other_edition: str
    works_type: str
    observed_at_ns: int
    opened_at_ns: int
    opened_by: str
    back_dated: int
    back_date_reason: str
    confirmed_at_ns: int
    confirmed_by: frozenset[str]
    ordered_at_ns: int
    closed_at_ns: int
    due_at_ns: int
    listed_level: str
    listed_at_ns: int
    stopped_at_ns: int
    resumed_at_ns: int
    disputed_at_ns: int
    handed_over_at_ns: int
    extensions: int
    round: int
    held_by_level: Level
    held_since_ns: int

    @property
    def is_major(self) -> bool:
        """Graded 重大."""
        return self.grade is Grade.MAJOR

    @property
    def needs_sections(self) -> bool:
        """四不放过: major hazards, and accidents and dangerous situations of any grade (notice A4)."""
        return self.is_major or self.kind is not HazardKind.HAZARD

    @property
    def is_stopped(self) -> bool:
        """Work is stopped now."""
        return self.stopped_at_ns > self.resumed_at_ns

    @property
    def is_settled(self) -> bool:
        """Nothing is owed."""
        return self.state in SETTLED

    @property
    def opened_by_alarm(self) -> bool:
        """A rule of a box raised it."""
        return self.channel is Channel.DEVICE and bool(self.alarm_id)


def find_hazard(db: Connection, actor: Actor, hazard_id: str, *, lock: bool = False) -> HazardRecord:
    """One hazard in the actor's scope. Raises RefusedError 404 also for one outside it. `lock`: to change it."""
    found = select(hazards).where(hazards.c.hazard_id == hazard_id, in_scope(actor.scope, hazards.c.project_code))
    row = db.execute(found.with_for_update() if lock else found).first()
    if row is None:
        raise RefusedError(404, "no_such_hazard", "没有这条隐患", "no such hazard in your scope", "hazard_id")
    return record_of(row)


def locked_hazard(db: Connection, hazard_id: str) -> HazardRecord | None:
    """For the desk itself, which sees all: a box's reply, a deadline that passed."""
    row = db.execute(select(hazards).where(hazards.c.hazard_id == hazard_id).with_for_update()).first()
    return None if row is None else record_of(row)


def record_of(row: "Row[Any]") -> HazardRecord:
    """From a row that holds all columns of `hazards`."""
    values = {name: getattr(row, name) for name in _NAMES}
    values |= {
        "channel": Channel(row.channel),
        "kind": HazardKind(row.kind),
        "grade": Grade(row.grade),
        "state": HazardState(row.state),
        "confirmed_by": frozenset(json.loads(row.confirmed_by)),
        "held_by_level": Level(row.held_by_level),
    }
    return HazardRecord(**values)


def regions_of(db: Connection, project_code: str) -> tuple[str, ...]:
    """Province, city and county of a project, for the rules that count there; none for an unregistered one."""
    at = projects.c
    row = db.execute(select(at.province_code, at.city_code, at.county_code).where(at.project_code == project_code))
    found = row.first()
    return () if found is None else tuple(code for code in found if code)


_NAMES = tuple(field.name for field in fields(HazardRecord))
