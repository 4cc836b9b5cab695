"""Count of short messages sent today, kept on disk so that a restart does not reset it.

In: the local day. Out: the count. One small JSON file, replaced whole; counted before a message leaves, so that a crash
can waste one of the day's messages and never send one more. While the disk takes nothing the count goes on in memory:
an alarm does not wait for it.
"""

import json
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


class DailyCount:
    """The count of one uplink. Used from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._in_memory: tuple[str, int] = ("", 0)

    def of(self, day: str) -> int:
        """Messages counted on this day. A file that cannot be read counts as none, and is said."""
        return max(self._kept(day), self._in_memory[1] if self._in_memory[0] == day else 0)

    def _kept(self, day: str) -> int:
        try:
            kept = json.loads(self._path.read_bytes())
            return int(kept["count"]) if kept["day"] == day else 0
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("event=daily_count_unreadable file=%s reason=%r", self._path, type(error).__name__)
            return 0

    def add(self, day: str) -> None:
        """Count one more message on this day."""
        self._in_memory = (day, self.of(day) + 1)
        try:
            self._write(json.dumps({"day": day, "count": self._in_memory[1]}))
        except OSError as error:
            log.error("event=daily_count_in_memory file=%s reason=%r", self._path, error.strerror)

    def _write(self, content: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
