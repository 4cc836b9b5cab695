"""What the records say of every project of the set on a day: the ladder's input, in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from regulator.base.coverage.ladder import (
    NOT_KNOWN,
    AssetFacts,
    CameraFacts,
    ProjectFacts,
    WorkFacts,
)
from regulator.base.days import day_end_ns, day_of
from regulator.base.kinds import DeviceKind, Standing, WorkStage
from regulator.base.records.among import among
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import dangerous_works, devices, work_watches
from screens.formats import local_day_time

FRESH_NS = 900_000_000_000
"""A camera whose last minute is older than this says nothing about now. A box's summaries come a few minutes late."""
YOUNG_MIN = 10
"""With fewer usable minutes on a day a camera counts by its picture alone. PD"""
_CAMERA: Final = DeviceKind.CAMERA.value


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
    had = _days(db, moment.day, wanted)
    owned = _devices(db, moment, wanted)
    works = _works(db, moment.day, wanted)
    found = {}
    for code in wanted:
        count, last_seen_ns = seen.get(code, (0, 0))
        days = had.get(code, ())
        alive = _alive(moment, last_seen_ns, days)
        cameras, assets = _parts(moment, owned.get(code, ()), days)
        found[code] = ProjectFacts(
            listed=code in listed,
            boxes=count,
            alive=alive,
            silent_since="" if alive else local_day_time(last_seen_ns),
            cameras=cameras,
            works=works.get(code, ()),
            assets=assets,
            camera_minutes=sum(day.judged_minutes for day in days if day.camera),
        )
    return found


class _Day(NamedTuple):
    """What a day brought of one asset of one box; two boxes of a project may have assets of the same name."""

    asset: str
    camera: int
    good_minutes: int
    usable_minutes: int
    judged_minutes: int
    last_minute_ns: int
    last_state: str


class _Owned(NamedTuple):
    """A registered device, and the box's asset of it ('' for none)."""

    code: str
    kind: str
    asset: str


def _alive(moment: Moment, last_seen_ns: int, days: Sequence[_Day]) -> bool | None:
    since_ns = moment.at_ns - moment.silent_s * 1_000_000_000
    if moment.heard:
        return last_seen_ns >= since_ns
    return True if any(day.last_minute_ns >= since_ns for day in days) else None


def _parts(
    moment: Moment, owned: Sequence[_Owned], days: Sequence[_Day]
) -> tuple[tuple[CameraFacts, ...], tuple[AssetFacts, ...]]:
    """Cameras and measuring devices with what the day brought of them."""
    had = {day.asset: day for day in days}
    cameras: list[CameraFacts] = []
    assets: list[AssetFacts] = []
    for code, kind, asset in owned:
        if kind == _CAMERA:
            day = had.get(asset or code)
            cameras.append(CameraFacts(code, _state(moment, day), day is None or _judges(day)))
        else:
            assets.append(AssetFacts(code, bool(asset), had[asset].good_minutes if asset in had else 0))
    return tuple(cameras), tuple(assets)


def _state(moment: Moment, day: _Day | None) -> str:
    if day is None or day.last_minute_ns < moment.at_ns - FRESH_NS or not day.last_state:
        return NOT_KNOWN
    return day.last_state


def _judges(day: _Day) -> bool:
    """Half of its usable minutes and more were judged, or the day is too young to say so."""
    return day.usable_minutes < YOUNG_MIN or 2 * day.judged_minutes >= day.usable_minutes


def _boxes(db: Connection, wanted: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many boxes a project has that are heard, and when one of them was heard of last."""
    at = boxes.c
    found = select(at.project_code, func.count(), func.max(at.last_seen_ns))
    found = found.where(among(at.project_code, wanted), IS_HEARD)
    return {row[0]: (row[1], row[2]) for row in db.execute(found.group_by(at.project_code))}


def _days(db: Connection, day: date, wanted: Sequence[str]) -> Mapping[str, Sequence[_Day]]:
    """By project."""
    at = asset_days.c
    chosen = select(at.project_code, *(at[name] for name in _Day._fields))
    found: dict[str, list[_Day]] = defaultdict(list)
    for code, *said in db.execute(chosen.where(at.day == day.isoformat(), among(at.project_code, wanted))):
        found[code].append(_Day(*said))
    return found


def _devices(db: Connection, moment: Moment, wanted: Sequence[str]) -> Mapping[str, Sequence[_Owned]]:
    """Those that stood at the moment, by project: entered before, and not ended yet."""
    at = devices.c
    stood = (at.status == Standing.ACTIVE.value) | (at.ended_at_ns > min(moment.at_ns, day_end_ns(moment.day)))
    chosen = select(at.project_code, at.device_code, at.kind, at.asset).where(
        among(at.project_code, wanted), at.registered_at_ns <= moment.at_ns, stood
    )
    found: dict[str, list[_Owned]] = defaultdict(list)
    for code, *device in db.execute(chosen.order_by(at.project_code, at.device_code)):
        found[code].append(_Owned(*device))
    return found


def _works(db: Connection, day: date, wanted: Sequence[str]) -> Mapping[str, tuple[WorkFacts, ...]]:
    at, iso = dangerous_works.c, day.isoformat()
    running = (at.stage == WorkStage.RUNNING.value, at.from_day <= iso, (at.to_day == "") | (at.to_day >= iso))
    going = select(at.project_code, at.work_code, at.name).where(among(at.project_code, wanted), *running)
    works = db.execute(going.order_by(at.project_code, at.work_code)).all()
    watch = work_watches.c
    watching = select(watch.project_code, watch.work_code, watch.device_code).where(
        among(watch.project_code, {row[0] for row in works}), watch.until_ns == 0
    )
    cameras: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, work, device in db.execute(watching.order_by(watch.device_code)):
        cameras[code, work].append(device)
    found: dict[str, tuple[WorkFacts, ...]] = {}
    for code, work, name in works:
        found[code] = (*found.get(code, ()), WorkFacts(work, name, tuple(cameras[code, work])))
    return found
