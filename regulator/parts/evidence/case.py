r"""Everything that is held about one hazard, as it goes into its evidence package.

    hazard -- alarm -- transitions, pictures, clips (items with the box's signatures and our receipts)
       |          \-- minute summaries of the asset around it        \-- slice of the box's chain up to an anchor
       \-- evidence that people added        \-- slice of the project's ledger from its first word to the end

In: rows. Out: a frozen `Case`. Reads only; knows no zip.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from contract.signing import VerifyKey
from regulator.base.intake.anchors import anchor_over
from regulator.base.intake.recheck import main_line
from regulator.base.intake.sealed_late import sealed_later
from regulator.base.model.refusals import RefusedError
from regulator.base.records.key_history import known_keys
from regulator.base.records.ledger import LedgerEntry, entries_of
from regulator.base.records.tables.hazards import hazard_evidence, hazards
from regulator.base.records.tables.intake import alarm_media, alarms, alerts, anchors, box_keys, chain_records, items
from regulator.base.records.tables.ledger import ledger_entries

AROUND_NS = 30 * 60 * 1_000_000_000
LONGEST_CURVE_NS = 12 * 3_600_000_000_000
LATE_NS = 7 * 24 * 3_600_000_000_000
MOST_RECORDS = 5_000
MOST_ENTRIES = 15_000

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A picture or clip on the shelf."""

    sha256: str
    media_type: str


@dataclass(frozen=True, slots=True)
class ChainSlice:
    """Records in order, the anchors that lie in them, and numbers that messages name but that have not arrived."""

    records: "Sequence[Row[Any]]"
    anchors: "Sequence[Row[Any]]"
    pending: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """`alarm` is None for what people found. `keys`: the box's public keys, retired too; `desk_keys`: the desk's."""

    hazard: Fields
    alarm: Fields | None
    items: "Sequence[Row[Any]]"
    evidence: Sequence[Fields]
    media: tuple[MediaFile, ...]
    chain: ChainSlice
    ledger: Sequence[LedgerEntry]
    keys: "Sequence[Row[Any]]"
    desk_keys: Sequence[VerifyKey]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Whose ledger entries are about this case."""
        box = (str(self.alarm["box_id"]), str(self.alarm["alarm_id"])) if self.alarm else ()
        return (str(self.hazard["hazard_id"]), *box)


def hazard_row(db: Connection, hazard_id: str) -> "Row[Any]":
    """The hazard's row; raises RefusedError 404 where there is none."""
    row = db.execute(select(hazards).where(hazards.c.hazard_id == hazard_id)).first()
    if row is None:
        raise RefusedError(404, "no_such_hazard", "没有此隐患", "no such hazard", "hazard_id")
    return row


def gather(db: Connection, hazard_id: str) -> Case:
    """All of it, as committed. Raises RefusedError 404."""
    hazard = dict(hazard_row(db, hazard_id)._mapping)
    here = (alarms.c.box_id == hazard["box_id"]) & (alarms.c.alarm_id == hazard["alarm_id"])
    alarm = db.execute(select(alarms).where(here)).first() if hazard["alarm_id"] else None
    sent = [*_messages(db, alarm), *_summaries(db, alarm)] if alarm is not None else []
    named = [dict(row._mapping) for row in db.execute(_evidence(hazard_id))]
    chain = _chain(db, alarm, sent) if alarm is not None else ChainSlice((), (), ())
    return Case(
        hazard=hazard,
        alarm=dict(alarm._mapping) if alarm is not None else None,
        items=sent,
        evidence=named,
        media=_media(sent, named),
        chain=chain,
        ledger=_ledger(db, hazard, chain),
        keys=db.execute(select(box_keys).where(box_keys.c.box_id == hazard["box_id"])).all(),
        desk_keys=tuple(known.key for known in known_keys(db).values()),
    )


def _evidence(hazard_id: str) -> Any:
    at = hazard_evidence.c
    wanted = select(at.number, at.sha256, at.media_type, at.kind, at.name, at.added_by, at.added_at_ns)
    return wanted.where(at.hazard_id == hazard_id).order_by(at.number)


def _messages(db: Connection, alarm: "Row[Any]") -> "Sequence[Row[Any]]":
    """Transitions and media of the alarm."""
    said = select(alerts.c.key).where(alerts.c.box_id == alarm.box_id, alerts.c.alarm_id == alarm.alarm_id)
    shown = select(alarm_media.c.item_key)
    shown = shown.where(alarm_media.c.box_id == alarm.box_id, alarm_media.c.alarm_id == alarm.alarm_id)
    mine = select(items).where(items.c.box_id == alarm.box_id, or_(items.c.key.in_(said), items.c.key.in_(shown)))
    return db.execute(mine.order_by(items.c.accepted_at_ns, items.c.seq)).all()


def _summaries(db: Connection, alarm: "Row[Any]") -> "list[Row[Any]]":
    """Minute summaries of the asset from half an hour before to half an hour after; late ones too."""
    first = alarm.raised_at_ns - AROUND_NS
    last = min(max(alarm.returned_at_ns, alarm.raised_at_ns) + AROUND_NS, first + LONGEST_CURVE_NS)
    at = items.c
    in_time = at.accepted_at_ns.between(first, last + AROUND_NS)
    late = (at.late == 1) & at.accepted_at_ns.between(first, last + LATE_NS)
    mine = (at.box_id == alarm.box_id) & (at.kind == "minute_summary")
    rows = db.execute(select(items).where(mine, or_(in_time, late)).order_by(at.accepted_at_ns, at.seq))
    return [row for row in rows if _within(json.loads(row.body), alarm.asset, first, last)]


def _within(body: Fields, asset: str, first: int, last: int) -> bool:
    return bool(body["asset"] == asset and first <= body["minute_at_ns"] <= last)


def _media(sent: "Sequence[Row[Any]]", named: Sequence[Fields]) -> tuple[MediaFile, ...]:
    bodies = [json.loads(item.body) for item in sent if item.kind == "media_segment"]
    found = {body["blob_sha256"]: body["media_type"] for body in bodies}
    found |= {row["sha256"]: row["media_type"] for row in named}
    return tuple(MediaFile(sha256, str(kind)) for sha256, kind in sorted(found.items()))


def _chain(db: Connection, alarm: "Row[Any]", sent: "Sequence[Row[Any]]") -> ChainSlice:
    told = [json.loads(item.body) for item in sent if item.kind == "alarm_transition"]
    later = sealed_later(db, alarm.box_id, {body["event_id"] for body in told if not body["evidence_seq"]})
    unsealed = any(not body["evidence_seq"] and body["event_id"] not in later for body in told)
    named = {body["evidence_seq"] or later.get(body["event_id"], 0) for body in told} - {0}
    if not named:
        return ChainSlice((), (), (0,) if unsealed else ())
    cover = anchor_over(db, alarm.box_id, max(named))
    first, last = min(named), cover.seq if cover is not None else max(named)
    at = chain_records.c
    wanted = select(chain_records).where(at.box_id == alarm.box_id, at.seq.between(first, last))
    records = _unbroken(main_line(db.execute(wanted.order_by(at.seq, at.envelope_seq).limit(MOST_RECORDS)).all()))
    held = {row.seq for row in records}
    mine = select(anchors).where(anchors.c.box_id == alarm.box_id, anchors.c.seq.in_(held)).order_by(anchors.c.number)
    return ChainSlice(records, db.execute(mine).all(), tuple(sorted((named - held) | ({0} if unsealed else set()))))


def _unbroken(records: "Sequence[Row[Any]]") -> "list[Row[Any]]":
    """The beginning without a hole: what comes after one cannot be linked to it."""
    return [row for number, row in enumerate(records) if row.seq == records[0].seq + number]


def _ledger(db: Connection, hazard: Fields, chain: ChainSlice) -> Sequence[LedgerEntry]:
    """From the first word about the case, or its first anchor, to the end."""
    name = f"project:{hazard['project_code']}"
    at = ledger_entries.c
    first = db.scalar(select(func.min(at.seq)).where(at.chain == name, at.subject == hazard["hazard_id"])) or 1
    told = [anchor.ledger_seq for anchor in chain.anchors if anchor.ledger_chain == name]
    return entries_of(db, name, min([first, *told]), MOST_ENTRIES)
