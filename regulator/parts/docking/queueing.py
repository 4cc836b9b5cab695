"""Queue of records for the platforms above, written in the same transaction as the alarm.

In: a transition that a box sent. Out: a row for every platform that takes it; the same event is written down once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import canonical_bytes
from contract.messages import AlarmTransition
from docking.quantities import AI_RULES, RecordKind
from regulator.base.model.heard import Heard
from regulator.base.records.tables.docking import docking_outbox
from regulator.parts.docking.places import Place


@dataclass(frozen=True, slots=True)
class DockingHearing:
    """Hears each `alarm_transition` in the transaction that keeps it."""

    places: Sequence[Place]

    def hear(self, db: Connection, heard: Heard, now_ns: int) -> None:
        """Write the rows for each platform that wants this alarm."""
        message = heard.body
        if not isinstance(message, AlarmTransition):
            return
        dialect = postgresql if db.dialect.name == "postgresql" else sqlite
        for place in self.places:
            kind = record_of(place, message)
            if kind is not None:
                row = _row(place, heard, message, kind, now_ns)
                db.execute(dialect.insert(docking_outbox).values(**row).on_conflict_do_nothing())


def record_of(place: Place, message: AlarmTransition) -> RecordKind | None:
    """Which record a transition becomes at a platform; None when it becomes none."""
    settings, records = place.settings, place.platform.records
    if message.severity not in settings.severities:
        return None
    if message.rule_id in AI_RULES and RecordKind.AI_ALARM in records:
        return RecordKind.AI_ALARM if message.transition == "raised" else None
    wanted = RecordKind.ALARM in records and message.transition in settings.transitions
    return RecordKind.ALARM if wanted else None


def _row(place: Place, heard: Heard, message: AlarmTransition, kind: RecordKind, now_ns: int) -> dict[str, Any]:
    return {
        "platform": place.name,
        "key": f"{heard.box_id}/{message.event_id}",
        "kind": kind.value,
        "project_code": heard.project_code,
        "box_id": heard.box_id,
        "alarm_id": message.alarm_id,
        "body": canonical_bytes(message.model_dump(mode="json")).decode(),
        "queued_at_ns": now_ns,
    }
