"""Signatures: the registry of algorithms, and keys that sign and verify exact bytes.

In: bytes. Out: base64 text for an HTTP header or a JSON field. Ed25519 (RFC 8032) is always registered, SM2
(GB/T 32918) where its library is installed (`contract.sm2`). A key's id is its fingerprint, so an id can be compared
over the telephone and pinned in settings. Knows no message and no file.

The key decides how a signature is checked, never what a message claims: one whose `alg` is not its key's is refused.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contract import sm2
from contract.faults import BadSignature, Malformed, UnknownAlgorithm

ED25519 = "Ed25519"
SM2 = "SM2"


class MissingAlgorithmError(ValueError):
    """A key of an algorithm whose library is not installed. The text says what to install."""


class VerifyKey(Protocol):
    """The public key. It can only verify."""

    @property
    def alg(self) -> str:
        """The algorithm's name in the registry."""
        ...

    @property
    def key_id(self) -> str:
        """The fingerprint of this key, as `fingerprint` makes it."""
        ...

    @property
    def public_text(self) -> str:
        """The public key in base64, as it is exchanged at enrolment."""
        ...

    def verify(self, signature: str, data: bytes) -> None:
        """Nothing when the base64 signature fits exactly these bytes; raises BadSignature otherwise."""
        ...


class SignKey(Protocol):
    """The private half: never leaves its machine, never prints."""

    @property
    def public(self) -> VerifyKey:
        """The public half, which others may have."""
        ...

    @property
    def present(self) -> "SignKey":
        """The key itself; where keys are changed while a process runs, the one of now, which never changes again."""
        ...

    def sign(self, data: bytes) -> str:
        """The signature over exactly these bytes, in base64."""
        ...

    def pem(self) -> bytes:
        """PKCS 8 PEM, for a file that only its owner reads."""
        ...


def fingerprint(alg: str, public: bytes) -> str:
    """A key's id: the algorithm in lower case, a colon, the first 32 hex digits of the SHA-256 of the raw key."""
    return f"{alg.lower()}:{hashlib.sha256(public).hexdigest()[:32]}"


def base64_bytes(text: str, field: str) -> bytes:
    """Strict base64. Raises Malformed that names the field."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError):
        raise Malformed(field, "base64") from None


class Ed25519VerifyKey:
    """A public Ed25519 key; 32 raw bytes, in base64 on the wire."""

    alg = ED25519

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        raw = key.public_bytes_raw()
        self.key_id = fingerprint(ED25519, raw)
        self.public_text = base64.b64encode(raw).decode("ascii")

    def verify(self, signature: str, data: bytes) -> None:
        """Raises where the signature is not this key's, as `VerifyKey.verify` says."""
        try:
            self._key.verify(base64.b64decode(signature.encode("ascii"), validate=True), data)
        except (InvalidSignature, binascii.Error, UnicodeError):
            raise BadSignature("signature", f"made with {self.key_id} over the exact bytes") from None


class Ed25519SignKey:
    """A private Ed25519 key (RFC 8032), kept in memory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = Ed25519VerifyKey(key.public_key())

    @property
    def present(self) -> SignKey:
        """This key itself, as `SignKey.present` says."""
        return self

    def sign(self, data: bytes) -> str:
        """The signature over these bytes, as `SignKey.sign` says."""
        return base64.b64encode(self._key.sign(data)).decode("ascii")

    def pem(self) -> bytes:
        """The private key as PEM text, as `SignKey.pem` says."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


class Sm2VerifyKey:
    """A public SM2 key; 65 raw bytes, in base64 on the wire."""

    alg = SM2

    def __init__(self, raw: bytes) -> None:
        if not sm2.is_public(raw):
            raise Malformed("public_key", "65 bytes 04 || x || y, a point of the SM2 curve")
        self._raw = raw
        self.key_id = fingerprint(SM2, raw)
        self.public_text = base64.b64encode(raw).decode("ascii")

    def verify(self, signature: str, data: bytes) -> None:
        """Raises where the signature is not this key's, as `VerifyKey.verify` says."""
        try:
            made = base64.b64decode(signature.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeError):
            made = b""
        if not sm2.holds(self._raw, made, data):
            raise BadSignature("signature", f"made with {self.key_id} over the exact bytes")


class Sm2SignKey:
    """A private SM2 key (GB/T 32918), kept in memory."""

    def __init__(self, private: bytes, public: bytes) -> None:
        self._private, self._raw = private, public
        self.public = Sm2VerifyKey(public)

    @property
    def present(self) -> SignKey:
        """This key itself, as `SignKey.present` says."""
        return self

    def sign(self, data: bytes) -> str:
        """The signature over these bytes, as `SignKey.sign` says."""
        return base64.b64encode(sm2.sign(self._private, self._raw, data)).decode("ascii")

    def pem(self) -> bytes:
        """The private key as PEM text, as `SignKey.pem` says."""
        return sm2.to_pem(self._private, self._raw)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How keys of one algorithm are made and read."""

    name: str
    generate: Callable[[], SignKey]
    read_public: Callable[[bytes], VerifyKey]


def _ed25519_public(raw: bytes) -> VerifyKey:
    try:
        return Ed25519VerifyKey(Ed25519PublicKey.from_public_bytes(raw))
    except ValueError:
        raise Malformed("public_key", "32 bytes, an Ed25519 public key") from None


ALGORITHMS: dict[str, Algorithm] = {
    ED25519: Algorithm(ED25519, lambda: Ed25519SignKey(Ed25519PrivateKey.generate()), _ed25519_public),
}
if sm2.AVAILABLE:
    ALGORITHMS[SM2] = Algorithm(SM2, lambda: Sm2SignKey(*sm2.generate()), Sm2VerifyKey)


def algorithm(name: str) -> Algorithm:
    """The registered algorithm. Raises UnknownAlgorithm that lists those there are."""
    found = ALGORITHMS.get(name)
    if found is None:
        raise UnknownAlgorithm("alg", " or ".join(ALGORITHMS))
    return found


def require_algorithm(name: str) -> None:
    """Raises MissingAlgorithmError when this machine has no library for it."""
    if name == SM2 and SM2 not in ALGORITHMS:
        raise MissingAlgorithmError(sm2.missing())


def generate_key(alg: str = ED25519) -> SignKey:
    """A new private key from the system's entropy. Raises UnknownAlgorithm, MissingAlgorithmError."""
    require_algorithm(alg)
    return algorithm(alg).generate()


def verify_key(alg: str, public_text: str) -> VerifyKey:
    """The public key that base64 text spells. Raises UnknownAlgorithm or Malformed."""
    return algorithm(alg).read_public(base64_bytes(public_text, "public_key"))


def sign_key(pem: bytes) -> SignKey:
    """The private key in a PKCS 8 PEM. Raises ValueError when it is none that the registry knows, and its
    MissingAlgorithmError when the library for it is not installed."""
    pair = sm2.from_pem(pem)
    if pair is not None:
        return _sm2_key(*pair)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except UnsupportedAlgorithm:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the key file holds no Ed25519 or SM2 private key")
    return Ed25519SignKey(key)


def _sm2_key(private: bytes, public: bytes) -> SignKey:
    require_algorithm(SM2)
    if not sm2.belong_together(private, public):
        raise ValueError("the key file holds a private key and another key's public half")
    return Sm2SignKey(private, public)
