"""The per-box hash chain: every sealed record names the digest of the one before it.

    record 1 --sha256--> record 2 --sha256--> record 3 ... head
      prev = 64 zeros      prev = sha(1)        prev = sha(2)

A record is canonical JSON holding at least `seq` (1, 2, 3 ...), `prev` and `box_id`. Its digest is the SHA-256
of exactly those bytes. Whoever holds a later head can tell that an earlier record was changed, removed or inserted.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest record: its sequence number (0 = nothing yet) and digest in hex."""

    seq: int = 0
    sha256: str = GENESIS


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Where a chain breaks and why."""

    seq: int
    reason: str


def record_digest(body: bytes) -> str:
    """SHA-256 of the exact bytes of a record, lower-case hex."""
    return hashlib.sha256(body).hexdigest()


def verify_chain(records: Iterable[tuple[int, str, bytes]], start: ChainHead | None = None) -> ChainHead | ChainFault:
    """Walk (seq, digest, body) rows in order from `start`; the head when all hold, else the first fault."""
    head = start or ChainHead()
    for seq, sha256, body in records:
        reason = _fault_of(seq, sha256, body, head)
        if reason:
            return ChainFault(seq, reason)
        head = ChainHead(seq, sha256)
    return head


def _fault_of(seq: int, sha256: str, body: bytes, head: ChainHead) -> str:
    if seq != head.seq + 1:
        return f"sequence {seq} follows {head.seq}"
    if record_digest(body) != sha256:
        return "the body does not match its digest"
    try:
        record = json.loads(body)
        named = (record["seq"], record["prev"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "the body is not a chain record"
    return "" if named == (seq, head.sha256) else f"the body names seq {named[0]} after {str(named[1])[:12]}"
