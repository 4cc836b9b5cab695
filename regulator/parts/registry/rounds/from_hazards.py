"""What hazards put on the key-risk list by themselves (notice A7): a confirmed accident, an order to stop work.

    confirmed as an accident, work stopped --in that transaction--> risk_events --the list's rules--> key-risk list

One event for the project, and for each contractor that builds there now. The event's id follows from its cause: it is
written once, however often a hazard is confirmed again. An accident whose hazard is rejected later counts no more
(`key_risk`); its record stays.
"""

import hashlib

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import Canonical
from regulator.base.desk import HazardCause
from regulator.base.kinds import FirmRole, RiskKind, Standing
from regulator.base.model.actor import Actor
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.registry import project_firms
from regulator.base.records.tables.rounds import risk_events


def note_cause(db: Connection, ledger: Ledger, cause: HazardCause, actor: Actor, now_ns: int) -> None:
    """Hears of a cause: writes its events down."""
    for firm_code in _contractors(db, cause.project_code) or [""]:
        row: dict[str, Canonical] = {
            "event_id": event_id_of(cause.kind, cause.hazard_id, firm_code),
            "kind": cause.kind.value,
            "firm_code": firm_code,
            "project_code": cause.project_code,
            "on_day": cause.on_day.isoformat(),
            "words": cause.title_zh,
            "source": cause.number,
        }
        dialect = postgresql if db.dialect.name == "postgresql" else sqlite
        added = dialect.insert(risk_events).values(**row, user_id=actor.user_id, at_ns=now_ns)
        if db.scalar(added.on_conflict_do_nothing().returning(risk_events.c.event_id)) is not None:
            ledger.append(db, Deed("risk_event", cause.project_code, row, cause.project_code), actor, now_ns)


def event_id_of(kind: RiskKind, hazard_id: str, firm_code: str) -> str:
    """The id that a cause's event has or would have."""
    return hashlib.sha256(f"{kind.value}/{hazard_id}/{firm_code}".encode()).hexdigest()[:32]


def _contractors(db: Connection, project_code: str) -> list[str]:
    at = project_firms.c
    ours = (at.project_code == project_code, at.role == FirmRole.CONTRACTOR.value, at.status == Standing.ACTIVE.value)
    return list(db.scalars(select(at.firm_code).where(*ours).order_by(at.firm_code)))
