"""Which keys this desk has signed with, and when.

In: keys and times, inside a transaction. Out: public keys by their id. Every change is an entry of the chain
`desk:keys`, signed by the old key and the new one, so that whoever trusts one can follow to the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, text, update

from contract.canonical import Canonical
from contract.signing import SignKey, VerifyKey, verify_key
from regulator.base.model.actor import SYSTEM
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import box_keys
from regulator.base.records.tables.keys import desk_keys

CHAIN: Final = "desk:keys"
LOCK: Final = 7_240_292
"""An advisory lock of PostgreSQL: any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of this desk. Times UTC ns, 0: has not come."""

    key: VerifyKey
    announced_at_ns: int
    used_from_ns: int
    retired_at_ns: int


def known_keys(db: Connection) -> dict[str, KnownKey]:
    """All keys that this desk ever signed with, by id."""
    return {
        row.key_id: KnownKey(
            verify_key(row.alg, row.public_text), row.announced_at_ns, row.used_from_ns, row.retired_at_ns
        )
        for row in db.execute(select(desk_keys))
    }


def public_keys(db: Connection, present: SignKey) -> Mapping[str, VerifyKey]:
    """What signatures of this desk are checked with; `present` is among them."""
    return {key_id: known.key for key_id, known in known_keys(db).items()} | {present.public.key_id: present.public}


def lock_keys(db: Connection) -> None:
    """One replica at a time looks at keys and their files."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})


def key_in_use(db: Connection) -> str:
    """The id of the key that the desk signs with; '' before the first start."""
    at = desk_keys.c
    return db.scalar(select(at.key_id).where(at.used_from_ns > 0, at.retired_at_ns == 0)) or ""


def algorithms_in_use(db: Connection) -> list[str]:
    """Of every key that something was, or may be, signed with: the desk's and the boxes'."""
    return sorted({*db.scalars(select(desk_keys.c.alg).distinct()), *db.scalars(select(box_keys.c.alg).distinct())})


def add_key(db: Connection, key: VerifyKey, now_ns: int, *, in_use: bool) -> None:
    """A key that nobody here knows yet; announced only, unless it is in use from now on."""
    row = {"key_id": key.key_id, "alg": key.alg, "public_text": key.public_text, "announced_at_ns": now_ns}
    db.execute(insert(desk_keys).values(**row, used_from_ns=now_ns if in_use else 0))


def change_key(db: Connection, old_id: str, new_id: str, now_ns: int) -> None:
    """The old one is retired, the new one in use."""
    at = desk_keys.c
    db.execute(update(desk_keys).where(at.key_id == old_id).values(retired_at_ns=now_ns))
    db.execute(update(desk_keys).where(at.key_id == new_id).values(used_from_ns=now_ns))


def write_down(
    db: Connection, signer: SignKey, kind: str, subject: str, content: dict[str, Canonical], now_ns: int
) -> None:
    """An entry of the keys' chain."""
    Ledger(signer).append(db, Deed(kind, subject, content, chain=CHAIN), SYSTEM, now_ns)
