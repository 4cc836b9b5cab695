"""Queue of major-hazard records for the platforms above, made from the ledger.

    ledger entries since the book --> those of hazards that the platform is told of --> a row each, in their order

In: the ledger. Out: rows of the outbox. An entry has one key, so reading the last minutes again (a slow commit of
another replica) writes nothing twice, and a desk that is killed reads on from its book. A platform that is new in the
settings hears of what happens from then on. Nobody's name is in a row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import canonical_bytes
from docking.quantities import HAZARD_EVENTS, RecordKind
from regulator.base.model.hazard import Channel
from regulator.base.records.books import read_book, take_book, turn_book
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.docking import docking_outbox
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.ledger import ledger_entries
from regulator.parts.docking.places import Place

FOLLOW_EVERY_S: Final = 5.0
SECOND_NS: Final = 1_000_000_000
READ_AGAIN_NS: Final = 300 * SECOND_NS
TURN_AFTER_NS: Final = 60 * SECOND_NS
"""A book is turned when there is news, and else no more often than this: a job that finds nothing writes nothing."""
KINDS: Final = {("deadline_overdue" if event == "overdue" else f"hazard_{event}"): event for event in HAZARD_EVENTS}
SOURCES: Final = {"tower-crane": "crane", "deep-pit": "pit", "camera-post": "vision"}
CHANNELS: Final = {
    Channel.SELF_CHECK.value: "manual",
    Channel.INSPECTION.value: "manual",
    Channel.ROUND.value: "manual",
    Channel.PUBLIC_REPORT.value: "report",
}
SUSPECTED: Final = ("pending", "site_check")
_entry, _hazard, _alarm, _told = ledger_entries.c, hazards.c, alarms.c, docking_outbox.c


@dataclass(frozen=True, slots=True)
class HazardFollowing:
    """`run` is the job; harmless when two replicas run it at once."""

    database: DeskDatabase
    places: Sequence[Place]

    def run(self, now_ns: int) -> None:
        """Every platform whose map has hazards."""
        for place in self.places:
            if RecordKind.HAZARD in place.platform.records and place.settings.hazard_grades:
                self._follow(place, now_ns)

    def _follow(self, place: Place, now_ns: int) -> None:
        book = f"docking-hazards:{place.name}"
        with self.database.reading() as db:
            since_ns = read_book(db, book)
            rows = _news(db, place, since_ns, now_ns) if since_ns else []
        if since_ns and not rows and now_ns - since_ns < TURN_AFTER_NS:
            return
        with self.database.transaction() as db:
            take_book(db, book)
            _write_down(db, place, rows, now_ns)
            turn_book(db, book, now_ns)


def _news(db: Connection, place: Place, since_ns: int, now_ns: int) -> "list[Row[Any]]":
    """Entries that the platform is to hear of and that are not written down: of hazards of the grades that the settings
    name, and of those it was told of before, whatever they are graded now."""
    before = exists().where(
        _told.platform == place.name, _told.project_code == _hazard.project_code, _told.alarm_id == _hazard.hazard_id
    )
    span = (_entry.at_ns > since_ns - READ_AGAIN_NS, _entry.at_ns <= now_ns)
    asked = (
        select(hazards, _entry.kind.label("entry_kind"), _entry.seq, _entry.at_ns, _entry.body, *_OF_ALARM)
        .join(hazards, _hazard.hazard_id == _entry.subject)
        .outerjoin(alarms, and_(_alarm.box_id == _hazard.box_id, _alarm.alarm_id == _hazard.alarm_id))
        .where(_entry.kind.in_(KINDS), *span, _hazard.grade.in_(place.settings.hazard_grades) | before)
    )
    found = db.execute(asked.order_by(_entry.at_ns, _entry.chain, _entry.seq)).all()
    keys = [key_of(row) for row in found]
    held = set(db.scalars(select(_told.key).where(_told.platform == place.name, _told.key.in_(keys))))
    return [row for row in found if key_of(row) not in held]


_OF_ALARM = (
    *(_alarm[name] for name in ("asset", "asset_kind", "severity", "measured", "limit_value", "unit", "limit_source")),
    _alarm.clause,
    _alarm.certainty,
)


def key_of(row: "Row[Any]") -> str:
    """The same for ever, and in the order of the hazard's entries."""
    return f"{row.hazard_id}/{row.seq:08d}"


def _write_down(db: Connection, place: Place, rows: "Sequence[Row[Any]]", now_ns: int) -> None:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    for number, row in enumerate(rows):
        values = {
            "platform": place.name,
            "key": key_of(row),
            "kind": RecordKind.HAZARD.value,
            "project_code": row.project_code,
            "box_id": row.box_id,
            "alarm_id": row.hazard_id,
            "body": canonical_bytes(_body(row)).decode(),
            "queued_at_ns": now_ns + number,
        }
        db.execute(dialect.insert(docking_outbox).values(**values).on_conflict_do_nothing())


def _body(row: "Row[Any]") -> dict[str, Any]:
    """What is known of it at this entry; what has not come or nobody knows is not there."""
    content = json.loads(row.body)["content"]
    state = str(content.get("to") or ("pending" if row.entry_kind == "hazard_opened" else row.state))
    told: dict[str, Any] = {
        "event": KINDS[row.entry_kind],
        "state": state,
        "verdict": "rejected" if state == "rejected" else "suspected" if state in SUSPECTED else "confirmed",
        "kind": row.kind,
        "grade": row.grade,
        "source": SOURCES.get(row.asset_kind or "") or CHANNELS.get(row.channel),
        "hazard_number": row.number,
        "title_zh": row.title_zh,
        "title_en": row.title_en,
        "place": row.place_id,
        "rule_id": row.rule_id,
        "major_code": row.catalogue_code,
        "edition": row.catalogue_edition,
        "standard_ref": row.clause,
        "certainty": row.certainty if row.clause else "",
        "severity": row.severity,
        "measured": row.measured,
        "limit": row.limit_value,
        "unit": row.unit,
        "limit_source": row.limit_source,
        "asset": row.asset,
        "first_seen": row.observed_at_ns,
        "event_at": row.at_ns,
        "due_at": row.due_at_ns,
        **_moments(row),
    }
    return {name: value for name, value in told.items() if value}


def _moments(row: "Row[Any]") -> Mapping[str, int]:
    """Those that had come when the entry was written."""
    stopped_ns = row.stopped_at_ns if row.stopped_at_ns > row.resumed_at_ns else 0
    moments = {"confirmed_at": row.confirmed_at_ns, "closed_at": row.closed_at_ns, "stopped_at": stopped_ns}
    return {name: at_ns for name, at_ns in moments.items() if at_ns <= row.at_ns}
