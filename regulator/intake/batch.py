"""Keeping many new items with a few statements: what waits at one moment is read, judged and written set by set.

    boxes locked in order --> keys, held items, chains, mail, alarms: one question each --> what is plain --> rows
    rows --> one statement a table --> the desk's areas are told, item by item --> receipts

**Plain** is a new item, with a new number, under the box's only key, that fits the end of its chain. All else (a retry,
a gap, a fork, another project, a newer key, a file) is left to `Acceptance`, which takes it alone, after these. Both
ways write the same rows. In: checked deliveries inside a transaction. Out: receipts by place; none for what is left.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, bindparam, func, insert, select, tuple_, update

from contract.canonical import canonical_bytes
from contract.chain import ChainHead
from contract.envelope import SignedText
from contract.faults import ContractFault
from contract.messages import (
    Accepted,
    AlarmTransition,
    ChainState,
    EvidenceRecord,
    MinuteSummary,
    ReceiptNotice,
    Thumbnail,
)
from contract.sequence import SequenceWindow
from regulator.intake.acceptance import Acceptance, Delivery, checked_record, has_notice
from regulator.intake.alarm_projection import adopt_media, alarm_row, alert_row, change_alarm, media_row
from regulator.intake.box_chain import ChainRecord
from regulator.intake.mailbox import message_row
from regulator.records.tables.intake import (
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
Names = set[tuple[str, str]]
Name = TypeVar("Name", str, tuple[str, str])

_LOCK = select(boxes).where(boxes.c.box_id.in_(bindparam("boxes", expanding=True))).order_by(boxes.c.box_id)
_LOCK = _LOCK.with_for_update()
_KEYS = select(box_keys.c.box_id, box_keys.c.key_id).where(
    box_keys.c.box_id.in_(bindparam("boxes", expanding=True)), box_keys.c.retired_at_ns == 0
)
_HELD = select(items.c.box_id, items.c.key).where(
    tuple_(items.c.box_id, items.c.key).in_(bindparam("names", expanding=True))
)
_BEYOND = (
    select(chain_records.c.box_id)
    .join(boxes, (boxes.c.box_id == chain_records.c.box_id) & (chain_records.c.seq > boxes.c.verified_seq))
    .where(boxes.c.box_id.in_(bindparam("boxes", expanding=True)))
)
_last = select(func.max(mailbox.c.mailbox_seq)).where(mailbox.c.box_id == boxes.c.box_id).scalar_subquery()
_MAIL = select(boxes.c.box_id, _last.label("last")).where(boxes.c.box_id.in_(bindparam("boxes", expanding=True)))
_ALARMS = select(alarms).where(tuple_(alarms.c.box_id, alarms.c.alarm_id).in_(bindparam("names", expanding=True)))
_EVENTS = select(alerts.c.box_id, alerts.c.key, alerts.c.alarm_id).where(
    tuple_(alerts.c.box_id, alerts.c.key).in_(bindparam("names", expanding=True))
)
_ORPHANS = select(alarm_media.c.box_id, alarm_media.c.event_id).where(
    tuple_(alarm_media.c.box_id, alarm_media.c.event_id).in_(bindparam("names", expanding=True)),
    alarm_media.c.alarm_id == "",
)
_MOVE = (
    update(boxes)
    .where(boxes.c.box_id == bindparam("box"))
    .values(
        seq_highest=bindparam("highest"),
        seq_bits=bindparam("bits"),
        verified_seq=bindparam("verified"),
        verified_sha256=bindparam("digest"),
        last_seen_ns=bindparam("now"),
    )
)


@dataclass(slots=True)
class _Box:
    """A box's row, and how far it has come within the batch."""

    row: "Row[Any]"
    keys: set[str]
    window: SequenceWindow
    head: ChainHead
    whole: bool
    """Its chain has neither gap nor fault, and nothing lies beyond its head."""
    mail: int = 0
    moved: bool = False


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
_INSERTS = {table.name: insert(table) for table in _TABLES}


def accept_together(
    db: Connection, acceptance: Acceptance, deliveries: Sequence[Delivery], also: frozenset[str], now_ns: int
) -> dict[int, Accepted]:
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
        self._boxes = _lock_boxes(db, {each.envelope.box_id for each in deliveries} | also)
        self._held = _names(db, _HELD, {(each.envelope.box_id, each.envelope.key) for each in deliveries})
        self._alarms = _alarms_of(db, deliveries)
        self._events = _events_of(db, deliveries)
        self._rows = _Rows()
        self._plain: list[_Plain] = []
        self._changed: list[tuple[Row[Any], Delivery]] = []

    def take(self, place: int, delivery: Delivery) -> None:
        """Put an item among those that are kept together, if it is plain."""
        envelope, body = delivery.envelope, delivery.body
        box = self._boxes.get(envelope.box_id)
        if box is None or not isinstance(body, PLAIN) or box.keys != {envelope.key_id}:
            return
        if (envelope.box_id, envelope.key) in self._held or not self._fits(box, delivery):
            return
        try:
            record, window = checked_record(delivery), box.window.admit(envelope.seq)
        except ContractFault:
            return
        if record is not None and not _next_of(box, record):
            return
        box.window, box.moved = window, True
        self._held.add((envelope.box_id, envelope.key))
        self._plain.append(self._row(place, delivery, box, record))

    def keep(self) -> dict[int, Accepted]:
        """Write all rows, then tell the areas."""
        self._write()
        for each in self._plain:
            self._acceptance.tell(self._db, each.delivery.envelope, each.delivery.body, self._now_ns)
        return {each.place: Accepted(receipt=each.receipt, duplicate=False, chain=each.chain) for each in self._plain}

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
        self._rows.items.append(row)
        if isinstance(body, AlarmTransition):
            self._alarm(box, delivery, body)
        elif record is not None:
            chain = self._record(box, record, envelope.seq)
        elif isinstance(body, Thumbnail) and body.event_id:
            alarm_id = self._events.get((envelope.box_id, body.event_id), "")
            self._rows.alarm_media.append(media_row(envelope.box_id, envelope.key, body, alarm_id))
        if has_notice(body):
            box.mail += 1
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
            if rows := getattr(self._rows, table.name):
                self._db.execute(_INSERTS[table.name], rows)
        for held, delivery in self._changed:
            assert isinstance(delivery.body, AlarmTransition)
            change_alarm(self._db, held, delivery.envelope, delivery.body)
        arrived = {(str(row["box_id"]), str(row["key"])): str(row["alarm_id"]) for row in self._rows.alerts}
        for box_id, event_id in _names(self._db, _ORPHANS, set(arrived)):
            adopt_media(self._db, box_id, event_id, arrived[box_id, event_id])
        if moves := [_move(box, self._now_ns) for box in self._boxes.values() if box.moved]:
            self._db.execute(_MOVE, moves)


def _next_of(box: _Box, record: ChainRecord) -> bool:
    return box.whole and (record.seq, record.prev) == (box.head.seq + 1, box.head.sha256)


def _move(box: _Box, now_ns: int) -> dict[str, object]:
    said: dict[str, object] = {"box": box.row.box_id, "highest": box.window.highest, "bits": f"{box.window.bits:x}"}
    return said | {"verified": box.head.seq, "digest": box.head.sha256, "now": now_ns}


def _lock_boxes(db: Connection, names: set[str]) -> dict[str, _Box]:
    """Rows of boxes, taken in the order of their names, so that two replicas never wait for each other in a ring."""
    wanted = {"boxes": _padded(names)}
    found = {row.box_id: _box(row) for row in db.execute(_LOCK, wanted)}
    for row in db.execute(_KEYS, wanted):
        found[row.box_id].keys.add(row.key_id)
    for row in db.execute(_BEYOND, wanted):
        found[row.box_id].whole = False
    for row in db.execute(_MAIL, wanted):
        found[row.box_id].mail = row.last or 0
    return found


def _box(row: "Row[Any]") -> _Box:
    window = SequenceWindow(row.seq_highest, int(row.seq_bits, 16))
    head = ChainHead(row.verified_seq, row.verified_sha256)
    return _Box(row, set(), window, head, not row.chain_fault and not row.gap_since_ns)


def _names(db: Connection, query: Any, names: Names) -> Names:
    return {(row[0], row[1]) for row in db.execute(query, {"names": _padded(names)})} if names else set()


def _padded(names: Collection[Name]) -> list[Name]:
    """Sorted, the last one repeated up to a power of two: few lengths make few statements, which stay prepared."""
    some = sorted(names)
    return some + some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))


def _alarms_of(db: Connection, deliveries: Sequence[Delivery]) -> "dict[tuple[str, str], Row[Any] | None]":
    """Alarms that are held, by box and alarm."""
    names = {
        (each.envelope.box_id, each.body.alarm_id) for each in deliveries if isinstance(each.body, AlarmTransition)
    }
    rows = db.execute(_ALARMS, {"names": _padded(names)}) if names else ()
    return {(row.box_id, row.alarm_id): row for row in rows}


def _events_of(db: Connection, deliveries: Sequence[Delivery]) -> dict[tuple[str, str], str]:
    """Alarm ids of the events that pictures name, by box and event."""
    names = {(each.envelope.box_id, each.body.event_id) for each in deliveries if isinstance(each.body, Thumbnail)}
    rows = db.execute(_EVENTS, {"names": _padded(names)}) if names else ()
    return {(row.box_id, row.key): row.alarm_id for row in rows}
