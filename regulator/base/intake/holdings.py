"""What the intake holds, for pages, figures and tests. Reads only.

In: the desk's database. Out: rows as plain mappings, states, counts. Knows no HTTP and no signature.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Table, func, select

from contract.messages import ChainState
from contract.signing import VerifyKey
from regulator.base.intake.box_chain import chain_state
from regulator.base.intake.enrolment import find_key
from regulator.base.intake.mailbox import count_waiting
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import alerts, blobs, box_counters, boxes, chain_records, findings, items

_COUNTED = {
    "boxes": boxes,
    "alerts_held": alerts,
    "items_held": items,
    "evidence_held": chain_records,
    "blobs_held": blobs,
}

BEFORE_NS = 60_000_000_000
"""A picture may come before its alert: they are sent beside each other."""


class Holdings:
    """Thread-safe; every call sees what is committed."""

    def __init__(self, database: DeskDatabase) -> None:
        self.database = database

    @classmethod
    def at(cls, path: Path) -> Self:
        """Of a SQLite file that a receiver made."""
        return cls(DeskDatabase(f"sqlite:///{path}"))

    def close(self) -> None:
        """Let go of the database and its connections."""
        self.database.close()

    def find_key(self, box_id: str, key_id: str) -> VerifyKey | None:
        """The box's public key while it is in force."""
        with self.database.reading() as db:
            return find_key(db, box_id, key_id)

    def alerts(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Alarm transitions held, newest first: asset, rule_id, transition, observed_at_ns, accepted_at_ns, key ..."""
        same = (items.c.box_id == alerts.c.box_id) & (items.c.key == alerts.c.key)
        found = select(alerts, items.c.seq).join(items, same)
        return self._rows(found.order_by(alerts.c.accepted_at_ns.desc(), items.c.seq.desc()).limit(limit))

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Items of one kind in the order of their arrival; `body` is their exact canonical text."""
        return self._rows(select(items).where(items.c.kind == kind).order_by(items.c.accepted_at_ns, items.c.seq))

    def media_of(self, shown: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """(box, key of an alert) -> what came of its pictures, in the order of arrival: bodies of `thumbnail` and
        `media_segment` items, each with its `kind`. Bytes of segments lie on the shelf."""
        if not shown:
            return {}
        since = min(alert["accepted_at_ns"] for alert in shown) - BEFORE_NS
        wanted = {(alert["box_id"], alert["key"]) for alert in shown}
        media = items.c.kind.in_(("thumbnail", "media_segment")) & (items.c.accepted_at_ns >= since)
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self._rows(select(items).where(media).order_by(items.c.accepted_at_ns, items.c.seq)):
            said = json.loads(row["body"])
            name = (row["box_id"], said["event_id"])
            if name in wanted:
                found.setdefault(name, []).append(said | {"kind": row["kind"]})
        return found

    def boxes(self) -> list[dict[str, Any]]:
        """Enrolled boxes: when last seen, mail `waiting`, and `chain` (a `ChainState`)."""
        with self.database.reading() as db:
            rows = [dict(row._mapping) for row in db.execute(select(boxes).order_by(boxes.c.box_id))]
            for row in rows:
                row |= {"waiting": count_waiting(db, row["box_id"]), "chain": chain_state(db, row["box_id"])}
            return rows

    def chain(self, box_id: str) -> ChainState:
        """How a box's chain stands. Raises LookupError for a box that is not enrolled."""
        with self.database.reading() as db:
            return chain_state(db, box_id)

    def findings(self) -> list[dict[str, Any]]:
        """All findings of the intake, the oldest first."""
        return self._rows(select(findings).order_by(findings.c.opened_at_ns, findings.c.finding_id))

    def counters(self, box_id: str) -> dict[str, int]:
        """A box's lasting counters; of `''` those of senders that are no enrolled box."""
        at = box_counters.c
        return {row["name"]: row["count"] for row in self._rows(select(at.name, at.count).where(at.box_id == box_id))}

    def stats(self) -> dict[str, int]:
        """Figures of what is held, for pages and tests."""
        figures = {name: self._count(table) for name, table in _COUNTED.items()}
        figures |= dict.fromkeys(("duplicates_refused", "conflicts_refused", "stale_refused"), 0)
        at = box_counters.c
        sums = self._rows(select(at.name, func.sum(at.count).label("total")).group_by(at.name))
        return figures | {row["name"]: int(row["total"]) for row in sums}

    def _count(self, table: Table) -> int:
        with self.database.reading() as db:
            return int(db.scalar(select(func.count()).select_from(table)) or 0)

    def _rows(self, found: Any) -> list[dict[str, Any]]:
        with self.database.reading() as db:
            return [dict(row._mapping) for row in db.execute(found)]
