"""Which files of ours a value passes, and how often: a profile of calls, switched on for one walk.

    with WalkTrace() as trace:         # before the threads of the walk start: each hears of it when it begins
        ...                            # warm up
        with trace.recording() as entries:
            ...                        # one value
        entries                        # {"gateway/line/pipeline.py": 3, ...}, in the order of the first entry

An entry is a call of one of a file's functions by another file of ours, or by nobody of ours; calls within a file are
not counted, through a library or not, nor is a coroutine that goes on. What `but_below` names is not of the walk, with
all that it calls: the twin at one end, the receiver at the other.
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = frozenset(
    ["contract", "docking", "drivers", "gateway", "kit", "regulator", "screens", "sitewarden", "vision"]
)


class WalkTrace:
    """Hears of every call in this thread and in those that start meanwhile; counts while it records."""

    def __init__(self, *but_below: str) -> None:
        self._but_below = but_below
        self._files: dict[CodeType, str] = {}
        self._entries: Counter[str] | None = None

    def __enter__(self) -> Self:
        threading.setprofile(self._heard)
        sys.setprofile(self._heard)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type] # as the standard library's own documentation does

    @contextmanager
    def recording(self) -> Iterator[Counter[str]]:
        """Count from here to the end of the block."""
        self._entries = entries = Counter[str]()
        try:
            yield entries
        finally:
            self._entries = None

    def _heard(self, frame: FrameType, event: str, _: object) -> None:
        entries = self._entries
        if entries is None or event != "call" or not (file := self._file(frame.f_code)) or _goes_on(frame):
            return
        if self._caller(frame) != file and not self._is_left_out(frame):
            entries[file] += 1

    def _caller(self, frame: FrameType) -> str:
        """The file of ours that called, through whatever library."""
        below = frame.f_back
        while below is not None and not (file := self._file(below.f_code)):
            below = below.f_back
        return file if below is not None else ""

    def _is_left_out(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if self._file(frame.f_code).startswith(self._but_below):
                return True
            frame = frame.f_back
        return False

    def _file(self, code: CodeType) -> str:
        """The file's name from the root, '' when it is none of ours."""
        found = self._files.get(code)
        if found is None:
            path = Path(code.co_filename)
            within = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path()
            found = self._files[code] = (
                within.as_posix() if within.suffix == ".py" and within.parts[0] in PACKAGES else ""
            )
        return found


def _goes_on(frame: FrameType) -> bool:
    """Whether a generator or coroutine is taken up again: its RESUME says after what (0: at the start)."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti + 1] != 0
