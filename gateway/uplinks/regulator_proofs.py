"""What a regulator signs about this box's chain, taken from the conversation and kept (`gateway.store.receipts`).

    accepted evidence record   its receipt, before the outbox is told that the record was accepted
    heartbeat's reply          the checkpoint, one an hour while the chain grows

In: signed texts. Out: proofs on the disk. A disk that takes nothing holds no delivery up: a later checkpoint vouches
for every record before it.
"""

import asyncio
import logging
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from contract.envelope import SignedText, open_text, read_model
from contract.faults import BadSignature, Malformed
from contract.messages import ChainCheckpoint
from contract.signing import VerifyKey
from contract.strict_json import parse_object
from gateway.model.errors import StoreError
from gateway.store.receipts import Proof, ProofKind, ReceiptStore, receipts_path
from gateway.uplinks.regulator_session import RegulatorSession

logger = logging.getLogger(__name__)
EVIDENCE: Final = "evidence_record"
EVERY_NS: Final = 3_600_000_000_000


class ProofKeeping:
    """One regulator's. The file is made with the first proof."""

    def __init__(self, session: RegulatorSession, folder: Path, uplink: str, box_id: str) -> None:
        self._session = session
        self._path = receipts_path(folder, uplink)
        self._box_id = box_id
        self._store: ReceiptStore | None = None
        self._opening = asyncio.Lock()
        self._newest: ChainCheckpoint | None = None
        self._failing = False

    async def keep_receipt(self, kind: str, item_key: str, receipt: SignedText, key: VerifyKey) -> None:
        """The receipt of an item, already checked. Only those of evidence records name the chain."""
        seq = record_number(item_key)
        if kind == EVIDENCE and seq:
            await self._keep(Proof(ProofKind.RECEIPT, seq, receipt, key))

    async def take_checkpoint(self, signed: SignedText | None) -> None:
        """From a heartbeat's reply. One that is not believed is said in the log and not kept."""
        key = self._session.memory.now.find_key(signed.key_id) if signed is not None else None
        if signed is None:
            return
        try:
            if key is None:
                raise Malformed("key_id", "a key that is trusted")
            told = open_text(signed, ChainCheckpoint, key)
            if told.box_id != self._box_id:
                raise Malformed("box_id", self._box_id)
        except (BadSignature, Malformed) as fault:
            logger.warning("a checkpoint that is not believed: uplink=%s reason=%s", self._path.parent.name, fault)
            return
        if await self._wanted(told) and await self._keep(Proof(ProofKind.CHECKPOINT, told.seq, signed, key)):
            self._newest = told

    async def close(self) -> None:
        """Let go of the file that it reads from."""
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
            self._store = None

    async def _wanted(self, told: ChainCheckpoint) -> bool:
        """Whether an hour has passed since the last one, and the chain has grown."""
        try:
            await self._opened()
        except (StoreError, OSError) as error:
            self._failed(error)
            return False
        newest = self._newest
        if newest is None:
            return True
        return told.at_ns // EVERY_NS != newest.at_ns // EVERY_NS and told.sha256 != newest.sha256

    async def _keep(self, proof: Proof) -> bool:
        try:
            store = await self._opened()
            kept: Future[None] = store.keep(proof)
            await asyncio.wrap_future(kept)
        except (StoreError, OSError) as error:
            self._failed(error)
            return False
        self._failing = False
        return True

    async def _opened(self) -> ReceiptStore:
        async with self._opening:
            if self._store is None:
                self._store = await asyncio.to_thread(ReceiptStore, self._path)
                self._newest = _checkpoint(self._store.newest_checkpoint)
            return self._store

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            logger.error("receipts cannot be kept: file=%s reason=%s", self._path, error)
        self._failing = True


def _checkpoint(text: str) -> ChainCheckpoint | None:
    try:
        return read_model(ChainCheckpoint, parse_object(text.encode()), Malformed)
    except Malformed:
        return None


def record_number(item_key: str) -> int:
    """The record that an evidence item is about: its key ends with it; 0 for another key."""
    _, found, number = item_key.rpartition(":evidence:")
    return int(number) if found and number.isascii() and number.isdigit() and len(number) < 19 else 0
