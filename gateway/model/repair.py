"""What a start did about a damaged store."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Repair:
    """A damaged file was moved aside: where it lies now, and how many rows of each table could be carried over."""

    aside: Path
    reason: str
    rows: dict[str, int]
