"""Writing down what was done to an account, in its own chain."""

from collections.abc import Mapping

from sqlalchemy import Connection

from contract.canonical import Canonical
from regulator.base.model.actor import Actor
from regulator.base.records.ledger import Deed, Ledger, LedgerEntry

CHAIN = "account:"


def note(
    db: Connection,
    ledger: Ledger,
    kind: str,
    user_id: str,
    content: Mapping[str, Canonical],
    by: Actor,
    now_ns: int,
) -> LedgerEntry:
    """One entry of the chain of `user_id`, in the caller's transaction."""
    return ledger.append(db, Deed(kind, user_id, content, chain=f"{CHAIN}{user_id}"), by, now_ns)
