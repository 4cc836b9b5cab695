"""A one-time enrolment code in a file: made when there is none, read by whoever carries it to a box."""

import secrets
from pathlib import Path

from contract.keyfile import write_durably

MIN_CODE_LENGTH = 8


def read_or_make_code(path: Path) -> str:
    """The code. Raises OSError, or ValueError for one that is too short."""
    if not path.exists():
        write_durably(path, secrets.token_urlsafe(24).encode())
    code = path.read_text(encoding="utf-8").strip()
    if len(code) < MIN_CODE_LENGTH:
        raise ValueError(f"{path}: an enrolment code has at least {MIN_CODE_LENGTH} characters")
    return code
