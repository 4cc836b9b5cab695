"""SM2 signatures over SM3 (GB/T 32918, GB/T 32905) as bytes, by GmSSL (the Python package gmssl-pyx, extra `sm`).

    private key   32 bytes, a number from 1 to n - 2
    public key    65 bytes, 04 || x || y, a point of the recommended curve sm2p256v1
    signature     64 bytes, r || s, both from 1 to n - 1
    identity      1234567812345678 for every signer, what is used where none is agreed

One byte form of everything, so that no two texts spell one key or one signature. Key files are PKCS 8 as OpenSSL writes
them. Points and ranges are checked here, before the library sees them. GmSSL's signing does not take constant time: who
can measure it on the machine itself may learn the key. It says on the standard error which of its checks failed.
"""

import base64
import binascii
import platform
import sys
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from contract.extras import MissingExtraError

try:
    import gmssl_pyx
except ImportError:
    gmssl_pyx = None

AVAILABLE: Final = gmssl_pyx is not None
IDENTITY: Final = b"1234567812345678"
PUBLIC_BYTES: Final = 65
SIGNATURE_BYTES: Final = 64
PROBE: Final = b"sitewarden"

_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
# PKCS 8: version 0, id-ecPublicKey with the curve's identifier, then an ECPrivateKey with its public key.
_HEAD: Final = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_MIDDLE: Final = bytes.fromhex("a144034200")
_BEGIN, _END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"


def missing() -> str:
    """The sentence for whoever wants SM2 where GmSSL is not installed."""
    if sys.platform == "linux" and platform.machine() == "x86_64":
        return f"SM2: {MissingExtraError('sm', 'gmssl_pyx')}"
    return "SM2: the Python package 'gmssl_pyx' (pip install 'sitewarden[sm]') is published for x86-64 Linux only"


def generate() -> tuple[bytes, bytes]:
    """A new private key from the system's entropy, and its public key."""
    public, private = gmssl_pyx.sm2_key_generate()
    return private, b"\x04" + public


def sign(private: bytes, public: bytes, data: bytes) -> bytes:
    """The signature over exactly these bytes."""
    r, s = decode_dss_signature(gmssl_pyx.sm2_sign(private, public[1:], data, IDENTITY))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def holds(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the signature over exactly these bytes is this key's. False for whatever is no signature."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != SIGNATURE_BYTES or not 0 < r < _N or not 0 < s < _N or (r + s) % _N == 0:
        return False
    return bool(gmssl_pyx.sm2_verify(public[1:], data, encode_dss_signature(r, s), IDENTITY))


def is_public(public: bytes) -> bool:
    """Whether these bytes spell a point of the curve. Every such point has the order n."""
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    if len(public) != PUBLIC_BYTES or public[0] != 4 or x >= _P or y >= _P:
        return False
    return (y * y - (x * x * x - 3 * x + _B)) % _P == 0


def to_pem(private: bytes, public: bytes) -> bytes:
    """The key pair as PKCS 8 PEM."""
    text = base64.b64encode(_HEAD + private + _MIDDLE + public).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode("ascii")


def from_pem(pem: bytes) -> tuple[bytes, bytes] | None:
    """Private and public key of a PEM that `to_pem` or OpenSSL wrote; None when it holds no SM2 key."""
    try:
        lines = pem.decode("ascii").split()
        text = "".join(lines[3:-3]) if " ".join(lines[:3] + lines[-3:]) == f"{_BEGIN} {_END}" else ""
        raw = base64.b64decode(text, validate=True)
    except (UnicodeDecodeError, binascii.Error):
        return None
    private, rest = raw[len(_HEAD) : len(_HEAD) + 32], raw[len(_HEAD) + 32 :]
    fits = raw.startswith(_HEAD) and rest.startswith(_MIDDLE) and is_public(rest[len(_MIDDLE) :])
    return (private, rest[len(_MIDDLE) :]) if fits else None


def belong_together(private: bytes, public: bytes) -> bool:
    """Whether what the one signs holds for the other."""
    if not 0 < int.from_bytes(private, "big") < _N - 1:
        return False
    return holds(public, sign(private, public, PROBE), PROBE)
