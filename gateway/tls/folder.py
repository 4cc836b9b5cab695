"""The folder of a box's authority and server certificate, and what the two say.

    ca.key      the authority's private key; 0600; may be moved away: then nobody renews without it
    ca.crt      the authority's certificate: what phones and computers are given
    server.pem  the server's private key and certificate in one file; 0600; replaced as a whole, never half

In: a folder and the time. Out: files, and `CertificateFacts`. Nothing is ever overwritten by `init`.
"""

import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from gateway.tls.authority import make_authority, names_in, read_authority, sign_server
from gateway.tls.faults import TlsError
from gateway.tls.names import ServerNames

CA_KEY: Final = "ca.key"
CA_FILE: Final = "ca.crt"
SERVER_FILE: Final = "server.pem"
RENEW_BEFORE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says: SHA-256 over it (hex pairs with colons), its names, when it begins and ends (UTC)."""

    fingerprint: str
    names: ServerNames
    begins: datetime
    ends: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends; negative when it has."""
        return (self.ends - now).days


class TlsFolder:
    """The folder in which one box keeps certificate and key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def server_file(self) -> Path:
        """Key and certificate of the server."""
        return self.path / SERVER_FILE

    @property
    def ca_file(self) -> Path:
        """What phones and computers are given."""
        return self.path / CA_FILE

    @property
    def ca_key(self) -> Path:
        """The authority's private key, where it lies unless it was moved away."""
        return self.path / CA_KEY

    @property
    def can_renew(self) -> bool:
        """Whether the authority's key lies here."""
        return self.ca_key.is_file()

    def init(self, box_id: str, names: ServerNames, now: datetime) -> None:
        """Make the authority and the first certificate, all or nothing. Raises TlsError when the folder holds
        anything: a second authority would make every phone distrust the box."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise TlsError(f"{self.path} is already there; renew its certificate, or move it away for a new authority")
        complete = names.with_loopback()
        authority = make_authority(box_id, complete, now)
        server = sign_server(authority, complete, now)
        stage = self.path.with_name(f".{self.path.name}-{secrets.token_hex(4)}")
        stage.mkdir(mode=0o700, parents=True)
        try:
            _write(stage / CA_KEY, authority.key_pem(), 0o600)
            _write(stage / CA_FILE, authority.certificate.public_bytes(serialization.Encoding.PEM), 0o644)
            _write(stage / SERVER_FILE, server, 0o600)
            stage.replace(self.path)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        _flush_folder(self.path.parent)

    def renew(self, now: datetime, names: ServerNames | None = None) -> None:
        """A new server key and certificate, for the names of the old one unless others are given. Raises TlsError."""
        if not self.can_renew:
            raise TlsError(f"{self.ca_key} is not there; bring it back to renew, or make a new authority")
        authority = read_authority(_read(self.ca_file), _read(self.ca_key))
        complete = (names or self.server().names).with_loopback()
        signed = sign_server(authority, complete, now)
        fresh = self.path / f".{SERVER_FILE}-{secrets.token_hex(4)}"
        _write(fresh, signed, 0o600)
        fresh.replace(self.server_file)
        _flush_folder(self.path)

    def server(self) -> CertificateFacts:
        """What the server's certificate says. Raises TlsError when it cannot be read."""
        return read_facts(self.server_file)

    def authority(self) -> CertificateFacts:
        """What the authority's certificate says. Raises TlsError when it cannot be read."""
        return read_facts(self.ca_file)


def read_facts(path: Path) -> CertificateFacts:
    """What the first certificate in a PEM file says. Raises TlsError."""
    try:
        certificate = x509.load_pem_x509_certificates(_read(path))[0]
    except ValueError as error:
        raise TlsError(f"{path} holds no certificate: {error}") from None
    digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    ends = certificate.not_valid_after_utc
    return CertificateFacts(digest, names_in(certificate), certificate.not_valid_before_utc, ends)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {error.strerror}") from None


def _write(path: Path, content: bytes, mode: int) -> None:
    """A new file with these rights from its first moment, on the disk when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
