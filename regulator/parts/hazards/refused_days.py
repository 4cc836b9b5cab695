"""The day counter of a refused order (notice C7: fines may be set by the day): since when, and which day it is.

The day on which the refusal was recorded is day 1, by the calendar in Shanghai. A site that resumed and refused again
begins anew. Read from the signed ledger, where the refusal stands with its words and evidence.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.ledger import ledger_entries
from screens.formats import site_time

KIND = f"hazard_{HazardAction.RECORD_REFUSAL.value}"


def refused_since(db: Connection, hazard_ids: Iterable[str]) -> dict[str, int]:
    """When the standing refusal was recorded (UTC ns), of those hazards that are refused now."""
    at = ledger_entries.c
    told = select(at.subject, func.max(at.at_ns)).join(hazards, hazards.c.hazard_id == at.subject)
    refused = (at.kind == KIND, at.subject.in_(list(hazard_ids)), hazards.c.state == HazardState.REFUSED_BY_SITE.value)
    return {row[0]: row[1] for row in db.execute(told.where(*refused).group_by(at.subject))}


def day_of_refusal(since_ns: int, now_ns: int) -> int:
    """1 on the day itself."""
    return (site_time(now_ns).date() - site_time(since_ns).date()).days + 1
