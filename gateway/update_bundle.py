"""Updates for a box without a network: a signed bundle of wheels, a folder a version, one symlink that switches.

    bundle.tar                          root/
      manifest.json  what is in it        versions/1.2.0/    a virtual environment, never changed once it is there
      signature      over its bytes       versions/1.3.0/
      lock.txt                            current  -> versions/1.3.0     switched by one rename
      wheels/*.whl                        previous -> versions/1.2.0

    apply:  verify signature and every digest (in memory, nothing written) -> new folder -> install -> switch
            -> restart -> healthy? otherwise switch back -> restart

In: wheels, a lock and a private key; or a bundle, the box's copy of the public key and a root folder. Out: a bundle; or
a version that runs and is healthy, or the one before. Installs with `pip --no-index --no-deps`: the wheels inside, and
nothing else. Knows nothing of the gateway's own state: databases belong to no version.
"""

import hashlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import BaseModel, ConfigDict, ValidationError

log = logging.getLogger(__name__)
MANIFEST, SIGNATURE, LOCK = "manifest.json", "signature", "lock.txt"
MAX_BUNDLE_BYTES = 2**30
MAX_FILES = 1000
ASK_EVERY_S = 1.0
VERSION = re.compile(r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$")
FILE_NAME = re.compile(r"^(lock\.txt|wheels/[0-9A-Za-z_.+!-]+\.whl)$")
Health = Callable[[Path], str]
"""Asks the version in this folder whether it is healthy: an empty text, or why it is not."""
Restart = Callable[[], None]


class BundleError(Exception):
    """The bundle, the key or the root folder is not what it has to be; nothing was switched."""


class UnhealthyError(BundleError):
    """The new version did not become healthy; the one before is in force again."""


class BundleManifest(BaseModel):
    """What is signed: the version, and the SHA-256 of every file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    version: str
    files: Mapping[str, str]


def make_bundle(wheels: Path, lock: Path, private_key: Path, version: str, target: Path) -> BundleManifest:
    """Pack and sign. Raises BundleError, OSError."""
    if not VERSION.match(version):
        raise BundleError(f"version {version!r}: expected letters, digits and . + _ -")
    found = sorted(wheels.glob("*.whl"))
    if not found:
        raise BundleError(f"{wheels}: holds no wheel")
    files = {LOCK: lock.read_bytes()} | {f"wheels/{path.name}": path.read_bytes() for path in found}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = BundleManifest(version=version, files=digests)
    body = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=1).encode()
    signature = _private(private_key).sign(body)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w") as tar:
        for name, content in {MANIFEST: body, SIGNATURE: signature, **files}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return manifest


def read_bundle(bundle: Path, public_key: Path) -> tuple[BundleManifest, dict[str, bytes]]:
    """The verified content, in memory; nothing is written. Raises BundleError."""
    files = _members(bundle)
    body, signature = files.pop(MANIFEST, b""), files.pop(SIGNATURE, b"")
    try:
        _public(public_key).verify(signature, body)
    except InvalidSignature:
        raise BundleError(f"{bundle}: the signature does not fit the key in {public_key}") from None
    try:
        manifest = BundleManifest.model_validate_json(body)
    except ValidationError as error:
        raise BundleError(f"{bundle}: {MANIFEST}: {error.errors()[0]['msg']}") from None
    if manifest.format != 1 or not VERSION.match(manifest.version):
        raise BundleError(f"{bundle}: format {manifest.format}, version {manifest.version!r}; expected format 1")
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    if digests != dict(manifest.files):
        wrong = sorted(n for n in {*digests, *manifest.files} if digests.get(n) != manifest.files.get(n))
        raise BundleError(f"{bundle}: {', '.join(wrong)}: not what was signed")
    return manifest, files


def apply_bundle(bundle: Path, public_key: Path, root: Path, health: Health, restart: Restart) -> str:
    """Install beside, switch, restart, ask; back to the version before when it is not healthy.

    Returns the version now in force. Raises BundleError before anything is switched, UnhealthyError after it was
    switched back.
    """
    manifest, files = read_bundle(bundle, public_key)
    target = root / "versions" / manifest.version
    if target.exists():
        raise BundleError(f"{target}: this version is already there; expected a new one")
    before, earlier = current_version(root), _version_of(root / "previous")
    _install(target, files)
    _switch(root, manifest.version)
    reason = _restart_and_ask(root, health, restart)
    if not reason:
        log.info("event=update_applied version=%s before=%s", manifest.version, before)
        return manifest.version
    log.error("event=update_unhealthy version=%s reason=%r", manifest.version, reason)
    if before:
        _point(root, "current", before)
        _point(root, "previous", earlier) if earlier else (root / "previous").unlink()
        restart()
    else:
        (root / "current").unlink()
    shutil.rmtree(target)
    raise UnhealthyError(f"version {manifest.version} is not healthy: {reason}; in force: {before or 'none'}")


def rollback(root: Path, health: Health, restart: Restart) -> str:
    """Back to the version before; another rollback returns. Raises BundleError: there is none, or it is not healthy."""
    previous = _version_of(root / "previous")
    if not previous or not (root / "versions" / previous).is_dir():
        raise BundleError(f"{root}: no earlier version is installed")
    _switch(root, previous)
    reason = _restart_and_ask(root, health, restart)
    if reason:
        raise UnhealthyError(f"version {previous} is in force again, and not healthy: {reason}")
    return previous


def current_version(root: Path) -> str:
    """The version in force; '' when there is none."""
    return _version_of(root / "current")


def command_health(command: list[str], within_s: float) -> Health:
    """Healthy as soon as this command, with `{root}` for the version's folder, ends with 0; asked again until then."""

    def ask(folder: Path) -> str:
        filled = [part.replace("{root}", str(folder)) for part in command]
        deadline = time.monotonic() + within_s
        while reason := _complaint(filled, within_s):
            if time.monotonic() + ASK_EVERY_S > deadline:
                return reason
            time.sleep(ASK_EVERY_S)
        return ""

    return ask


def _complaint(command: list[str], timeout_s: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}"
    words = (done.stderr or done.stdout).decode(errors="replace").strip()[-300:]
    return "" if done.returncode == 0 else f"{command[0]} ended with {done.returncode}: {words}"


def command_restart(command: list[str]) -> Restart:
    """Run this command; an empty one restarts nothing. A failure shows in the health check that follows."""

    def run() -> None:
        if command:
            done = subprocess.run(command, check=False)
            if done.returncode:
                log.error("event=restart_failed command=%r status=%d", command[0], done.returncode)

    return run


def _restart_and_ask(root: Path, health: Health, restart: Restart) -> str:
    restart()
    return health((root / "current").resolve())


def _install(target: Path, files: Mapping[str, bytes]) -> None:
    """A virtual environment with exactly these wheels; on any failure nothing is left. Raises BundleError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        venv.EnvBuilder(with_pip=True).create(target)  # pip comes from this Python's own ensurepip, not from a network
        with tempfile.TemporaryDirectory(prefix="sitewarden-wheels-") as folder:
            for name, content in files.items():
                path = Path(folder) / Path(name).name
                path.write_bytes(content)
            _pip(target, sorted(str(path) for path in Path(folder).glob("*.whl")))
        (target / LOCK).write_bytes(files[LOCK])
    except subprocess.CalledProcessError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise BundleError(f"{target}: this Python cannot make a virtual environment (python3-venv): {error}") from None
    except (BundleError, OSError):
        shutil.rmtree(target, ignore_errors=True)
        raise


def _pip(target: Path, wheels: list[str]) -> None:
    command = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    command += ["--no-index", "--no-deps", "--no-cache-dir", "--quiet", *wheels]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()[-500:]
        raise BundleError(f"{target}: pip could not install the wheels: {words}")


def _switch(root: Path, version: str) -> None:
    before = current_version(root)
    if before:
        _point(root, "previous", before)
    _point(root, "current", version)


def _point(root: Path, name: str, version: str) -> None:
    """One rename: whoever looks sees the old version or the new one."""
    new = root / f".{name}.new"
    new.unlink(missing_ok=True)
    new.symlink_to(Path("versions") / version)
    new.replace(root / name)
    handle = os.open(root, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _version_of(link: Path) -> str:
    return link.readlink().name if link.is_symlink() else ""


def _members(bundle: Path) -> dict[str, bytes]:
    if bundle.stat().st_size > MAX_BUNDLE_BYTES:
        raise BundleError(f"{bundle}: {bundle.stat().st_size} bytes, expected at most {MAX_BUNDLE_BYTES}")
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(bundle, "r:") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                known = member.name in (MANIFEST, SIGNATURE) or FILE_NAME.match(member.name)
                if file is None or not known or member.name in files or len(files) >= MAX_FILES:
                    raise BundleError(f"{bundle}: {member.name!r}: not a file that a bundle holds")
                files[member.name] = file.read()
    except (tarfile.TarError, EOFError) as error:
        raise BundleError(f"{bundle}: not a bundle: {error}") from None
    return files


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
