"""Another transaction at the same moment, on PostgreSQL: what two replicas of a desk do to each other."""

import threading
from collections.abc import Callable

from sqlalchemy import Connection, text

from contract.signing import SignKey
from regulator.base.model.actor import Actor
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger, LedgerEntry

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
PATIENCE_S = 30
Work = Callable[[Connection], object]


class MeetingLedger(Ledger):
    """Something else happens after the first entry of a kind."""

    def __init__(self, key: SignKey, kind: str, happens: Callable[[], None]) -> None:
        super().__init__(key)
        self._kind, self._happens = kind, happens

    def append(self, db: Connection, deed: Deed, actor: Actor, now_ns: int) -> LedgerEntry:
        """The entry; then, once, what happens."""
        entry = super().append(db, deed, actor, now_ns)
        if deed.kind == self._kind:
            self._kind = ""
            self._happens()
        return entry


class Rival:
    """Work in a thread of its own. `begin` returns once it waits for a row, or is done."""

    def __init__(self, database: DeskDatabase, work: Callable[[], object]) -> None:
        self._database, self._work = database, work
        self._thread = threading.Thread(target=self._run)
        self.error: BaseException | None = None

    @classmethod
    def transaction(cls, database: DeskDatabase, work: Work) -> "Rival":
        """`work` inside one transaction."""

        def run() -> None:
            with database.transaction() as db:
                work(db)

        return cls(database, run)

    def begin(self) -> None:
        """Start; back once it waits, or has ended."""
        self._thread.start()
        with self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            while self._thread.is_alive() and not watcher.scalar(text(WAITING)):
                self._thread.join(0.02)

    def end(self) -> None:
        """Its end, without an error."""
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self.error is None, self.error

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error
