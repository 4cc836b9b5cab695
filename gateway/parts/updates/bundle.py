"""The file of an offline update: a signed tar of wheels.

    bundle.tar
      manifest.json   version, when it was made, until when it may be installed, SHA-256 of every file
      signature       Ed25519 over the manifest's bytes
      lock.txt
      wheels/*.whl

    check:  manifest and signature come first and are small -> signature -> only then the files, in pieces of a
            mebibyte, each against the manifest's digest

In: wheels, a lock and a private key; or a file that anybody may have made, and the public key. Out: a bundle; or its
manifest, and its files in a folder. A sparse member could grow from kilobytes to gigabytes; a
bundle holds none. Knows nothing of installed versions and of the clock.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

MANIFEST, SIGNATURE, LOCK = "manifest.json", "signature", "lock.txt"
FORMAT = 2
VALID_DAYS = 180
MAX_BUNDLE_BYTES = 2**30
MAX_MANIFEST_BYTES, SIGNATURE_BYTES = 2**20, 64
MAX_FILES = 1000
PIECE_BYTES = 2**20
VERSION = re.compile(r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$")
FILE_NAME = re.compile(r"^(lock\.txt|wheels/[0-9A-Za-z_.+!-]+\.whl)$")


class BundleError(Exception):
    """The bundle, the key or the root folder is not what it has to be; nothing was switched."""


class BundleManifest(BaseModel):
    """What is signed. A bundle older than one that was in force, or past `expires_at`, is refused by a box."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    version: str
    made_at: AwareDatetime
    expires_at: AwareDatetime
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BundleAbout:
    """What a workshop says of a bundle: `made_at` is aware; it may be installed for `valid_days`."""

    version: str
    made_at: datetime
    valid_days: float = VALID_DAYS


def make_bundle(wheels: Path, lock: Path, private_key: Path, about: BundleAbout, target: Path) -> BundleManifest:
    """Pack and sign. Raises BundleError, OSError."""
    if not VERSION.match(about.version):
        raise BundleError(f"version {about.version!r}: expected letters, digits and . + _ -")
    found = sorted(wheels.glob("*.whl"))
    if not found:
        raise BundleError(f"{wheels}: holds no wheel")
    files = {LOCK: lock.read_bytes()} | {f"wheels/{path.name}": path.read_bytes() for path in found}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = BundleManifest(
        format=FORMAT,
        version=about.version,
        made_at=about.made_at,
        expires_at=about.made_at + timedelta(days=about.valid_days),
        files=digests,
    )
    body = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=1).encode()
    signature = _private(private_key).sign(body)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w") as tar:
        for name, content in {MANIFEST: body, SIGNATURE: signature, **files}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return manifest


def read_bundle(bundle: Path, public_key: Path, refuse: Callable[[BundleManifest], None], into: Path) -> BundleManifest:
    """The manifest of a bundle that is what was signed; its files are written to the folder `into`, without their
    folders' names. `refuse` may raise BundleError for a signed manifest before any file is read.

    Raises BundleError; what lies in `into` is then worth nothing.
    """
    if bundle.stat().st_size > MAX_BUNDLE_BYTES:
        raise BundleError(f"{bundle}: {bundle.stat().st_size} bytes, expected at most {MAX_BUNDLE_BYTES}")
    try:
        with tarfile.open(bundle, "r:") as tar:
            manifest = _signed_manifest(tar, bundle, public_key)
            refuse(manifest)
            _check_files(tar, bundle, manifest.files, into)
    except (tarfile.TarError, EOFError) as error:
        raise BundleError(f"{bundle}: not a bundle: {error}") from None
    return manifest


def _signed_manifest(tar: tarfile.TarFile, bundle: Path, public_key: Path) -> BundleManifest:
    body = _small(tar, bundle, MANIFEST, MAX_MANIFEST_BYTES)
    signature = _small(tar, bundle, SIGNATURE, SIGNATURE_BYTES)
    try:
        _public(public_key).verify(signature, body)
    except InvalidSignature:
        raise BundleError(f"{bundle}: the signature does not fit the key in {public_key}") from None
    said = json.loads(body)
    if said.get("format") != FORMAT:
        raise BundleError(f"{bundle}: format {said.get('format')}, expected {FORMAT}")
    try:
        manifest = BundleManifest.model_validate(said)
    except ValidationError as error:
        raise BundleError(f"{bundle}: {MANIFEST}: {error.errors()[0]['msg']}") from None
    if not VERSION.match(manifest.version) or len(manifest.files) > MAX_FILES:
        raise BundleError(f"{bundle}: version {manifest.version!r}, {len(manifest.files)} files: not a bundle's")
    return manifest


def _small(tar: tarfile.TarFile, bundle: Path, name: str, at_most: int) -> bytes:
    """The next member, which must be this one. Read before anything is known of who made the bundle."""
    member = tar.next()
    if member is None or member.name != name or not member.isfile() or member.issparse() or member.size > at_most:
        found = "nothing" if member is None else f"{member.name!r}, {member.size} bytes"
        raise BundleError(f"{bundle}: {found}; expected {name} of at most {at_most} bytes")
    return _opened(tar, member).read()


def _check_files(tar: tarfile.TarFile, bundle: Path, digests: Mapping[str, str], into: Path) -> None:
    missing = dict(digests)
    while (member := tar.next()) is not None:
        if not member.isfile() or member.issparse() or not FILE_NAME.match(member.name):
            raise BundleError(f"{bundle}: {member.name!r}: not a file that a bundle holds")
        if missing.pop(member.name, None) != _copied(_opened(tar, member), into / Path(member.name).name):
            raise BundleError(f"{bundle}: {member.name}: not what was signed")
    if missing:
        raise BundleError(f"{bundle}: {', '.join(sorted(missing))}: not what was signed")


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    assert file is not None  # of a regular file
    return file


def _copied(file: IO[bytes], copy: Path) -> str:
    """The digest of what was written."""
    sha256 = hashlib.sha256()
    with copy.open("wb") as out:
        while piece := file.read(PIECE_BYTES):
            sha256.update(piece)
            out.write(piece)
    return sha256.hexdigest()


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise BundleError(f"{path}: not an unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"{path}: expected an Ed25519 key")
    return key


def _public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, TypeError):
        raise BundleError(f"{path}: not a PEM public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BundleError(f"{path}: expected an Ed25519 key")
    return key
