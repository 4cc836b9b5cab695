"""What is said of a picture that is to be the reference by night of a survey: how it lies over the picture that was
drawn on, how much of each drawn line can be made out in it, and why it cannot be used.

`vision.edges.survey_night.night_look` fills it in; a person confirms what no measure can: that the protection stands.
"""

from dataclasses import dataclass
from enum import StrEnum


class NightProblem(StrEnum):
    """Why a picture cannot be the reference by night."""

    NO_PICTURE = "no_picture"
    OTHER_SIZE = "other_size"
    TOO_DARK = "too_dark"
    SAME_LIGHT = "same_light"
    NOT_MATCHED = "not_matched"
    MOVED = "moved"
    NO_LINES = "no_lines"


@dataclass(frozen=True, slots=True)
class NightFault:
    """One reason: what was found, and what was expected instead."""

    problem: NightProblem
    found: str
    expected: str

    def __str__(self) -> str:
        return f"picture by night: {self.found}; expected {self.expected}"


@dataclass(frozen=True, slots=True)
class LineSeen:
    """One drawn edge: along which part of it (0..1) lines of its protection can be made out."""

    edge_id: str
    title: str
    share: float


@dataclass(frozen=True, slots=True)
class NightLook:
    """A picture beside the one that was drawn on: it shows at (x + `dx`, y + `dy`) what that one shows at (x, y), as
    fractions of the picture. It can be used when there is no fault."""

    dx: float = 0.0
    dy: float = 0.0
    lines: tuple[LineSeen, ...] = ()
    faults: tuple[NightFault, ...] = ()


class NightPictureError(ValueError):
    """A picture that cannot be the reference by night. Says what was found and what was expected."""

    def __init__(self, faults: tuple[NightFault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults
