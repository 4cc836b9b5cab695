"""What pages and exports show of projects: the list by filters, page after page by key, and one project whole."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Row, Select, exists, select

from regulator.base.kinds import Category, FirmRole, ProjectStatus, Standing, WorkType
from regulator.base.model.actor import Actor
from regulator.base.records.scope import in_region, in_scope, require_project
from regulator.base.records.tables.coverage import camera_stills
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, boxes
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.project_set import set_memberships
from regulator.base.records.tables.registry import (
    dangerous_works,
    devices,
    firms,
    project_firms,
    projects,
    regions,
    work_watches,
)

PAGE = 50
LATEST = 30
Rows = Sequence[Row[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty or None: no filter. `region`: a city or a county. `words`: part of a name or the beginning of a code.
    `member`: of the set today."""

    city_code: str = ""
    region: str = ""
    category: Category | None = None
    status: ProjectStatus | None = None
    work: WorkType | None = None
    words: str = ""
    member: bool = False


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """One line of the list. `works`: types of its dangerous works."""

    code: str
    name: str
    city: str
    category: Category
    status: ProjectStatus
    works: tuple[WorkType, ...]
    member: bool


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """`after`: the key with which the next page begins; empty on the last one."""

    rows: tuple[ProjectRow, ...]
    after: str


@dataclass(frozen=True, slots=True)
class ProjectDossier:
    """Everything R5 shows of one project, newest first where there is a time."""

    project: Row[tuple[str, ...]]
    firms: tuple[tuple[FirmRole, str, str], ...]
    boxes: Rows
    devices: Rows
    works: Rows
    watches: dict[str, tuple[str, ...]]
    stills: dict[str, Row[tuple[str, ...]]]
    alarms: Rows
    hazards: Rows
    history: Rows


def project_page(
    db: Connection, actor: Actor, set_code: str, day: date, filters: Filters, after: str = "", limit: int = PAGE
) -> ProjectPage:
    """The next projects by code after `after`."""
    iso = day.isoformat()
    stay = set_memberships.c
    member = exists().where(
        stay.set_code == set_code,
        stay.project_code == projects.c.project_code,
        stay.from_day <= iso,
        (stay.until_day == "") | (stay.until_day > iso),
    )
    found = select(projects, regions.c.name.label("city_name"), member.label("member"))
    found = found.outerjoin(regions, regions.c.code == projects.c.city_code)
    found = _filtered(found.where(in_scope(actor.scope, projects.c.project_code)), filters)
    if filters.member:
        found = found.where(member)
    ordered = found.where(projects.c.project_code > after).order_by(projects.c.project_code).limit(limit + 1)
    rows = db.execute(ordered).all()
    more = len(rows) > limit
    return ProjectPage(tuple(_row(row) for row in rows[:limit]), str(rows[limit - 1].project_code) if more else "")


def dossier(db: Connection, actor: Actor, project_code: str) -> ProjectDossier:
    """One project. Raises RefusedError 404 outside the scope."""
    require_project(db, actor, project_code)
    own = dangerous_works.c
    watch = work_watches.c
    watching = db.execute(select(work_watches).where(watch.project_code == project_code, watch.until_ns == 0)).all()
    works = db.execute(select(dangerous_works).where(own.project_code == project_code).order_by(own.work_code)).all()
    stills = db.execute(select(camera_stills).where(camera_stills.c.project_code == project_code)).all()
    at = devices.c
    return ProjectDossier(
        project=db.execute(select(projects).where(projects.c.project_code == project_code)).one(),
        firms=_firms(db, project_code),
        boxes=db.execute(select(boxes).where(boxes.c.project_code == project_code).order_by(boxes.c.box_id)).all(),
        devices=db.execute(select(devices).where(at.project_code == project_code).order_by(at.device_code)).all(),
        works=works,
        watches={
            row.work_code: tuple(each.device_code for each in watching if each.work_code == row.work_code)
            for row in works
        },
        stills={str(row.camera_id): row for row in stills},
        alarms=_latest(db, select(alarms).where(alarms.c.project_code == project_code), alarms.c.raised_at_ns),
        hazards=_latest(db, select(hazards).where(hazards.c.project_code == project_code), hazards.c.opened_at_ns),
        history=_latest(
            db, select(ledger_entries).where(ledger_entries.c.project_code == project_code), ledger_entries.c.at_ns
        ),
    )


def _latest(db: Connection, found: "Select[tuple[str, ...]]", at_ns: object) -> Rows:
    return db.execute(found.order_by(at_ns.desc()).limit(LATEST)).all()  # type: ignore[attr-defined]


def _firms(db: Connection, project_code: str) -> tuple[tuple[FirmRole, str, str], ...]:
    at = project_firms.c
    ours = (at.project_code == project_code, at.status == Standing.ACTIVE.value)
    found = select(at.role, at.firm_code, firms.c.name).outerjoin(firms, firms.c.firm_code == at.firm_code).where(*ours)
    return tuple((FirmRole.of(row[0]), row[1], row[2] or "") for row in db.execute(found.order_by(at.role)))


def _filtered(found: "Select[tuple[str, ...]]", filters: Filters) -> "Select[tuple[str, ...]]":
    at = projects.c
    if filters.city_code:
        found = found.where(at.city_code == filters.city_code)
    if filters.region:
        found = found.where(in_region(filters.region))
    if filters.category is not None:
        found = found.where(at.category == filters.category.value)
    if filters.status is not None:
        found = found.where(at.status == filters.status.value)
    if filters.work is not None:
        found = found.where(at.dangerous_works.contains(f'"{filters.work.value}"', autoescape=True))
    if filters.words:
        words = filters.words
        found = found.where(
            at.name.contains(words, autoescape=True) | at.project_code.startswith(words, autoescape=True)
        )
    return found


def _row(row: "Row[tuple[str, ...]]") -> ProjectRow:
    return ProjectRow(
        code=row.project_code,
        name=row.name,
        city=row.city_name or row.city_code,
        category=Category.of(row.category),
        status=ProjectStatus.of(row.status),
        works=tuple(WorkType.of(each) for each in json.loads(row.dangerous_works)),
        member=bool(row.member),
    )
