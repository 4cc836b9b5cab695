"""The set's standing as it was looked at a moment ago, for a page that tells it beside much else.

    every 10 s: all ladders of the set --> kept, with their time --told--> those of a scope, and as of when

The ladders of 500 projects cost more than the rest of the first page together. What is older than `FRESH_NS`, of
another day, or lacks a member that is in the set by now, is not told: then everything is looked at anew.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from regulator.base.coverage.set_membership import member_codes_on
from regulator.base.coverage.standings import Standing, standing_now
from regulator.base.days import day_of
from regulator.base.model.actor import SYSTEM, Scope
from regulator.base.records.engine import DeskDatabase

EVERY_S: Final = 10.0
FRESH_NS: Final = 30_000_000_000


@dataclass(frozen=True, slots=True)
class StandingAt:
    """A standing, and when it was looked at (UTC ns)."""

    standing: Standing
    at_ns: int


class KeptStanding:
    """`look` is the job; `told` is for pages, from any thread."""

    def __init__(self, database: DeskDatabase, set_code: str, silent_s: int) -> None:
        self._database, self._set_code, self._silent_s = database, set_code, silent_s
        self._kept: StandingAt | None = None

    def look(self, now_ns: int) -> None:
        """Look at the whole set, and keep it."""
        with self._database.reading() as db:
            self._kept = self._now(db, SYSTEM.scope, now_ns)

    def told(self, db: Connection, scope: Scope, now_ns: int) -> StandingAt:
        """The members of a scope: as they were kept while that is fresh, else as they are now."""
        kept, today = self._kept, day_of(now_ns)
        if kept is None or kept.standing.day != today or not 0 <= now_ns - kept.at_ns <= FRESH_NS:
            return self._now(db, scope, now_ns)
        members, ladders = member_codes_on(db, self._set_code, today, scope), kept.standing.ladders
        if not all(code in ladders for code in members):
            return self._now(db, scope, now_ns)
        return StandingAt(Standing(today, {code: ladders[code] for code in members}, frozen=False), kept.at_ns)

    def _now(self, db: Connection, scope: Scope, now_ns: int) -> StandingAt:
        return StandingAt(standing_now(db, self._set_code, scope, now_ns, self._silent_s), now_ns)
