"""Alarms that were told before their box could seal them, and the records that seal them later.

    alarm_transition with evidence_seq 0      held and shown as not sealed
    evidence_record with `told_unsealed`      names the message that told it: the alarm has its record from now on

In: both kinds of items, in any order. Out: `evidence_seq` and `evidence_sha256` of the alarm. It stays one alarm: the
message that told it is never sent again with another body. Listeners of the intake, inside its transaction.
"""

import json
from collections.abc import Collection

from sqlalchemy import Connection, select, update

from contract.messages import AlarmTransition, EvidenceRecord
from regulator.base.model.heard import Heard
from regulator.base.records.tables.intake import alarms, chain_records

MARK = '"told_unsealed"'
NEWEST = 5000
"""A record may come before the message of its alarm, but not long before."""


def hear_record(db: Connection, heard: Heard, _now_ns: int) -> None:
    """A record that seals what was told."""
    body = heard.body
    if isinstance(body, EvidenceRecord) and MARK in body.record:
        _seal(db, heard.box_id, body.record, body.sha256)


def hear_alarm(db: Connection, heard: Heard, _now_ns: int) -> None:
    """A message without a record; its record may be here already."""
    body = heard.body
    if not isinstance(body, AlarmTransition) or body.evidence_seq:
        return
    at = chain_records.c
    newest = select(at.record, at.sha256).where(at.box_id == heard.box_id).order_by(at.seq.desc()).limit(NEWEST)
    for record, sha256 in db.execute(newest):
        if MARK in record and json.dumps(body.event_id, ensure_ascii=False) in record:
            _seal(db, heard.box_id, record, sha256)


def sealed_later(db: Connection, box_id: str, event_ids: Collection[str]) -> dict[str, int]:
    """The numbers of the records that seal these messages, as far as they have come."""
    if not event_ids:
        return {}
    at = chain_records.c
    marked = (at.box_id == box_id) & at.record.contains(MARK, autoescape=True)
    found = {told_event(record): seq for seq, record in db.execute(select(at.seq, at.record).where(marked))}
    return {event_id: found[event_id] for event_id in event_ids if event_id in found}


def told_event(record: str) -> str:
    """The key of the message that told what this record seals; empty when it was sealed before anybody was told."""
    content = json.loads(record).get("content") if MARK in record else None
    told = content.get("told_unsealed") if isinstance(content, dict) else None
    event_id = told.get("event_id") if isinstance(told, dict) else None
    return event_id if isinstance(event_id, str) else ""


def _seal(db: Connection, box_id: str, record: str, sha256: str) -> None:
    event_id, seq = told_event(record), json.loads(record).get("seq")
    if not event_id or not isinstance(seq, int):
        return
    own = alarms.c
    mine = (own.box_id == box_id) & (own.raised_event == event_id) & (own.evidence_seq == 0)
    db.execute(update(alarms).where(mine).values(evidence_seq=seq, evidence_sha256=sha256))
