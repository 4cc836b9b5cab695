"""A file that one process holds: whoever holds it lets go when it closes the file or ends, kill -9 included.

In: a path, or an open file or folder. Out: an open file. The file itself stays, empty: that it is there says nothing.
"""

import sys
from pathlib import Path
from typing import IO, Any


def hold_file(path: Path) -> IO[Any]:
    """Hold it for this process. Raises BlockingIOError while another holds it, OSError when it cannot be opened."""
    return hold(path.open("w"))


def hold(file: IO[Any]) -> IO[Any]:
    """The same file, held until it is closed. Raises BlockingIOError while another process holds it; it is closed."""
    try:
        _lock(file)
    except OSError:
        file.close()
        raise
    return file


def _lock(file: IO[Any]) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error
    else:
        import fcntl  # noqa: PLC0415

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
