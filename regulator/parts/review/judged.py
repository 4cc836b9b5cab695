"""What was judged lately, to be looked up and, with a reason, judged again.

In: who asks. Out: rows, the newest first. An item whose blind second look still waits is not among them for those who
may be given it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, select

from regulator.base.model.actor import Actor, Duty
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items
from regulator.parts.review.judgement import ItemState
from regulator.parts.review.leases import visible

ROWS = 100


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """One verdict that stands. Times UTC ns."""

    item_id: str
    project_name: str
    title_zh: str
    title_en: str
    severity: str
    source_id: str
    verdict: str
    false_reason: int
    judged_name: str
    judged_at_ns: int
    state: str
    in_bulk: bool
    hazard_id: str


def judged_lately(db: Connection, actor: Actor, limit: int = ROWS) -> list[JudgedRow]:
    """First looks with a verdict, in the actor's scope."""
    at, alarm = review_items.c, alarms.c
    query = (
        select(review_items, projects.c.name, alarm.title_zh, alarm.title_en)
        .outerjoin(alarms, (alarm.box_id == at.box_id) & (alarm.alarm_id == at.alarm_id))
        .outerjoin(projects, projects.c.project_code == at.project_code)
        .where(visible(actor), at.round == 1, at.state != ItemState.OPEN.value)
        .order_by(at.judged_at_ns.desc(), at.item_id)
        .limit(limit)
    )
    if actor.has(Duty.REVIEWER):
        query = query.where(~_second_look_waits())
    return [_row(row) for row in db.execute(query)]


def _second_look_waits() -> "ColumnElement[bool]":
    second, at = review_items.alias("second_look"), review_items.c
    same = (second.c.box_id == at.box_id) & (second.c.alarm_id == at.alarm_id)
    return exists().where(same, second.c.round == 2, second.c.state == ItemState.OPEN.value)


def _row(row: "Row[Any]") -> JudgedRow:
    same = ("item_id", "severity", "source_id", "verdict", "false_reason", "judged_name", "judged_at_ns", "state")
    return JudgedRow(
        **{name: getattr(row, name) for name in same},
        project_name=row.name or row.project_code,
        title_zh=row.title_zh or row.rule_id,
        title_en=row.title_en or row.rule_id,
        in_bulk=bool(row.bulk),
        hazard_id=row.hazard_id,
    )
