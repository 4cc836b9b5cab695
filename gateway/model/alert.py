"""Alerts leave the box: one per alarm transition, with a key that lets a receiver hold each exactly once."""

from dataclasses import dataclass
from enum import StrEnum


class ReceiptKind(StrEnum):
    """ACCEPTED: the receiver holds it. REJECTED: it never will, keep it aside. RETRY: ask again later."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an uplink says of one item. `detail` is their id, or their reason in their words."""

    kind: ReceiptKind
    detail: str = ""
    retry_after_s: float = 0.0

    @classmethod
    def accepted(cls, their_id: str = "") -> "Receipt":
        """The receiver holds it under `their_id`."""
        return cls(ReceiptKind.ACCEPTED, their_id)

    @classmethod
    def rejected(cls, reason: str) -> "Receipt":
        """Never retry; keep it aside with the receiver's words."""
        return cls(ReceiptKind.REJECTED, reason)

    @classmethod
    def retry(cls, reason: str, after_s: float = 0.0) -> "Receipt":
        """Not now. `after_s` is the receiver's wish, 0 when it has none."""
        return cls(ReceiptKind.RETRY, reason, after_s)


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One durable row to send. `body` is canonical JSON bytes, `kind` the contract's message kind."""

    outbox_id: int
    uplink: str
    key: str
    kind: str
    body: bytes
    created_at_ns: int
    attempts: int
