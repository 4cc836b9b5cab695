"""What the monthly review of the set should look at (notice A26: dynamic update). People propose and decide.

    not in the set:  begun in the last 30 days, or a dangerous work within the next 30     -> add
    in the set:      finished, stopped for more than 90 days, no picture for more than 30  -> remove

A suggestion changes nothing. "No picture" counts from the day of joining for a project that never sent one. The
figures are the product's own; the notice gives none.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from sqlalchemy import Connection, func, select

from regulator.base.coverage.set_membership import Stay, stays_on
from regulator.base.days import day_of
from regulator.base.kinds import ProjectStatus, WorkStage
from regulator.base.model.actor import Scope
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.registry import dangerous_works, projects
from regulator.parts.registry.projects.set_office import Action

NEW_START_DAYS, WORKS_AHEAD_DAYS, STOPPED_DAYS = 30, 30, 90


class Ground(Enum):
    """Why a change is suggested."""

    NEW_START = "new_start"
    DANGEROUS_WORKS = "dangerous_works"
    FINISHED = "finished"
    STOPPED = "stopped"
    NO_PICTURE = "no_picture"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`since`: the day the ground counts from; for dangerous works, the day the first one begins."""

    action: Action
    project_code: str
    name: str
    ground: Ground
    since: date


@dataclass(frozen=True, slots=True)
class _Project:
    code: str
    name: str
    status: ProjectStatus
    started_on: str
    stopped_since: str
    finished_on: str


def suggestions(db: Connection, set_code: str, scope: Scope, now_ns: int, no_picture_days: int) -> list[Suggestion]:
    """What the rules suggest today for the projects of the scope; at most one a project, by code."""
    today = day_of(now_ns)
    members = stays_on(db, set_code, today, scope)
    works, pictures = _next_works(db, today), _last_pictures(db)
    found = []
    for project in _projects(db, scope):
        stay = members.get(project.code)
        if stay is None:
            ground = _to_add(project, works.get(project.code), today)
        else:
            ground = _to_remove(project, stay, pictures.get(project.code, ""), today, no_picture_days)
        if ground is not None:
            action = Action.ADD if stay is None else Action.REMOVE
            found.append(Suggestion(action, project.code, project.name, *ground))
    return found


def _to_add(project: _Project, work_from: str | None, today: date) -> tuple[Ground, date] | None:
    if project.status not in (ProjectStatus.RUNNING, ProjectStatus.REGISTERED):
        return None
    if work_from is not None:
        return Ground.DANGEROUS_WORKS, date.fromisoformat(work_from)
    begun = date.fromisoformat(project.started_on) if project.started_on else None
    if begun is not None and timedelta(0) <= today - begun <= timedelta(days=NEW_START_DAYS):
        return Ground.NEW_START, begun
    return None


def _to_remove(
    project: _Project, stay: Stay, last_picture: str, today: date, no_picture_days: int
) -> tuple[Ground, date] | None:
    if stay.until_day:
        return None
    if project.status in (ProjectStatus.FINISHED, ProjectStatus.ENDED):
        return Ground.FINISHED, date.fromisoformat(project.finished_on or stay.from_day)
    stopped = date.fromisoformat(project.stopped_since) if project.stopped_since else today
    if today - stopped > timedelta(days=STOPPED_DAYS):
        return Ground.STOPPED, stopped
    seen = date.fromisoformat(max(last_picture, stay.from_day))
    return (Ground.NO_PICTURE, seen) if today - seen > timedelta(days=no_picture_days) else None


def _projects(db: Connection, scope: Scope) -> list[_Project]:
    at = projects.c
    columns = (at.project_code, at.name, at.status, at.started_on, at.stopped_since, at.finished_on)
    rows = db.execute(select(*columns).where(in_scope(scope, at.project_code)).order_by(at.project_code))
    return [_Project(row[0], row[1], ProjectStatus.of(row[2]), row[3], row[4], row[5]) for row in rows]


def _next_works(db: Connection, today: date) -> dict[str, str]:
    """The first day of the next dangerous work of each project within the days ahead, or of one that is running."""
    at, until = dangerous_works.c, (today + timedelta(days=WORKS_AHEAD_DAYS)).isoformat()
    going = at.stage.in_((WorkStage.PLANNED.value, WorkStage.RUNNING.value))
    still = (at.to_day == "") | (at.to_day >= today.isoformat())
    found = select(at.project_code, func.min(at.from_day)).where(going, still, at.from_day != "", at.from_day <= until)
    return {row[0]: row[1] for row in db.execute(found.group_by(at.project_code))}


def _last_pictures(db: Connection) -> dict[str, str]:
    """The last day on which each project's cameras gave a picture that could be used."""
    at, code = asset_days.c, projects.c.project_code
    usable = (at.project_code == code, at.camera == 1, at.usable_minutes > 0)
    last = select(func.max(at.day)).where(*usable).correlate(projects).scalar_subquery()  # each from the end of a key
    return {row[0]: row[1] for row in db.execute(select(code, last)) if row[1]}
