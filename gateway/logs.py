"""Structured logs: one `key=value` line an event, on standard error or in a bounded file. Secrets never get here,
and what looks like an ID-card number is masked. What is said again and again is counted (`screens.log_limit`).

A file is turned when it reaches its size, or at midnight UTC; the older ones carry a number or a date, and the oldest
are removed. Standard handlers only: what reads logs today goes on reading them.
"""

import logging
import logging.handlers
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.model.id_numbers import MaskingFormatter
from screens.log_limit import LogLimit

FORMAT = "%(asctime)s.%(msecs)03d level=%(levelname)s logger=%(name)s %(message)s"


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where logs go and how much of them is kept: `max_mib` each and `keep` older files; with `daily`, a file a day."""

    path: Path
    max_mib: float = 10.0
    keep: int = 7
    daily: bool = False

    def handler(self) -> logging.Handler:
        """The handler that writes and turns the file. Raises OSError when it cannot be opened."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.daily:
            return logging.handlers.TimedRotatingFileHandler(
                self.path, when="midnight", backupCount=self.keep, encoding="utf-8", utc=True
            )
        max_bytes = max(1, int(self.max_mib * 2**20))
        return logging.handlers.RotatingFileHandler(
            self.path, maxBytes=max_bytes, backupCount=self.keep, encoding="utf-8"
        )


def start_logging(level: str = "INFO", file: LogFile | None = None) -> None:
    """Set the root logger up once; chatty libraries speak only when something is wrong."""
    handler = file.handler() if file is not None else logging.StreamHandler()
    formatter = MaskingFormatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    if file is not None:
        formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[LogLimit(handler)], force=True)
    for name, floor in (("pymodbus", logging.CRITICAL), ("httpx", logging.WARNING), ("uvicorn", logging.WARNING)):
        logging.getLogger(name).setLevel(floor)
