"""Days of a made-up past: minutes that cameras and devices told on each, and the ladders as they stood at its end.

In: projects and the day on which each one's box came. Out: rows of `asset_days` and `coverage_days`.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from sqlalchemy import insert

from regulator.base.coverage.ladder import USABLE, AssetFacts, CameraFacts, ProjectFacts, WorkFacts, climb
from regulator.base.coverage.standings import frozen_row
from regulator.base.days import day_end_ns, day_of
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.coverage import asset_days, coverage_days
from regulator.twins.province import CAMERAS, MadeProject
from screens.formats import local_day_time

MINUTES_A_DAY = 1440
LONGEST_TROUBLE_D = 12
SILENT_D = 3


def write_days(
    database: DeskDatabase, projects: Sequence[MadeProject], joined: Mapping[str, date], now_ns: int
) -> None:
    """All days from the first box until yesterday, and today until now."""
    today = day_of(now_ns)
    minutes, ladders = [], []
    for number, made in enumerate(projects):
        chance = random.Random(number)  # noqa: S311 - a made-up past needs no cryptography
        for day in _days(min(joined.values()), today):
            told = _told(made, joined[made.box_id], day, today, chance)
            minutes += _minutes(made, day, told, now_ns) if told is not None else []
            if day < today:
                ladders.append(_kept(made, told, day))
    with database.transaction() as db:
        for table, rows in ((asset_days, minutes), (coverage_days, ladders)):
            for first in range(0, len(rows), 20_000):
                db.execute(insert(table), rows[first : first + 20_000])


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _told(made: MadeProject, joined: date, day: date, today: date, chance: random.Random) -> str | None:
    """What ails the first camera on the day ("" nothing); None: nothing was heard of the box."""
    luck = chance.random()
    if day < joined or (made.silent and day > today - timedelta(days=SILENT_D)):
        return None
    if made.trouble and day > today - timedelta(days=LONGEST_TROUBLE_D):
        return "" if made.trouble == "unconnected" else made.trouble
    if day < today and luck < 0.03:
        return "covered" if luck < 0.012 else "offline"
    return None if day < today and luck < 0.045 else ""


def _minutes(made: MadeProject, day: date, ails: str, now_ns: int) -> list[dict[str, object]]:
    ended_ns = min(day_end_ns(day), now_ns)
    spent = MINUTES_A_DAY - (day_end_ns(day) - ended_ns) // 60_000_000_000
    told = max(0, spent - (hash_of(made.project_code, day) % 12))
    rows = []
    for asset in (*CAMERAS, *_delivered(made)):
        camera = asset in CAMERAS
        good = told if asset != CAMERAS[0] or not ails else told // 5
        rows.append(
            {
                "project_code": made.project_code,
                "day": day.isoformat(),
                "box_id": made.box_id,
                "asset": asset,
                "minutes": told,
                "good_minutes": told,
                "camera": int(camera),
                "usable_minutes": good if camera else 0,
                "judged_minutes": good if camera else 0,
                "last_minute_ns": ended_ns - 60_000_000_000,
                "last_state": (ails if ails and asset == CAMERAS[0] else USABLE) if camera else "",
            }
        )
    return rows


def _kept(made: MadeProject, told: str | None, day: date) -> dict[str, object]:
    ended_ns = day_end_ns(day)
    reached, steps = _ladder(_facts(made, told, ended_ns))
    key = {"day": day.isoformat(), "project_code": made.project_code, "member": 1}
    return key | {"reached": reached, "steps": steps, "frozen_at_ns": ended_ns}


def _delivered(made: MadeProject) -> tuple[str, ...]:
    return made.devices[1:] if made.trouble == "unconnected" else made.devices


def _facts(made: MadeProject, told: str | None, ended_ns: int) -> ProjectFacts:
    if told is None:
        return ProjectFacts(True, 1, False, local_day_time(ended_ns))
    cameras = tuple(CameraFacts(camera, told or USABLE if camera == CAMERAS[0] else USABLE) for camera in CAMERAS)
    works = tuple(WorkFacts(f"work-{place}", name, (CAMERAS[0],)) for place, name in enumerate(made.devices, 1))
    delivered = _delivered(made)
    assets = tuple(AssetFacts(each, each in delivered, MINUTES_A_DAY) for each in made.devices)
    return ProjectFacts(True, 1, True, "", cameras, works, assets, MINUTES_A_DAY)


@lru_cache(maxsize=4096)
def _ladder(facts: ProjectFacts) -> "tuple[str, str]":
    """The rung that was reached and the kept steps: few sites differ from each other."""
    row = frozen_row(date.min, "", climb(facts), 0)
    return str(row["reached"]), str(row["steps"])


def hash_of(code: str, day: date) -> int:
    """A number that is the same every time."""
    return sum(code.encode()) * 31 + day.toordinal() * 7
