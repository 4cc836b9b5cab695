"""Rolls alarms up by day and project, so that a month of 500 projects is read from some thousand rows.

    arrivals since the last look --> days of projects that are dirty --> each day that is over is made again, whole

An alarm that arrives late, or is acknowledged or returns days later, makes its day dirty again: what is rolled up is
always what the alarms say. Looking twice at an arrival does no harm, so a look reaches back over the last minutes:
what another replica was still committing then is not missed.
"""

from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, insert, select, tuple_, union
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.days import DAY_NS, day_end_ns, day_of, day_start_ns
from regulator.base.records.books import read_book, take_book, turn_book
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import alarms, alerts
from regulator.base.records.tables.reports import (
    statistics_alarm_days,
    statistics_dirty,
    statistics_long_alarms,
)
from regulator.parts.reports.statistics.alarm_day import COUNTED, LOOK_BACK_NS, Activation, AlarmDay, alarm_day

BOOK = "alarms"
OVERLAP_NS = 600_000_000_000
ARRIVALS_A_LOOK, LOOKS_A_RUN = 50_000, 20
DAYS_A_RUN, DAYS_A_COMMIT = 2_000, 50
ZONE_NS = 8 * 3_600_000_000_000
"""Shanghai is eight hours ahead of UTC on every day since 1991: a day's number can be told in SQL."""
EPOCH = date(1970, 1, 1)
PROJECTIONS = (statistics_alarm_days, statistics_long_alarms)
Key = tuple[str, str]
"""A day (ISO) and a project code."""


def run_roll_up(database: DeskDatabase, now_ns: int, most: int = DAYS_A_RUN) -> int:
    """Look at what arrived and make the dirty days that are over; how many were made."""
    for _ in range(LOOKS_A_RUN):
        with database.transaction() as db:
            caught_up = note_arrivals(db, now_ns)
        if caught_up:
            break
    made = 0
    while made < most:
        with database.reading() as db:
            keys = dirty_days(db, now_ns, DAYS_A_COMMIT)
            days = {key: _read_day(db, key) for key in keys}
        if not keys:
            break
        with database.transaction() as db:
            take_book(db, BOOK)
            _replace(db, days)
        made += len(keys)
    return made


def note_arrivals(db: Connection, now_ns: int) -> bool:
    """Mark the days that something arrived for, `ARRIVALS_A_LOOK` arrivals at most; whether that was all of them."""
    since_ns = take_book(db, BOOK)
    at = alerts.c
    later = select(at.accepted_at_ns).where(at.accepted_at_ns > since_ns).order_by(at.accepted_at_ns)
    last_ns = db.scalar(later.offset(ARRIVALS_A_LOOK).limit(1))
    until_ns = now_ns if last_ns is None else max(last_ns, since_ns + 1)
    arrived = (at.accepted_at_ns > since_ns - OVERLAP_NS, at.accepted_at_ns <= until_ns, alarms.c.raised_at_ns > 0)
    touched = [
        select(((alarms.c.raised_at_ns + ZONE_NS + later_ns) // DAY_NS).label("number"), alarms.c.project_code)
        .join(alerts, (at.box_id == alarms.c.box_id) & (at.alarm_id == alarms.c.alarm_id))
        .where(*arrived)
        for later_ns in (0, LOOK_BACK_NS)  # what comes just before midnight may make the next day's peak
    ]
    rows = [{"day": _day(row.number), "project_code": row.project_code} for row in db.execute(union(*touched))]
    if rows:
        dialect = postgresql if db.dialect.name == "postgresql" else sqlite
        db.execute(dialect.insert(statistics_dirty).on_conflict_do_nothing(), rows)
    turn_book(db, BOOK, until_ns)
    return last_ns is None


def dirty_days(db: Connection, now_ns: int, limit: int) -> list[Key]:
    """Days that are over and have to be made, oldest first."""
    at = statistics_dirty.c
    today = day_of(now_ns).isoformat()
    over = select(at.day, at.project_code).where(at.day < today).order_by(at.day, at.project_code).limit(limit)
    return [(row.day, row.project_code) for row in db.execute(over)]


def is_rolled_up(db: Connection, until_day: date) -> bool:
    """Whether all that arrived for days before `until_day` is in the projections."""
    read_up_to_ns = read_book(db, BOOK)
    waits = select(func.count()).where(statistics_dirty.c.day < until_day.isoformat())
    return read_up_to_ns >= day_start_ns(until_day) and not db.scalar(waits)


def _day(number: int) -> str:
    return (EPOCH + timedelta(days=int(number))).isoformat()


def _read_day(db: Connection, key: Key) -> "tuple[AlarmDay, list[dict[str, Any]]]":
    day, project_code = date.fromisoformat(key[0]), key[1]
    start_ns, end_ns = day_start_ns(day), day_end_ns(day)
    at = alarms.c
    wanted = select(alarms).where(
        at.project_code == project_code, at.raised_at_ns >= start_ns - LOOK_BACK_NS, at.raised_at_ns < end_ns
    )
    rows = db.execute(wanted.order_by(at.raised_at_ns)).all()
    stand = [_long(key, row) for row in rows if row.raised_at_ns >= start_ns and _stands_long(row)]
    return alarm_day([_activation(row) for row in rows], start_ns, end_ns), stand


def _activation(row: Any) -> Activation:
    return Activation(
        box_id=row.box_id,
        tag=f"{row.rule_id}@{row.subject}",
        severity=row.severity,
        raised_at_ns=row.raised_at_ns,
        acknowledged_at_ns=row.acknowledged_at_ns,
        returned_at_ns=row.returned_at_ns,
        accepted_at_ns=row.accepted_at_ns,
        prompt=not row.late,
    )


def _stands_long(row: Any) -> bool:
    ended = row.returned_at_ns >= row.raised_at_ns
    return row.severity in COUNTED and (not ended or row.returned_at_ns - row.raised_at_ns > DAY_NS)


def _long(key: Key, row: Any) -> dict[str, Any]:
    same = {name: getattr(row, name) for name in ("box_id", "alarm_id", "project_code", "raised_at_ns")}
    ended_ns = row.returned_at_ns if row.returned_at_ns >= row.raised_at_ns else 0
    return same | {"day": key[0], "returned_at_ns": ended_ns}


def _replace(db: Connection, days: "dict[Key, tuple[AlarmDay, list[dict[str, Any]]]]") -> None:
    """The projections of these days, made anew. They are no records: the alarms they are made from stay."""
    keys = list(days)
    for table in (*PROJECTIONS, statistics_dirty):
        db.execute(delete(table).where(tuple_(table.c.day, table.c.project_code).in_(keys)))
    made_rows = [_counts(made) | {"day": key[0], "project_code": key[1]} for key, (made, _) in days.items()]
    standing = [row for _, stand in days.values() for row in stand]
    for table, rows in ((statistics_alarm_days, made_rows), (statistics_long_alarms, standing)):
        if rows:
            db.execute(insert(table), rows)


def _counts(made: AlarmDay) -> dict[str, int | str]:
    by_priority: dict[str, int | str] = {level.lower(): made.raised[level] for level in COUNTED}
    waiting = {f"{level.lower()}_waiting": made.waiting[level] for level in COUNTED}
    return by_priority | waiting | {
        "p1_late": made.late_p1,
        "peak": made.peak,
        "flood_windows": made.flood_windows,
        "busy_windows": made.busy_windows,
        "fleeting": made.fleeting,
        "chattering": sum(bursts for _, bursts in made.tags.values()),
        "tags": orjson.dumps({tag: raised for tag, (raised, _) in made.tags.items()}).decode(),
        "delays": orjson.dumps(_delays(made)).decode(),
    }  # fmt: skip


def _delays(made: AlarmDay) -> dict[str, tuple[list[int], list[int]]]:
    found: dict[str, tuple[list[int], list[int]]] = {}
    for (what, severity, delay_ms), count in sorted(made.delays.items()):
        values, counts = found.setdefault(f"{what} {severity}", ([], []))
        values.append(delay_ms)
        counts.append(count)
    return found
