"""What areas hear of a box's messages: the checked body, and whose it is.

The project is the one that the box is enrolled for. What a message says of a project is not asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import Connection

from contract.messages import UpMessage


@dataclass(frozen=True, slots=True)
class Heard:
    """A checked message that came for the first time. `project_code`: the box's. `key`: an item's idempotency key,
    empty for what speaks of now. `content`: the bytes that came beside it."""

    box_id: str
    project_code: str
    body: UpMessage
    key: str = ""
    content: bytes = b""


Listener = Callable[[Connection, Heard, int], None]
"""Called inside the transaction that keeps an item, with now (UTC ns). What it raises refuses the item: a ContractFault
by its own name."""
Taker = Callable[[Connection, Heard, int], BaseModel | None]
"""The same for what is not stored as an item, inside the transaction that notes its number. Out: the body of the reply,
or None where the kind has none."""


@dataclass(frozen=True, slots=True)
class SetListener:
    """A listener that hears many items of one moment at once: the same rows as one after the other, in less time."""

    hear_all: Callable[[Connection, Sequence[Heard], int], None]

    def __call__(self, db: Connection, heard: Heard, now_ns: int) -> None:
        """One item."""
        self.hear_all(db, [heard], now_ns)
