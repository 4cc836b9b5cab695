"""Three guarantors of each hazard source (包保制, notice A19): a leader and an officer of the regulator, one of a firm.

A hazard source is a registered dangerous work that is not over. Whoever is named with an account is told of the
project's major hazards (`regulator.parts.hazards.notices`). Who it was before, who changed it and why is in the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.act import Act
from regulator.base.kinds import Word, WorkStage
from regulator.base.model.actor import Duty, Scope
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.duties import guarantors
from regulator.base.records.tables.people import accounts
from regulator.base.records.tables.registry import dangerous_works, projects
from regulator.base.texts import read_text
from regulator.parts.registry.projects.project_office import take_project

_OVER: Final = (WorkStage.FINISHED.value, WorkStage.ENDED.value)


class GuarantorRole(Word):
    """三个包保人."""

    LEADER = "leader", "监管部门领导", "leader of the regulator"
    OFFICER = "officer", "监管责任人", "named officer of the regulator"
    FIRM = "firm", "企业责任人", "responsible person of the firm"


@dataclass(frozen=True, slots=True)
class Guarantor:
    """`user_id` empty: no account, and nothing reaches the person from here."""

    role: GuarantorRole
    name: str
    user_id: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class HazardSource:
    """A dangerous work with those who guarantee it. `missing`: roles that nobody holds."""

    project_code: str
    project_name: str
    work_code: str
    work_name: str
    named: tuple[Guarantor, ...]

    @property
    def missing(self) -> tuple[GuarantorRole, ...]:
        """What has to be filled yet."""
        held = {each.role for each in self.named}
        return tuple(role for role in GuarantorRole if role not in held)

    def holder(self, role: GuarantorRole) -> Guarantor | None:
        """Who holds a role."""
        return next((each for each in self.named if each.role is role), None)


def name_guarantor(
    act: Act, project_code: str, work_code: str, role: GuarantorRole, name: str, login: str = ""
) -> None:
    """Raises RefusedError: 403, 404 no such project or work, 422 no name, no such account, or nothing changed."""
    require_duty(act.actor, Duty.ADMINISTRATOR, Duty.REVIEWER, Duty.APPROVER)
    take_project(act.db, act.actor, project_code)
    work = (dangerous_works.c.project_code == project_code, dangerous_works.c.work_code == work_code)
    if act.db.scalar(select(dangerous_works.c.work_code).where(*work)) is None:
        raise RefusedError(404, "no_such_work", "没有这项危大工程", "no such dangerous work", "work_code")
    at, said = guarantors.c, read_text(name, "name")
    user_id = _account(act.db, login.strip())
    key = {"project_code": project_code, "work_code": work_code, "role": role.value}
    mine = (at.project_code == project_code, at.work_code == work_code, at.role == role.value)
    before = act.db.execute(select(at.name, at.user_id).where(*mine)).first()
    if before is not None and (before.name, before.user_id) == (said, user_id):
        raise RefusedError(422, "nothing_changed", "没有变更", "nothing was changed", "name")
    values = {"name": said, "user_id": user_id, "named_by": act.actor.user_id, "since_ns": act.now_ns}
    dialect = postgresql if act.db.dialect.name == "postgresql" else sqlite
    put = dialect.insert(guarantors).values(**key, **values)
    act.db.execute(put.on_conflict_do_update(index_elements=list(key), set_=values))
    told = {"work_code": work_code, "role": role.value, "before": before.name if before else "", "after": said}
    act.write("guarantor_named", work_code, told | {"user_id": user_id}, project_code)


def hazard_sources(
    db: Connection, scope: Scope, project_code: str = "", *, lacking: bool = False
) -> list[HazardSource]:
    """Of the scope, or of one project of it. `lacking`: only those with a role that nobody holds."""
    work, at = dangerous_works.c, guarantors.c
    chosen = select(work.project_code, work.work_code, work.name, projects.c.name.label("project_name"))
    chosen = chosen.join(projects, projects.c.project_code == work.project_code)
    wanted = [in_scope(scope, work.project_code), work.stage.not_in(_OVER)]
    if project_code:
        wanted.append(work.project_code == project_code)
    rows = db.execute(chosen.where(*wanted).order_by(work.project_code, work.work_code)).all()
    named: dict[tuple[str, str], list[Guarantor]] = {}
    mine = [in_scope(scope, at.project_code)] + ([at.project_code == project_code] if project_code else [])
    for row in db.execute(select(guarantors).where(*mine)):
        holder = Guarantor(GuarantorRole.of(row.role), row.name, row.user_id, row.since_ns)
        named.setdefault((row.project_code, row.work_code), []).append(holder)
    sources = [_source(row.project_code, row.project_name, row.work_code, row.name, named) for row in rows]
    return [source for source in sources if source.missing] if lacking else sources


def count_lacking(db: Connection, scope: Scope) -> int:
    """How many sources of the scope lack somebody."""
    work, at = dangerous_works.c, guarantors.c
    held = select(func.count()).where(at.project_code == work.project_code, at.work_code == work.work_code)
    wanted = (in_scope(scope, work.project_code), work.stage.not_in(_OVER), held.scalar_subquery() < len(GuarantorRole))
    return db.scalar(select(func.count()).select_from(dangerous_works).where(*wanted)) or 0


def _source(
    project: str, project_name: str, work: str, work_name: str, named: dict[tuple[str, str], list[Guarantor]]
) -> HazardSource:
    holders: Sequence[Guarantor] = named.get((project, work), ())
    return HazardSource(project, project_name, work, work_name, tuple(holders))


def _account(db: Connection, login: str) -> str:
    if not login:
        return ""
    at = accounts.c
    user_id = db.scalar(select(at.user_id).where(at.login == login, at.disabled_at_ns == 0))
    if user_id is None:
        raise RefusedError(422, "no_such_account", f"没有账号 {login}", f"no account {login}", "login")
    return str(user_id)
