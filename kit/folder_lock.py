"""One process a data folder: the gateway while it runs, or a command that writes into the folder while it does not.

In: the folder. Out: an open file that holds the lock until it is closed or its process ends.
"""

import errno
import os
from pathlib import Path
from typing import IO, Any

from contract.file_lock import hold


class AlreadyRunning(Exception):  # noqa: N818 - a state, told to the operator
    """Another gateway holds this data folder."""


def lock_folder(folder: Path) -> IO[Any]:
    """Hold the data folder for this process, also one that can only be read. Raises AlreadyRunning."""
    try:
        return hold(_opened(folder))
    except BlockingIOError:
        raise AlreadyRunning(f"{folder}: another gateway is running on this data folder") from None


def _opened(folder: Path) -> IO[Any]:
    """A lock needs no writing; where there is no file and none can be made, the folder itself is locked."""
    try:
        return (folder / "lock").open("w")
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.ENOSPC, errno.EIO):
            raise
    try:
        return (folder / "lock").open("r")
    except FileNotFoundError:
        return os.fdopen(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "rb", buffering=0, closefd=True)
