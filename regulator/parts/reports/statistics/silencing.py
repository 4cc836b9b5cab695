"""What is shelved, suppressed or out of service at the sites, as the boxes' chains tell it.

    evidence_record (alarm_transition, service_change) --in its transaction--> statistics_silencing --> state at a time

The contract's alarm messages do not carry shelving; the sealed records do. The last record before a moment says how
things stood then; a shelf whose time has passed is over even if no record says so.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from contract.messages import EvidenceRecord
from regulator.base.model.heard import Heard
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.reports import statistics_silencing
from regulator.parts.reports.statistics.selection import Selection

STATES = {
    "shelved": ("shelved", True),
    "unshelved": ("shelved", False),
    "suppressed": ("suppressed", True),
    "unsuppressed": ("suppressed", False),
    "out_of_service": ("out_of_service", True),
    "in_service": ("out_of_service", False),
}
TOLD = re.compile('"transition":"(' + "|".join(STATES) + ')"')
KINDS = ("alarm_transition", "service_change")
MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Silenced:
    """At one moment: how many things are silenced, how many of them without a reason, and what is known at all.

    `boxes`: how many boxes there are; `told`: of how many the chain holds here; `gaps`: of how many it has a gap.
    """

    silenced: int
    without_reason: int
    boxes: int
    told: int
    gaps: int


def hear_silencing(db: Connection, heard: Heard, _now_ns: int) -> None:
    """A listener of `evidence_record`. Records that say something else, or have another shape, are not its business."""
    message = heard.body
    if not isinstance(message, EvidenceRecord) or TOLD.search(message.record) is None:
        return
    row = _row(message.record)
    if row is None:
        return
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    said = {"box_id": heard.box_id, "project_code": heard.project_code} | row
    db.execute(dialect.insert(statistics_silencing).values(**said).on_conflict_do_nothing())


def silenced_at(db: Connection, selection: Selection, at_ns: int) -> Silenced:
    """How it stood just before `at_ns`."""
    at = statistics_silencing.c
    thing = (at.box_id, at.subject, at.how)
    last = (
        select(*thing, func.max(at.record_seq).label("last_seq"))
        .where(selection.covers(at.project_code), at.at_ns < at_ns)
        .group_by(*thing)
        .subquery()
    )
    stands = select(at.reason, at.until_ns).join(
        last, (at.box_id == last.c.box_id) & (at.record_seq == last.c.last_seq) & (at.silenced == 1)
    )
    rows = [row for row in db.execute(stands) if not row.until_ns or row.until_ns > at_ns]
    held = boxes.c
    known = select(
        func.count(),
        func.coalesce(func.sum(_one_if(held.verified_seq > 0)), 0),
        func.coalesce(func.sum(_one_if(held.gap_since_ns > 0)), 0),
    ).where(selection.covers(held.project_code))
    count, told, gaps = db.execute(known).one()
    return Silenced(len(rows), sum(not row.reason.strip() for row in rows), int(count), int(told), int(gaps))


def _one_if(clause: Any) -> Any:
    return case((clause, 1), else_=0)


def _row(text: str) -> dict[str, object] | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    content = record.get("content") if isinstance(record, dict) else None
    if not isinstance(content, dict) or record.get("kind") not in KINDS or content.get("transition") not in STATES:
        return None
    how, silenced = STATES[content["transition"]]
    alarm = content.get("alarm")
    held = alarm if isinstance(alarm, dict) else content
    subject = held.get("alarm_id") if held is alarm else content.get("target")
    reason = content.get("taken_out_because") or content.get("reason")
    if not isinstance(subject, str) or not subject:
        return None
    return {
        "record_seq": _number(record.get("seq")),
        "subject": _plain(subject)[:200],
        "how": how,
        "silenced": int(silenced),
        "reason": _plain(reason)[:MAX_TEXT] if isinstance(reason, str) else "",
        "at_ns": _number(record.get("at_ns")),
        "until_ns": _number(held.get("shelved_until_ns" if how == "shelved" else "until_ns")),
    }


def _number(value: object) -> int:
    return value if type(value) is int and 0 <= value < 2**63 else 0


def _plain(text: str) -> str:
    """What every database takes as a text."""
    return re.sub("[\x00\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
