"""A folder in memory that takes the place of a data folder whose disk takes nothing at the start.

    data folder   alerts.db is read, and written to once the disk is back
    stand-in      everything else: a copy of what is small (keys, accounts, drawings), and a history of its own

In: the data folder. Out: the stand-in, or None when the disk takes files. What is written into it is gone with the
process: history, changes of accounts, drawings. A box that alarms and says so is worth more than one that is down.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)
PLACES = (Path("/dev/shm"), Path("/run"))  # noqa: S108 - in memory on every Linux; the folder is ours alone
PROBE_BYTES = 64 * 1024
MOST_BYTES_A_FILE = 32 * 2**20
LEFT_OUT = ("alerts.", "history.", "media", "aside", "reports", "lock")
"""Beginnings of names that are not copied: large, or of use on the disk alone."""


def stand_in_for(folder: Path) -> Path | None:
    """None when the disk takes files. Raises OSError when no memory can be had either."""
    fault = _fault_of(folder)
    if fault is None:
        return None
    made = _make(folder)
    for path in folder.iterdir():
        _copy(path, made / path.name)
    log.error("event=started_in_memory folder=%s stand_in=%s reason=%r", folder, made, fault)
    return made


def remove(stand_in: Path) -> None:
    """At the end: nothing of it stays in memory."""
    shutil.rmtree(stand_in, ignore_errors=True)


def _fault_of(folder: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * PROBE_BYTES)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return str(error.strerror)
    return None


def _make(folder: Path) -> Path:
    """One a data folder and user; what a killed process left there is removed first."""
    name = f"sitewarden-{os.geteuid()}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"
    place = next((each for each in PLACES if os.access(each, os.W_OK)), Path(tempfile.gettempdir()))
    made = place / name
    if made.is_dir() and not made.is_symlink() and made.lstat().st_uid == os.geteuid():
        remove(made)
    made.mkdir(mode=0o700)
    return made


def _copy(path: Path, to: Path) -> None:
    if path.name.startswith(LEFT_OUT) or path.is_symlink():
        return
    try:
        if path.is_dir():
            to.mkdir(mode=0o700)
            for each in path.iterdir():
                _copy(each, to / each.name)
        elif path.is_file() and path.stat().st_size <= MOST_BYTES_A_FILE:
            shutil.copy2(path, to)
    except OSError as error:
        log.error("event=not_copied_to_memory file=%s reason=%r", path, error.strerror)
