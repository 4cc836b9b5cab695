"""What a receiving regulator does with what was checked: one method a message, each inside a transaction it is given.

    store.do(store.accept, delivery)                one transaction now
    writer.submit(box, lambda db: store.accept(db, delivery))     together with what waits beside it

In: envelopes whose signature was checked. Out: receipts, states, rows. This is the seam between transport and tables.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection, inspect

from contract.chain import ChainHead
from contract.envelope import Envelope
from contract.messages import Accepted, Blob, BoxState, Enrol, Heartbeat, HeartbeatSeen, MailboxAck, UpMessage
from contract.signing import SignKey, VerifyKey
from regulator.base.intake import mailbox
from regulator.base.intake.acceptance import Acceptance, Delivery
from regulator.base.intake.admission import admit, lock_box
from regulator.base.intake.batch import Result, accept_together
from regulator.base.intake.box_chain import BoxChain, signed_checkpoint
from regulator.base.intake.box_state import head_row, hear_state
from regulator.base.intake.codes import Wanted, issue_codes
from regulator.base.intake.enrolment import Enrolment, add_key
from regulator.base.intake.holdings import Holdings
from regulator.base.intake.insertion import insert_once
from regulator.base.intake.loose_files import reserve
from regulator.base.intake.refusals import Refusal, note_refusal
from regulator.base.model.actor import CONSOLE
from regulator.base.model.heard import Heard, Listener, Taker
from regulator.base.records.blob_senders import sent_by
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.many import update_rows
from regulator.base.records.schema import prepare
from regulator.base.records.tables.intake import blob_senders, blobs, boxes

P = ParamSpec("P")
T = TypeVar("T")


class ReceiverStore(Holdings):
    """`on_mailbox` is called with a box id when `post` has put mail there."""

    def __init__(
        self,
        database: DeskDatabase,
        key: SignKey,
        now_ns: Callable[[], int] = time.time_ns,
        listeners: Mapping[str, Sequence[Listener]] | None = None,
        takers: Mapping[str, Taker] | None = None,
    ) -> None:
        super().__init__(database)
        self._key = key
        self._ledger = Ledger(key)
        self._now_ns = now_ns
        self._acceptance = Acceptance(key, listeners if listeners is not None else {})
        self.takers: Mapping[str, Taker] = takers if takers is not None else {}
        self.on_mailbox: Callable[[str], None] = tell_nobody

    def do(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do this work in one transaction of its own."""
        with self.database.transaction() as db:
            return work(db, *args, **kwargs)

    def issue_code(self, box_id: str, project_code: str) -> str:
        """A one-time enrolment code for this box of this project."""
        wanted = [Wanted(project_code, box_id)]
        return self.do(issue_codes, self._ledger, wanted, CONSOLE, self._now_ns())[0].code

    def post(self, box_id: str, kind: str, body: BaseModel) -> str:
        """Put a message into a box's mailbox; its id. Raises LookupError for a box that is not enrolled."""
        message_id = self.do(mailbox.post, box_id, kind, body, self._key, self._now_ns())
        self.on_mailbox(box_id)
        return message_id

    def enrol(self, db: Connection, envelope: Envelope, body: Enrol) -> bool:
        """Take one enrolment, as `Enrolment.take` says."""
        return Enrolment(db, self._ledger, envelope, body, self._now_ns()).take()

    def rotate_box_key(self, db: Connection, envelope: Envelope, new: VerifyKey) -> None:
        """Take the box's next key. The old one stays until the new one is first used."""
        self.admit(db, envelope)
        add_key(db, envelope.box_id, new, self._now_ns())

    def admit(self, db: Connection, envelope: Envelope) -> None:
        """Judge a message by its sequence number alone. Raises StaleSequence."""
        admit(db, envelope, lock_box(db, envelope.box_id), self._now_ns())

    def accept(self, db: Connection, delivery: Delivery) -> Accepted:
        """Keep one delivery and sign its receipt, as `Acceptance.accept` says."""
        return self._acceptance.accept(db, delivery, self._now_ns())

    def accept_together(self, db: Connection, items: Sequence[Delivery], also: frozenset[str]) -> Mapping[int, Result]:
        """Keep many deliveries together, as `regulator.base.intake.batch` says."""
        return accept_together(db, self._acceptance, items, also, self._now_ns())

    def hear(self, db: Connection, envelope: Envelope, body: Heartbeat) -> HeartbeatSeen:
        """Note a heartbeat and hold its chain head against what is held."""
        now, box_id = self._now_ns(), envelope.box_id
        box = lock_box(db, box_id)
        admit(db, envelope, box, now)
        update_rows(db, boxes, [{"box_id": box_id} | head_row(envelope, body, now)])
        state = BoxChain(db, self._ledger, box, now).compare(body.chain, envelope.seq)
        proof = signed_checkpoint(self._key, box_id, ChainHead(box.verified_seq, box.verified_sha256), now)
        return HeartbeatSeen(chain=state, messages_waiting=mailbox.count_waiting(db, box_id), checkpoint=proof)

    def hear_state(self, db: Connection, envelope: Envelope, body: BoxState) -> None:
        """What the box says that it is."""
        now, box_id = self._now_ns(), envelope.box_id
        box = lock_box(db, box_id)
        admit(db, envelope, box, now)
        hear_state(db, self._ledger, box_id, box.project_code, body, now)

    def take(self, db: Connection, envelope: Envelope, body: UpMessage, content: bytes) -> BaseModel | None:
        """Tell whoever wants to know of it; the body of the reply. Raises KeyError where nobody does."""
        taker, now_ns = self.takers[envelope.kind], self._now_ns()
        box = lock_box(db, envelope.box_id)
        admit(db, envelope, box, now_ns)
        return taker(db, Heard(envelope.box_id, box.project_code, body, content=content), now_ns)

    def acknowledge(self, db: Connection, envelope: Envelope, body: MailboxAck) -> None:
        """The box has these for good. Unknown or repeated ids change nothing."""
        self.admit(db, envelope)
        mailbox.acknowledge(db, envelope.box_id, body, self._now_ns())

    def admit_query(self, db: Connection, envelope: Envelope, sha256: str) -> bool:
        """Note the number of what a box asks of a file; whether it has sent the whole before."""
        self.admit(db, envelope)
        return sent_by(db, envelope.box_id, {sha256}) == {sha256}

    def admit_part(self, db: Connection, envelope: Envelope, part: Blob, max_bytes: int) -> bool:
        """The same for a part, which is counted among the files that no message names. Raises QuotaReached."""
        sent = self.admit_query(db, envelope, part.sha256)
        if not sent:
            reserve(db, envelope.box_id, part, max_bytes, self._now_ns())
        return sent

    def note_blob(self, db: Connection, box_id: str, sha256: str, size_bytes: int, media_type: str) -> None:
        """A file is complete on the shelf, and this box has it."""
        row = {"sha256": sha256, "size_bytes": size_bytes, "media_type": media_type, "box_id": box_id}
        insert_once(db, blobs, row | {"completed_at_ns": self._now_ns()})
        insert_once(db, blob_senders, {"sha256": sha256, "box_id": box_id})

    def refuse(self, db: Connection, refusal: Refusal) -> None:
        """Keep refused bytes aside, as `regulator.base.intake.refusals` says."""
        note_refusal(db, self._ledger, refusal, self._now_ns())


def open_database(url: str) -> DeskDatabase:
    """Open and bring to this version's schema. Raises ValueError for a database that another version made."""
    database = DeskDatabase(url)
    try:
        tables = inspect(database.engine).get_table_names()
        if "boxes" in tables and "alembic_version" not in tables:
            raise ValueError("made by a receiver before the desk; give it a new file")
        prepare(database)
    except ValueError as error:
        database.close()
        raise ValueError(f"{_name(database)}: {error}") from None
    return database


def sqlite_url(path: Path) -> str:
    """The database address of a file, for SQLAlchemy."""
    return f"sqlite:///{path}"


def _name(database: DeskDatabase) -> str:
    return database.url.database if database.is_sqlite and database.url.database else database.url.render_as_string()


def tell_nobody(box_id: str) -> None:
    """The listener while nobody listens: nothing is told."""
