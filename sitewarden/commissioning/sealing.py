"""Keeps a sheet beside the evidence: the page on the disk, its digest in the hash chain, signed with the box's key.

    commissioning/sheets/STAMP-DIGEST.html   the page, byte for byte
    commissioning/pending/....json           what is still to be sealed
    commissioning/sheets/....json            what has been sealed

In: pages and what they say. Out: chain records of kind `commissioned`. Sealing happens at once where the command holds
the data folder, else at the gateway's next start; a crash in between seals once, because the chain is asked first.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.canonical import Canonical, canonical_bytes
from contract.faults import BadSignature, UnknownAlgorithm
from contract.keyfile import load, write_durably
from contract.signing import SignKey, verify_key
from gateway.evidence.evidence import RecordKind
from gateway.line.arming import FOLDER, AssetArming, write_arming
from gateway.line.recorder import Entry, Recorder
from gateway.ports import Clock
from gateway.store.alert_store import ChainReader
from sitewarden.commissioning.findings import Commissioning

log = logging.getLogger(__name__)


class SheetError(LookupError):
    """There is no sheet, or it is not the one that was sealed."""


@dataclass(frozen=True, slots=True)
class KeptSheet:
    """A sheet on the disk. `sha256` is the digest of its exact bytes."""

    path: Path
    sha256: str
    signed_by: str


def keep_sheet(folder: Path, found: Commissioning, page: bytes, key: SignKey | None) -> KeptSheet:
    """Write page, signature and arming state; what is to be sealed is left in `pending`. Raises OSError."""
    sha256 = hashlib.sha256(page).hexdigest()
    stamp = datetime.fromtimestamp(found.at_ns // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{stamp}-{sha256[:12]}"
    content: dict[str, Canonical] = {
        "sheet": f"{name}.html",
        "sheet_sha256": sha256,
        "at_ns": found.at_ns,
        "operator": found.operator,
        "settings_digest": found.settings_digest,
        "proven": found.sound,
        "cranes": [{"asset": c.asset, "armed": c.armed, "reason": c.reason_en} for c in found.cranes],
        "cameras": [{"asset": c.asset, "confirmed": list(c.confirmed)} for c in found.cameras],
        "signature": key.sign(page) if key else "",
        "alg": key.public.alg if key else "",
        "key_id": key.public.key_id if key else "",
        "public_key": key.public.public_text if key else "",
    }
    path = folder / FOLDER / "sheets" / f"{name}.html"
    write_durably(path, page)
    write_durably(folder / FOLDER / "pending" / f"{name}.json", canonical_bytes(content))
    cranes = [_arming(crane, found.at_ns, sha256) for crane in found.cranes if not crane.kept_from]
    cameras = [
        AssetArming(asset=each.asset, armed=True, at_ns=found.at_ns, sheet_sha256=sha256, checks=each.confirmed)
        for each in found.cameras
    ]
    write_arming(folder, [*cranes, *cameras])
    return KeptSheet(path, sha256, key.public.key_id if key else "")


def box_key(folder: Path, uplinks: Sequence[str]) -> SignKey | None:
    """The key that this box signs with towards the first of these uplinks that it has one for. Raises ValueError."""
    for name in uplinks:
        path = folder / "keys" / f"{name}.pem"
        if path.is_file():
            return load(path)
    return None


async def seal_pending(folder: Path, chain: ChainReader, recorder: Recorder, clock: Clock) -> int:
    """Put every pending sheet into the chain, oldest first; the number sealed. Needs a recorder that is running."""
    pending = sorted((folder / FOLDER / "pending").glob("*.json"))
    sealed = _sealed_digests(chain) if pending else set()
    count = 0
    for path in pending:
        content = _content(path)
        if content is None:
            continue
        if content["sheet_sha256"] not in sealed:
            await recorder.record(Entry(RecordKind.COMMISSIONED, clock.now_ns(), content))
            count += 1
        try:
            path.replace(folder / FOLDER / "sheets" / path.name)
        except OSError as error:
            log.error("event=sheet_not_filed file=%s reason=%r", path, error.strerror)
    return count


async def seal_now(folder: Path, chain: ChainReader, recorder: Recorder, clock: Clock) -> int:
    """The same for a command that has no running recorder."""
    running = asyncio.create_task(recorder.run())
    try:
        return await seal_pending(folder, chain, recorder, clock)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def printed_sheet(folder: Path, chain: ChainReader) -> bytes:
    """The newest sealed sheet, byte for byte. Raises SheetError when it is missing or is not what was sealed."""
    contents = list(_commissioned(chain))
    if not contents:
        raise SheetError(f"{folder}: the chain holds no commissioning sheet")
    content = contents[-1]
    path = folder / FOLDER / "sheets" / str(content["sheet"])
    try:
        page = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path}: {error.strerror}, expected the sheet that the chain names") from None
    found = hashlib.sha256(page).hexdigest()
    if found != content["sheet_sha256"]:
        raise SheetError(f"{path}: found digest {found}, expected {content['sheet_sha256']} as sealed")
    if content["signature"]:
        try:
            verify_key(content["alg"], content["public_key"]).verify(content["signature"], page)
        except BadSignature:
            raise SheetError(f"{path}: the signature does not fit, expected one by {content['key_id']}") from None
        except UnknownAlgorithm:
            raise SheetError(f"{path}: signed with {content['alg']}, which cannot be checked here") from None
    return page


def _arming(crane: Any, at_ns: int, sha256: str) -> AssetArming:
    return AssetArming(
        asset=crane.asset,
        armed=crane.armed,
        reason_zh=crane.reason_zh,
        reason_en=crane.reason_en,
        at_ns=at_ns,
        sheet_sha256=sha256,
    )


def _content(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_bytes())
        canonical_bytes(content)
        return content if isinstance(content["sheet_sha256"], str) else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("event=sheet_not_sealed file=%s reason=%r", path, str(error)[:200])
        return None


def _commissioned(chain: ChainReader) -> list[dict[str, Any]]:
    kept = (record for record in chain.all_evidence() if record.kind == RecordKind.COMMISSIONED)
    return [json.loads(record.body)["content"] for record in kept]


def _sealed_digests(chain: ChainReader) -> set[str]:
    return {str(content["sheet_sha256"]) for content in _commissioned(chain)}
