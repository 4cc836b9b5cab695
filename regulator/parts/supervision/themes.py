"""A theme a month (一月一主题, notices D4 and D24): a saved filter, a target, checks, and progress by county.

LEADERS set a theme for their body and a month, once --> inspectors check projects that fit --> share by county
"""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select

from regulator.base.act import Act
from regulator.base.days import day_of
from regulator.base.kinds import Answer, Category, ProjectStatus, WorkType
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.percent import percent
from regulator.base.records.scope import in_scope, require_project
from regulator.base.records.tables.registry import projects, regions
from regulator.base.records.tables.supervision import risk_latest, theme_checks, themes
from regulator.base.texts import read_reason, read_text
from regulator.parts.supervision.draw_pool import LEADERS
from regulator.parts.supervision.risk import Band

CHECKERS = (Duty.INSPECTOR, Duty.REVIEWER)
MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
ANY_WORKS = "any"
"""In place of one type of dangerous works: any of them."""
SHOWN = 300


@dataclass(frozen=True, slots=True)
class NewTheme:
    """`month`: YYYY-MM. `topic`: of the library, or empty. Filters None: any. `any_works`: some dangerous work."""

    month: str
    name: str
    target_percent: int
    topic: str = ""
    category: Category | None = None
    works_type: WorkType | None = None
    band: Band | None = None
    any_works: bool = False


@dataclass(frozen=True, slots=True)
class CountyProgress:
    """Of one county: projects that fit the theme, those checked under it, and hazards found."""

    code: str
    name: str
    all: int
    checked: int
    hazards: int
    target_percent: int

    @property
    def percent(self) -> str:
        """Share checked, rounded down."""
        return percent(self.checked, self.all)

    @property
    def reached(self) -> bool:
        """Whether the target is met; not where there is nothing to check."""
        return self.all > 0 and self.checked * 100 >= self.all * self.target_percent


def set_theme(act: Act, new: NewTheme) -> str:
    """The month's theme of the actor's own body; its id. Raises RefusedError 403, 409 the month has one, 422."""
    require_duty(act.actor, *LEADERS)
    if not MONTH.fullmatch(new.month) or new.month < day_of(act.now_ns).isoformat()[:7]:
        zh, en = "月份应为本月或以后（年-月）", "a month as YYYY-MM, this one or later"
        raise RefusedError(422, "wrong_month", zh, en, "month")
    if not 1 <= new.target_percent <= 100:
        raise RefusedError(422, "wrong_target", "目标应为 1 至 100", "a target of 1 to 100", "target_percent")
    row = _theme_row(act.actor.scope, new)
    if _of_month(act.db, act.actor.scope, new.month) is not None:
        raise RefusedError(409, "theme_set", "该月已定主题", "the month has its theme", "month")
    act.db.execute(insert(themes).values(**row, made_by=act.actor.user_id, made_at_ns=act.now_ns))
    act.write("theme_set", str(row["theme_id"]), row, chain=f"themes:{act.actor.level.value}:{act.actor.scope.code}")
    return str(row["theme_id"])


def check_theme(act: Act, theme_id: str, project_code: str, outcome: Answer) -> None:
    """A project was checked under the theme today; `act.reason` says what was found. Raises RefusedError 403, 404,
    409 it does not fit the filter, 422."""
    require_duty(act.actor, *CHECKERS)
    theme = theme_of(act.db, act.actor, theme_id)
    require_project(act.db, act.actor, project_code)
    fits = select(projects.c.project_code).where(fitting(theme), projects.c.project_code == project_code)
    if act.db.scalar(fits) is None:
        raise RefusedError(
            409, "does_not_fit", "该项目不在主题范围内", "the project does not fit the theme", "project_code"
        )
    if outcome not in (Answer.FITS, Answer.HAZARD):
        raise RefusedError(422, "not_a_choice", "应为符合或存在隐患", "in order, or a hazard was found", "outcome")
    row: dict[str, str | int] = {
        "check_id": uuid.uuid4().hex,
        "theme_id": theme_id,
        "project_code": project_code,
        "on_day": day_of(act.now_ns).isoformat(),
        "outcome": outcome.value,
        "words": read_reason(act.reason),
    }
    act.db.execute(insert(theme_checks).values(**row, inspector=act.actor.user_id, at_ns=act.now_ns))
    act.write("theme_checked", theme_id, row, project_code)


def theme_of(db: Connection, actor: Actor, theme_id: str) -> Any:
    """The theme. Raises RefusedError 404: none, or of a body that has no project in the scope."""
    row = db.execute(select(themes).where(themes.c.theme_id == theme_id)).first()
    if row is None or not _meets(db, actor.scope, row):
        raise RefusedError(404, "no_such_theme", "没有这个主题", "no such theme", "theme_id")
    return row


def themes_of(db: Connection, actor: Actor, limit: int = 60) -> list[Any]:
    """Themes of bodies whose projects the actor sees, the latest month first."""
    rows = db.execute(select(themes).order_by(themes.c.month.desc(), themes.c.level, themes.c.scope_code).limit(limit))
    return [row for row in rows.all() if _meets(db, actor.scope, row)]


def progress(db: Connection, scope: Scope, theme: Any) -> list[CountyProgress]:
    """By county, of the projects in the scope that fit now."""
    at, check = projects.c, theme_checks.c
    done = (
        select(check.project_code, func.max(check.outcome).label("worst"))
        .where(check.theme_id == theme.theme_id)
        .group_by(check.project_code)
        .subquery()
    )
    joined = projects.outerjoin(done, done.c.project_code == at.project_code)
    joined = joined.outerjoin(regions, regions.c.code == at.county_code)
    hazard = func.count().filter(done.c.worst == Answer.HAZARD.value)
    counted = select(at.county_code, regions.c.name, func.count(), func.count(done.c.project_code), hazard)
    rows = counted.select_from(joined).where(fitting(theme), in_scope(scope, at.project_code))
    rows = rows.group_by(at.county_code, regions.c.name).order_by(at.county_code)
    target = theme.target_percent
    return [CountyProgress(row[0], row[1] or row[0], row[2], row[3], row[4], target) for row in db.execute(rows)]


def left_over(db: Connection, scope: Scope, theme: Any) -> list[tuple[str, str]]:
    """Code and name of projects that fit and were not checked yet."""
    at, check = projects.c, theme_checks.c
    done = select(check.project_code).where(check.theme_id == theme.theme_id)
    open_ones = (fitting(theme), in_scope(scope, at.project_code), at.project_code.not_in(done))
    rows = db.execute(select(at.project_code, at.name).where(*open_ones).order_by(at.project_code).limit(SHOWN))
    return [(row[0], row[1]) for row in rows]


def fitting(theme: Any) -> "ColumnElement[bool]":
    """Running projects of the theme's body that its filter lets through."""
    at = projects.c
    body = Scope(Level(theme.level), theme.scope_code)
    clauses = [in_scope(body, at.project_code), at.status == ProjectStatus.RUNNING.value]
    if theme.category:
        clauses.append(at.category == theme.category)
    if theme.works_type == ANY_WORKS:
        clauses.append(at.dangerous_works != "[]")
    elif theme.works_type:
        clauses.append(at.dangerous_works.contains(f'"{theme.works_type}"', autoescape=True))
    if theme.band:
        banded = select(risk_latest.c.project_code).where(risk_latest.c.band == theme.band)
        clauses.append(at.project_code.in_(banded))
    return and_(*clauses)


def _theme_row(scope: Scope, new: NewTheme) -> dict[str, str | int]:
    works = ANY_WORKS if new.any_works else new.works_type.value if new.works_type else ""
    return {
        "theme_id": uuid.uuid4().hex,
        "month": new.month,
        "level": scope.level.value,
        "scope_code": scope.code,
        "topic": new.topic,
        "name": read_text(new.name, "name"),
        "category": new.category.value if new.category else "",
        "works_type": works,
        "band": new.band.value if new.band else "",
        "target_percent": new.target_percent,
    }


def _of_month(db: Connection, scope: Scope, month: str) -> str | None:
    at = themes.c
    same = (at.month == month, at.level == scope.level.value, at.scope_code == scope.code)
    return db.scalar(select(at.theme_id).where(*same))


def _meets(db: Connection, scope: Scope, theme: Any) -> bool:
    """Whether the theme's body and the scope have a project in common, or are the same."""
    body = Scope(Level(theme.level), theme.scope_code)
    if body == scope:
        return True
    at = projects.c
    both = select(at.project_code).where(in_scope(scope, at.project_code), in_scope(body, at.project_code))
    return db.scalar(both.limit(1)) is not None
