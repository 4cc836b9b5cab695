"""Carries account changes out and sees to it that each is in the evidence chain, once.

    change + event --one transaction--> accounts.db --recorder--> chain --> event forgotten in accounts.db

In: changes with their events. Out: their results, once they are on the disk; sealing follows by itself. What a kill
left unsealed is sealed at the next start, and what the command line did beside a running box within a minute; the chain
is asked first, so that nothing is sealed twice.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVar

from contract.canonical import Canonical
from gateway.accounts.account_events import AccountEvent, AccountEventKind, filed_under
from gateway.accounts.account_store import AccountStore
from gateway.evidence.evidence import RecordKind, SealedRecord
from gateway.line.recorder import Entry, Recorder
from gateway.model.errors import StoreError
from gateway.store.alert_store import AlertStore

log = logging.getLogger(__name__)
T = TypeVar("T")
MINUTE_NS = 60_000_000_000
FAILURES_SEALED_A_MINUTE = 10


class AccountLedger:
    """The only writer of account events."""

    def __init__(self, store: AccountStore, chain: AlertStore, recorder: Recorder) -> None:
        self._store = store
        self._chain = chain
        self._recorder = recorder
        self._minute = 0
        self._sealed_this_minute = 0
        self._held_back: Counter[AccountEventKind] = Counter()
        self._own: set[str] = set()

    async def carry_out(self, job: Callable[[sqlite3.Connection], T], event: AccountEvent) -> T:
        """The result, once change and event are on the disk. Raises what the job raises; StoreError: nothing kept."""
        self._own.add(event.event_id)
        try:
            result = await asyncio.shield(asyncio.wrap_future(self._store.change(job, event)))
        except BaseException:
            self._own.discard(event.event_id)  # kept in spite of it, it is found as left over
            raise
        self._seal(event.event_id, event.at_ns, event.content())
        return result

    async def note_failure(self, event: AccountEvent) -> None:
        """Seal a wrong password or code, at most ten a minute; the rest are counted into the next one of their kind.
        Never raises."""
        minute = event.at_ns // MINUTE_NS
        if minute != self._minute:
            self._minute, self._sealed_this_minute = minute, 0
        if self._sealed_this_minute >= FAILURES_SEALED_A_MINUTE:
            self._held_back[event.kind] += 1
            return
        self._sealed_this_minute += 1
        await self._seal_counted(event)

    async def seal_held_back(self, now_ns: int) -> None:
        """Failures that were only counted get one record of each kind, once their minute is over."""
        if now_ns // MINUTE_NS != self._minute:
            for kind in list(self._held_back):
                await self._seal_counted(AccountEvent(kind, now_ns, count=0))

    async def seal_left_over(self) -> int:
        """Seal what the last run could not, or what another process did; the number sealed."""
        count = 0
        for event_id, at_ns, content in self._store.unsealed():
            if event_id in self._own:
                continue
            if self._chain.evidence_of(filed_under(event_id)):
                self._store.sealed(event_id)
                continue
            self._own.add(event_id)
            self._seal(event_id, at_ns, content)
            count += 1
        return count

    async def _seal_counted(self, event: AccountEvent) -> None:
        held_back = self._held_back.pop(event.kind, 0)
        counted = AccountEvent(
            event.kind, event.at_ns, event.user, event.subject, event.address, count=event.count + held_back
        )
        try:
            await self.carry_out(lambda _db: None, counted)
        except StoreError as error:
            self._held_back[event.kind] += counted.count
            log.error("event=failed_login_not_kept reason=%r", str(error))

    def _seal(self, event_id: str, at_ns: int, content: Mapping[str, Canonical]) -> None:
        entry = Entry(RecordKind.ACCOUNT, at_ns, content, about=filed_under(event_id))
        self._recorder.record(entry).add_done_callback(lambda done: self._forget(event_id, done))

    def _forget(self, event_id: str, done: "asyncio.Future[SealedRecord]") -> None:
        """In the event loop, after the chain's commit. When the file cannot be written any more the next round asks the
        chain."""
        self._own.discard(event_id)
        if not done.cancelled() and done.exception() is None:
            with contextlib.suppress(StoreError):
                self._store.sealed(event_id)
