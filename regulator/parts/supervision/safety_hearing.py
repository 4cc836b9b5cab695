"""Hears from a box's own sealed records that a safety log was signed, and that a shift was taken over.

In: evidence records, as they arrive. Out: a log or a check-in of the box's project. What a record says wrongly changes
nothing. The box keeps the log; its record holds the digest.
"""

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection

from contract.messages import EvidenceRecord
from regulator.base.model.actor import SYSTEM
from regulator.base.model.heard import Heard
from regulator.base.records.ledger import Ledger
from regulator.parts.supervision.safety_logs import CheckIn, LogEntry, Role, keep_check_in, keep_log

LOG, HANDOVER = "safety_log", "shift_handover"
MARKS = (f'"{LOG}"', f'"{HANDOVER}"')
MOST_NAME = 200


class SafetyHearing:
    """Hears from the intake what boxes sent, in the transaction that keeps it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def hear(self, db: Connection, heard: Heard, now_ns: int) -> None:
        """Called inside the transaction that keeps the record."""
        body = heard.body
        if not isinstance(body, EvidenceRecord) or not any(mark in body.record for mark in MARKS):
            return
        record = json.loads(body.record)
        content = record.get("content")
        if not isinstance(content, dict) or not isinstance(record.get("at_ns"), int):
            return
        if record.get("kind") == LOG and content.get("stage") == "signed":
            self._signed(db, heard.box_id, heard.project_code, record, now_ns)
        elif record.get("kind") == HANDOVER and content.get("stage") == "taken":
            self._taken(db, heard.box_id, heard.project_code, record, now_ns)

    def _signed(self, db: Connection, box_id: str, code: str, record: dict[str, Any], now_ns: int) -> None:
        content = record["content"]
        day = _day(str(content.get("filed_under", "")).removeprefix("safety_log:"))
        if day is None:
            return
        entry = LogEntry(
            project_code=code,
            day=day,
            sha256=str(content.get("sha256", ""))[:64],
            signed_by=str(content.get("user", ""))[:MOST_NAME],
            signed_at_ns=record["at_ns"],
            box_id=box_id,
            seq=int(record.get("seq", 0)),
        )
        keep_log(db, self._ledger, entry, SYSTEM, now_ns)

    def _taken(self, db: Connection, box_id: str, code: str, record: dict[str, Any], now_ns: int) -> None:
        person, seq = str(record["content"].get("user", ""))[:MOST_NAME], int(record.get("seq", 0))
        keep_check_in(db, self._ledger, CheckIn(code, Role.SHIFT, person, record["at_ns"], box_id, seq), SYSTEM, now_ns)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
