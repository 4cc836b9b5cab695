"""The ledger: who did what, when, why and with what evidence; hash-chained and signed, one chain a project.

    entry n:  canonical JSON { chain, seq, prev, kind, subject, project_code, at_ns, actor, content }
              sha256 of exactly these bytes is `prev` of entry n + 1; the desk's key signs the same bytes

Nothing is ever changed or removed. Whoever holds a later head (an anchor, an evidence package, a printed document) can
tell that an earlier entry was changed, removed or put in. In: decisions inside a transaction. Out: entries.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import Canonical, canonical_bytes
from contract.chain import GENESIS, ChainFault, ChainHead, record_digest, verify_chain
from contract.faults import BadSignature
from contract.signing import SignKey, VerifyKey
from regulator.base.model.actor import Actor
from regulator.base.records.among import among
from regulator.base.records.many import insert_rows, update_rows
from regulator.base.records.tables.ledger import ledger_entries, ledger_heads

_INSERT = insert(ledger_entries)
_OF_CHAIN = ledger_heads.c.chain == bindparam("of_chain")
_LOCK_HEAD = select(ledger_heads).where(_OF_CHAIN).with_for_update()
_MOVE_HEAD = update(ledger_heads).where(_OF_CHAIN).values(seq=bindparam("seq"), sha256=bindparam("sha256"))


@dataclass(frozen=True, slots=True)
class Deed:
    """What is written down. `subject` names the thing (hazard id, user id ...); `content` is canonical JSON.

    `project_code` chooses the chain `project:<code>`; without one `chain` must be given (`account:...`, `set:...`).
    """

    kind: str
    subject: str
    content: Mapping[str, Canonical]
    project_code: str = ""
    chain: str = ""

    @property
    def chain_name(self) -> str:
        """The chain of the ledger that this deed goes into."""
        return self.chain or f"project:{self.project_code}"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry as it lies in the ledger."""

    chain: str
    seq: int
    sha256: str
    body: str
    alg: str
    key_id: str
    signature: str

    @property
    def fields(self) -> dict[str, Canonical]:
        """The body of the entry, parsed from its exact text."""
        parsed: dict[str, Canonical] = json.loads(self.body)
        return parsed


class Ledger:
    """Appends with the desk's key. Stateless: any replica may append to any chain."""

    def __init__(self, key: SignKey) -> None:
        self._key = key

    def hold(self, db: Connection, *chains: str) -> None:
        """Take the ends of chains now, by name, for whoever takes something else after them (see `records.locks`)."""
        for chain in sorted(set(chains)):
            _lock_head(db, chain)

    def append(self, db: Connection, deed: Deed, actor: Actor, now_ns: int) -> LedgerEntry:
        """Write a deed down, in the caller's transaction: the deed and its entry are kept together or not at all."""
        entry, row = self._entry(_lock_head(db, deed.chain_name), deed, actor, now_ns)
        db.execute(_INSERT, row)
        db.execute(_MOVE_HEAD, {"of_chain": entry.chain, "seq": entry.seq, "sha256": entry.sha256})
        return entry

    def append_all(self, db: Connection, deeds: Sequence[Deed], actor: Actor, now_ns: int) -> None:
        """Write many deeds down in their order, with a few statements; chains are taken by name."""
        heads, rows = _lock_heads(db, {deed.chain_name for deed in deeds}), []
        for deed in deeds:
            entry, row = self._entry(heads[deed.chain_name], deed, actor, now_ns)
            heads[deed.chain_name] = ChainHead(entry.seq, entry.sha256)
            rows.append(row)
        insert_rows(db, ledger_entries, rows)
        moved = [{"chain": chain, "seq": head.seq, "sha256": head.sha256} for chain, head in heads.items()]
        update_rows(db, ledger_heads, moved)

    def _entry(self, head: ChainHead, deed: Deed, actor: Actor, now_ns: int) -> tuple[LedgerEntry, dict[str, object]]:
        """The entry after `head`, and its row."""
        body = canonical_bytes(
            {
                "chain": deed.chain_name,
                "seq": head.seq + 1,
                "prev": head.sha256,
                "kind": deed.kind,
                "subject": deed.subject,
                "project_code": deed.project_code,
                "at_ns": now_ns,
                "actor": _actor_fields(actor),
                "content": dict(deed.content),
            }
        )
        key = self._key.present
        entry = LedgerEntry(
            chain=deed.chain_name,
            seq=head.seq + 1,
            sha256=record_digest(body),
            body=body.decode(),
            alg=key.public.alg,
            key_id=key.public.key_id,
            signature=key.sign(body),
        )
        return entry, _row(entry, head.sha256, deed, actor, now_ns)


def entries_of(db: Connection, chain: str, first: int = 1, limit: int = 10_000) -> list[LedgerEntry]:
    """Entries of a chain in order, from number `first`."""
    rows = db.execute(
        select(ledger_entries)
        .where(ledger_entries.c.chain == chain, ledger_entries.c.seq >= first)
        .order_by(ledger_entries.c.seq)
        .limit(limit)
    )
    return [_entry(row) for row in rows]


def entries_about(db: Connection, subject: str) -> list[LedgerEntry]:
    """Everything that was ever done to one thing, oldest first."""
    found = select(ledger_entries).where(ledger_entries.c.subject == subject)
    return [_entry(row) for row in db.execute(found.order_by(ledger_entries.c.at_ns, ledger_entries.c.seq))]


def verify_ledger(db: Connection, chain: str, keys: Mapping[str, VerifyKey]) -> ChainHead | ChainFault:
    """Recompute every digest, link and signature of a chain, and hold the end against the head that is kept."""
    entries = entries_of(db, chain, limit=2**31)
    end = verify_chain((entry.seq, entry.sha256, entry.body.encode()) for entry in entries)
    if isinstance(end, ChainFault):
        return end
    for entry in entries:
        key = keys.get(entry.key_id)
        if key is None:
            return ChainFault(entry.seq, f"signed with the unknown key {entry.key_id}")
        if key.alg != entry.alg:
            return ChainFault(entry.seq, f"says {entry.alg}, but {entry.key_id} is a key of {key.alg}")
        try:
            key.verify(entry.signature, entry.body.encode())
        except BadSignature:
            return ChainFault(entry.seq, "the signature does not fit")
    row = db.execute(select(ledger_heads).where(ledger_heads.c.chain == chain)).first()
    if row is not None and (row.seq, row.sha256) != (end.seq, end.sha256):
        return ChainFault(end.seq + 1, f"the head says {row.seq} entries, {end.seq} are there")
    return end


def _lock_head(db: Connection, chain: str) -> ChainHead:
    row = db.execute(_LOCK_HEAD, {"of_chain": chain}).first()
    if row is None:
        dialect = postgresql if db.dialect.name == "postgresql" else sqlite
        db.execute(dialect.insert(ledger_heads).values(chain=chain, seq=0, sha256=GENESIS).on_conflict_do_nothing())
        row = db.execute(_LOCK_HEAD, {"of_chain": chain}).one()
    return ChainHead(row.seq, row.sha256)


def _lock_heads(db: Connection, chains: set[str]) -> dict[str, ChainHead]:
    wanted = select(ledger_heads).where(among(ledger_heads.c.chain, sorted(chains)))
    wanted = wanted.order_by(ledger_heads.c.chain).with_for_update()
    found = {row.chain: ChainHead(row.seq, row.sha256) for row in db.execute(wanted)}
    for chain in sorted(chains - found.keys()):
        found[chain] = _lock_head(db, chain)
    return found


def _actor_fields(actor: Actor) -> dict[str, Canonical]:
    return {
        "user_id": actor.user_id,
        "name": actor.name,
        "level": actor.level.value,
        "scope": actor.scope.code,
        "duties": sorted(duty.value for duty in actor.duties),
        "on_behalf_of": actor.on_behalf_of,
    }


def _row(entry: LedgerEntry, prev: str, deed: Deed, actor: Actor, now_ns: int) -> dict[str, object]:
    return {
        "chain": entry.chain,
        "seq": entry.seq,
        "sha256": entry.sha256,
        "prev": prev,
        "kind": deed.kind,
        "subject": deed.subject,
        "project_code": deed.project_code,
        "at_ns": now_ns,
        "user_id": actor.user_id,
        "body": entry.body,
        "alg": entry.alg,
        "key_id": entry.key_id,
        "signature": entry.signature,
    }


def _entry(row: object) -> LedgerEntry:
    return LedgerEntry(**{name: getattr(row, name) for name in LedgerEntry.__slots__})
