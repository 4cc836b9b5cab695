"""Projects: entering, changing, who builds them, and where they stand. Every change with actor, reason and entry.

A city's administrator enters and changes what lies in the city, the province's everything. A project whose box came
before its papers (`unregistered`) is completed by registering it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import Canonical
from regulator.base.act import Act
from regulator.base.days import read_day_or_none
from regulator.base.kinds import Category, FirmRole, ProjectStatus, Standing
from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import require_project
from regulator.base.records.tables.registry import project_firms, projects, regions
from regulator.base.texts import read_code, read_code_or_none, read_text
from regulator.parts.registry.projects.region_office import require_active_firm


@dataclass(frozen=True, slots=True)
class Project:
    """What is known of a project. Region codes lie in each other; `county_code` may be empty. `started_on`: ISO day."""

    project_code: str
    name: str
    province_code: str
    city_code: str
    county_code: str = ""
    category: Category = Category.OTHER
    stage: str = ""
    started_on: str = ""
    address: str = ""


def register_project(act: Act, project: Project) -> None:
    """Enter a project. Raises RefusedError: no administrator there, bad text, unknown region, code taken."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    checked = _checked(act.db, project)
    _require_region(act.actor, checked)
    values = _columns(checked) | {
        "status": (ProjectStatus.RUNNING if checked.started_on else ProjectStatus.REGISTERED).value,
        "registered_at_ns": act.now_ns,
    }
    _enter(act.db, checked.project_code, values)
    act.write("project_registered", checked.project_code, _told(values), checked.project_code)


def change_project(act: Act, project: Project) -> None:
    """Bring a project to what is given; the entry holds what it was before. Raises RefusedError as for entering."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    before = take_project(act.db, act.actor, project.project_code)
    checked = _checked(act.db, project)
    _require_region(act.actor, checked)
    values = _columns(checked)
    changed = {name: value for name, value in values.items() if getattr(before, name) != value}
    if not changed:
        raise RefusedError(422, "nothing_changed", "没有变更", "nothing was changed", "name")
    act.db.execute(update(projects).where(projects.c.project_code == checked.project_code).values(**changed))
    old = {name: getattr(before, name) for name in changed}
    act.write(
        "project_changed", checked.project_code, {"before": _told(old), "after": _told(changed)}, checked.project_code
    )


def move_project(act: Act, project_code: str, status: ProjectStatus, on: date) -> None:
    """Say that it runs, stopped, is finished or was entered by mistake, since `on`. Raises RefusedError: 403, 404, or
    409 for a state that does not change."""
    require_duty(act.actor, Duty.ADMINISTRATOR, Duty.REVIEWER, Duty.INSPECTOR)
    before = take_project(act.db, act.actor, project_code)
    if status.value == before.status or status is ProjectStatus.UNREGISTERED:
        raise RefusedError(409, "no_such_step", f"项目已是“{status.zh}”", f"the project is {before.status}", "status")
    values: dict[str, str] = {"status": status.value, "stopped_since": "", "finished_on": ""}
    if status is ProjectStatus.STOPPED:
        values["stopped_since"] = on.isoformat()
    elif status is ProjectStatus.FINISHED:
        values["finished_on"] = on.isoformat()
    elif status is ProjectStatus.RUNNING and not before.started_on:
        values["started_on"] = on.isoformat()
    act.db.execute(update(projects).where(projects.c.project_code == project_code).values(**values))
    content = {"before": before.status, "after": status.value, "on": on.isoformat()}
    act.write("project_moved", project_code, content, project_code)


def put_firm(act: Act, project_code: str, firm_code: str, role: FirmRole) -> None:
    """This firm builds here in this role from now on. Raises RefusedError: 403, 404, 422 for an unknown firm."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    take_project(act.db, act.actor, project_code)
    name = require_active_firm(act.db, firm_code)
    key = {"project_code": project_code, "firm_code": firm_code, "role": role.value}
    dialect = postgresql if act.db.dialect.name == "postgresql" else sqlite
    added = dialect.insert(project_firms).values(**key, status=Standing.ACTIVE.value)
    act.db.execute(added.on_conflict_do_update(index_elements=list(key), set_={"status": added.excluded.status}))
    act.write("firm_put", project_code, {"firm_code": firm_code, "name": name, "role": role.value}, project_code)


def release_firm(act: Act, project_code: str, firm_code: str, role: FirmRole) -> None:
    """This firm has left: it sees the project no more. Raises RefusedError: 403, 404."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    take_project(act.db, act.actor, project_code)
    at = project_firms.c
    ours = (at.project_code == project_code, at.firm_code == firm_code, at.role == role.value)
    gone = act.db.execute(
        update(project_firms).where(*ours, at.status == Standing.ACTIVE.value).values(status=Standing.ENDED.value)
    )
    if gone.rowcount == 0:
        raise RefusedError(404, "no_such_firm", "该企业不在此项目", "no such firm in this project", "firm_code")
    act.write("firm_released", project_code, {"firm_code": firm_code, "role": role.value}, project_code)


def take_project(db: Connection, actor: Actor, project_code: str) -> "Row[tuple[str, ...]]":
    """The project's row, kept for this transaction. Raises RefusedError 404 outside the scope."""
    require_project(db, actor, project_code)
    found: Row[tuple[str, ...]] = db.execute(
        select(projects).where(projects.c.project_code == project_code).with_for_update()
    ).one()
    return found


def _enter(db: Connection, project_code: str, values: Mapping[str, str | int]) -> None:
    """A new row, or the completion of one that only its box had made."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    added = dialect.insert(projects).values(project_code=project_code, **values).on_conflict_do_nothing()
    if db.execute(added.returning(projects.c.project_code)).first() is not None:
        return
    unknown = (projects.c.project_code == project_code, projects.c.status == ProjectStatus.UNREGISTERED.value)
    if db.execute(update(projects).where(*unknown).values(**values)).rowcount == 0:
        raise RefusedError(
            409, "code_taken", f"已有项目编码 {project_code}", f"the code {project_code} is taken", "project_code"
        )


def _checked(db: Connection, project: Project) -> Project:
    checked = replace(
        project,
        project_code=read_code(project.project_code, "project_code"),
        name=read_text(project.name, "name"),
        province_code=read_code(project.province_code, "province_code"),
        city_code=read_code(project.city_code, "city_code"),
        county_code=read_code_or_none(project.county_code, "county_code"),
        stage=read_text(project.stage, "stage", needed=False),
        started_on=read_day_or_none(project.started_on, "started_on"),
        address=read_text(project.address, "address", needed=False),
    )
    _check_regions(db, checked)
    return checked


def _check_regions(db: Connection, project: Project) -> None:
    parents = {row.code: row.parent for row in db.execute(select(regions.c.code, regions.c.parent))}
    if parents.get(project.city_code) != project.province_code:
        raise RefusedError(
            422,
            "no_such_city",
            f"{project.province_code} 之下没有市 {project.city_code}",
            f"no city {project.city_code} in {project.province_code}",
            "city_code",
        )
    if project.county_code and parents.get(project.county_code) != project.city_code:
        raise RefusedError(
            422,
            "no_such_county",
            f"{project.city_code} 之下没有县区 {project.county_code}",
            f"no county {project.county_code} in {project.city_code}",
            "county_code",
        )


def _require_region(actor: Actor, project: Project) -> None:
    own = {
        Level.PROVINCE: project.province_code,
        Level.CITY: project.city_code,
        Level.COUNTY: project.county_code,
    }.get(actor.level, "")
    anywhere = actor.level is Level.PROVINCE and not actor.scope.code
    if not anywhere and (not own or own != actor.scope.code):
        raise RefusedError(403, "outside_your_region", "不在您的辖区", "outside your region", "city_code")


def _columns(project: Project) -> dict[str, str | int]:
    fields = asdict(project) | {"category": project.category.value}
    del fields["project_code"]
    return fields


def _told(values: Mapping[str, str | int]) -> dict[str, Canonical]:
    return dict(values)
