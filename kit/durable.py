"""Files that are there as a whole or not at all, and on the disk when the writing returns.

In: a path and bytes. Out: nothing. Knows nothing of what is written.
"""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """The whole new file or the one before (or none), whatever happens meanwhile. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring to the disk which names stand in the folder. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
