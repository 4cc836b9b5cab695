"""Folders of this gateway alone, under /dev/shm or the folder for temporary files: for pictures, and for clips in the
making. The eye may read the one and nothing beside it; a capture makes its clips in the other.

    /dev/shm/sitewarden-pictures-PID-xxxxxxxx/    0700, locked while the gateway lives, removed with its last user

Names hold the process id, so that folders of gateways that were killed are found; one whose lock is held is left alone:
in another container its process id would look dead.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vision.camera.slot_file import process_lives

PICTURES, CLIPS = "pictures", "clips"
_NAME = re.compile(r"sitewarden-(?:pictures|clips)-(\d+)-[a-z0-9_]+")


@dataclass(slots=True)
class _Held:
    path: Path
    lock: int
    users: int = 0


_held: dict[tuple[Path, str], _Held] = {}


def own_folder(base: Path, purpose: str) -> Path:
    """The folder of this process for that purpose, made for its first user. Raises OSError when it cannot be made."""
    known = _held.get((base, purpose))
    if known is None or not known.path.is_dir():
        path = Path(tempfile.mkdtemp(prefix=f"sitewarden-{purpose}-{os.getpid()}-", dir=base))
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        known = _held[base, purpose] = _Held(path, lock)
    known.users += 1
    return known.path


def leave_folder(path: Path) -> None:
    """One user fewer; the last one removes it with all that is in it."""
    for key, held in list(_held.items()):
        if held.path == path:
            held.users -= 1
            if held.users == 0:
                del _held[key]
                shutil.rmtree(path, ignore_errors=True)
                os.close(held.lock)


def remove_stale_folders(bases: Iterable[Path]) -> int:
    """Remove what gateways that were killed have left behind; how many there were."""
    removed = 0
    for base in bases:
        with contextlib.suppress(OSError):
            for path in base.iterdir():
                named = _NAME.fullmatch(path.name)
                if named is not None and not process_lives(int(named[1])) and _nobody_holds(path):
                    shutil.rmtree(path, ignore_errors=True)
                    removed += 1
    return removed


def _nobody_holds(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)
