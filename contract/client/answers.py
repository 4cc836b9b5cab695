"""What the client gives back. Times are UTC, ns since 1970; None is unknown. The schema of each face tells more."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen; fields that are not named here are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Alarm(Model):
    """An open alarm of a box."""

    alarm_id: str
    rule_id: str
    severity: str
    title_zh: str
    title_en: str
    subject: str
    asset: str
    measured: float | None
    limit: float | None
    unit: str
    clause: str
    active: bool
    acknowledged: bool
    unknown: bool
    suppressed: bool
    raised_at_ns: int


class Waiting(Model):
    """An alarm that waits for a verdict at the desk. `id` is the item's."""

    id: str
    project: str
    project_code: str
    severity: str
    title_zh: str
    title_en: str
    source: str
    rule: str
    raised_ms: int


class Hazard(Model):
    """A hazard of the scope. `due`: overdue, today, week, later or none."""

    hazard_id: str
    number: str
    project_code: str
    project_name: str
    channel: str
    kind: str
    grade: str
    state: str
    title_zh: str
    title_en: str
    box_id: str
    alarm_id: str
    observed_at_ns: int
    opened_at_ns: int
    due_at_ns: int | None
    closed_at_ns: int | None
    due: str
    work_stopped: bool


class Ladder(Model):
    """How far one project has come. `stopped_at`: the first rung that does not hold; None: all hold."""

    project_code: str
    project_name: str
    reached: str
    stopped_at: str | None
    unknown: bool
    reason_zh: str
    reason_en: str


class Coverage(Model):
    """How much of the set is covered on a day. `percent` is rounded down; None: no project is in the set."""

    day: str
    frozen: bool
    projects: int
    covered: int
    unknown: int
    percent: str | None
    on_rung: dict[str, int]
    ladders: tuple[Ladder, ...]


class Session(Model):
    """Who has logged in. `seat`: level, code and duties, None without a role."""

    login: str
    name: str
    must_change: bool
    seat: dict[str, Any] | None
