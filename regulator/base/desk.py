"""The desk's parts, put together once: what every area of it is built from.

    settings --> Desk(database, ledger, key, shelf, mailbox ...) --> areas --> one application, one list of jobs

An **area** (intake, accounts, registry, review, hazards, evidence, site ...) is a package with offices that know SQL
and rules, and a module `regulator.base.web.<area>_routes` whose `install(desk, app, pages)` hangs its pages and its
API on the application. What must happen with time is a `Job` that an area adds; what must happen when something
arrives from a box is a `Listener`, called inside the transaction that keeps the item, so that both are kept or neither.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import BaseModel
from sqlalchemy import Connection

from contract.signing import SignKey
from regulator.base.model.heard import Listener, Taker
from regulator.base.model.shelf import NO_SHELF, Shelf
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.settings import DeskSettings

Post = Callable[[Connection, str, str, BaseModel, int], str]
"""Put a message into a box's mailbox inside a transaction: db, box id, mailbox kind, body, now; the message's id."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again: `run(now_ns)`. With several replicas it must be harmless when two run it.

    `everywhere`: in every process of a desk, because it is about the process itself."""

    name: str
    every_s: float
    run: Callable[[int], None]
    everywhere: bool = False


@dataclass(slots=True)
class Desk:
    """Shared parts. `listeners` by kind of item (`alarm_transition`, `order_reply` ...); areas add to the lists.
    `takers` by kind of what speaks of now (`camera_still` ...): one area each."""

    settings: DeskSettings
    database: DeskDatabase
    key: SignKey
    now_ns: Callable[[], int] = time.time_ns
    listeners: dict[str, list[Listener]] = field(default_factory=dict)
    takers: dict[str, Taker] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    post: Post = field(default=lambda *_: _no_mailbox())
    shelf: Shelf = NO_SHELF

    @property
    def ledger(self) -> Ledger:
        """Signs with the desk's key."""
        return Ledger(self.key)

    def listen(self, kind: str, listener: Listener) -> None:
        """Hear of every item of a kind, once."""
        self.listeners.setdefault(kind, []).append(listener)


def _no_mailbox() -> str:
    raise LookupError("the desk runs without intake, so there is no mailbox")
