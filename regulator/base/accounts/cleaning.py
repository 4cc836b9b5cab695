"""Logins that are over leave the table after a while: they are no records, the ledger holds when each began and ended.

    sessions                    over for `KEEP_NS`           removed
    login_tries, login_workplaces when they count no more      removed
    second_factors              begun and not confirmed       the waiting secret removed
    media_views, ledger, grants ...                          never touched here

In: the time. Out: how many went. Two replicas that do it at once do it once.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, delete, or_

from regulator.base.accounts.model import SECOND_NS
from regulator.base.accounts.second_factor import forget_begun
from regulator.base.accounts.sessions import IDLE_NS, LONGEST_NS
from regulator.base.accounts.tries import forget_old
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.people import sessions

CLEAN_EVERY_S: Final = 3600.0
KEEP_NS: Final = 7 * 86_400 * SECOND_NS
"""A week: whoever looks into what happened lately still finds address and browser beside the login (PD)."""


@dataclass(frozen=True, slots=True)
class SessionCleaning:
    """A job."""

    database: DeskDatabase

    def run(self, now_ns: int) -> None:
        """One round."""
        self.clean(now_ns)
        with self.database.transaction() as db:
            forget_old(db, now_ns)
            forget_begun(db, now_ns)

    def clean(self, now_ns: int) -> int:
        """Remove what has been over for long enough; how many rows."""
        at, before = sessions.c, now_ns - KEEP_NS
        ended = and_(at.ended_at_ns > 0, at.ended_at_ns < before)
        ran_out = or_(at.made_at_ns < before - LONGEST_NS, at.seen_at_ns < before - IDLE_NS)
        with self.database.transaction() as db:
            gone = db.execute(delete(sessions).where(or_(ended, ran_out)).returning(at.session_id)).all()
        return len(gone)
