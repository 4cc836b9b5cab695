"""Count of short messages sent today, kept on disk so that a restart does not reset it.

In: the local day. Out: the count. One small JSON file, replaced whole; counted before a message leaves, so that a crash
can waste one of the day's messages and never send one more.
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

    def of(self, day: str) -> int:
        """Messages counted on this day. A file that cannot be read counts as none, and is said."""
        try:
            kept = json.loads(self._path.read_bytes())
            return int(kept["count"]) if kept["day"] == day else 0
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("event=daily_count_unreadable file=%s reason=%r", self._path, type(error).__name__)
            return 0

    def add(self, day: str) -> None:
        """Count one more. Raises OSError when the disk does not take it."""
        content = json.dumps({"day": day, "count": self.of(day) + 1})
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
