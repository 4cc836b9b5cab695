"""What programs ask the desk: who is logged in, hazards, coverage. Models of the published schema."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from regulator.base.coverage.ladder import Footing
from regulator.base.deadline_days import DueClass
from regulator.base.model.actor import Duty, Level
from regulator.base.model.hazard import Channel, Grade, HazardKind
from regulator.base.model.hazard_states import HazardState
from screens.published import Answer

Ns = Annotated[int, Field(description="Nanoseconds since 1970, UTC", examples=[1_767_225_600_000_000_000])]
NsOrNull = Annotated[int | None, Field(description="UTC, ns; null: not yet", examples=[1_767_311_999_000_000_000])]
ProjectCode = Annotated[str, Field(description="The project's code", examples=["GD-4401-001"])]
ProjectName = Annotated[str, Field(description="The project's name", examples=["一号工地"])]
RungText = Annotated[str, Field(description="A rung of the ladder, from the bottom up", examples=["heartbeat"])]
MOST_PASSWORD = 1000


class LoginCommand(BaseModel):
    """Who wants to log in."""

    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$", examples=["reviewer"])]
    password: Annotated[str, Field(min_length=1, max_length=MOST_PASSWORD, pattern=r"^[^\x00]+$", examples=["secret"])]
    code: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$", examples=[""])] = ""
    """Of the authenticator app or for recovery, when the account has a second factor."""


class LogoutCommand(BaseModel):
    """Nothing is to be said."""

    model_config = ConfigDict(extra="forbid")


class HazardQuery(BaseModel):
    """Which hazards are wanted; what is left out filters nothing."""

    state: HazardState | None = None
    grade: Grade | None = None
    channel: Channel | None = None
    kind: HazardKind | None = None
    due: Annotated[DueClass | None, Field(description="Only open ones that are due then")] = None
    project: Annotated[str, Field(max_length=64, description="A project's code")] = ""
    region: Annotated[str, Field(max_length=64, description="A region's code")] = ""
    before: Annotated[str, Field(max_length=64, description="The last hazard of the page before")] = ""


class SeatFacts(Answer):
    """The role that somebody acts in."""

    level: Level
    code: Annotated[str, Field(description="Of the region, firm or project; empty: the province", examples=["4401"])]
    duties: list[Duty]


class SessionAnswer(Answer):
    """Who has logged in."""

    login: Annotated[str, Field(examples=["reviewer"])]
    name: Annotated[str, Field(examples=["凌一"])]
    must_change: Annotated[bool, Field(description="A password of one's own has to be chosen first, at /me")]
    seat: Annotated[SeatFacts | None, Field(description="null: the account has no role yet")]


class LogoutAnswer(Answer):
    """The login has ended."""

    ended: bool


class HazardRow(Answer):
    """One hazard."""

    hazard_id: Annotated[str, Field(examples=["h-0f3a9c5e7b1d4268"])]
    number: Annotated[str, Field(description="The number on papers", examples=["2026-0001"])]
    project_code: ProjectCode
    project_name: ProjectName
    channel: Annotated[Channel, Field(description="Where it came from")]
    kind: HazardKind
    grade: Grade
    state: HazardState
    title_zh: Annotated[str, Field(examples=["力矩超限"])]
    title_en: Annotated[str, Field(examples=["Moment beyond its limit"])]
    rule_id: Annotated[str, Field(description="The rule of its alarm; empty: none", examples=[""])]
    box_id: Annotated[str, Field(description="The box of its alarm; empty: none", examples=[""])]
    alarm_id: Annotated[str, Field(description="Its alarm; empty: none", examples=[""])]
    observed_at_ns: Ns
    opened_at_ns: Ns
    due_at_ns: NsOrNull
    closed_at_ns: NsOrNull
    due: Annotated[DueClass, Field(description="How soon it is due, whatever its state")]
    work_stopped: bool


class HazardCounts(Answer):
    """Of all open hazards of the scope."""

    overdue: int
    today: int
    week: int
    listed: int


class HazardsAnswer(Answer):
    """A page of hazards, the newest first."""

    hazards: list[HazardRow]
    counts: HazardCounts
    next: Annotated[str, Field(description="`before` of the next page; empty: this is the last", examples=[""])]


class LadderRow(Answer):
    """How far one project has come, and what it lacks."""

    project_code: ProjectCode
    project_name: ProjectName
    reached: RungText
    stopped_at: Annotated[str | None, Field(description="The first rung that does not hold", examples=["cameras"])]
    footing: Annotated[Footing, Field(description="Of that rung; yes: all hold")]
    unknown: Annotated[bool, Field(description="Nobody can say how far it reaches")]
    reason_zh: Annotated[str, Field(examples=["断线：cam-1"])]
    reason_en: Annotated[str, Field(examples=["offline: cam-1"])]


class CoverageAnswer(Answer):
    """How much of the set is covered, and what each project lacks."""

    day: Annotated[str, Field(description="A day of the site, ISO 8601", examples=["2026-03-01"])]
    frozen: Annotated[bool, Field(description="As kept at the day's end; false: as it is now")]
    projects: int
    covered: int
    unknown: int
    percent: Annotated[str | None, Field(description="Rounded down; null: no project is in it", examples=["85.20"])]
    on_rung: Annotated[dict[str, int], Field(description="How many reached a rung or more", examples=[{"listed": 500}])]
    ladders: list[LadderRow]
