"""Evidence packages: one zip a hazard that proves itself to somebody who has nothing but Python.

    manifest.json  manifest.sig     every file and its digest, signed by the desk
    items/NNNN.json                 what the box sent, with its signature and our receipt
    chain.jsonl  anchors.json       the box's chain around the alarm, and the anchors that reach it
    ledger.jsonl                    who did what with the case, hash-chained and signed
    media/<sha256>.<ext>            pictures and clips      curve.csv     what was measured around it
    index.html                      to read                 verify.py     to check

In: a `Case`, the shelf, the desk's key. Out: bytes in a file. Media that is not there, or was changed, is listed as
such under the same signature, never left out in silence.
"""

import hashlib
import inspect
import json
import re
import zipfile
from dataclasses import dataclass
from typing import IO, Any

from contract.canonical import Canonical, canonical_bytes
from contract.signing import SignKey
from regulator.base.model.actor import Actor
from regulator.base.model.shelf import Shelf
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import require_project
from regulator.parts.evidence import signatures, verifier
from regulator.parts.evidence.case import Case, MediaFile, gather, hazard_row
from regulator.parts.evidence.package_page import index_page
from regulator.parts.evidence.verifier import FORMAT, MANIFEST, SIGNATURE, curve_text

IMPORTED = re.compile(r"^from regulator\.parts\.evidence\.signatures import .*\n", re.MULTILINE)
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "application/pdf": "pdf",
}
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time that every entry of the zip carries: the times that count are signed ones."""


@dataclass(frozen=True, slots=True)
class PackageOffice:
    """Makes packages. Each one is an entry of the project's ledger before anything is read."""

    database: DeskDatabase
    key: SignKey
    shelf: Shelf

    def write(self, hazard_id: str, actor: Actor, now_ns: int, file: IO[bytes]) -> str:
        """Write a hazard's package; its file name. Raises RefusedError 404 outside the scope, OSError."""
        with self.database.transaction() as db:
            row = hazard_row(db, hazard_id)
            require_project(db, actor, row.project_code)
            deed = Deed("evidence_packaged", hazard_id, {"number": row.number}, row.project_code)
            Ledger(self.key).append(db, deed, actor, now_ns)
        with self.database.reading() as db:
            case = gather(db, hazard_id)
        write_package(case, self.shelf, self.key.present, now_ns, file)
        return f"{_plain(row.number or hazard_id)}.zip"


def write_package(case: Case, shelf: Shelf, key: SignKey, now_ns: int, file: IO[bytes]) -> None:
    """The zip, into an open file."""
    with zipfile.ZipFile(file, "w") as package:
        writing = _Writing(package)
        for number, item in enumerate(case.items, start=1):
            said = {"envelope": item.envelope, "signature": item.envelope_signature}
            writing.add(f"items/{number:04d}.json", _json(said | {"receipt": json.loads(item.receipt)}))
        if case.alarm is not None:
            writing.add("chain.jsonl", _lines([_record(row) for row in case.chain.records]))
            writing.add("anchors.json", _json([_anchor(row) for row in case.chain.anchors]))
            bodies = [json.loads(item.body) for item in case.items if item.kind == "minute_summary"]
            writing.add("curve.csv", curve_text(bodies).encode("utf-8-sig"))
        writing.add("ledger.jsonl", _lines([_entry(entry) for entry in case.ledger]))
        missing = [gone for media in case.media if (gone := writing.media(shelf, media)) is not None]
        writing.add("verify.py", verifier_text().encode())
        writing.add("index.html", index_page(case, key.public.key_id, now_ns).encode())
        manifest = canonical_bytes(_manifest(case, key, now_ns) | {"files": writing.files, "missing": missing})
        signature = {"alg": key.public.alg, "key_id": key.public.key_id, "signature": key.sign(manifest)}
        writing.add(MANIFEST, manifest)
        writing.add(SIGNATURE, _json(signature))


def verifier_text() -> str:
    """The program `verify.py`: the verifier, with the text of `signatures` where it imports that."""
    held = inspect.getsource(signatures).replace("from __future__ import annotations\n", "")
    return IMPORTED.sub(lambda _: held, inspect.getsource(verifier))


class _Writing:
    """Writes entries and remembers their digests."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self.files: dict[str, Canonical] = {}

    def add(self, name: str, content: bytes, *, packed: bool = True) -> None:
        """Write one entry and remember its digest."""
        entry = zipfile.ZipInfo(name, EARLIEST)
        entry.external_attr = 0o644 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        self._package.writestr(entry, content)
        self.files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}

    def media(self, shelf: Shelf, media: MediaFile) -> dict[str, Canonical] | None:
        """A file from the shelf, or why it is missing."""
        try:
            content = shelf.read(media.sha256)
        except LookupError:
            return {"sha256": media.sha256, "media_type": media.media_type, "reason": "not_here"}
        except ValueError:
            return {"sha256": media.sha256, "media_type": media.media_type, "reason": "changed"}
        self.add(media_name(media), content, packed=False)
        return None


def media_name(media: MediaFile) -> str:
    """Where a file lies in the zip."""
    return f"media/{media.sha256}.{EXTENSIONS.get(media.media_type, 'bin')}"


def _manifest(case: Case, key: SignKey, now_ns: int) -> dict[str, Canonical]:
    ours = {public.key_id: public for public in (*case.desk_keys, key.public)}.values()
    desk = [{"alg": public.alg, "key_id": public.key_id, "public_key": public.public_text} for public in ours]
    boxes = [{"alg": row.alg, "key_id": row.key_id, "public_key": row.public_text} for row in case.keys]
    return {
        "format": FORMAT,
        "made_at_ns": now_ns,
        "project_code": case.hazard["project_code"],
        "box_id": case.hazard["box_id"],
        "hazard": dict(case.hazard),
        "alarm": dict(case.alarm) if case.alarm is not None else None,
        "evidence": [dict(row) for row in case.evidence],
        "keys": {"desk": desk, "box": boxes},
        "ledger": f"project:{case.hazard['project_code']}",
        "ledger_end": case.ledger[-1].seq if case.ledger else 0,
        "subjects": list(case.subjects),
        "pending": list(case.chain.pending),
    }


def _record(row: Any) -> dict[str, Canonical]:
    return {"seq": row.seq, "sha256": row.sha256, "record": row.record}


def _anchor(row: Any) -> dict[str, Canonical]:
    return {name: getattr(row, name) for name in ("number", "seq", "sha256", "at_ns", "ledger_seq")}


def _entry(entry: Any) -> dict[str, Canonical]:
    return {name: getattr(entry, name) for name in ("seq", "sha256", "body", "alg", "key_id", "signature")}


def _lines(rows: list[dict[str, Canonical]]) -> bytes:
    return b"".join(canonical_bytes(row) + b"\n" for row in rows)


def _json(value: Any) -> bytes:
    return canonical_bytes(value)


def _plain(name: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in name)
