"""Evidence of a hazard: bytes on the shelf, named by their digest; one digest is evidence of one hazard once.

Photos that were taken before are no proof that something was put right now: only what is new to the hazard counts.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, func, insert, select, update

from regulator.base.model.actor import Actor
from regulator.base.model.shelf import Shelf
from regulator.base.records.tables.hazards import hazard_evidence
from regulator.parts.hazards.photo import check_photo


class EvidenceKind(Enum):
    """What an item is to show."""

    FOUND = "found"
    SITE_CHECK = "site_check"
    RECTIFIED = "rectified"
    RECHECK = "recheck"
    SECTION = "section"
    REFUSAL = "refusal"
    ACCIDENT = "accident"
    LOOK_BACK = "look_back"


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """Bytes that lie on the shelf already."""

    sha256: str
    media_type: str = ""
    name: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One item. `persons`: everyone whose hand added it."""

    number: int
    sha256: str
    media_type: str
    kind: EvidenceKind
    name: str
    size_bytes: int
    round: int
    added_by: str
    persons: frozenset[str]
    added_at_ns: int


def put_photo(shelf: Shelf, content: bytes, name: str) -> NewEvidence:
    """Check a photo and lay it on the shelf, before any transaction. Raises RefusedError, OSError."""
    media_type = check_photo(content, name)
    return NewEvidence(shelf.put(content, media_type), media_type, name[:200], len(content))


def evidence_of(db: Connection, hazard_id: str) -> tuple[EvidenceItem, ...]:
    """In the order in which it came."""
    at = hazard_evidence.c
    rows = db.execute(select(hazard_evidence).where(at.hazard_id == hazard_id).order_by(at.number))
    return tuple(_item(row) for row in rows)


def new_items(db: Connection, hazard_id: str, items: Iterable[NewEvidence]) -> tuple[NewEvidence, ...]:
    """Those whose digest is not yet evidence of this hazard."""
    known = set(db.scalars(select(hazard_evidence.c.sha256).where(hazard_evidence.c.hazard_id == hazard_id)))
    fresh = {item.sha256: item for item in items if item.sha256 not in known}
    return tuple(fresh.values())


@dataclass(frozen=True, slots=True)
class Keep:
    """What evidence is kept for: the hazard, its round, and what it shows."""

    hazard_id: str
    round: int
    kind: EvidenceKind


def keep_evidence(
    db: Connection, keep: Keep, items: Iterable[NewEvidence], actor: Actor, now_ns: int
) -> tuple[int, ...]:
    """Add items that are new; their numbers. `note_entry` names the ledger's entry afterwards."""
    last = db.scalar(select(func.max(hazard_evidence.c.number)).where(hazard_evidence.c.hazard_id == keep.hazard_id))
    numbers = []
    for number, item in enumerate(items, start=(last or 0) + 1):
        values = {
            "hazard_id": keep.hazard_id,
            "number": number,
            "sha256": item.sha256,
            "media_type": item.media_type,
            "kind": keep.kind.value,
            "name": item.name,
            "size_bytes": item.size_bytes,
            "round": keep.round,
            "added_by": actor.user_id,
            "persons": json.dumps(sorted(actor.persons)),
            "added_at_ns": now_ns,
        }
        db.execute(insert(hazard_evidence).values(**values))
        numbers.append(number)
    return tuple(numbers)


def note_entry(db: Connection, hazard_id: str, numbers: tuple[int, ...], seq: int) -> None:
    """The entry of the ledger that names these items."""
    at = hazard_evidence.c
    db.execute(update(hazard_evidence).where(at.hazard_id == hazard_id, at.number.in_(numbers)).values(ledger_seq=seq))


def _item(row: object) -> EvidenceItem:
    names = ("number", "sha256", "media_type", "name", "size_bytes", "round", "added_by", "added_at_ns")
    values = {name: getattr(row, name) for name in names}
    persons = frozenset(json.loads(getattr(row, "persons", "[]")))
    return EvidenceItem(kind=EvidenceKind(getattr(row, "kind", "")), persons=persons, **values)
