"""Codes against RFC 6238 appendix B and against oathtool, another maker of codes; recovery codes; drift and replay."""

import base64
import shutil
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest

from screens.second_factor import (
    RECOVERY_CODES,
    STEP_NS,
    app_address,
    new_recovery_codes,
    new_secret,
    qr_picture,
    recovery_digest,
    said_in_groups,
    step_of,
)

SECRET = base64.b32encode(b"12345678901234567890").decode()
"""RFC 6238, appendix B: the key for HMAC-SHA-1."""
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
"""RFC 6238, appendix B: seconds, and the code of eight digits. Of six digits it is the last six: RFC 4226, 5.3."""
NOW_NS = 1_111_111_111_000_000_000
STEP = NOW_NS // STEP_NS


@pytest.mark.parametrize("second", VECTORS)
def test_the_published_codes_fit(second: int) -> None:
    assert step_of(SECRET, VECTORS[second][2:], second * 1_000_000_000, 0) == second // 30


@pytest.mark.skipif(shutil.which("oathtool") is None, reason="oathtool is not installed")
def test_codes_of_oathtool_fit_a_fresh_secret() -> None:
    secret = new_secret()
    for second in (1_700_000_000, 1_800_000_029, 1_900_000_030):
        command = ["oathtool", "--totp", "--base32", f"--now=@{second}", secret]
        code = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert step_of(secret, code, second * 1_000_000_000, 0) == second // 30


@pytest.mark.parametrize(("steps_off", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_drift_is_allowed(steps_off: int, fits: bool) -> None:
    step = step_of(SECRET, "050471", NOW_NS + steps_off * STEP_NS, 0)
    assert step == (STEP if fits else None)


def test_a_code_fits_once() -> None:
    assert step_of(SECRET, "050471", NOW_NS, STEP) is None
    assert step_of(SECRET, "050471", NOW_NS, STEP - 1) == STEP


@pytest.mark.parametrize("typed", ["050 471", " 050471 ", "０５０４７１", "050-471"])
def test_a_code_fits_however_it_is_typed(typed: str) -> None:
    assert step_of(SECRET, typed, NOW_NS, 0) == STEP


@pytest.mark.parametrize("typed", ["", "50471", "050472", "0504710", "x" * 10_000, "\0", "²"])
def test_anything_else_does_not(typed: str) -> None:
    assert step_of(SECRET, typed, NOW_NS, 0) is None
    assert recovery_digest(typed) == ""


def test_the_app_is_told_secret_login_and_issuer() -> None:
    parts = urlsplit(app_address(SECRET, "zhang", "监管审查台"))
    asked = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert (asked["secret"], asked["issuer"]) == ([SECRET], ["监管审查台"])
    assert qr_picture("otpauth://totp/x").startswith("data:image/svg+xml")
    assert said_in_groups(SECRET).replace(" ", "") == SECRET


def test_secrets_and_recovery_codes_are_never_the_same() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert all(recovery_digest(code) == recovery_digest(code.upper().replace("-", " ")) for code in codes)
    assert len({recovery_digest(code) for code in codes}) == RECOVERY_CODES
