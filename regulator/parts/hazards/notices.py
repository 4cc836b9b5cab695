"""Telling the principals of a major hazard, with a receipt when they read it (notice B5; guarantors: A19).

    confirmed as major --> everybody who answers for the project or builds it, and the guarantors of its works
    opens the hazard's page --> read, once, with an entry in the ledger

Where nobody has an account nobody was told: that stands on the page as unknown, and in the ledger.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import Canonical
from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.duties import guarantors, hazard_notices
from regulator.base.records.tables.people import accounts, grants
from regulator.base.records.tables.registry import project_firms
from regulator.parts.hazards.record import HazardRecord


@dataclass(frozen=True, slots=True)
class HazardNotice:
    """One person. `because`: responder or guarantor. Times UTC ns; `read_at_ns` 0: not read."""

    user_id: str
    user_name: str
    because: str
    told_at_ns: int
    read_at_ns: int


def tell_principals(db: Connection, ledger: Ledger, hazard: HazardRecord, actor: Actor, now_ns: int) -> int:
    """Tell whoever was not told before; how many."""
    people = _responders(db, hazard.project_code) | _guarantors(db, hazard.project_code)
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    new: list[Canonical] = []
    for user_id, (name, because) in sorted(people.items()):
        row = {"hazard_id": hazard.hazard_id, "user_id": user_id, "project_code": hazard.project_code}
        told = dialect.insert(hazard_notices).values(**row, user_name=name, because=because, told_at_ns=now_ns)
        if db.scalar(told.on_conflict_do_nothing().returning(hazard_notices.c.user_id)) is not None:
            new.append(user_id)
    if new or not people:
        ledger.append(db, Deed("hazard_notified", hazard.hazard_id, {"users": new}, hazard.project_code), actor, now_ns)
    return len(new)


def note_read(db: Connection, ledger: Ledger, hazard: HazardRecord, actor: Actor, now_ns: int) -> bool:
    """The person has the notice before them; False when they were not told, or had read it."""
    at = hazard_notices.c
    mine = and_(at.hazard_id == hazard.hazard_id, at.user_id == actor.user_id, at.read_at_ns == 0)
    if db.scalar(update(hazard_notices).where(mine).values(read_at_ns=now_ns).returning(at.user_id)) is None:
        return False
    ledger.append(db, Deed("hazard_notice_read", hazard.hazard_id, {}, hazard.project_code), actor, now_ns)
    return True


def notices_of(db: Connection, hazard_id: str) -> tuple[HazardNotice, ...]:
    """Who was told of the hazard, by name, and when they read it."""
    at = hazard_notices.c
    names = HazardNotice.__slots__
    rows = db.execute(select(*(at[name] for name in names)).where(at.hazard_id == hazard_id).order_by(at.user_name))
    return tuple(HazardNotice(*row) for row in rows)


def _responders(db: Connection, project_code: str) -> dict[str, tuple[str, str]]:
    at, firm = grants.c, project_firms.c
    building = select(firm.firm_code).where(firm.project_code == project_code, firm.status == "active")
    here = or_(
        and_(at.level == Level.PROJECT.value, at.scope_code == project_code),
        and_(at.level == Level.FIRM.value, at.scope_code.in_(building)),
    )
    held = (at.approved_at_ns > 0, at.revoked_at_ns == 0, at.duties.contains(f'"{Duty.RESPONDER.value}"'))
    found = select(accounts.c.user_id, accounts.c.name).join(grants, at.user_id == accounts.c.user_id)
    rows = db.execute(found.where(here, *held, accounts.c.disabled_at_ns == 0))
    return {row[0]: (row[1], "responder") for row in rows}


def _guarantors(db: Connection, project_code: str) -> dict[str, tuple[str, str]]:
    at = guarantors.c
    rows = db.execute(select(at.user_id, at.name).where(at.project_code == project_code, at.user_id != ""))
    return {row[0]: (row[1], "guarantor") for row in rows}
