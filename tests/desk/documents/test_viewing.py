"""A viewing is written down once in ten minutes for a login and a file, on both databases."""

from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_of
from regulator.parts.evidence.viewing import ONE_VIEWING_NS, Shown, write_viewing

SHOWN = Shown("ab" * 32, "video/mp4", "P-1", "alarm-1")


def test_each_viewing_has_its_entry_and_a_clip_read_in_pieces_has_one(database: DeskDatabase, ledger: Ledger) -> None:
    looks = [("s1", 1), ("s1", 2), ("s2", 3), ("s1", 1 + ONE_VIEWING_NS)]
    for session_id, at_ns in looks:
        with database.transaction() as db:
            write_viewing(db, ledger, SHOWN, SYSTEM, session_id, at_ns)
    with database.reading() as db:
        entries = [entry.fields["content"]["session_id"] for entry in entries_of(db, "project:P-1")]
    assert entries == ["s1", "s2", "s1"]
