"""A file that forgets: `python -m tests.fakes.volatile_image IMAGE FOLDER SEED` serves it as FOLDER/disk (FUSE).

What is written stands in memory until it is synced, as in the cache of a disk. A line `cut` on standard input is the
power cut: of the pages that nobody had synced a random half reaches the image, the rest is lost, and from then on every
read and write fails. Standard output: `ready`, then `cut PAGES_KEPT PAGES_LOST`.
"""

import errno
import os
import random
import stat
import sys
import threading
from typing import Any

from mfusepy import FUSE, FuseOSError, Operations

NAME = "/disk"
PAGE = 4096


class VolatileImage(Operations):
    """One file. All calls come one at a time (`nothreads`), the cut from another thread."""

    use_ns = True

    def __init__(self, image: str, seed: int) -> None:
        self._file = os.open(image, os.O_RDWR)
        self._size = os.fstat(self._file).st_size
        self._chance = random.Random(seed)
        self._unsynced: dict[int, bytes] = {}
        self._dead = False
        self._lock = threading.Lock()

    def cut(self) -> tuple[int, int]:
        """The power is gone: how many unsynced pages reached the image, how many did not."""
        with self._lock:
            self._dead = True
            pages = sorted(self._unsynced)
            kept = [page for page in pages if self._chance.random() < 0.5]
            self._write_back(kept)
            return len(kept), len(pages) - len(kept)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        if path != NAME:
            raise FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": self._size}

    def open(self, path: str, flags: int) -> int:
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        with self._lock:
            self._require_power()
            return b"".join(self._page(number) for number in _pages(offset, size))[offset % PAGE :][:size]

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self._lock:
            self._require_power()
            numbers = _pages(offset, len(data))
            whole = bytearray(b"".join(self._page(number) for number in numbers))
            whole[offset % PAGE : offset % PAGE + len(data)] = data
            for place, number in enumerate(numbers):
                self._unsynced[number] = bytes(whole[place * PAGE : (place + 1) * PAGE])
            return len(data)

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        with self._lock:
            self._require_power()
            self._write_back(list(self._unsynced))
            self._unsynced.clear()
            return 0

    def _require_power(self) -> None:
        if self._dead:
            raise FuseOSError(errno.EIO)

    def _page(self, number: int) -> bytes:
        return self._unsynced.get(number) or os.pread(self._file, PAGE, number * PAGE)

    def _write_back(self, numbers: list[int]) -> None:
        for number in numbers:
            os.pwrite(self._file, self._unsynced[number], number * PAGE)


def _pages(offset: int, size: int) -> range:
    return range(offset // PAGE, (offset + size + PAGE - 1) // PAGE)


def main() -> None:
    image, folder, seed = sys.argv[1:]
    served = VolatileImage(image, int(seed))

    def obey() -> None:
        for line in sys.stdin:
            assert line.strip() == "cut", line
            print("cut", *served.cut(), flush=True)

    threading.Thread(target=obey, daemon=True).start()
    print("ready", flush=True)
    FUSE(served, folder, foreground=True, nothreads=True)


if __name__ == "__main__":
    main()
