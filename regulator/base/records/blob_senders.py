"""Who has sent which files: a box shows what it has, never what only another box has."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from regulator.base.records.among import among
from regulator.base.records.tables.intake import blob_senders


def sent_by(db: Connection, box_id: str, digests: Iterable[str]) -> set[str]:
    """Those of these files that the box has sent whole."""
    at = blob_senders.c
    return set(db.scalars(select(at.sha256).where(at.box_id == box_id, among(at.sha256, digests))))
