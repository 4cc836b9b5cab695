"""The token that identifies the box's own command line: a file in the data folder, new at every start.

In: the data folder. Out: the token. Whoever can read the file may stop the box and change its files anyway.
"""

import secrets
from pathlib import Path
from typing import Final

LOCAL_TOKEN_FILE: Final = "local.token"  # noqa: S105 - a file's name


def write_local_token(folder: Path) -> str:
    """A new token, for its owner's eyes alone. Raises OSError."""
    path, token = folder / LOCAL_TOKEN_FILE, secrets.token_urlsafe(32)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(token, encoding="ascii")
    return token


def read_local_token(folder: Path) -> str:
    """The running box's token; empty when there is none, or it is not for this user to read."""
    try:
        return (folder / LOCAL_TOKEN_FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
