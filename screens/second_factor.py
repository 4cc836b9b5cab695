"""The second factor of a login: six digits that an app on a phone makes anew every 30 s (TOTP, RFC 6238), and one-time
recovery codes for a lost phone. Shared by box and desk.

    secret ──QR code──> app          once, at set-up
    app ──six digits──> step_of      at each login; the step that fitted is kept, so that no code is taken twice

In: secrets, what was typed, the time, UTC ns. Out: the step whose code it was, or None. Keeps nothing. SHA-1, six
digits and 30 s, because every app knows these. A recovery code has 80 random bits, so that a plain digest of it cannot
be guessed back.
"""

import hashlib
import hmac
import secrets
import unicodedata
from enum import Enum
from typing import Final

import pyotp
import segno

STEP_NS: Final = 30_000_000_000
DRIFT_STEPS: Final = 1
"""Steps before and after the present one that count too: clocks differ, and typing takes time."""
SECRET_CHARACTERS: Final = 32
"""160 bits in base32 (RFC 4226, 4: at least 128, 160 recommended)."""
RECOVERY_CODES: Final = 10
RECOVERY_CHARACTERS: Final = 16
RECOVERY_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 characters, without 0, 1, l and o."""
BEGUN_LASTS_NS: Final = 600_000_000_000
"""A secret that was begun waits so long for its first code: who finds the page open later finds none (PD)."""
MOST_TYPED: Final = 64
FREE_TRIES: Final = 5
TRIES_FORGOTTEN_S: Final = 900
"""So many wrong codes of one account from one address, then the address waits for a quarter of an hour. Other addresses
may go on: nobody locks a person out from elsewhere."""


class Owes(Enum):
    """What a login still lacks after the right password: a code, or that a second factor is set up at all."""

    CODE = "code"
    SET_UP = "set_up"


def new_secret() -> str:
    """A new random secret, written in base32 as apps take it."""
    return pyotp.random_base32(SECRET_CHARACTERS)


def app_address(secret: str, login: str, issuer: str) -> str:
    """What the QR code says to the app: `otpauth://totp/...`."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def qr_picture(address: str) -> str:
    """The QR code as the address of a picture (`data:`), black on white whatever the page's colours are."""
    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def said_in_groups(secret: str) -> str:
    """For whoever types it into the app: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def step_of(secret: str, typed: str, now_ns: int, after_step: int) -> int | None:
    """The step whose code was typed. `after_step`: the last one that was taken; its code and older ones fit no more."""
    code, now = bare(typed), now_ns // STEP_NS
    maker, found = pyotp.TOTP(secret), None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        fits = hmac.compare_digest(maker.generate_otp(step).encode(), code.encode())
        if fits and step > after_step:
            found = step
    return found


def still_waits(begun_at_ns: int, now_ns: int) -> bool:
    """Whether a secret that was begun then may still be confirmed. A clock that was moved far ends it too."""
    return abs(now_ns - begun_at_ns) < BEGUN_LASTS_NS


def bare(typed: str) -> str:
    """A code as it is compared: NFKC, lower case, without blanks and hyphens."""
    normal = unicodedata.normalize("NFKC", typed[:MOST_TYPED]).casefold()
    return "".join(character for character in normal if character.isalnum())


def new_recovery_codes() -> list[str]:
    """Fresh ones, in groups of four. Shown once."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def recovery_digest(typed: str) -> str:
    """What is kept of a recovery code; empty for what cannot be one."""
    code = bare(typed)
    return hashlib.sha256(code.encode()).hexdigest() if len(code) == RECOVERY_CHARACTERS else ""


def _recovery_code() -> str:
    code = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_CHARACTERS))
    return "-".join(code[at : at + 4] for at in range(0, RECOVERY_CHARACTERS, 4))
