"""Private keys on disk: PKCS 8 PEM that only its owner reads, written so that a crash leaves a whole file or none.

In: a path. Out: a key. The one place where the contract touches a file, shared by both ends.
"""

import os
import tempfile
from pathlib import Path

from contract.signing import ED25519, MissingAlgorithmError, SignKey, generate_key, sign_key


def load_or_create(path: Path, alg: str = ED25519) -> SignKey:
    """The key in the file, of whatever algorithm; made at first use, with `alg` and mode 0600.

    Raises OSError, or ValueError when it is no key or nothing here can use it.
    """
    if path.exists():
        return load(path)
    key = generate_key(alg)
    write_durably(path, key.pem())
    return key


def load(path: Path) -> SignKey:
    """The key in the file. Raises OSError, or ValueError that names the file and never shows what is in it."""
    try:
        return sign_key(path.read_bytes())
    except MissingAlgorithmError as error:
        raise MissingAlgorithmError(f"{path}: {error}") from None
    except (ValueError, TypeError):
        raise ValueError(f"{path}: not an unencrypted PKCS 8 PEM with an Ed25519 or SM2 private key") from None


def write_durably(path: Path, content: bytes) -> None:
    """Replace a small file as a whole, mode 0600, on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
