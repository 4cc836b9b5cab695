"""The file behind a frame slot: its layout, how it is made and removed, and its one writer.

In: converted pictures of one camera. Out: shared memory that any number of readers copy from (`frame_slot`). The
writer never waits for a reader. The capture process imports this, so neither numpy nor libav may.

Theory of operation. Three buffers take turns, so that a reader has the time of two more pictures to copy the newest.

    header   magic, layout version, bytes a buffer holds, published
    buffer 0 lock, seq, captured, received, stream time, session, width, height, stride | rows of BGR, `stride` apart
    buffer 1 ...
    buffer 2 ...

Picture number n goes into buffer n % 3: lock = 2n+1 while it is written, 2n when it is whole; then published = n. A
reader takes n = published, copies, and believes the copy only if the buffer's lock was 2n before and after. A writer
that is killed in the middle leaves published at the picture before, so nobody ever looks at the torn one. All words
are aligned 64 bit integers, stored at once.

The bytes are reserved when the file is made (`posix_fallocate`): a container's /dev/shm is often 64 MB, and touching a
page that does not fit there kills the process without a word.
"""

import contextlib
import fcntl
import mmap
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MAGIC = 0x534C4F5453575F31
LAYOUT = 1
BUFFERS = 3
HEADER_WORDS = 8
BUFFER_WORDS = 16
PAGE_BYTES = 4096
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  file names there are made by mkstemp
MAGIC_AT, LAYOUT_AT, CAPACITY_AT, PUBLISHED_AT = range(4)
LOCK, SEQ, CAPTURED, RECEIVED, STREAM_TIME, SESSION, WIDTH, HEIGHT, STRIDE = range(9)
_STRIDE_ALIGNMENT = 64
_held: dict[Path, int] = {}
"""The open files of this process's own slots: each holds the lock that says that it is in use."""
_NAME = re.compile(r"sitewarden-slot-(\d+)-[a-z0-9_.-]+\.bgr")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in a slot whose buffers hold `capacity` bytes of rows each."""

    capacity: int

    def words_at(self, buffer: int) -> int:
        """Position of a buffer's first word, counted in words."""
        return HEADER_WORDS + buffer * BUFFER_WORDS

    def rows_at(self, buffer: int) -> int:
        """Position of a buffer's first row, in bytes; each begins on a page."""
        return PAGE_BYTES + buffer * self.capacity

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return PAGE_BYTES + BUFFERS * self.capacity


def slot_capacity(max_width_px: int, max_height_px: int) -> int:
    """Bytes for a BGR picture of that size with aligned rows, in whole pages."""
    stride = -(-max_width_px * 3 // _STRIDE_ALIGNMENT) * _STRIDE_ALIGNMENT
    return -(-stride * max_height_px // PAGE_BYTES) * PAGE_BYTES


def create_slot(camera: str, max_width_px: int, max_height_px: int, folders: Sequence[Path]) -> Path:
    """An empty slot in the first of the folders that has room for it. The file is removed by `remove_slot`; its name
    holds this process's id, for `remove_stale_slots`. Raises OSError when no folder has room."""
    layout = Layout(slot_capacity(max_width_px, max_height_px))
    name = f"sitewarden-slot-{os.getpid()}-{re.sub(r'[^a-z0-9_.-]', '_', camera.lower())}-"
    failure = OSError(f"no folder for the frame slot of {camera}")
    for folder in folders:
        try:
            return _create_in(folder, name, layout)
        except OSError as error:
            failure = error
    raise failure


def _create_in(folder: Path, name: str, layout: Layout) -> Path:
    handle, text = tempfile.mkstemp(prefix=name, suffix=".bgr", dir=folder)
    path = Path(text)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.posix_fallocate(handle, 0, layout.size)
        with mmap.mmap(handle, PAGE_BYTES) as head, memoryview(head) as octets, octets.cast("q") as words:
            words[LAYOUT_AT], words[CAPACITY_AT] = LAYOUT, layout.capacity
            words[MAGIC_AT] = MAGIC
    except OSError:
        os.close(handle)
        path.unlink()
        raise
    _held[path] = handle
    return path


def remove_slot(path: Path) -> None:
    """Readers that have it open keep what they see."""
    if (handle := _held.pop(path, None)) is not None:
        os.close(handle)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def remove_stale_slots(folders: Sequence[Path]) -> int:
    """Remove what gateways that were killed have left behind; how many there were. A gateway holds a lock on its slots:
    in another container its process id would look dead."""
    stale = [path for folder in folders for path in _slots_in(folder) if not process_lives(int(_pid_of(path)))]
    left = [path for path in stale if not _locked(path)]
    for path in left:
        remove_slot(path)
    return len(left)


def _locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _slots_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return []


def _pid_of(path: Path) -> str:
    found = _NAME.fullmatch(path.name)
    return found[1] if found else "0"


def process_lives(pid: int) -> bool:
    """Whether a process of that number is there, anybody's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True, slots=True)
class Stamp:
    """What goes with a picture into the slot; as in `vision.picture.frame.Frame`."""

    seq: int
    captured_at_ns: int
    received_at_ns: int
    stream_time: bool
    session: int


class SlotMap:
    """An open slot: its words and bytes. Raises ValueError when the file is no slot, OSError when it is not there."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        with path.open("r+b" if writable else "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < PAGE_BYTES:
                raise ValueError(f"{path} is no frame slot: {size} bytes")
            self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ)
        self.octets = memoryview(self._map)
        self.words = self.octets[:PAGE_BYTES].cast("q")
        self.layout = Layout(self.words[CAPACITY_AT])
        if self.words[MAGIC_AT] != MAGIC or self.words[LAYOUT_AT] != LAYOUT or self.layout.size != size:
            self.close()
            raise ValueError(f"{path} is no frame slot of layout {LAYOUT}")

    def close(self) -> None:
        """Let go of the memory that was mapped."""
        self.words.release()
        self.octets.release()
        self._map.close()


class SlotWriter:
    """The one writer of a slot. It goes on where the writer before it stopped, also if that one was killed."""

    def __init__(self, path: Path) -> None:
        self._slot = SlotMap(path, writable=True)
        self._published = self._slot.words[PUBLISHED_AT]

    @property
    def capacity(self) -> int:
        """Bytes of rows that one picture may have."""
        return self._slot.layout.capacity

    @property
    def last_seq(self) -> int:
        """Sequence number of the newest picture; 0 before the first."""
        if not self._published:
            return 0
        return self._slot.words[self._slot.layout.words_at(self._published % BUFFERS) + SEQ]

    def write(self, rows: memoryview, size_px: tuple[int, int], stride: int, stamp: Stamp) -> None:
        """Publish a picture: BGR `rows` of `stride` bytes each, `size_px` = (width, height). Raises ValueError when it
        is larger than the slot."""
        width, height = size_px
        length = stride * height
        if length > self.capacity or width * 3 > stride or len(rows) < length:
            raise ValueError(f"{width} x {height} px, stride {stride}, does not fit {self.capacity} bytes")
        number = self._published + 1
        words, layout = self._slot.words, self._slot.layout
        at, rows_at = layout.words_at(number % BUFFERS), layout.rows_at(number % BUFFERS)
        words[at + LOCK] = 2 * number + 1
        self._slot.octets[rows_at : rows_at + length] = rows[:length]
        words[at + SEQ], words[at + SESSION] = stamp.seq, stamp.session
        words[at + CAPTURED], words[at + RECEIVED] = stamp.captured_at_ns, stamp.received_at_ns
        words[at + STREAM_TIME] = int(stamp.stream_time)
        words[at + WIDTH], words[at + HEIGHT], words[at + STRIDE] = width, height, stride
        words[at + LOCK] = 2 * number
        words[PUBLISHED_AT] = self._published = number

    def close(self) -> None:
        """Let go of the memory; the slot stays."""
        self._slot.close()
