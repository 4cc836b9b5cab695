"""Where the reception's work is done: beside the event loop, in threads of their own, with bounds on what may wait.

    written    in groups, one commit for many (`GroupCommit`); more than `MAX_WRITES_WAITING` is Overloaded
    read       in `READERS` threads, each with a connection of its own
    shelved    moving bytes of files onto the shelf and from it
    beside     opening large envelopes, one at a time; more than `MOST_OPENED` is Overloaded

A store that fails is Unavailable: the box keeps what it sent and sends it again.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from contract.faults import Overloaded, Unavailable
from regulator.base.intake.acceptance import Delivery
from regulator.base.intake.group_commit import GroupCommit
from regulator.base.intake.settled import Settled
from regulator.base.intake.store import ReceiverStore

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

MAX_WRITES_WAITING = 512
READERS = 4
MOST_OPENED = 16
"""Large envelopes that wait to be opened."""


class IntakeThreads:
    """Threads of one reception. Raises Overloaded and Unavailable."""

    def __init__(self, store: ReceiverStore) -> None:
        self._database = store.database
        self._writes = GroupCommit(store.database, store.accept_together)
        self._reads = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="desk-reader")
        self._shelving = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="desk-shelf")
        self._opening = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk-opener")
        self._writes_waiting = self._opened_waiting = 0
        self._settled = Settled()

    def close(self) -> None:
        """Finish what is being written, then take no more."""
        self._writes.close()
        for threads in (self._reads, self._shelving, self._opening):
            threads.shutdown(wait=True)

    async def beside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Work on many bytes, one at a time and not on the event loop. Raises Overloaded."""
        if self._opened_waiting >= MOST_OPENED:
            raise Overloaded(retry_after_s=1)
        self._opened_waiting += 1
        try:
            working = partial(work, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._opening, working)
        finally:
            self._opened_waiting -= 1

    async def written(
        self, box_id: str, write: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What this work gives, once it is committed together with what others write."""
        return await self.submitted(box_id, lambda db: write(db, *args, **kwargs))

    async def submitted(self, box_id: str, work: Callable[[Connection], T], item: Delivery | None = None) -> T:
        """The same; `item` lets the group check many deliveries of a box at once."""
        if self._writes_waiting >= MAX_WRITES_WAITING:
            raise Overloaded(retry_after_s=1)
        self._writes_waiting += 1
        try:
            return await self._settled.wait(self._writes.submit(box_id, work, item))
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(error) from error
        finally:
            self._writes_waiting -= 1

    async def read(self, read: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What this reading finds, on a connection that writes nothing."""

        def reading() -> T:
            with self._database.reading() as db:
                return read(db, *args, **kwargs)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._reads, reading)
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(error) from error

    async def shelved(self, move: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What became of bytes that are moved; a shelf that fails is Unavailable."""
        try:
            moving = partial(move, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._shelving, moving)
        except OSError as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    logger.error("the store failed: error=%s", type(error).__name__, exc_info=error)
    return Unavailable(retry_after_s=5)
