"""Keeping many new items with a few statements: what waits at one moment is read, judged and written set by set.

    boxes locked in order --> keys, chains, mail, held items, alarms: one question each --> what is plain --> rows
    rows --> one statement a table --> the desk's areas are told, item by item --> receipts

A heartbeat and a mailbox poll are kept nowhere and only move their box's row: they are heard with the items.

**Plain** is a new item, with a new number, under the box's only key, that fits the end of its chain. All else (a retry,
a gap, a fork, another project, a newer key, a file) is left to `Acceptance`, which takes it alone, after these. Both
ways write the same rows. In: checked deliveries inside a transaction. Out: receipts by place; none for what is left.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    case,
    exists,
    func,
    select,
    tuple_,
)

from contract.canonical import canonical_bytes
from contract.chain import ChainHead
from contract.envelope import SignedText
from contract.faults import ContractFault
from contract.mailbox import ReceiptNotice
from contract.messages import (
    Accepted,
    AlarmTransition,
    ChainState,
    EvidenceRecord,
    Heartbeat,
    HeartbeatSeen,
    MailboxPoll,
    MinuteSummary,
    Thumbnail,
)
from contract.sequence import SequenceWindow
from regulator.base.intake.acceptance import Acceptance, Delivery, checked_record, has_notice
from regulator.base.intake.alarm_projection import adopt_media, alarm_row, alert_row, change_alarm, media_row
from regulator.base.intake.box_chain import ChainRecord, signed_checkpoint
from regulator.base.intake.box_state import head_row
from regulator.base.intake.mailbox import message_row
from regulator.base.records.many import insert_rows, update_rows
from regulator.base.records.tables.intake import (
    alarm_media,
    alarms,
    alerts,
    box_keys,
    boxes,
    chain_records,
    items,
    mailbox,
)

PLAIN = (AlarmTransition, EvidenceRecord, MinuteSummary, Thumbnail)
HEARD = (Heartbeat, MailboxPoll)
"""What is kept nowhere: it only moves the box's row."""
Result = Accepted | HeartbeatSeen | None
Names = set[tuple[str, str]]
Name = TypeVar("Name", str, tuple[str, str])


def _among(column: "Column[str]", name: str, dialect: str) -> "ColumnElement[bool]":
    """`column` is one of a list: as one array on PostgreSQL, so that every length is the same prepared statement."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(Text)))
    return column.in_(bindparam(name, expanding=True))


def _lock(dialect: str) -> "Select[Any]":
    return select(boxes).where(_among(boxes.c.box_id, "boxes", dialect)).order_by(boxes.c.box_id).with_for_update()


def _facts(dialect: str) -> "Select[Any]":
    """Of locked boxes: keys in force, records beyond the verified head, the last number of its mail, mail unread."""
    mine, held, mail = box_keys.c.box_id == boxes.c.box_id, chain_records.c, mailbox.c
    keys = select(func.aggregate_strings(box_keys.c.key_id, " ")).where(mine, box_keys.c.retired_at_ns == 0)
    beyond = exists().where(held.box_id == boxes.c.box_id, held.seq > boxes.c.verified_seq)
    last = select(func.max(mail.mailbox_seq)).where(mail.box_id == boxes.c.box_id).scalar_subquery()
    unread = select(func.count()).select_from(mailbox)
    unread = unread.where(mail.box_id == boxes.c.box_id, mail.acknowledged_at_ns == 0)
    asked = case((_among(boxes.c.box_id, "heard", dialect), unread.scalar_subquery()), else_=0)
    found = select(
        boxes.c.box_id,
        keys.scalar_subquery().label("keys"),
        beyond.label("beyond"),
        last.label("last"),
        asked.label("waiting"),
    )
    return found.where(_among(boxes.c.box_id, "boxes", dialect))


def _named(dialect: str, table: Table, name: str, *columns: str) -> "Select[Any]":
    """Rows of a table whose box and `name` are among pairs."""
    box, other, chosen = table.c.box_id, table.c[name], [table.c[column] for column in columns]
    if dialect == "postgresql":
        arrays = (bindparam(part, type_=ARRAY(Text)) for part in ("firsts", "seconds"))
        pairs = func.unnest(*arrays).table_valued("first", "second", name="pairs").render_derived()
        return select(*chosen).join(pairs, (box == pairs.c.first) & (other == pairs.c.second))
    return select(*chosen).where(tuple_(box, other).in_(bindparam("names", expanding=True)))


DIALECTS = ("postgresql", "sqlite")
_LOCK = {dialect: _lock(dialect) for dialect in DIALECTS}
_FACTS = {dialect: _facts(dialect) for dialect in DIALECTS}
_HELD = {dialect: _named(dialect, items, "key", "box_id", "key") for dialect in DIALECTS}
_ALARMS = {dialect: _named(dialect, alarms, "alarm_id", *alarms.c.keys()) for dialect in DIALECTS}
_EVENTS = {dialect: _named(dialect, alerts, "key", "box_id", "key", "alarm_id") for dialect in DIALECTS}
_ORPHANS = {
    dialect: _named(dialect, alarm_media, "event_id", "box_id", "event_id").where(alarm_media.c.alarm_id == "")
    for dialect in DIALECTS
}


@dataclass(slots=True)
class _Box:
    """A box's row, and how far it has come within the batch."""

    row: "Row[Any]"
    keys: set[str]
    window: SequenceWindow
    head: ChainHead
    whole: bool
    """Its chain has neither gap nor fault, and nothing lies beyond its head."""
    items: int
    mail: int = 0
    waiting: int = 0
    moved: bool = False
    left: bool = False
    """Something of it is left to be judged alone, after these: what the box says of its chain has to wait for that."""
    said: dict[str, object] = field(default_factory=dict)
    """What its newest heartbeat changes of its row."""


@dataclass(slots=True)
class _Plain:
    """An item that is kept with the others."""

    place: int
    delivery: Delivery
    receipt: SignedText
    chain: ChainState | None


@dataclass(slots=True)
class _Rows:
    """What is to be written, by table, in the order of the statements."""

    items: list[dict[str, object]] = field(default_factory=list)
    chain_records: list[dict[str, object]] = field(default_factory=list)
    alerts: list[dict[str, object]] = field(default_factory=list)
    alarms: list[dict[str, object]] = field(default_factory=list)
    alarm_media: list[dict[str, object]] = field(default_factory=list)
    mailbox: list[dict[str, object]] = field(default_factory=list)


_TABLES: tuple[Table, ...] = (items, chain_records, alerts, alarms, alarm_media, mailbox)


def accept_together(
    db: Connection, acceptance: Acceptance, deliveries: Sequence[Delivery], also: frozenset[str], now_ns: int
) -> dict[int, Result]:
    """Keep what is plain; receipts by place in `deliveries`. `also`: boxes whose rows are taken with them.

    Raises what an area raises: then nothing may be kept of the whole transaction.
    """
    batch = _Batch(db, acceptance, deliveries, also, now_ns)
    for place, delivery in enumerate(deliveries):
        batch.take(place, delivery)
    return batch.keep()


class _Batch:
    """One transaction's items."""

    def __init__(
        self, db: Connection, acceptance: Acceptance, deliveries: Sequence[Delivery], also: frozenset[str], now_ns: int
    ) -> None:
        self._db, self._acceptance, self._now_ns = db, acceptance, now_ns
        heard = {each.envelope.box_id for each in deliveries if isinstance(each.body, Heartbeat)}
        self._boxes = _lock_boxes(db, {each.envelope.box_id for each in deliveries} | also, heard)
        kept = [each for each in deliveries if isinstance(each.body, PLAIN)]
        self._held = _names(db, _HELD, {(each.envelope.box_id, each.envelope.key) for each in kept})
        self._alarms = _alarms_of(db, kept)
        self._events = _events_of(db, kept)
        self._rows = _Rows()
        self._plain: list[_Plain] = []
        self._heard: dict[int, HeartbeatSeen | None] = {}
        self._changed: list[tuple[Row[Any], Delivery]] = []

    def take(self, place: int, delivery: Delivery) -> None:
        """Put an item among those that are kept together, if it is plain; note what is only heard."""
        box = self._boxes.get(delivery.envelope.box_id)
        if box is None or box.row.waiting or box.keys != {delivery.envelope.key_id}:
            return
        taken = self._hear if isinstance(delivery.body, HEARD) else self._keep
        if not taken(place, delivery, box):
            box.left = True

    def keep(self) -> dict[int, Result]:
        """Write all rows, then tell the areas."""
        self._write()
        told = [(each.delivery, self._project_of(each.delivery)) for each in self._plain]
        self._acceptance.tell_all(self._db, told, self._now_ns)
        kept = {each.place: Accepted(receipt=each.receipt, duplicate=False, chain=each.chain) for each in self._plain}
        return {**kept, **self._heard}

    def _project_of(self, delivery: Delivery) -> str:
        return str(self._boxes[delivery.envelope.box_id].row.project_code)

    def _keep(self, place: int, delivery: Delivery, box: _Box) -> bool:
        envelope = delivery.envelope
        if not isinstance(delivery.body, PLAIN) or (envelope.box_id, envelope.key) in self._held:
            return False
        if not self._fits(box, delivery):
            return False
        try:
            record, window = checked_record(delivery), box.window.admit(envelope.seq)
        except ContractFault:
            return False
        if record is not None and not _next_of(box, record):
            return False
        box.window, box.moved = window, True
        self._held.add((envelope.box_id, envelope.key))
        self._plain.append(self._row(place, delivery, box, record))
        return True

    def _hear(self, place: int, delivery: Delivery, box: _Box) -> bool:
        """A heartbeat whose word on its chain nothing can contradict, or a poll: only the box's row moves."""
        envelope, body = delivery.envelope, delivery.body
        if isinstance(body, Heartbeat) and (box.left or not _agrees(box, body)):
            return False
        try:
            window = box.window.admit(envelope.seq)
        except ContractFault:
            return False
        box.window, box.moved = window, True
        self._heard[place] = None
        if isinstance(body, Heartbeat):
            box.said = head_row(envelope, body, self._now_ns)
            chain = ChainState(state="ok", verified_seq=box.head.seq, highest_seq=box.head.seq)
            proof = signed_checkpoint(self._acceptance.key, box.row.box_id, box.head, self._now_ns)
            self._heard[place] = HeartbeatSeen(chain=chain, messages_waiting=box.waiting, checkpoint=proof)
        return True

    def _fits(self, box: _Box, delivery: Delivery) -> bool:
        body = delivery.body
        if not isinstance(body, AlarmTransition):
            return True
        known = self._alarms.get((box.row.box_id, body.alarm_id), False)
        return body.project_code == box.row.project_code and known is not None

    def _row(self, place: int, delivery: Delivery, box: _Box, record: ChainRecord | None) -> _Plain:
        envelope, body, chain = delivery.envelope, delivery.body, None
        content = canonical_bytes(envelope.body)
        receipt, row = self._acceptance.receipted(delivery, content, hashlib.sha256(content).hexdigest(), self._now_ns)
        box.items += 1
        self._rows.items.append(row | {"number": box.items})
        if isinstance(body, AlarmTransition):
            self._alarm(box, delivery, body)
        elif record is not None:
            chain = self._record(box, record, envelope.seq)
        elif isinstance(body, Thumbnail) and body.event_id:
            alarm_id = self._events.get((envelope.box_id, body.event_id), "")
            self._rows.alarm_media.append(media_row(envelope.box_id, envelope.key, body, alarm_id))
        if has_notice(body):
            box.mail, box.waiting = box.mail + 1, box.waiting + 1
            notice, key = ReceiptNotice(receipt=receipt), self._acceptance.key
            self._rows.mailbox.append(message_row(envelope.box_id, box.mail, "receipt", notice, key, self._now_ns))
        return _Plain(place, delivery, receipt, chain)

    def _alarm(self, box: _Box, delivery: Delivery, body: AlarmTransition) -> None:
        envelope = delivery.envelope
        name = (envelope.box_id, body.alarm_id)
        self._rows.alerts.append(alert_row(box.row, envelope, body, self._now_ns))
        held = self._alarms.get(name)
        if held is None:
            self._rows.alarms.append(alarm_row(box.row, envelope, body, self._now_ns))
        else:
            self._changed.append((held, delivery))
        self._alarms[name] = None  # a second transition of the same alarm is left to come after
        self._events[envelope.box_id, envelope.key] = body.alarm_id

    def _record(self, box: _Box, record: ChainRecord, envelope_seq: int) -> ChainState:
        row: dict[str, object] = {"box_id": box.row.box_id, "seq": record.seq, "sha256": record.sha256}
        row |= {"prev": record.prev, "envelope_seq": envelope_seq, "record": record.text}
        self._rows.chain_records.append(row | {"accepted_at_ns": self._now_ns})
        box.head = ChainHead(record.seq, record.sha256)
        return ChainState(state="ok", verified_seq=record.seq, highest_seq=record.seq)

    def _write(self) -> None:
        for table in _TABLES:
            insert_rows(self._db, table, getattr(self._rows, table.name))
        for held, delivery in self._changed:
            assert isinstance(delivery.body, AlarmTransition)
            change_alarm(self._db, held, delivery.envelope, delivery.body)
        arrived = {(str(row["box_id"]), str(row["key"])): str(row["alarm_id"]) for row in self._rows.alerts}
        for box_id, event_id in _names(self._db, _ORPHANS, set(arrived)):
            adopt_media(self._db, box_id, event_id, arrived[box_id, event_id])
        update_rows(self._db, boxes, [_move(box, self._now_ns) for box in self._boxes.values() if box.moved])


def _next_of(box: _Box, record: ChainRecord) -> bool:
    return box.whole and (record.seq, record.prev) == (box.head.seq + 1, box.head.sha256)


def _agrees(box: _Box, body: Heartbeat) -> bool:
    """Whether a box's word on its chain goes with all that is held: the same end, or one that is still to come."""
    said = body.chain
    return box.whole and (said.seq > box.head.seq or (said.seq, said.sha256) == (box.head.seq, box.head.sha256))


def _move(box: _Box, now_ns: int) -> dict[str, object]:
    row: dict[str, object] = {"box_id": box.row.box_id, "seq_highest": box.window.highest}
    row |= {"seq_bits": f"{box.window.bits:x}", "verified_seq": box.head.seq, "verified_sha256": box.head.sha256}
    return row | {"last_seen_ns": now_ns, "items_accepted": box.items} | box.said


def _lock_boxes(db: Connection, names: set[str], heard: set[str]) -> dict[str, _Box]:
    """Rows of boxes, taken in the order of their names, so that two replicas never wait for each other in a ring.

    What belongs to them is asked after they are taken: what another replica did before is seen. `heard`: of which the
    mail that waits is counted.
    """
    wanted = {"boxes": _padded(names)}
    found = {row.box_id: _box(row) for row in db.execute(_LOCK[db.dialect.name], wanted)}
    for row in db.execute(_FACTS[db.dialect.name], wanted | {"heard": _padded(heard)}):
        box = found[row.box_id]
        box.keys, box.mail, box.waiting = set((row.keys or "").split()), row.last or 0, row.waiting
        box.whole = box.whole and not row.beyond
    return found


def _box(row: "Row[Any]") -> _Box:
    window = SequenceWindow(row.seq_highest, int(row.seq_bits, 16))
    head = ChainHead(row.verified_seq, row.verified_sha256)
    return _Box(row, set(), window, head, not row.chain_fault and not row.gap_since_ns, row.items_accepted)


def _names(db: Connection, query: "dict[str, Select[Any]]", names: Names) -> Names:
    return {(row[0], row[1]) for row in _rows_of(db, query, names)}


def _rows_of(db: Connection, query: "dict[str, Select[Any]]", names: Names) -> Sequence[Any]:
    """Rows that pairs of names name; nothing is asked for no names."""
    if not names:
        return ()
    if db.dialect.name == "postgresql":
        wanted = {"firsts": [name[0] for name in names], "seconds": [name[1] for name in names]}
        return db.execute(query["postgresql"], wanted).all()
    return db.execute(query[db.dialect.name], {"names": _padded(names)}).all()


def _padded(names: Collection[Name]) -> list[Name]:
    """Sorted, the last one repeated up to a power of two: few lengths make few statements, which stay prepared."""
    some = sorted(names)
    return some + some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some)) if some else []


def _alarms_of(db: Connection, deliveries: Sequence[Delivery]) -> "dict[tuple[str, str], Row[Any] | None]":
    """Alarms that are held, by box and alarm."""
    names = {
        (each.envelope.box_id, each.body.alarm_id) for each in deliveries if isinstance(each.body, AlarmTransition)
    }
    return {(row.box_id, row.alarm_id): row for row in _rows_of(db, _ALARMS, names)}


def _events_of(db: Connection, deliveries: Sequence[Delivery]) -> dict[tuple[str, str], str]:
    """Alarm ids of the events that pictures name, by box and event."""
    names = {(each.envelope.box_id, each.body.event_id) for each in deliveries if isinstance(each.body, Thumbnail)}
    return {(row.box_id, row.key): row.alarm_id for row in _rows_of(db, _EVENTS, names)}
