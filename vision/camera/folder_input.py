"""A folder of pictures as a camera: one after the other in the order of their names.

In: a folder. Out: decoded pictures, or the names of those that are none. For trying out and for cameras that store
stills. Runs in the capture process.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

from vision.camera.address import is_picture
from vision.camera.faults import CaptureFault

Wait = Callable[[float], None]


class FolderInput:
    """The pictures of one folder. Raises CaptureFault when there is no such folder or no picture in it."""

    def __init__(self, path: Path, *, fps: float, loop: bool, realtime: bool) -> None:
        self._loop = loop
        self._period_s = 1.0 / fps if realtime else 0.0
        try:
            self._files = sorted(entry for entry in path.iterdir() if is_picture(entry.name))
        except OSError as error:
            raise CaptureFault(f"the folder cannot be read: {error.strerror}") from None
        if not self._files:
            raise CaptureFault("the folder holds no picture (.jpg, .jpeg, .png, .bmp)")

    def pictures(self, wait: Wait) -> Iterator[Any]:
        """Decoded pictures; None stands for a file that is no picture. Ends as CaptureFault."""
        due_s = time.monotonic()
        while True:
            good = 0
            for file in self._files:
                wait(due_s - time.monotonic())
                picture = _read(file)
                good += picture is not None
                yield picture
                due_s = max(due_s + self._period_s, time.monotonic())
            if not good:
                raise CaptureFault(f"none of the {len(self._files)} files in the folder is a picture")
            if not self._loop:
                raise CaptureFault("the folder has ended", final=True)


def _read(file: Path) -> Any:
    try:
        with av.open(str(file)) as container:
            for picture in container.decode(video=0):
                return picture
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return None
    return None
