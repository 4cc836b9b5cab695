"""What every part of the desk is built from, put together once.

    settings --> Desk(database, ledger, key, shelf, mailbox ...) --> parts --> one application, one list of jobs

A **part** (intake, registry, review, hazards, evidence, site ...) is a folder of `regulator.parts` with offices that
know SQL and rules, its pages, and a `part.py` that says what it brings (`regulator.base.web.part`). What must happen
with time is a `Job`; what must happen when something arrives from a box is a `Listener`, called inside the transaction
that keeps the item, so that both are kept or neither. What one part asks of another is a port: `post`, `open_hazard`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel
from sqlalchemy import Connection

from contract.signing import SignKey
from regulator.base.kinds import RiskKind
from regulator.base.model.actor import Actor
from regulator.base.model.hazard import NewHazard
from regulator.base.model.heard import Listener, Taker
from regulator.base.model.shelf import NO_SHELF, Shelf
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.settings import DeskSettings

Post = Callable[[Connection, str, str, BaseModel, int], str]
"""Put a message into a box's mailbox inside a transaction: db, box id, mailbox kind, body, now; the message's id."""

OpenHazard = Callable[[Connection, Ledger, NewHazard, Actor, int], str]
"""Open a hazard inside a transaction, idempotent by its cause: db, ledger, what is known, by whom, now; its id."""


@dataclass(frozen=True, slots=True)
class HazardCause:
    """What a hazard did that counts towards the key-risk list (notice A7): an accident, an order to stop work."""

    kind: RiskKind
    hazard_id: str
    number: str
    project_code: str
    title_zh: str
    on_day: date


CauseListener = Callable[[Connection, Ledger, HazardCause, Actor, int], None]
"""Hears of a cause inside the transaction of the step: db, ledger, cause, by whom, now."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again: `run(now_ns)`. With several replicas it must be harmless when two run it.

    `everywhere`: in every process of a desk, because it is about the process itself."""

    name: str
    every_s: float
    run: Callable[[int], object]
    everywhere: bool = False


@dataclass(slots=True)
class Desk:
    """Shared by all parts. `listeners` by kind of item (`alarm_transition`, `order_reply` ...).
    `takers` by kind of what speaks of now (`camera_still` ...): one part each."""

    settings: DeskSettings
    database: DeskDatabase
    key: SignKey
    now_ns: Callable[[], int] = time.time_ns
    listeners: dict[str, list[Listener]] = field(default_factory=dict)
    takers: dict[str, Taker] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    post: Post = field(default=lambda *_: _no_mailbox())
    open_hazard: OpenHazard = field(default=lambda *_: _no_hazards())
    cause_listeners: list[CauseListener] = field(default_factory=list)
    shelf: Shelf = NO_SHELF

    @property
    def ledger(self) -> Ledger:
        """The ledger, which signs with the key of this desk."""
        return Ledger(self.key)

    def listen(self, kind: str, listener: Listener) -> None:
        """Hear of every item of a kind, once."""
        self.listeners.setdefault(kind, []).append(listener)

    @property
    def set_code(self) -> str:
        """How the set of the desk's province is called."""
        return self.settings.province_code or "province"


def _no_mailbox() -> str:
    raise LookupError("the desk runs without intake, so there is no mailbox")


def _no_hazards() -> str:
    raise LookupError("the desk runs without hazards, so nothing can be opened")
