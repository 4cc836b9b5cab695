"""Lanes: one replica at a time speaks to a platform, so that nothing is sent twice and everything in order.

A lease is one conditional UPDATE: taken where nobody else's runs, renewed before every request, and long enough for
one. Whoever could not renew it has stopped before it ran out: `LEASE_S` is longer than any request may take.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from docking.quantities import RecordKind
from regulator.base.records.tables.docking import docking_lanes, docking_outbox
from regulator.parts.docking.records import WaitingRow

SECOND_NS: Final = 1_000_000_000
LEASE_S: Final = 180.0
"""One conversation is at most a token and a record, twice over: four requests of at most 15 s (settings), of which a
dying connection can make 40 s each."""
BACKOFF_FIRST_S: Final = 2.0
BACKOFF_LIMIT_S: Final = 300.0

_lane, _row = docking_lanes.c, docking_outbox.c


def open_lane(db: Connection, platform: str) -> None:
    """Make sure that there is one."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    db.execute(dialect.insert(docking_lanes).values(platform=platform).on_conflict_do_nothing())


def take_lane(db: Connection, platform: str, replica: str, now_ns: int) -> bool:
    """Take or renew the lease; False when another holds it, or nothing may be sent yet."""
    free = or_(_lane.lease_by == replica, _lane.lease_until_ns <= now_ns)
    wanted = (_lane.platform == platform) & free & (_lane.due_at_ns <= now_ns)
    values = {"lease_by": replica, "lease_until_ns": now_ns + int(LEASE_S * SECOND_NS)}
    taken = db.execute(update(docking_lanes).where(wanted).values(**values).returning(_lane.platform))
    return taken.first() is not None


def leave_lane(db: Connection, platform: str, replica: str, now_ns: int) -> None:
    """Give the lease of a lane back, so that another replica may take it."""
    mine = (_lane.platform == platform) & (_lane.lease_by == replica)
    db.execute(update(docking_lanes).where(mine).values(lease_until_ns=now_ns))


def waiting(db: Connection, platform: str, now_ns: int, limit: int) -> Sequence[WaitingRow]:
    """What may be sent now, oldest first."""
    wanted = select(docking_outbox).where(_row.platform == platform, _row.state == "waiting", _row.due_at_ns <= now_ns)
    return [_waiting(row) for row in db.execute(wanted.order_by(_row.queued_at_ns, _row.key).limit(limit))]


def postpone(db: Connection, row: WaitingRow, due_at_ns: int, words: str) -> None:
    """This row alone waits: for its picture."""
    db.execute(update(docking_outbox).where(_this(row)).values(due_at_ns=due_at_ns, words=words))


def settle(db: Connection, row: WaitingRow, state: str, words: str, now_ns: int) -> bool:
    """Taken or refused; False when somebody has settled it already."""
    values = {"state": state, "words": words, "settled_at_ns": now_ns, "tried_at_ns": now_ns}
    values["attempts"] = _row.attempts + 1
    wanted = _this(row) & (_row.state == "waiting")
    return db.execute(update(docking_outbox).where(wanted).values(**values).returning(_row.key)).first() is not None


def note_success(db: Connection, platform: str, now_ns: int) -> None:
    """Note that the platform took something at this time."""
    values = {"failures": 0, "trouble": "", "trouble_since_ns": 0, "accepted_at_ns": now_ns}
    db.execute(update(docking_lanes).where(_lane.platform == platform).values(**values))


def note_trouble(db: Connection, row: WaitingRow, words: str, after_s: float, now_ns: int) -> None:
    """The row could not be sent, and so those behind it wait too: longer each time, or as long as the platform asks."""
    lane = db.execute(select(docking_lanes).where(_lane.platform == row.platform).with_for_update()).one()
    pause_s = max(after_s, min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2 ** min(lane.failures, 10)))
    values = {"failures": lane.failures + 1, "trouble": words, "due_at_ns": now_ns + int(pause_s * SECOND_NS)}
    values["trouble_since_ns"] = lane.trouble_since_ns or now_ns
    db.execute(update(docking_lanes).where(_lane.platform == row.platform).values(**values))
    tried = {"attempts": _row.attempts + 1, "words": words, "tried_at_ns": now_ns}
    db.execute(update(docking_outbox).where(_this(row)).values(**tried))


def _this(row: WaitingRow) -> Any:
    return (_row.platform == row.platform) & (_row.key == row.key)


def _waiting(row: Any) -> WaitingRow:
    same = ("platform", "key", "project_code", "box_id", "alarm_id", "body", "attempts", "queued_at_ns")
    return WaitingRow(kind=RecordKind(row.kind), **{name: getattr(row, name) for name in same})
