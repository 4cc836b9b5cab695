"""Messages of a regulator, read back from their sealed records.

In: a `regulator_message` record's content. Out: the message as the contract describes it. The signature was checked
before the message was sealed; the record holds it still. Knows no office.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from contract.messages import MailboxMessage


class SealedRecord(Protocol):
    """What is folded of a record, kept or just sealed."""

    @property
    def seq(self) -> int:
        """Its number in the chain."""

    @property
    def kind(self) -> str:
        """What it is about."""

    @property
    def at_ns(self) -> int:
        """When it was sealed, UTC ns."""

    @property
    def body(self) -> bytes:
        """Its exact bytes."""


def sealed_message(content: Mapping[str, Any]) -> MailboxMessage | None:
    """The message; None when the record does not hold one."""
    try:
        return MailboxMessage.model_validate_json(content["text"])
    except (KeyError, TypeError, ValidationError):
        return None


def filed_under(kind: str, body: Mapping[str, Any]) -> str:
    """What the store files a regulator's message under: the thing that it is about. Empty for what has no thread."""
    prefix, name = _THREADS.get(kind, ("", ""))
    found = body.get(name, "")
    return f"{prefix}:{found}" if prefix and isinstance(found, str) and found else ""


_THREADS: Mapping[str, tuple[str, str]] = {
    "order": ("order", "order_id"),
    "order_state": ("order", "order_id"),
    "work_permit": ("permit", "permit_id"),
    "weather_warning": ("weather", "warning_id"),
    "rule_pack": ("rule_pack", "offer_id"),
    "alarm_verdict": ("verdict", "alarm_id"),
}
