"""One process a data folder: the gateway while it runs, or a command that writes into the folder while it does not.

In: the folder. Out: an open file that holds the lock until it is closed or its process ends.
"""

from pathlib import Path
from typing import IO, Any

from contract.file_lock import hold_file


class AlreadyRunning(Exception):  # noqa: N818 - a state, told to the operator
    """Another gateway holds this data folder."""


def lock_folder(folder: Path) -> IO[Any]:
    """Hold the data folder for this process. Raises AlreadyRunning."""
    try:
        return hold_file(folder / "lock")
    except BlockingIOError:
        raise AlreadyRunning(f"{folder}: another gateway is running on this data folder") from None
