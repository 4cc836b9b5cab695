"""One act of somebody at the desk: the transaction, the ledger, who, when and why, handed to every office method."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from contract.canonical import Canonical
from regulator.base.model.actor import Actor
from regulator.base.records.ledger import Deed, Ledger, LedgerEntry
from regulator.base.texts import read_reason

REGIONS_CHAIN, FIRMS_CHAIN = "registry:regions", "registry:firms"


@dataclass(frozen=True, slots=True)
class Act:
    """`reason` goes into every entry and is never empty where a person acts. `now_ns`: UTC ns."""

    db: Connection
    ledger: Ledger
    actor: Actor
    now_ns: int
    reason: str

    def write(
        self, kind: str, subject: str, content: Mapping[str, Canonical], project_code: str = "", chain: str = ""
    ) -> LedgerEntry:
        """Put the act into the ledger, with its reason. Raises RefusedError 422 when there is none."""
        told = {"reason": read_reason(self.reason), **content}
        return self.ledger.append(self.db, Deed(kind, subject, told, project_code, chain), self.actor, self.now_ns)

    def because(self, reason: str) -> "Act":
        """The same hand with another reason."""
        return replace(self, reason=reason)
