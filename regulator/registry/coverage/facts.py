"""What the records say of every project of the set on a day: the ladder's input, in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from regulator.records.among import among
from regulator.records.tables.coverage import asset_days
from regulator.records.tables.intake import boxes
from regulator.records.tables.registry import dangerous_works, devices, work_watches
from regulator.registry.coverage.ladder import (
    NOT_KNOWN,
    AssetFacts,
    CameraFacts,
    ProjectFacts,
    WorkFacts,
)
from regulator.registry.days import day_end_ns, day_of
from regulator.registry.kinds import DeviceKind, Standing, WorkStage
from screens.formats import local_day_time

FRESH_NS = 900_000_000_000
"""A camera whose last minute is older than this says nothing about now. A box's summaries come a few minutes late."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The day, and the moment of it that is judged: now, or its end. `heard`: whether heartbeats of then are known."""

    day: date
    at_ns: int
    silent_s: int
    heard: bool = True

    @classmethod
    def today(cls, now_ns: int, silent_s: int) -> "Moment":
        """The day that is going on."""
        return cls(day_of(now_ns), now_ns, silent_s)


def gather(
    db: Connection, moment: Moment, members: Iterable[str], others: Iterable[str] = ()
) -> dict[str, ProjectFacts]:
    """Facts by project code, for members of the set and for others that are looked at."""
    listed = set(members)
    wanted = sorted(listed | set(others))
    if not wanted:
        return {}
    seen = _boxes(db, wanted)
    had = _by_project(db.execute(_days(moment.day, wanted)).all())
    owned = _by_project(db.execute(_devices(moment, wanted)).all())
    works = _works(db, moment.day, wanted)
    found = {}
    for code in wanted:
        count, last_seen_ns = seen.get(code, (0, 0))
        alive = _alive(moment, last_seen_ns, had.get(code, ()))
        found[code] = ProjectFacts(
            listed=code in listed,
            boxes=count,
            alive=alive,
            silent_since="" if alive else local_day_time(last_seen_ns),
            **_parts(moment, owned.get(code, ()), had.get(code, ())),  # type: ignore[arg-type]
            works=works.get(code, ()),
        )
    return found


def _alive(moment: Moment, last_seen_ns: int, days: Sequence["Row[tuple[str, ...]]"]) -> bool | None:
    since_ns = moment.at_ns - moment.silent_s * 1_000_000_000
    if moment.heard:
        return last_seen_ns >= since_ns
    return True if any(row.last_minute_ns >= since_ns for row in days) else None


def _parts(
    moment: Moment, owned: Sequence["Row[tuple[str, ...]]"], days: Sequence["Row[tuple[str, ...]]"]
) -> dict[str, object]:
    """Cameras and measuring devices with what the day brought of them."""
    had = {row.asset: row for row in days}
    cameras = [
        CameraFacts(row.device_code, _state(moment, had.get(row.asset or row.device_code)))
        for row in owned
        if row.kind == DeviceKind.CAMERA.value
    ]
    assets = [
        AssetFacts(row.device_code, bool(row.asset), had[row.asset].good_minutes if row.asset in had else 0)
        for row in owned
        if row.kind != DeviceKind.CAMERA.value
    ]
    minutes = sum(row.usable_minutes for row in days if row.camera)
    return {"cameras": tuple(cameras), "assets": tuple(assets), "camera_minutes": minutes}


def _state(moment: Moment, row: "Row[tuple[str, ...]] | None") -> str:
    if row is None or row.last_minute_ns < moment.at_ns - FRESH_NS or not row.last_state:
        return NOT_KNOWN
    return str(row.last_state)


def _boxes(db: Connection, wanted: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many boxes a project has, and when one of them was heard of last."""
    at = boxes.c
    found = select(at.project_code, func.count(), func.max(at.last_seen_ns)).where(among(at.project_code, wanted))
    return {row[0]: (row[1], row[2]) for row in db.execute(found.group_by(at.project_code))}


def _days(day: date, wanted: Sequence[str]) -> "Select[tuple[Any, ...]]":
    at = asset_days.c
    return select(asset_days).where(at.day == day.isoformat(), among(at.project_code, wanted))


def _devices(moment: Moment, wanted: Sequence[str]) -> "Select[tuple[Any, ...]]":
    """Those that stood at the moment: entered before, and not ended yet."""
    at = devices.c
    stood = (at.status == Standing.ACTIVE.value) | (at.ended_at_ns > min(moment.at_ns, day_end_ns(moment.day)))
    return (
        select(devices)
        .where(among(at.project_code, wanted), at.registered_at_ns <= moment.at_ns, stood)
        .order_by(at.project_code, at.device_code)
    )


def _works(db: Connection, day: date, wanted: Sequence[str]) -> Mapping[str, tuple[WorkFacts, ...]]:
    at, iso = dangerous_works.c, day.isoformat()
    running = (at.stage == WorkStage.RUNNING.value, at.from_day <= iso, (at.to_day == "") | (at.to_day >= iso))
    watch = work_watches.c
    watching = select(work_watches).where(among(watch.project_code, wanted), watch.until_ns == 0)
    cameras = defaultdict(list)
    for row in db.execute(watching.order_by(watch.device_code)):
        cameras[row.project_code, row.work_code].append(row.device_code)
    found: dict[str, tuple[WorkFacts, ...]] = {}
    going = select(dangerous_works).where(among(at.project_code, wanted), *running)
    for row in db.execute(going.order_by(at.project_code, at.work_code)):
        work = WorkFacts(row.work_code, row.name, tuple(cameras[row.project_code, row.work_code]))
        found[row.project_code] = (*found.get(row.project_code, ()), work)
    return found


def _by_project(rows: Iterable["Row[tuple[str, ...]]"]) -> dict[str, list["Row[tuple[str, ...]]"]]:
    found = defaultdict(list)
    for row in rows:
        found[str(row.project_code)].append(row)
    return found
