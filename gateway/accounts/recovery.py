"""The way back for a lost administrator's password: a code that somebody with a shell on the box makes.

    sitewarden accounts reset-code SITE --> account-recovery in the data folder --> /setup, within an hour

In: the data folder, what somebody typed, the time (UTC ns). Out: whether it is the code. The file holds only a digest,
belongs to whom the folder belongs, and is gone once it was used, five wrong tries were made, or it is too old.
"""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Final

from gateway.accounts.setup_code import MOST_WRONG_TRIES, bare, new_code

RECOVERY_FILE: Final = "account-recovery"
LASTS_NS: Final = 3_600_000_000_000


def make_recovery_code(folder: Path, now_ns: int) -> str:
    """Write the file and give the code. Raises OSError."""
    code, path = new_code(), folder / RECOVERY_FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"sha256": _digest(code), "made_at_ns": now_ns}), encoding="utf-8")
    owner = folder.stat()
    if os.geteuid() == 0:  # the box reads it as the user it runs as
        os.chown(path, owner.st_uid, owner.st_gid)
    return code


class RecoveryCode:
    """The code that waits in a data folder, if there is one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECOVERY_FILE
        self._wrong = 0

    def waiting(self, now_ns: int) -> bool:
        """Whether somebody has made one lately."""
        return bool(self._kept_digest(now_ns))

    def matches(self, typed: str, now_ns: int) -> bool:
        """Whether it is the code. The fifth wrong try takes the file away."""
        kept = self._kept_digest(now_ns)
        if kept and hmac.compare_digest(kept, _digest(typed)):
            return True
        self._wrong += 1
        if self._wrong >= MOST_WRONG_TRIES:
            self.spend()
        return False

    def spend(self) -> None:
        """The code has done its work, or is worth nothing any more."""
        self._wrong = 0
        self._path.unlink(missing_ok=True)

    def _kept_digest(self, now_ns: int) -> str:
        """Empty when there is no file, it is none of ours, or its hour is over."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            fresh = 0 <= now_ns - int(kept["made_at_ns"]) < LASTS_NS
            return str(kept["sha256"]) if fresh else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def _digest(code: str) -> str:
    return hashlib.sha256(bare(code).encode()).hexdigest()
