"""What a box says of now: no item that is kept, but a message that somebody of the desk wants to know."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import Connection

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
