"""When a day's safety log is late though nobody checked in. In: YAML. Out: a frozen `SafetyFile`."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from regulator.parts.supervision.files import Part, load

FILE = "safety.yaml"


class SafetyFile(Part):
    """`due_next_day`: HH:MM on the site's clock."""

    version: Literal[1]
    due_next_day: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]

    @property
    def due(self) -> time:
        """The same as a time of day."""
        return time.fromisoformat(self.due_next_day)


def load_safety(path: Path | None = None) -> SafetyFile:
    """The product's file, or the one at `path`. Raises PackError naming every fault."""
    return load(SafetyFile, FILE, path)
