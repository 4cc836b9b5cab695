"""Hears from a box's own sealed records that somebody at the site has taken notice of a warning.

In: evidence records, as they arrive. Out: who acknowledged, on the delivery, with an entry in the project's ledger. A
record that says something of a warning that nobody sent there changes nothing.
"""

import json
from typing import Any

from sqlalchemy import Connection, select, update

from contract.canonical import Canonical
from contract.messages import EvidenceRecord
from regulator.base.model.actor import SYSTEM
from regulator.base.model.heard import Heard
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.site import site_deliveries

MARK = '"weather_warning"'
MOST_WORDS = 2000
MOST_NAME = 200


class SiteHearing:
    """Hears from the intake what boxes sent, in the transaction that keeps it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def hear(self, db: Connection, heard: Heard, now_ns: int) -> None:
        """Called inside the transaction that keeps the record."""
        body = heard.body
        if not isinstance(body, EvidenceRecord) or MARK not in body.record:
            return
        record = json.loads(body.record)
        content = record.get("content")
        if record.get("kind") != "weather_warning" or not isinstance(content, dict):
            return
        if content.get("event") == "acknowledged" and isinstance(content.get("warning_id"), str):
            self._acknowledge(db, heard.box_id, record, content, now_ns)

    def _acknowledge(
        self, db: Connection, box_id: str, record: dict[str, Any], content: dict[str, Any], now_ns: int
    ) -> None:
        own, version = site_deliveries.c, content.get("version")
        if not isinstance(version, int):
            return
        which = (own.notice_id == content["warning_id"], own.box_id == box_id, own.version == version)
        found = db.execute(select(site_deliveries).where(*which).with_for_update()).first()
        if found is None or found.acknowledged_at_ns:
            return
        said: dict[str, Canonical] = {
            "acknowledged_at_ns": int(record.get("at_ns", now_ns)),
            "acknowledged_by": str(content.get("user", ""))[:MOST_NAME],
            "acknowledged_words": str(content.get("words", ""))[:MOST_WORDS],
            "evidence_seq": int(record.get("seq", 0)),
        }
        db.execute(update(site_deliveries).where(*which).values(**said))
        seen: dict[str, Canonical] = said | {"box_id": box_id, "version": version}
        deed = Deed("site_acknowledged", found.notice_id, seen, found.project_code)
        self._ledger.append(db, deed, SYSTEM, now_ns)
