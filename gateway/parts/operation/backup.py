"""Backup and restore of a box: one archive, taken while the gateway runs, checked by its digests and by the chain.

    archive.tar.gz
      manifest.json      what is in it: bytes and SHA-256 of every file, the chain's head, when, by which version
      data/uplinks/NAME/receipts.db   what a regulator signed about the chain; copied first: never ahead of the chain
      data/alerts.db     copied by SQLite's online backup: one moment, whatever is being written meanwhile
      data/history.db    copied after it, so that the history is never behind what the chain has sealed of it
      data/assets.db     likewise
      data/office.db     likewise
      data/...           small files of the data folder that anyone may read
      site/...           the site file, with its rule packs and device tables
      (media/ is left out: bodies of pictures take gigabytes; the chain holds their digests)
      private.sealed     files that only their owner reads (keys, credentials, accounts), encrypted; only with a
                         passphrase

In: settings and a running box's data folder, or an archive. Out: a verified archive, or a verified data folder.
Nothing is used before its digest fits; no name in an archive leads out of the folder.

An older copy that is put to work goes on from an older head: the regulator already holds later records of this box and
answers with a chain fault. That is meant: it must be told why records 'go back'. See docs/operation.md.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import BaseModel, ConfigDict, ValidationError

from contract import __version__
from contract.chain import ChainFault
from gateway.accounts.account_rows import ACCOUNTS_FILE
from gateway.media.shelf import MEDIA_FOLDER
from gateway.parts.shift.paper_store import OFFICE_FILE
from gateway.ports import Clock
from gateway.settings import Settings
from gateway.store.alert_store import ALERTS_FILE, open_for_reading
from gateway.store.asset_records import ASSETS_FILE
from gateway.store.last_known import LAST_KNOWN_FILE
from gateway.store.receipts import RECEIPTS_FILE

HISTORY_FILE = "history.db"
MANIFEST = "manifest.json"
SEALED = "private.sealed"
SEALED_MARK = b"SITEWARDEN-SEALED-1\n"
LEFT_OUT = ("lock", "alerts.reserve", LAST_KNOWN_FILE)
"""What speaks of this disk alone."""
DATABASE_PARTS = (".db", ".db-wal", ".db-shm", ".db-journal")
MAX_MANIFEST_BYTES = 4 * 2**20
MAX_SEALED_BYTES = 64 * 2**20
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
CHUNK = 2**20


class BackupError(Exception):
    """The archive or the folder is not what it has to be; says which, and what was expected."""


class FileEntry(BaseModel):
    """One file of the archive: its name, length and digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What an archive says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    box_id: str
    project_code: str
    program_version: str
    created_at_ns: int
    chain_seq: int
    chain_sha256: str
    settings_digest: str
    site_file: str
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True)
class BackupResult:
    """Where the archive is, what it says, and what was left out: for want of a passphrase, or for its size."""

    path: Path
    manifest: Manifest
    left_out: tuple[str, ...]


def make_backup(settings: Settings, to: Path, clock: Clock, passphrase: str = "") -> BackupResult:
    """Write, read back and verify an archive. `to` is a folder, or a file that ends in .tar.gz.

    Raises BackupError, OSError.
    """
    data = settings.storage.folder
    if not (data / ALERTS_FILE).is_file():
        raise BackupError(f"{data}: holds no {ALERTS_FILE}; expected the data folder of a box that has run")
    now_ns = clock.now_ns()
    target = _target(to, settings.box.id, now_ns)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sitewarden-backup-", dir=target.parent) as folder:
        stage = Path(folder)
        for path in sorted((data / "uplinks").glob(f"*/{RECEIPTS_FILE}")):
            _copy_database(path, stage / "data" / path.relative_to(data))
        _copy_database(data / ALERTS_FILE, stage / "data" / ALERTS_FILE)
        for name in (HISTORY_FILE, ASSETS_FILE, OFFICE_FILE):
            if (data / name).is_file():
                _copy_database(data / name, stage / "data" / name)
        left_out = _copy_small_files(data, stage, passphrase)
        _copy_site(Path(settings.file), stage / "site")
        manifest = _manifest_of(stage, settings, now_ns)
        (stage / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        part = stage / "archive.part"
        _pack(stage, manifest, part)
        verify_backup(part)
        part.replace(target)
    return BackupResult(target, manifest, left_out)


def verify_backup(archive: Path) -> Manifest:
    """Every file against the manifest, and nothing beside it. Raises BackupError."""
    with _opened(archive) as tar:
        manifest = _read_manifest(tar)
        for _ in _checked_files(tar, manifest, None):
            pass
    return manifest


def restore(archive: Path, folder: Path, passphrase: str = "") -> Manifest:
    """Make `folder` the data folder that was backed up; the site file lies in its `site`. Raises BackupError, OSError.

    The folder must be empty or not there. Everything is verified beside it first, then moved into place at once.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder}: is not empty; expected an empty or new folder, so that nothing is overwritten")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sitewarden-restore-", dir=folder.parent) as name:
        stage = Path(name)
        with _opened(archive) as tar:
            manifest = _read_manifest(tar)
            for _ in _checked_files(tar, manifest, stage):
                pass
        _open_sealed(stage, passphrase)
        _check_chain(stage / "data", manifest)
        (stage / "site").rename(stage / "data" / "site")
        if folder.exists():
            folder.rmdir()
        (stage / "data").replace(folder)
    return manifest


def _target(to: Path, box_id: str, now_ns: int) -> Path:
    if to.name.endswith(".tar.gz"):
        return to
    stamp = datetime.fromtimestamp(now_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
    return to / f"sitewarden-{box_id}-{stamp}.tar.gz"


def _copy_database(source: Path, target: Path) -> None:
    """One consistent moment of a database that may be written to meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        address = f"file:{source}?mode=ro"
        with (
            closing(sqlite3.connect(address, uri=True, timeout=30)) as reading,
            closing(sqlite3.connect(target)) as copy,
        ):
            reading.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            answer = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"{source}: cannot be copied: {error}") from None
    if answer != "ok":
        raise BackupError(f"{source}: the copy is damaged: {answer}")


def _copy_small_files(data: Path, stage: Path, passphrase: str) -> tuple[str, ...]:
    """Files that only their owner reads go into the sealed part; without a passphrase they are left out, and named. So
    do the accounts: hashes of passwords are for nobody's eyes."""
    private: list[tuple[str, bytes]] = []
    left_out = []
    if (data / ACCOUNTS_FILE).is_file():
        private += _accounts(data, stage) if passphrase else []
        left_out += [] if passphrase else [ACCOUNTS_FILE]
    for path in sorted(data.rglob("*")):
        name = path.relative_to(data).as_posix()
        if (
            path.is_symlink()
            or not path.is_file()
            or name in LEFT_OUT
            or _is_database(path)
            or name.startswith(("site/", f"{MEDIA_FOLDER}/"))
        ):
            continue
        if not path.stat().st_mode & 0o077:
            private.append((name, path.read_bytes())) if passphrase else left_out.append(name)
            continue
        copy = stage / "data" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    if private:
        (stage / SEALED).write_bytes(seal_files(private, passphrase))
    bodies = [path.stat().st_size for path in (data / MEDIA_FOLDER).glob("??/*")]
    if bodies:  # gigabytes, and no two backups need the same ones: they are copied beside it, see docs/operation.md
        left_out.append(f"{MEDIA_FOLDER}/ ({len(bodies)} bodies, {sum(bodies)} bytes)")
    return tuple(left_out)


def _accounts(data: Path, stage: Path) -> list[tuple[str, bytes]]:
    """One moment of the accounts; nothing of them stays on the stage."""
    copy = stage / ACCOUNTS_FILE
    _copy_database(data / ACCOUNTS_FILE, copy)
    content = copy.read_bytes()
    copy.unlink()
    return [(ACCOUNTS_FILE, content)]


def _is_database(path: Path) -> bool:
    return path.name.endswith(DATABASE_PARTS) or ".db.damaged-" in path.name


def _copy_site(site_file: Path, stage: Path) -> None:
    stage.mkdir(parents=True)
    shutil.copyfile(site_file, stage / site_file.name)
    for folder in ("rules", "devices", "hazards", "cards"):
        for path in sorted((site_file.parent / folder).rglob("*.yaml")):
            copy = stage / path.relative_to(site_file.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _manifest_of(stage: Path, settings: Settings, now_ns: int) -> Manifest:
    outcome = open_for_reading(stage / "data").verify()
    if isinstance(outcome, ChainFault):
        raise BackupError(f"{ALERTS_FILE}: the chain is broken at record {outcome.seq}: {outcome.reason}")
    names = sorted(path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file())
    return Manifest(
        box_id=settings.box.id,
        project_code=settings.site.project_code,
        program_version=__version__,
        created_at_ns=now_ns,
        chain_seq=outcome.seq,
        chain_sha256=outcome.sha256,
        settings_digest=settings.digest,
        site_file=Path(settings.file).name,
        files=tuple(_entry(stage, name) for name in names),
    )


def _entry(stage: Path, name: str) -> FileEntry:
    with (stage / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(name=name, bytes=(stage / name).stat().st_size, sha256=digest)


def _pack(stage: Path, manifest: Manifest, target: Path) -> None:
    with target.open("xb") as file:
        target.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
            for name in (MANIFEST, *(entry.name for entry in manifest.files)):
                tar.add(stage / name, arcname=name, recursive=False)
        file.flush()
        os.fsync(file.fileno())


def _opened(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, "r:gz")
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{archive}: not a backup archive: {error}") from None


def _read_manifest(tar: tarfile.TarFile) -> Manifest:
    try:
        member = tar.next()
        file = tar.extractfile(member) if member is not None and member.isfile() else None
        if member is None or file is None or member.name != MANIFEST or member.size > MAX_MANIFEST_BYTES:
            raise BackupError(f"{tar.name!r}: expected {MANIFEST} first")
        manifest = Manifest.model_validate_json(file.read())
    except ValidationError as error:
        raise BackupError(f"{MANIFEST}: {error.errors()[0]['msg']}") from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BackupError(f"{tar.name!r}: not a whole archive: {error}") from None
    if manifest.format != 1:
        raise BackupError(f"{MANIFEST}: format {manifest.format}, expected 1; this program is older")
    return manifest


def _checked_files(tar: tarfile.TarFile, manifest: Manifest, into: Path | None) -> Iterator[str]:
    """Each file of the archive once its digest fits, written below `into` when that is given. Raises BackupError."""
    left = {entry.name: entry for entry in manifest.files}
    try:
        while (member := tar.next()) is not None:
            entry = left.pop(member.name, None)
            file = tar.extractfile(member) if member.isfile() else None
            if entry is None or file is None or not is_inside(member.name):
                raise BackupError(f"{member.name}: is not in the manifest, or no plain file of this archive")
            digest, size = hashlib.sha256(), 0
            with _create(into, member.name) if into is not None else io.BytesIO() as copy:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    copy.write(chunk) if into is not None else None
            if (digest.hexdigest(), size) != (entry.sha256, entry.bytes):
                raise BackupError(f"{member.name}: does not match its digest in the manifest")
            yield member.name
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BackupError(f"{tar.name!r}: not a whole archive: {error}") from None
    if left:
        raise BackupError(f"{', '.join(sorted(left))}: in the manifest, not in the archive")


def is_inside(name: str) -> bool:
    """Whether a name in an archive stays below the folder it is unpacked into."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _create(folder: Path, name: str) -> io.BufferedWriter:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")


def _open_sealed(stage: Path, passphrase: str) -> None:
    path = stage / SEALED
    if not path.exists():
        return
    if not passphrase:
        raise BackupError(f"{SEALED}: holds the box's keys; expected the passphrase that it was made with")
    for name, content in open_files(path.read_bytes(), passphrase):
        target = stage / "data" / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600)
        target.write_bytes(content)


def _check_chain(data: Path, manifest: Manifest) -> None:
    try:
        outcome = open_for_reading(data).verify()
    except (sqlite3.Error, FileNotFoundError) as error:
        raise BackupError(f"{ALERTS_FILE}: cannot be read: {error}") from None
    if isinstance(outcome, ChainFault):
        raise BackupError(f"{ALERTS_FILE}: the chain is broken at record {outcome.seq}: {outcome.reason}")
    if (outcome.seq, outcome.sha256) != (manifest.chain_seq, manifest.chain_sha256):
        raise BackupError(f"{ALERTS_FILE}: the chain ends at record {outcome.seq}, expected {manifest.chain_seq}")


def seal_files(files: list[tuple[str, bytes]], passphrase: str) -> bytes:
    """Names and contents under a passphrase: scrypt, then AES-256-GCM. The mark is authenticated too."""
    salt, nonce = os.urandom(16), os.urandom(12)
    plain = json.dumps({name: content.hex() for name, content in files}).encode()
    return SEALED_MARK + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, SEALED_MARK)


def open_files(sealed: bytes, passphrase: str) -> list[tuple[str, bytes]]:
    """Back from `seal_files`. Raises BackupError when the passphrase is wrong or the file was changed."""
    start = len(SEALED_MARK)
    if not sealed.startswith(SEALED_MARK) or len(sealed) < start + 44 or len(sealed) > MAX_SEALED_BYTES:
        raise BackupError(f"{SEALED}: not a sealed part of a backup")
    salt, nonce, body = sealed[start : start + 16], sealed[start + 16 : start + 28], sealed[start + 28 :]
    try:
        plain = AESGCM(_key(passphrase, salt)).decrypt(nonce, body, SEALED_MARK)
    except InvalidTag:
        raise BackupError(f"{SEALED}: wrong passphrase, or the file was changed") from None
    files = [(name, bytes.fromhex(content)) for name, content in json.loads(plain).items()]
    for name, _ in files:
        if not is_inside(name):
            raise BackupError(f"{SEALED}: {name} leads out of the folder")
    return files


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase.encode())
