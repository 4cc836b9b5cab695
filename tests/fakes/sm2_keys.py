"""SM2 in tests: where its library has no wheel, what OpenSSL says of a signature, a machine without the library."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

NO_WHEEL = sys.platform != "linux" or platform.machine() != "x86_64"
needs_sm2 = pytest.mark.skipif(NO_WHEEL, reason=f"gmssl-pyx has no wheel for {sys.platform} {platform.machine()}")
WITHOUT_LIBRARY = "import sys; sys.modules['gmssl_pyx'] = None; "
"""Put before a program: importing the library fails as where it is not installed."""

_DISTID = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")


def openssl(*words: object, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True, check=True, timeout=60).stdout


def new_pem(folder: Path) -> Path:
    """A private key that OpenSSL made."""
    path = folder / "openssl.pem"
    path.write_bytes(openssl("genpkey", "-algorithm", "SM2"))
    return path


def openssl_signs(key: Path, data: bytes) -> bytes:
    """r || s."""
    (key.parent / "data").write_bytes(data)
    r, s = decode_dss_signature(openssl("pkeyutl", "-sign", "-inkey", key, "-in", key.parent / "data", *_DISTID))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def openssl_holds(key: Path, signature: bytes, data: bytes) -> bool:
    """Whether OpenSSL takes r || s for this private key's signature."""
    public, signed, made = key.parent / "public.pem", key.parent / "data", key.parent / "signature"
    public.write_bytes(openssl("pkey", "-in", key, "-pubout"))
    signed.write_bytes(data)
    made.write_bytes(encode_dss_signature(*(int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))))
    words = ["pkeyutl", "-verify", "-pubin", "-inkey", public, "-in", signed, "-sigfile", made, *_DISTID]
    return subprocess.run(["openssl", *words], capture_output=True, check=False, timeout=60).returncode == 0
