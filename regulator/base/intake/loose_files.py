"""Files that a box has begun to send and that no message of it names yet: not many, not large together, not for ever.

    first part --> a row, with the size that the box says --> more parts --> whole, it waits beside the shelf
    a message names it --> it moves onto the shelf for good, the row goes
    a day without a part --> file and row are cleared; the box may send it again

Such a file is no record: nobody has a receipt for it, no signed message names it, and the box keeps it until it has the
receipt of the message that does. What a message names is never cleared. In: parts inside a transaction, in which the
box's row is locked. Out: rows, or QuotaReached.
"""

from typing import Final

from sqlalchemy import Connection, bindparam, delete, exists, func, select, update

from contract.faults import QuotaReached
from contract.messages import Blob, MediaSegment, OrderReply, UpMessage
from regulator.base.intake.admission import lock_box
from regulator.base.intake.insertion import insert_once
from regulator.base.intake.part_shelf import PartShelf
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import blob_senders, blobs, loose_files

MOST_FILES: Final = 64
MOST_OF_THE_LARGEST: Final = 4
"""Of one box, all together: so many files of the largest size."""
KEPT_NS: Final = 86_400_000_000_000
CLEAR_EVERY_S: Final = 600.0
WAIT_S: Final = 60

_mine = loose_files.c.box_id == bindparam("box")
_this = _mine & (loose_files.c.sha256 == bindparam("digest"))
_KNOWN = select(loose_files.c.size_bytes).where(_this)
_HELD = select(func.count(), func.coalesce(func.sum(loose_files.c.size_bytes), 0)).where(_mine)
_TOUCH = update(loose_files).where(_this).values(size_bytes=bindparam("size"), touched_at_ns=bindparam("now"))


def reserve(db: Connection, box_id: str, part: Blob, max_bytes: int, now_ns: int) -> None:
    """Note a part of a file that this box has not sent whole. `max_bytes`: of the largest file. Raises QuotaReached."""
    place = {"box": box_id, "digest": part.sha256}
    known = db.scalar(_KNOWN, place)
    count, held = db.execute(_HELD, {"box": box_id}).one()
    size_bytes, room = max(part.size_bytes, known or 0), MOST_OF_THE_LARGEST * max_bytes
    if known is None and count >= MOST_FILES:
        raise QuotaReached("body.sha256", f"at most {MOST_FILES} files that no message names", WAIT_S)
    if held - (known or 0) + size_bytes > room:
        raise QuotaReached("body.size_bytes", f"at most {room} bytes of files that no message names", WAIT_S)
    row = {"box_id": box_id, "sha256": part.sha256, "size_bytes": size_bytes, "touched_at_ns": now_ns}
    if known is not None or not insert_once(db, loose_files, row):
        db.execute(_TOUCH, place | {"size": size_bytes, "now": now_ns})


def named_files(body: UpMessage) -> tuple[str, ...]:
    """Digests of files that a message names."""
    if isinstance(body, MediaSegment):
        return (body.blob_sha256,)
    return body.blob_sha256 if isinstance(body, OrderReply) else ()


def settle(db: Connection, box_id: str, body: UpMessage) -> None:
    """A message that is kept names these: they are loose no more."""
    for sha256 in named_files(body):
        db.execute(delete(loose_files).where(_this), {"box": box_id, "digest": sha256})


class LooseFilesJob:
    """Clears what nothing has been heard of for a day."""

    def __init__(self, database: DeskDatabase, shelf: PartShelf) -> None:
        self._database, self._shelf = database, shelf

    def run(self, now_ns: int) -> None:
        """One file a transaction. Raises OSError while the shelf cannot be reached: the next run goes on."""
        at, before_ns = loose_files.c, now_ns - KEPT_NS
        with self._database.reading() as db:
            old = db.execute(select(at.box_id, at.sha256).where(at.touched_at_ns < before_ns)).all()
        for box_id, sha256 in old:
            with self._database.transaction() as db:
                self._clear(db, box_id, sha256, before_ns)

    def _clear(self, db: Connection, box_id: str, sha256: str, before_ns: int) -> None:
        lock_box(db, box_id)  # no part of it is noted, and no message that names it is kept, meanwhile
        place, at = {"box": box_id, "digest": sha256}, blob_senders.c
        if db.execute(delete(loose_files).where(_this, loose_files.c.touched_at_ns < before_ns), place).rowcount == 0:
            return
        db.execute(delete(blob_senders).where(at.box_id == box_id, at.sha256 == sha256))
        anybody = exists().where(at.sha256 == sha256)
        db.execute(delete(blobs).where(blobs.c.sha256 == sha256, ~anybody))
        self._shelf.clear(box_id, sha256)
