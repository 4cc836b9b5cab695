"""Messages of a box about the present. They are not stored as items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import Connection

from contract.envelope import Envelope
from contract.messages import UpMessage


@dataclass(frozen=True, slots=True)
class Heard:
    """A checked message whose number was new. `content`: the bytes that came beside it. `project_code`: the box's."""

    box_id: str
    project_code: str
    body: UpMessage
    content: bytes = b""


Taker = Callable[[Connection, Heard, int], BaseModel | None]
"""Called inside the transaction that notes the sending's number, with now (UTC ns). Out: the body of the reply, or None
where the kind has none. What it raises refuses the message: a ContractFault by its own name."""


class SetListener:
    """A listener that hears many items of one moment at once: the same rows as one after the other, in less time."""

    def __init__(
        self,
        hear: Callable[[Connection, Envelope, UpMessage, int], None],
        hear_all: Callable[[Connection, Sequence[tuple[Envelope, UpMessage]], int], None],
    ) -> None:
        self._hear, self.hear_all = hear, hear_all

    def __call__(self, db: Connection, envelope: Envelope, body: UpMessage, now_ns: int) -> None:
        """One item."""
        self._hear(db, envelope, body, now_ns)
