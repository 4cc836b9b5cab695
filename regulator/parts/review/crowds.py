"""Facts for ranking many alarms of one moment in the review queue, in one query.

    place 0: alike at this place 2, in this project 11, a flood stands, queued
    place 1: ...

In: alarms that are kept already, in the same transaction. Out: counts, up to where counting matters. SQLite is asked
one by one: there is no way to and fro to be saved.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, text

from regulator.parts.review.funnel import Stages
from regulator.parts.review.items import AlarmFacts

_OTHERS = """
    AND (held.box_id <> given.box_id OR held.alarm_id <> given.alarm_id) AND held.raised_at_ns <= given.raised_at_ns
"""
_AT_PLACE = """
    SELECT 1 FROM alarms AS held WHERE held.box_id = given.box_id AND held.rule_id = given.rule_id
    AND held.subject = given.subject AND held.raised_at_ns > given.raised_at_ns - :repeated_ns
"""
_IN_PROJECT = """
    SELECT 1 FROM alarms AS held WHERE held.project_code = given.project_code
    AND held.raised_at_ns > given.raised_at_ns - :flood_ns
"""
_FLOOD = """
    SELECT 1 FROM review_items AS item WHERE item.project_code = given.project_code AND item.stage = 'flood'
    AND item.raised_at_ns > given.raised_at_ns - :flood_ns
"""
_QUEUED = """
    SELECT 1 FROM review_items AS item WHERE item.box_id = given.box_id AND item.alarm_id = given.alarm_id
    AND item.round = 1
"""
_ASKED = (
    "SELECT given.at_place, given.in_project, CASE WHEN given.in_project >= :flood "  # noqa: S608 - our own texts
    f"THEN EXISTS ({_FLOOD}) ELSE 1 = 0 END AS flood, EXISTS ({_QUEUED}) AS queued FROM (SELECT given.*, "
    f"(SELECT count(*) FROM ({_AT_PLACE} {_OTHERS} LIMIT :repeated) AS others) AS at_place, "
    f"(SELECT count(*) FROM ({_IN_PROJECT} {_OTHERS} LIMIT :flood) AS others) AS in_project"
)
"""What stands for a flood is looked for where there is one: a project has many items."""
_COLUMNS = ("box_id", "alarm_id", "rule_id", "subject", "project_code", "raised_at_ns")
_TOGETHER = text(
    f"{_ASKED} FROM json_to_recordset(CAST(:rows AS json)) AS given(place integer, "
    f"{', '.join(f'{name} text' for name in _COLUMNS[:-1])}, raised_at_ns bigint)) AS given ORDER BY given.place"
)
_ALONE = text(f"{_ASKED} FROM (SELECT {', '.join(f':{name} AS {name}' for name in _COLUMNS)}) AS given) AS given")


@dataclass(frozen=True, slots=True)
class Crowd:
    """Others raised with this alarm or before it: `at_place` the same rule at the same place, `in_project` any; both
    only up to the funnel's numbers. `flood`: an item stands for the flood. `queued`: the alarm has an item already."""

    at_place: int
    in_project: int
    flood: bool
    queued: bool


def crowds_of(db: Connection, stages: Stages, alarms: Sequence[AlarmFacts]) -> list[Crowd]:
    """One of each alarm, in their order."""
    repeated, flood = stages.repeated, stages.flood
    most = {"repeated": repeated.times if repeated else 0, "repeated_ns": repeated.within_ns if repeated else 0}
    most |= {"flood": flood.more_than if flood else 0, "flood_ns": flood.within_ns if flood else 0}
    asked = [{"place": place} | {name: getattr(each, name) for name in _COLUMNS} for place, each in enumerate(alarms)]
    if db.dialect.name == "postgresql":
        rows = db.execute(_TOGETHER, most | {"rows": orjson.dumps(asked).decode()}).all() if asked else []
    else:
        rows = [db.execute(_ALONE, most | each).one() for each in asked]
    return [Crowd(row.at_place, row.in_project, bool(row.flood), bool(row.queued)) for row in rows]
