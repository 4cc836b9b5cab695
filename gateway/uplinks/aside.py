"""A bounded file of what a receiver will never take, with its words, so that nothing is dropped unseen.

In: records (what, why). Out: JSON lines on disk, synced before `keep` returns. When the file is full it becomes
`<name>.1` and the one before that is dropped and counted: the disk stays bounded, the newest is kept.
Knows nothing of the receiver or of what the records mean.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

DEFAULT_MAX_BYTES = 8 * 1024 * 1024


class AsideFile:
    """One receiver's file. `kept` and `dropped` count records since start."""

    def __init__(self, path: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.path = path
        self.kept = 0
        self.dropped = 0
        self._max_bytes = max_bytes

    @property
    def older(self) -> Path:
        """The full file before the current one."""
        return self.path.with_name(self.path.name + ".1")

    def keep(self, records: Sequence[Mapping[str, str | int]]) -> None:
        """Append and sync. Raises OSError when the disk does not take them; then nothing counts as kept."""
        if not records:
            return
        lines = [orjson.dumps(record) + b"\n" for record in records]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        size = self.path.stat().st_size if self.path.exists() else 0
        if size and size + sum(map(len, lines)) > self._max_bytes:
            self._turn_over()
        fitting = self._newest_that_fit(lines)
        with self.path.open("ab") as file:
            file.writelines(fitting)
            file.flush()
            os.fsync(file.fileno())
        self.kept += len(fitting)
        self.dropped += len(lines) - len(fitting)

    def _turn_over(self) -> None:
        if self.older.exists():
            with self.older.open("rb") as file:
                self.dropped += sum(1 for _ in file)
        self.path.replace(self.older)

    def _newest_that_fit(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        room = self._max_bytes
        for count, line in enumerate(reversed(lines)):
            room -= len(line)
            if room < 0:
                return lines[len(lines) - count :]
        return lines
