"""The one encrypted file of identities, and its key. A write is whole or not at all, also in a loss of power.

    identity.sealed   mark | key id (8) | length of what follows (4) | nonce (12) | AES-256-GCM of the content
    identity.key      32 random bytes as Base64, readable by its owner alone; or the key comes from elsewhere (a secret)

Key id and length tell a wrong key, a file that was cut off and a damaged one apart; all of the header is authenticated.

Rotation: identity.key.new is written, then the file is sealed with it, then it becomes identity.key. A stop in between
leaves a file and a key that fit: a reader that finds another key's id looks at identity.key.new as well.

In: content as bytes, and where the key is. Out: the same bytes, or IdentityError. Knows nothing of what is inside, and
puts neither content nor key into an error.
"""

import base64
import binascii
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.durable import sync_folder
from kit.secret import Secret

SEALED_FILE = "identity.sealed"
KEY_FILE = "identity.key"
NEXT_KEY_FILE = "identity.key.new"
LOCK_FILE = "identity.lock"
_MARK = b"SITEWARDEN-IDENTITY-1\n"
_KEY_ID_BYTES, _LENGTH_BYTES, _NONCE_BYTES, _KEY_BYTES = 8, 4, 12, 32
_HEADER_BYTES = len(_MARK) + _KEY_ID_BYTES + _LENGTH_BYTES


class IdentityError(Exception):
    """The identity file or its key is not what it has to be; says which, and what was expected."""


class WrongKeyError(IdentityError):
    """The file is sealed with another key."""


@dataclass(frozen=True, slots=True, repr=False)
class IdentityKey:
    """32 bytes. Never printed; `key_id` names it without giving anything of it away."""

    raw: bytes

    @property
    def key_id(self) -> bytes:
        """First bytes of a digest, enough to tell keys apart."""
        return hashlib.sha256(b"sitewarden identity key id\0" + self.raw).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """As it stands in a key file or an environment variable."""
        return base64.b64encode(self.raw).decode()


def new_key() -> IdentityKey:
    """A new random key for identity numbers."""
    return IdentityKey(secrets.token_bytes(_KEY_BYTES))


def parse_key(text: str, source: str) -> IdentityKey:
    """A key from its text. Raises IdentityError that names the source, never the text."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise IdentityError(f"{source}: expected {_KEY_BYTES} bytes as Base64")
    return IdentityKey(raw)


class IdentityFile:
    """The file in a data folder. Without `secret` the key is `identity.key` beside it."""

    def __init__(self, folder: Path, secret: Secret | None = None) -> None:
        self._folder = folder
        self._secret = secret
        self.path = folder / SEALED_FILE

    def exists(self) -> bool:
        """Whether there is a file of identities at all."""
        return self.path.exists()

    def create(self, content: bytes) -> None:
        """A new file, and a new key where none is given from elsewhere. Raises IdentityError when either is there."""
        with self.locked():
            if self.exists():
                raise IdentityError(f"{self.path}: is there already")
            if self._secret is None:
                if (self._folder / KEY_FILE).exists():
                    raise IdentityError(
                        f"{self._folder / KEY_FILE}: a key without {SEALED_FILE}; restore it, or remove it"
                    )
                self._write_key(KEY_FILE, new_key())
            self.write(content)

    def read(self) -> bytes:
        """The content. Raises IdentityError; WrongKeyError when the key is another one's."""
        try:
            return self._read_once()
        except WrongKeyError:
            return self._read_once()  # a rotation may have happened between the looks at file and key

    def write(self, content: bytes) -> None:
        """Replace the content, under the key that is in force. The caller holds `locked`."""
        self._finish_rotation()
        self._seal(content, self._first_key())

    def rotate(self, new_secret: Secret | None = None) -> None:
        """Seal the same content with a new key: a random one in `identity.key`, or the one of `new_secret`, which the
        caller then names in the settings. Raises IdentityError."""
        with self.locked():
            self._finish_rotation()
            content = self.read()
            if self._secret is None and new_secret is None:
                key = new_key()
                self._write_key(NEXT_KEY_FILE, key)
                self._seal(content, key)
                self._finish_rotation()
            elif self._secret is not None and new_secret is not None:
                self._seal(content, _revealed(new_secret))
            else:
                raise IdentityError("give the new key from elsewhere exactly when the old one is from elsewhere")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all processes that change the file; readers need no lock."""
        descriptor = os.open(self._folder / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read_once(self) -> bytes:
        sealed = _private_bytes(self.path)
        key_id, box = _opened_header(sealed, self.path)
        for key in self._keys():
            if key.key_id == key_id:
                return _decrypted(sealed[:_HEADER_BYTES], box, key, self.path)
        raise WrongKeyError(f"{self.path}: sealed with another key (id {key_id.hex()}); expected the one that is given")

    def _keys(self) -> Iterator[IdentityKey]:
        yield self._first_key()
        if self._secret is None and (self._folder / NEXT_KEY_FILE).exists():
            yield self._key_of(NEXT_KEY_FILE)

    def _first_key(self) -> IdentityKey:
        return self._key_of(KEY_FILE) if self._secret is None else _revealed(self._secret)

    def _key_of(self, name: str) -> IdentityKey:
        path = self._folder / name
        return parse_key(_private_bytes(path).decode(errors="replace"), str(path))

    def _finish_rotation(self) -> None:
        """A next key becomes the key once the file is sealed with it; else it came to nothing and is removed."""
        next_key = self._folder / NEXT_KEY_FILE
        if self._secret is not None or not next_key.exists() or not self.exists():
            return
        key_id, _ = _opened_header(_private_bytes(self.path), self.path)
        if self._key_of(NEXT_KEY_FILE).key_id == key_id:
            next_key.replace(self._folder / KEY_FILE)
        else:
            next_key.unlink()
        sync_folder(self._folder)

    def _seal(self, content: bytes, key: IdentityKey) -> None:
        cipher = AESGCM(key.raw)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        length = _NONCE_BYTES + len(content) + 16
        header = _MARK + key.key_id + length.to_bytes(_LENGTH_BYTES, "big")
        _replace(self.path, header + nonce + cipher.encrypt(nonce, content, header))

    def _write_key(self, name: str, key: IdentityKey) -> None:
        _replace(self._folder / name, key.text.encode() + b"\n")


def _revealed(secret: Secret) -> IdentityKey:
    try:
        text = secret.reveal()
    except LookupError as error:
        raise IdentityError(str(error)) from None
    return parse_key(text, f"environment variable {secret.env}" if secret.env else f"file {secret.file}")


def _private_bytes(path: Path) -> bytes:
    """The bytes of a file that its owner alone may touch. Raises IdentityError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise IdentityError(f"{path}: {error.strerror}") from None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - the very file whose rights are looked at
        mode = os.fstat(descriptor).st_mode & 0o777
        if mode & 0o077:
            raise IdentityError(f"{path}: others may read or write it (mode {mode:04o}); expected 0600: chmod 600")
        return file.read()


def _opened_header(sealed: bytes, path: Path) -> tuple[bytes, bytes]:
    """Key id, and nonce with ciphertext."""
    if not sealed.startswith(_MARK):
        found = "cut off" if _MARK.startswith(sealed) else "not an identity file"
        raise IdentityError(f"{path}: {found}; restore it from a backup")
    key_id = sealed[len(_MARK) : len(_MARK) + _KEY_ID_BYTES]
    length = int.from_bytes(sealed[len(_MARK) + _KEY_ID_BYTES : _HEADER_BYTES], "big")
    box = sealed[_HEADER_BYTES:]
    if len(sealed) < _HEADER_BYTES or len(box) < length:
        raise IdentityError(f"{path}: cut off: {len(box)} bytes, expected {length}; restore it from a backup")
    return key_id, box


def _decrypted(header: bytes, box: bytes, key: IdentityKey, path: Path) -> bytes:
    try:
        return AESGCM(key.raw).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], header)
    except (InvalidTag, ValueError):
        raise IdentityError(f"{path}: damaged: its content does not fit its seal; restore it from a backup") from None


def _replace(path: Path, content: bytes) -> None:
    """The whole file or the one before, whatever happens meanwhile."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - made with its rights from the first moment
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
