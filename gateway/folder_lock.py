"""One process a data folder: the gateway while it runs, or a command that writes into the folder while it does not.

In: the folder. Out: an open file that holds the lock until it is closed or its process ends.
"""

import fcntl
from pathlib import Path
from typing import IO, Any


class AlreadyRunning(Exception):  # noqa: N818 - a state, told to the operator
    """Another gateway holds this data folder."""


def lock_folder(folder: Path) -> IO[Any]:
    """Hold the data folder for this process. Raises AlreadyRunning."""
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyRunning(f"{folder}: another gateway is running on this data folder") from None
    return file
