"""The draw's file: shares by band and inspectors for each target. In: YAML. Out: a frozen `DrawFile`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from regulator.parts.supervision.files import Part, load
from regulator.parts.supervision.risk import Band

FILE = "draw.yaml"
Percent = Annotated[int, Field(ge=0, le=100)]


class Percents(Part):
    """How much of each band is drawn."""

    high: Percent
    medium: Percent
    low: Percent


class DrawFile(Part):
    """One edition of the draw's figures."""

    version: Literal[1]
    edition: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    percent: Percents
    inspectors_each: Annotated[int, Field(ge=2, le=10)]

    def wanted(self, band: Band, there: int) -> int:
        """How many of so many are drawn: the share, rounded up."""
        percent: int = getattr(self.percent, band.value)
        return -(-there * percent // 100)


def load_draw(path: Path | None = None) -> DrawFile:
    """The product's file, or the one at `path`. Raises PackError naming every fault."""
    return load(DrawFile, FILE, path)
