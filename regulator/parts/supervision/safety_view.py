"""What pages show of safety logs: one day of the scope, and one project's last days."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, and_, exists, func, select

from regulator.base.days import day_end_ns
from regulator.base.kinds import ProjectStatus
from regulator.base.model.actor import Actor
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.supervision import check_ins, safety_log_flags, safety_logs
from regulator.parts.supervision.safety_logs import Ground

SHOWN, DAYS = 200, 14


@dataclass(frozen=True, slots=True)
class DayLine:
    """One project on a day. `signed_at_ns` 0: no log. `ground` None: not flagged. `checked_in`: people that day."""

    code: str
    name: str
    signed_by: str
    signed_at_ns: int
    from_box: bool
    ground: Ground | None
    came_at_ns: int
    checked_in: int


@dataclass(frozen=True, slots=True)
class LogDay:
    """A day of the scope: `expected` running projects, how many have their log, and those without it."""

    day: date
    expected: int
    there: int
    missing: tuple[DayLine, ...]

    @property
    def left_over(self) -> int:
        """How many projects have no log of that day."""
        return self.expected - self.there


def log_day(db: Connection, actor: Actor, day: date) -> LogDay:
    """Running projects that were known by the end of the day."""
    at, log = projects.c, safety_logs.c
    ours = and_(
        in_scope(actor.scope, at.project_code),
        at.status == ProjectStatus.RUNNING.value,
        at.registered_at_ns < day_end_ns(day),
    )
    there = exists().where(log.project_code == at.project_code, log.day == day.isoformat())
    expected = db.scalar(select(func.count()).select_from(projects).where(ours)) or 0
    having = db.scalar(select(func.count()).select_from(projects).where(ours, there)) or 0
    codes = db.scalars(select(at.project_code).where(ours, ~there).order_by(at.project_code).limit(SHOWN))
    return LogDay(day, expected, having, tuple(_line(db, code, day) for code in codes))


def last_days(db: Connection, project_code: str, today: date) -> list[tuple[date, DayLine]]:
    """One project's days, today first. The caller has asked for the scope."""
    days = [today - timedelta(days=back) for back in range(DAYS)]
    return [(day, _line(db, project_code, day)) for day in days]


def own_projects(db: Connection, actor: Actor) -> list[tuple[str, str]]:
    """Code and name of running projects of a firm or a project, for its forms."""
    at = projects.c
    ours = (in_scope(actor.scope, at.project_code), at.status == ProjectStatus.RUNNING.value)
    rows = db.execute(select(at.project_code, at.name).where(*ours).order_by(at.project_code).limit(SHOWN))
    return [(row[0], row[1]) for row in rows]


def _line(db: Connection, code: str, day: date) -> DayLine:
    iso, log, flag, came = day.isoformat(), safety_logs.c, safety_log_flags.c, check_ins.c
    signed = db.execute(
        select(log.signed_by, log.signed_at_ns, log.box_id)
        .where(log.project_code == code, log.day == iso)
        .order_by(log.signed_at_ns)
    ).first()
    flagged = db.execute(select(flag.ground, flag.came_at_ns).where(flag.project_code == code, flag.day == iso)).first()
    people = select(func.count(came.person.distinct())).where(came.project_code == code, came.day == iso)
    return DayLine(
        code=code,
        name=db.scalar(select(projects.c.name).where(projects.c.project_code == code)) or code,
        signed_by=signed.signed_by if signed else "",
        signed_at_ns=signed.signed_at_ns if signed else 0,
        from_box=bool(signed and signed.box_id),
        ground=Ground.of(flagged.ground) if flagged else None,
        came_at_ns=flagged.came_at_ns if flagged else 0,
        checked_in=db.scalar(people) or 0,
    )
