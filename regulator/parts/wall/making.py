"""Keeps the tiles true: once a second, what may have changed is looked at again, and what has changed gets a number.

    alerts since the last look --.
    boxes, hazards, risk, ladder --> tiles as they are now --differs?--> head locked, seq + 1 each, row replaced

Any replica may do it and several may do it at once: a number is given under the lock of the head, so numbers appear in
their order, and a tile that was made from older facts never takes the place of one made from newer. What is missed
(a clock that jumped, a transaction that took long) is found by going round: each look also takes some tiles in turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.coverage.ladder import Footing, Ladder
from regulator.base.coverage.set_membership import member_codes_on
from regulator.base.coverage.standings import standing_now
from regulator.base.days import day_of, day_start_ns
from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.wall import wall_heads, wall_tiles
from regulator.parts.wall.facts import (
    AlarmFacts,
    HazardFacts,
    RiskFacts,
    alarm_facts,
    hazard_facts,
    last_heard,
    link_of,
    risk_facts,
    touched_since,
)
from regulator.parts.wall.tile import UNKNOWN_SCORE, Band, Tile, tile_of

HEAD: Final = "tiles"
EVERY_S: Final = 1.0
SECOND_NS: Final = 1_000_000_000
OVERLAP_NS: Final = 10 * SECOND_NS
"""How late a transaction may commit after the time that it wrote."""
LONGEST_NS: Final = 600 * SECOND_NS
"""Away for longer than this: everything is looked at anew."""
NOTE_EVERY_NS: Final = 60 * SECOND_NS
ROUND: Final = 10
"""Tiles that are looked at for no reason, each time."""
SLOW: Final = {"hazards": 5 * SECOND_NS, "risk": 10 * SECOND_NS, "coverage": 60 * SECOND_NS}


@dataclass(slots=True)
class _Slow:
    """What is asked for less often, and when it was."""

    asked_ns: dict[str, int] = field(default_factory=dict)
    hazards: Mapping[str, HazardFacts] = field(default_factory=dict)
    risk: Mapping[str, RiskFacts] = field(default_factory=dict)
    ladders: Mapping[str, Ladder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look found. `tiles`: those that differ from what is kept."""

    tiles: Mapping[str, Tile]
    day: date
    note: bool


class TileMaker:
    """The job. One for each process; what it keeps the database knows too."""

    def __init__(self, database: DeskDatabase, set_code: str, silent_s: int) -> None:
        self._database, self._set_code, self._silent_s = database, set_code, silent_s
        self._slow = _Slow()
        self._turn = 0
        self._kept: dict[str, tuple[int, Tile]] = {}

    def run(self, now_ns: int) -> int:
        """Look, and keep what differs; how many tiles changed."""
        with self._database.reading() as db:
            look = self._look(db, now_ns)
        if look.tiles or look.note:
            with self._database.transaction() as db:
                _keep(db, look, now_ns)
        return len(look.tiles)

    def _look(self, db: Connection, now_ns: int) -> _Look:
        head = db.execute(select(wall_heads).where(wall_heads.c.name == HEAD)).first()
        known = {row.project_code: row for row in db.execute(select(wall_tiles))}
        day = day_of(now_ns)
        members = member_codes_on(db, self._set_code, day)
        self._ask_slow(db, now_ns)
        codes = self._to_ask(db, members, known, head.looked_at_ns if head else 0, now_ns)
        alarms = alarm_facts(db, codes, day_start_ns(day))
        heard = last_heard(db)
        found: dict[str, Tile] = {}
        for code in members:
            kept = known.get(code)
            fresh = alarms.get(code) or _kept_alarms(kept)
            tile = self._tile(code, fresh, heard, now_ns)
            if kept is None or kept.day != day.isoformat() or self._kept_tile(kept) != tile:
                found[code] = tile
        return _Look(found, day, head is None or now_ns - head.looked_at_ns > NOTE_EVERY_NS)

    def _kept_tile(self, row: Any) -> Tile:
        """The tile in a row; a row that has the number that it had is read once."""
        seq, tile = self._kept.get(row.project_code, (-1, Tile()))
        if seq != row.seq:
            tile = tile_of(row)
            self._kept[row.project_code] = row.seq, tile
        return tile

    def _to_ask(
        self, db: Connection, members: Iterable[str], known: Mapping[str, Any], looked_ns: int, now_ns: int
    ) -> set[str]:
        """Projects whose alarms are counted anew."""
        listed, today = set(members), day_of(now_ns).isoformat()
        away_ns = now_ns - looked_ns
        if not 0 <= away_ns <= LONGEST_NS:
            return listed
        stale = {code for code in listed if code not in known or known[code].day != today}
        return stale | self._next_in_turn(sorted(listed)) | (touched_since(db, looked_ns - OVERLAP_NS) & listed)

    def _next_in_turn(self, members: Sequence[str]) -> set[str]:
        start = self._turn = self._turn % len(members) if members else 0
        self._turn += ROUND
        return set(members[start : start + ROUND])

    def _ask_slow(self, db: Connection, now_ns: int) -> None:
        slow = self._slow
        for name, every_ns in SLOW.items():
            if 0 <= now_ns - slow.asked_ns.get(name, -every_ns) < every_ns:
                continue
            slow.asked_ns[name] = now_ns
            if name == "hazards":
                slow.hazards = hazard_facts(db, now_ns)
            elif name == "risk":
                slow.risk = risk_facts(db)
            else:
                slow.ladders = standing_now(db, self._set_code, SYSTEM.scope, now_ns, self._silent_s).ladders

    def _tile(self, code: str, alarms: AlarmFacts, heard: Mapping[str, int], now_ns: int) -> Tile:
        hazards = self._slow.hazards.get(code, HazardFacts())
        risk = self._slow.risk.get(code, RiskFacts(UNKNOWN_SCORE, Band.UNKNOWN))
        ladder = self._slow.ladders.get(code)
        stop = ladder.stopped_at if ladder else None
        blank = Tile()
        return Tile(
            worst=alarms.worst,
            unacknowledged=alarms.unacknowledged,
            active=alarms.active,
            alarms_today=alarms.today,
            hazards=hazards.open,
            overdue=hazards.overdue,
            link=link_of(heard, code, now_ns, self._silent_s),
            score=risk.score,
            band=risk.band,
            rung=ladder.reached if ladder else blank.rung,
            rung_unknown=ladder is None or (stop is not None and stop.footing is Footing.UNKNOWN),
        )


def _kept_alarms(row: Any) -> AlarmFacts:
    """What was counted before, where nothing says that it has changed."""
    if row is None:
        return AlarmFacts()
    return AlarmFacts(row.worst, bool(row.unacknowledged), row.active, row.alarms_today)


def _keeping(dialect: Any) -> Any:
    added = dialect.insert(wall_tiles)
    values = {column.name: added.excluded[column.name] for column in wall_tiles.c if not column.primary_key}
    newer = wall_tiles.c.made_at_ns <= added.excluded.made_at_ns
    return added.on_conflict_do_update(index_elements=["project_code"], set_=values, where=newer)


_KEEP = {"postgresql": _keeping(postgresql), "sqlite": _keeping(sqlite)}
"""Built once and run for all tiles together: in a storm every tile of it changes every second."""


def _keep(db: Connection, look: _Look, now_ns: int) -> None:
    """Number and keep. The head's lock makes the numbers appear in order."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    db.execute(dialect.insert(wall_heads).values(name=HEAD, seq=0, looked_at_ns=now_ns).on_conflict_do_nothing())
    mine = wall_heads.c.name == HEAD
    seq = db.scalar(select(wall_heads.c.seq).where(mine).with_for_update()) or 0
    said: dict[str, object] = {"made_at_ns": now_ns, "day": look.day.isoformat()}
    rows = [
        {"project_code": code, "seq": number} | said | tile.columns()
        for number, (code, tile) in enumerate(look.tiles.items(), seq + 1)
    ]
    if rows:
        db.execute(_KEEP[db.dialect.name], rows)
    db.execute(update(wall_heads).where(mine).values(seq=seq + len(rows), looked_at_ns=now_ns))
