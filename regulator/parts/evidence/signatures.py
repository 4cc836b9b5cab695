"""Digests and signatures of an evidence package: Ed25519 (RFC 8032) and SM2 (GB/T 32918, with SM3 of GB/T 32905),
verification only, written out in plain Python.

In: a public key, a signature and the bytes that it must be over. Out: whether it holds. Python 3.9 or newer, standard
library only: this travels inside `verify.py` to machines that have nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Holds = Callable[[bytes, bytes, bytes], bool]
"""Whether a signature is a key's: public key, signature, data."""

# Ed25519, RFC 8032 section 5.1: verification only, in extended coordinates (X : Y : Z : T), x = X/Z, y = Y/Z, xy = T/Z.
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]


def ed25519_holds(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the signature over exactly these bytes is this key's (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _decoded(public), _decoded(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + data).digest(), "little") % _ORDER
    left, right = _times(scalar, _BASE), _sum(commitment, _times(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


def _decoded(text: bytes) -> Point | None:
    """The point that 32 bytes spell (5.1.3), None when they spell none."""
    number = int.from_bytes(text, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _sum(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        scalar >>= 1
    return total


_BASE = _decoded((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little")) or (0, 1, 1, 0)


# SM3, GB/T 32905: 64 rounds a block of 64 bytes.
_WORD = 2**32 - 1
_SM3_START = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)


def _left(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


_SM3_ROUND = [_left(0x79CC4519 if j < 16 else 0x7A879D8A, j % 32) for j in range(64)]


def sm3(data: bytes) -> bytes:
    """The digest of 32 bytes, by Python's own library where that knows SM3."""
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        return sm3_written_out(data)


def sm3_written_out(data: bytes) -> bytes:
    """The same, where nothing else knows it: a tenth of a millisecond a block."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    state: tuple[int, ...] = _SM3_START
    for at in range(0, len(padded), 64):
        mixed = _sm3_block(state, padded[at : at + 64])
        state = tuple(old ^ new for old, new in zip(state, mixed))  # noqa: B905 - runs on Python 3.9
    return b"".join(word.to_bytes(4, "big") for word in state)


def _sm3_block(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    w = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ _left(w[j - 3], 15)
        w.append(x ^ _left(x, 15) ^ _left(x, 23) ^ _left(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        turned = _left(a, 12)
        one = _left((turned + e + _SM3_ROUND[j]) & _WORD, 7)
        ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
        gg = e ^ f ^ g if j < 16 else e & f | ~e & g
        two = (gg + h + one + w[j]) & _WORD
        a, b, c, d = (ff + d + (one ^ turned) + (w[j] ^ w[j + 4])) & _WORD, a, _left(b, 9), c
        e, f, g, h = two ^ _left(two, 9) ^ _left(two, 17), e, _left(f, 19), g
    return (a, b, c, d, e, f, g, h)


# SM2, GB/T 32918: verification only, on y^2 = x^3 - 3x + b, in coordinates (X : Y : Z), x = X/Z^2, y = Y/Z^3; Z = 0 is
# the point at infinity.
_Q = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
_GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
_IDENTITY = b"1234567812345678"
Triple = tuple[int, int, int]


def sm2_holds(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the signature over exactly these bytes is this key's; public 04 || x || y, signature r || s."""
    if len(public) != 65 or len(signature) != 64 or public[0] != 4:
        return False
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if x >= _Q or y >= _Q or (y * y - (x * x * x - 3 * x + _B)) % _Q or not 0 < r < _N or not 0 < s < _N:
        return False
    t = (r + s) % _N
    point = _sm2_add(_sm2_times(s, (_GX, _GY, 1)), _sm2_times(t, (x, y, 1)))
    if t == 0 or point[2] == 0:
        return False
    digest = int.from_bytes(sm3(_sm2_signer(public) + data), "big")
    return (digest + point[0] * pow(point[2], -2, _Q) % _Q) % _N == r


def _sm2_signer(public: bytes) -> bytes:
    """Z, which binds a signature to the signer's identity, the curve and the key."""
    curve = b"".join(number.to_bytes(32, "big") for number in (_Q - 3, _B, _GX, _GY))
    return sm3((8 * len(_IDENTITY)).to_bytes(2, "big") + _IDENTITY + curve + public[1:])


def _sm2_double(p: Triple) -> Triple:
    x, y, z = p
    square, zz = y * y % _Q, z * z % _Q
    m, s = 3 * (x - zz) * (x + zz) % _Q, 4 * x * square % _Q
    far = (m * m - 2 * s) % _Q
    return (far, (m * (s - far) - 8 * square * square) % _Q, 2 * y * z % _Q)


def _sm2_add(p: Triple, q: Triple) -> Triple:
    if p[2] == 0 or q[2] == 0:
        return q if p[2] == 0 else p
    pz, qz = p[2] * p[2] % _Q, q[2] * q[2] % _Q
    u, v = p[0] * qz % _Q, p[1] * qz * q[2] % _Q
    h, r = (q[0] * pz - u) % _Q, (q[1] * pz * p[2] - v) % _Q
    if h == 0:
        return _sm2_double(p) if r == 0 else (1, 1, 0)
    hh = h * h % _Q
    cube, s = hh * h % _Q, u * hh % _Q
    far = (r * r - cube - 2 * s) % _Q
    return (far, (r * (s - far) - v * cube) % _Q, p[2] * q[2] * h % _Q)


def _sm2_times(scalar: int, point: Triple) -> Triple:
    total: Triple = (1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _sm2_add(total, point)
        point = _sm2_double(point)
        scalar >>= 1
    return total


HOLDS_BY_ALGORITHM: dict[str, Holds] = {"Ed25519": ed25519_holds, "SM2": sm2_holds}


def signed(keys: Iterable[Mapping[str, str]], said: Mapping[str, str], data: bytes, holds: Mapping[str, Holds]) -> bool:
    """Whether a key of the list made this signature; a key whose text is not what its id says is none."""
    for key in keys:
        public, alg = unbase64(key["public_key"]), key["alg"]
        if key["key_id"] == said["key_id"] and key_id_of(public, alg) == key["key_id"]:
            claimed = said.get("alg", alg)
            return alg in holds and claimed == alg and holds[alg](public, unbase64(said["signature"]), data)
    return False


def canonical(value: Any) -> bytes:
    """The one byte form of JSON that digests are made of."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def key_id_of(public: bytes, alg: str) -> str:
    """The fingerprint of a raw public key."""
    return alg.lower() + ":" + hashlib.sha256(public).hexdigest()[:32]


def unbase64(text: str) -> bytes:
    """The bytes that a text spells; none when it spells none, which no digest and no signature fits."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError, AttributeError):
        return b""
