"""Founding a made-up province on an empty desk: regions, firms, projects, the set, people; codes for boxes.

Everything goes through the offices that people use, with their checks and their ledger; only the hands are the desk's
own console. For demonstrations and measurements, and never for a desk that serves anybody: its passwords are printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from regulator.base.accounts.directory import change_password, make_account
from regulator.base.accounts.granting import approve_grant, grant_at_set_up, propose_grant
from regulator.base.accounts.model import NewAccount
from regulator.base.accounts.passwords import Passwords
from regulator.base.act import Act
from regulator.base.days import day_of
from regulator.base.desk import Desk
from regulator.base.intake.codes import Wanted, issue_codes
from regulator.base.kinds import Category, DeviceKind, FirmRole, RegionLevel, WorkStage, WorkType
from regulator.base.model.actor import CONSOLE, SYSTEM, Actor, Duty, Level, Scope
from regulator.parts.registry.projects.device_office import DangerousWork, Device, add_device, put_work, watch_work
from regulator.parts.registry.projects.project_office import Project, put_firm, register_project
from regulator.parts.registry.projects.region_office import Firm, Region, add_firm, add_region
from regulator.parts.registry.projects.set_office import Action, Proposal, SetRules, decide, propose
from regulator.twins.province import CAMERAS, CITIES, COUNTIES, PROVINCE_CODE, PROVINCE_NAME, MadeProject

REASON: Final = "示范数据 demonstration"
_WORKS: Final = {
    "deep_pit": (WorkType.PIT, DeviceKind.DEEP_PIT, "基坑"),
    "tower_crane": (WorkType.LIFTING, DeviceKind.TOWER_CRANE, "塔式起重机"),
    "high_formwork": (WorkType.FORMWORK, DeviceKind.FORMWORK, "高支模"),
    "gondola": (WorkType.OTHER, DeviceKind.GONDOLA, "高处作业吊篮"),
}


@dataclass(frozen=True, slots=True)
class MadePerson:
    """One person of the demonstration. `password` is meant to be shown."""

    login: str
    name: str
    scope: Scope
    duties: frozenset[Duty]

    @property
    def password(self) -> str:
        """The same for all, but for the name in it."""
        return f"{self.login}-demo-2026"


def made_people(live: MadeProject) -> tuple[MadePerson, ...]:
    """Reviewers and approvers along the live project's region, a firm and a site to answer, an auditor."""
    province = Scope(Level.PROVINCE, PROVINCE_CODE)
    city, county = Scope(Level.CITY, live.city_code), Scope(Level.COUNTY, live.county_code)
    judge, approve = frozenset({Duty.REVIEWER, Duty.INSPECTOR}), frozenset({Duty.APPROVER})
    return (
        MadePerson("shengting", "省级审核", province, judge),
        MadePerson("shengpi", "省级审批", province, approve),
        MadePerson("shiju", "市级审核", city, judge),
        MadePerson("shipi", "市级审批", city, approve),
        MadePerson("xianjia", "县级甲", county, judge),
        MadePerson("xianyi", "县级乙", county, judge),
        MadePerson("shenji", "审计", province, frozenset({Duty.AUDITOR})),
        MadePerson("xiangmu", "项目部", Scope(Level.PROJECT, live.project_code), frozenset({Duty.RESPONDER})),
    )


KEEPERS: Final = (
    MadePerson("guanlia", "管理员甲", Scope(Level.PROVINCE, PROVINCE_CODE), frozenset({Duty.ADMINISTRATOR})),
    MadePerson("guanlib", "管理员乙", Scope(Level.PROVINCE, PROVINCE_CODE), frozenset({Duty.ADMINISTRATOR})),
)


def more_reviewers(count: int) -> tuple[MadePerson, ...]:
    """So many more of the province's reviewers, for measurements."""
    scope, judge = Scope(Level.PROVINCE, PROVINCE_CODE), frozenset({Duty.REVIEWER})
    return tuple(MadePerson(f"shenhe{number:02d}", f"审核{number:02d}", scope, judge) for number in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class Founded:
    """`actors`: who acts, by login, the keepers among them."""

    actors: dict[str, Actor]


def found_province(
    desk: Desk, projects: Sequence[MadeProject], passwords: Passwords, more: Sequence[MadePerson] = ()
) -> dict[str, str]:
    """All of it; the one-time enrolment codes by box id. `more`: people beside those of `made_people`."""
    found(desk, projects, passwords, more)
    return codes_for(desk, projects)


def found(
    desk: Desk, projects: Sequence[MadeProject], passwords: Passwords, more: Sequence[MadePerson] = ()
) -> Founded:
    """All of it, at the time that the desk's clock says. `more`: people beside those of `made_people`."""
    now_ns = desk.now_ns()
    people = (*made_people(projects[0]), *more)
    with desk.database.transaction() as db:
        first, second = (_keeper(desk, db, person, passwords) for person in KEEPERS)
        actors = {person.login: _person(desk, db, person, passwords, (first, second)) for person in people}
        act = Act(db, desk.ledger, first, now_ns, REASON)
        _found_regions(act)
        for code in sorted({project.contractor for project in projects}):
            add_firm(act, Firm(code, f"示范建设{code.removeprefix('firm-')}公司"))
        for project in projects:
            _found_project(act, project)
        _found_set(desk, db, projects, (actors["shengting"], actors["shengpi"]))
        keepers = {person.login: keeper for person, keeper in zip(KEEPERS, (first, second), strict=True)}
        return Founded(actors | keepers)


def codes_for(desk: Desk, projects: Sequence[MadeProject]) -> dict[str, str]:
    """One-time enrolment codes of the boxes of these projects, by box id."""
    wanted = [Wanted(project.project_code, project.box_id) for project in projects if project.box_id]
    with desk.database.transaction() as db:
        issued = issue_codes(db, desk.ledger, wanted, CONSOLE, desk.now_ns())
    return {each.box_id: each.code for each in issued}


def _keeper(desk: Desk, db: Connection, person: MadePerson, passwords: Passwords) -> Actor:
    user_id = _account(desk, db, person, passwords, SYSTEM)
    grant_at_set_up(db, desk.ledger, user_id, person.scope, SYSTEM, desk.now_ns())
    return Actor(user_id, person.name, person.scope, person.duties)


def _person(
    desk: Desk, db: Connection, person: MadePerson, passwords: Passwords, keepers: tuple[Actor, Actor]
) -> Actor:
    one, other = keepers
    user_id = _account(desk, db, person, passwords, one)
    grant = propose_grant(db, desk.ledger, user_id, person.scope, person.duties, one, desk.now_ns())
    if grant.waiting:
        approve_grant(db, desk.ledger, grant.grant_id, other, desk.now_ns())
    return Actor(user_id, person.name, person.scope, person.duties)


def _account(desk: Desk, db: Connection, person: MadePerson, passwords: Passwords, by: Actor) -> str:
    """With a password of its own at once: nobody is there to choose another."""
    new = NewAccount(person.login, person.name, "")
    account = make_account(db, desk.ledger, new, "", person.scope, by, desk.now_ns())
    change_password(db, desk.ledger, passwords, account, person.password, desk.now_ns())
    return account.user_id


def _found_regions(act: Act) -> None:
    add_region(act, Region(PROVINCE_CODE, PROVINCE_NAME, RegionLevel.PROVINCE))
    for code, name in CITIES:
        add_region(act, Region(code, name, RegionLevel.CITY, PROVINCE_CODE))
        for number, county in enumerate(COUNTIES, 1):
            add_region(act, Region(f"{code}{number:02d}", county, RegionLevel.COUNTY, code))


def _found_project(act: Act, made: MadeProject) -> None:
    category = Category.of(made.category)
    begun = day_of(act.now_ns).isoformat()
    regions = (PROVINCE_CODE, made.city_code, made.county_code)
    register_project(act, Project(made.project_code, made.name, *regions, category, made.stage, begun))
    put_firm(act, made.project_code, made.contractor, FirmRole.CONTRACTOR)
    for number, camera in enumerate(CAMERAS, 1):
        add_device(act, Device(made.project_code, camera, DeviceKind.CAMERA, f"摄像机 {number}", asset=camera))
    for number, name in enumerate(made.dangerous_works, 1):
        kind, device, title = _WORKS[name]
        work = DangerousWork(made.project_code, f"work-{number}", kind, title, WorkStage.RUNNING, begun)
        put_work(act, work)
        asset = "" if made.trouble == "unconnected" and number == 1 else f"device-{number}"
        add_device(act, Device(made.project_code, f"device-{number}", device, f"{title} 1", asset=asset))
        watch_work(act, made.project_code, work.work_code, CAMERAS[0], watches=True)


def _found_set(desk: Desk, db: Connection, projects: Sequence[MadeProject], hands: tuple[Actor, Actor]) -> None:
    now_ns = desk.now_ns()
    limits = desk.settings.project_set
    rules = SetRules(desk.settings.province_code or PROVINCE_CODE, limits.size, limits.quotas)
    proposing, deciding = (Act(db, desk.ledger, hand, now_ns, REASON) for hand in hands)
    for made in projects[: limits.size]:
        category = Category.of(made.category)
        proposal = Proposal(Action.ADD, made.project_code, day_of(now_ns), category)
        decide(deciding, rules, propose(proposing, rules, proposal), approve=True)
