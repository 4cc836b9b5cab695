"""Quarantine of bad input with its reason: one bounded JSON-lines file a source. The oldest lines are dropped.

Nothing here is evidence; it is there so that a person can see what a device really sent.
"""

import json
import time
from pathlib import Path

MAX_PAYLOAD_BYTES = 4096
MAX_FILE_BYTES = 2_000_000


class Quarantine:
    """Appends to `<folder>/<source>.jsonl`; at 2 MB the file becomes `<source>.1.jsonl` and a new one begins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, source: str, payload: bytes, reason: str) -> None:
        """Write one entry: when, why, how long the payload was, and its beginning. A full disk only costs the entry."""
        path = self._folder / f"{source}.jsonl"
        entry = {
            "at_ns": time.time_ns(),
            "reason": reason,
            "bytes": len(payload),
            "payload": payload[:MAX_PAYLOAD_BYTES].decode("utf-8", "backslashreplace"),
        }
        try:
            if path.exists() and path.stat().st_size > MAX_FILE_BYTES:
                path.replace(path.with_suffix(".1.jsonl"))
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError:
            return
