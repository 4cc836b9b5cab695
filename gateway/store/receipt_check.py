"""The chain of a data folder, held against what regulators signed about it: `sitewarden verify` and `doctor`.

    record n    1 ... n - 1   n        n + 1 ...
    proof                     |  receipt: digest of the message that holds record n; checkpoint: digest of record n
    agrees      all records up to n are as the regulator got them, since each names the one before
    differs     record n, or one before it, was rewritten on the box and those after it were sealed anew

In: a folder whose chain holds by itself. Out: per uplink what the proofs say. Writes nothing. What this cannot see:
that proofs and the record of sending were removed together; the regulator still holds the records then.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contract.canonical import canonical_bytes
from contract.chain import ChainHead
from contract.envelope import SignedText, open_text
from contract.faults import ContractFault
from contract.messages import ChainCheckpoint, ReceiptText
from contract.signing import VerifyKey, verify_key
from gateway.store.alert_store import ALERTS_FILE
from gateway.store.database import open_reader
from gateway.store.receipts import MAX_BYTES, RECEIPTS_FILE, ProofKind

_RECORD: Final = "SELECT sha256, CAST(body AS BLOB) AS body FROM evidence WHERE seq = ?"
_PROOFS: Final = (
    "SELECT kind, CAST(seq AS INTEGER) AS seq, CAST(key_id AS TEXT) AS key_id, CAST(text AS TEXT) AS text,"
    " CAST(signature AS TEXT) AS signature FROM proof WHERE kind IN ('receipt', 'checkpoint') ORDER BY seq, kind"
)
_KEYS: Final = (
    "SELECT CAST(key_id AS TEXT) AS key_id, CAST(alg AS TEXT) AS alg, CAST(public_key AS TEXT) AS public_key"
    " FROM desk_key"
)
_ACCEPTED: Final = (
    "SELECT max(CAST(substr(key, instr(key, ':evidence:') + 10) AS INTEGER)) FROM outbox"
    " WHERE uplink = ? AND kind = 'evidence_record' AND state = 'accepted'"
)
_UPLINKS: Final = "SELECT DISTINCT uplink FROM outbox WHERE kind = 'evidence_record' AND state = 'accepted'"


@dataclass(frozen=True, slots=True)
class ProofFault:
    """What does not hold, at which record."""

    seq: int
    text_zh: str
    text_en: str


@dataclass(slots=True)
class ProofReport:
    """One uplink. Records up to `vouched_seq` are as the regulator has them; `newest_ns` (UTC): when it last said so.

    `accepted_seq`: the highest record that the outbox calls accepted. `signers`: ids of keys; `others`: proofs by keys
    that were not asked for."""

    uplink: str
    accepted_seq: int = 0
    receipts: int = 0
    checkpoints: int = 0
    vouched_seq: int = 0
    newest_ns: int = 0
    signers: set[str] = field(default_factory=set)
    others: int = 0
    faults: list[ProofFault] = field(default_factory=list)

    def text_zh(self, head: ChainHead) -> str:
        """What was found, said in one sentence."""
        if not self.receipts + self.checkpoints:
            return f"无 {self.uplink} 签名的回执：第 1 至 {head.seq} 条仅由本机自证"
        return (
            f"{self.uplink} 签名的回执 {self.receipts} 份、检查点 {self.checkpoints} 份；"
            f"第 1 至 {self.vouched_seq} 条（共 {head.seq} 条）与其所收一致，最近 {_day(self.newest_ns)}"
        )

    def text_en(self, head: ChainHead) -> str:
        """What was found, said in one sentence."""
        if not self.receipts + self.checkpoints:
            return f"no receipts signed by {self.uplink}: records 1 to {head.seq} stand by this box's word alone"
        return (
            f"{self.uplink} signed {self.receipts} receipts and {self.checkpoints} checkpoints; records 1 to"
            f" {self.vouched_seq} of {head.seq} are as it got them, last at {_day(self.newest_ns)}"
        )


def check_proofs(folder: Path, head: ChainHead, key_id: str = "") -> list[ProofReport]:
    """A report an uplink, by name. With `key_id` only proofs by that key are believed, and there must be some.

    Raises sqlite3.Error when the chain cannot be read.
    """
    with closing(open_reader(folder / ALERTS_FILE)) as chain:
        sent = {str(row[0]) for row in chain.execute(_UPLINKS)}
        kept = {path.parent.name for path in (folder / "uplinks").glob(f"*/{RECEIPTS_FILE}")}
        return [_Checking(folder, chain, head, uplink, key_id).report() for uplink in sorted(sent | kept)]


class _Checking:
    """One uplink's proofs."""

    def __init__(self, folder: Path, chain: sqlite3.Connection, head: ChainHead, uplink: str, key_id: str) -> None:
        self._path = folder / "uplinks" / uplink / RECEIPTS_FILE
        self._chain, self._head, self._key_id = chain, head, key_id
        self._said = ProofReport(uplink, int(chain.execute(_ACCEPTED, (uplink,)).fetchone()[0] or 0))
        self._differing: list[tuple[int, str]] = []

    def report(self) -> ProofReport:
        """All that was found while the proofs were checked."""
        if self._path.is_file():
            try:
                with closing(open_reader(self._path)) as proofs:
                    self._all(proofs)
            except sqlite3.Error as error:
                self._fault(0, f"{self._path} 无法读取：{error}", f"{self._path} cannot be read: {error}")
        self._name_differing()
        self._name_missing()
        return self._said

    def _all(self, proofs: sqlite3.Connection) -> None:
        keys = _keys(proofs)
        for row in proofs.execute(_PROOFS):
            kind, seq = ProofKind(row["kind"]), int(row["seq"])
            key = keys.get(row["key_id"])
            if self._key_id not in ("", row["key_id"]):
                self._said.others += 1
                continue
            try:
                if key is None:
                    raise ValueError("signed by a key that is not here")
                signed = SignedText(alg=key.alg, key_id=key.key_id, text=row["text"], signature=row["signature"])
                self._one(kind, seq, signed, key)
            except (ContractFault, ValueError) as fault:
                self._fault(seq, f"{_zh(kind)} {seq} 已损坏", f"the {kind} of record {seq} is damaged: {fault}")

    def _one(self, kind: ProofKind, seq: int, signed: SignedText, key: VerifyKey) -> None:
        record = self._chain.execute(_RECORD, (seq,)).fetchone()
        if kind is ProofKind.RECEIPT:
            receipt = open_text(signed, ReceiptText, key)
            named = (receipt.key.rpartition(":evidence:")[2], receipt.body_sha256)
            found, at_ns = (str(seq), _message_digest(record)), receipt.accepted_at_ns
            self._said.receipts += 1
        else:
            checkpoint = open_text(signed, ChainCheckpoint, key)
            named = (str(checkpoint.seq), checkpoint.sha256)
            found, at_ns = (str(seq), record["sha256"] if record is not None else ""), checkpoint.at_ns
            self._said.checkpoints += 1
        self._said.signers.add(key.key_id)
        self._said.newest_ns = max(self._said.newest_ns, at_ns)
        if named == found:
            self._said.vouched_seq = max(self._said.vouched_seq, seq)
        else:
            self._differing.append((seq, kind))

    def _name_differing(self) -> None:
        """The first record that is not as the regulator has it; those after it follow from it."""
        if not self._differing:
            return
        seq, kind = min(self._differing)
        name, more = self._said.uplink, len(self._differing) - 1
        self._said.vouched_seq = min(self._said.vouched_seq, seq - 1)
        first = self._said.vouched_seq + 1
        zh, en = f"第 {seq} 条", f"record {seq}"
        if first < seq:
            zh, en = f"第 {first} 至 {seq} 条之一", f"a record from {first} to {seq}"
        zh, en = (f"{zh}已不存在", f"{en} is gone") if seq > self._head.seq else (f"{zh}被改写", f"{en} was rewritten")
        also_zh, also_en = (f"，另有 {more} 份不符", f", as do {more} more") if more else ("", "")
        zh = f"{zh}：{name} 签名的{_zh(ProofKind(kind))}所载摘要不同{also_zh}"
        self._fault(seq, zh, f"{en}: the {kind} signed by {name} names another digest{also_en}")

    def _name_missing(self) -> None:
        """Proofs are kept before a record counts as accepted, so some vouches for each of those."""
        said = self._said
        proofs = said.receipts + said.checkpoints
        if self._key_id and not proofs:
            zh, en = f"没有密钥 {self._key_id} 的签名", f"nothing signed by the key {self._key_id} is kept here"
            self._fault(0, f"{said.uplink}：{zh}", f"{said.uplink}: {en}")
        elif proofs and not self._differing and said.vouched_seq < said.accepted_seq and not self._full():
            first, last = said.vouched_seq + 1, said.accepted_seq
            zh = f"{said.uplink} 已接收第 {first} 至 {last} 条，其回执不在本机"
            self._fault(first, zh, f"{said.uplink} accepted records {first} to {last}; their receipts are not here")

    def _full(self) -> bool:
        return self._path.stat().st_size >= MAX_BYTES

    def _fault(self, seq: int, zh: str, en: str) -> None:
        self._said.faults.append(ProofFault(seq, zh, en))


def _keys(proofs: sqlite3.Connection) -> Mapping[str, VerifyKey]:
    """Keys whose text has the fingerprint that is their id."""
    return {key.key_id: key for key_id, key in _read_keys(proofs) if key.key_id == key_id}


def _read_keys(proofs: sqlite3.Connection) -> Iterator[tuple[str, VerifyKey]]:
    for row in proofs.execute(_KEYS):
        try:
            yield row["key_id"], verify_key(row["alg"], row["public_key"])
        except ContractFault:
            continue


def _message_digest(record: sqlite3.Row | None) -> str:
    """Digest of the message that brings a record, as the chain holds it now."""
    if record is None:
        return ""
    text = record["body"].decode("utf-8", "replace")
    return hashlib.sha256(canonical_bytes({"record": text, "sha256": record["sha256"]})).hexdigest()


def _zh(kind: ProofKind) -> str:
    return {ProofKind.RECEIPT: "回执", ProofKind.CHECKPOINT: "检查点"}[kind]


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M UTC")
