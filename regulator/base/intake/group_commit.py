"""Many small writes, one commit: what waits at the same moment is made durable together.

    caller --submit(box, work)--> queue of the box's writer --> BEGIN  SAVEPOINT work  SAVEPOINT work  COMMIT --> result

                                                                       or: many items, a few statements (`batch`)

Theory of operation. A commit costs a flush of the disk, a statement does not. A writer takes the first work that waits
and everything behind it, runs each inside a savepoint of one transaction, and tells the callers only after the commit.
Work that is refused (any error of its own) rolls back to its savepoint and harms no other. When the database itself
fails (a deadlock with another replica, a lost connection), or an area refuses one of the items that are kept together,
the whole is rolled back and each work is tried once more, alone. One box always has the same writer, so two writers of
a process never wait for each other's box.
"""

import logging
import queue
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from regulator.base.intake.acceptance import Delivery
from regulator.base.records.engine import DeskDatabase

logger = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

MOST_TOGETHER = 64
WRITERS = 1
"""One a process on either database: they would share one processor, and two half batches cost more than a whole one."""
BUSY = 4
LINGER_S = 0.015
"""After a batch of `BUSY` works or more the next one waits for so long: what a batch costs it costs once."""


class Together(Protocol):
    """Keeps those of many items that it can keep with a few statements."""

    def __call__(self, db: Connection, items: Sequence[Delivery], also: frozenset[str]) -> Mapping[int, Any]:
        """Results by place in `items`; what has none is done by its own work. `also`: other boxes of the same
        transaction. Raises what is raised about any of them: then nothing was done."""
        ...


@dataclass(slots=True)
class _Job:
    box_id: str
    work: Work[Any]
    item: Delivery | None
    future: "Future[Any]" = field(default_factory=Future)


class GroupCommit:
    """Commits the work of many threads together; `submit` from any thread."""

    def __init__(self, database: DeskDatabase, together: Together | None = None) -> None:
        self._database = database
        self._items_together = together
        self._queues: list[queue.SimpleQueue[_Job | None]] = [queue.SimpleQueue() for _ in range(WRITERS)]
        self._threads = [
            threading.Thread(target=self._write, args=(waiting,), name=f"desk-writer-{number}", daemon=True)
            for number, waiting in enumerate(self._queues)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, box_id: str, work: Work[T], item: Delivery | None = None) -> "Future[T]":
        """The result, or what `work` raised, once it is on the disk. `item`: what `work` keeps, if that is all."""
        job = _Job(box_id, work, item)
        self._queues[zlib.crc32(box_id.encode("utf-8", "replace")) % len(self._queues)].put(job)
        return job.future

    def close(self) -> None:
        """Finish what waits to be written, then end."""
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _write(self, waiting: "queue.SimpleQueue[_Job | None]") -> None:
        busy = False
        while (first := waiting.get()) is not None:
            if busy:
                time.sleep(LINGER_S)
            jobs, more = _take(waiting, first)
            busy = len(jobs) >= BUSY
            self._together([job for job in jobs if job.future.set_running_or_notify_cancel()])
            if not more:
                return

    def _together(self, jobs: list[_Job]) -> None:
        if len(jobs) == 1 and (jobs[0].item is None or self._items_together is None):
            self._alone(jobs[0])
            return
        try:
            with self._database.transaction() as db:
                done = self._kept_together(db, jobs)
                outcomes = [(done[i], None) if i in done else _attempt(db, job) for i, job in enumerate(jobs)]
        except Exception as error:  # noqa: BLE001 - whatever one of them raised, each is heard alone
            level = logging.WARNING if len(jobs) > 1 else logging.DEBUG
            logger.log(level, "a batch is written one by one: works=%d error=%s", len(jobs), type(error).__name__)
            for job in jobs:
                self._alone(job)
            return
        for job, (result, refusal) in zip(jobs, outcomes, strict=True):
            _tell(job, result, refusal)

    def _kept_together(self, db: Connection, jobs: list[_Job]) -> dict[int, Any]:
        """Results by place in `jobs`."""
        chosen = [(place, job.item) for place, job in enumerate(jobs) if job.item is not None]
        if self._items_together is None or not chosen:
            return {}
        also = frozenset(job.box_id for job in jobs if job.box_id)
        done = self._items_together(db, [item for _, item in chosen], also)
        return {chosen[number][0]: result for number, result in done.items()}

    def _alone(self, job: _Job) -> None:
        result, refusal = None, None
        try:
            with self._database.transaction() as db:
                result = job.work(db)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, as an executor does
            refusal = error
        _tell(job, result, refusal)


def _take(waiting: "queue.SimpleQueue[_Job | None]", first: _Job) -> tuple[list[_Job], bool]:
    """What waits now, and whether more may come."""
    jobs = [first]
    while len(jobs) < MOST_TOGETHER:
        try:
            job = waiting.get_nowait()
        except queue.Empty:
            return jobs, True
        if job is None:
            return jobs, False
        jobs.append(job)
    return jobs, True


def _attempt(db: Connection, job: _Job) -> tuple[Any, Exception | None]:
    try:
        with db.begin_nested():
            return job.work(db), None
    except (IntegrityError, DataError) as error:
        return None, error
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever waits, as an executor does
        return None, error


def _tell(job: _Job, result: Any, refusal: Exception | None) -> None:
    if refusal is None:
        job.future.set_result(result)
    else:
        job.future.set_exception(refusal)
