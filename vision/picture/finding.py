"""What the judging parts of the eye say of one camera: findings in numbered places, and the health of its picture.

A camera has a fixed number of places for each kind of finding (`bare_head_1` ...), which are points of its device
table. A finding keeps its place from the first confirmed frame until it is clear, so that an alarm's subject stays
the same.

    track 17 seen bare for 5 s   -> bare_head_1 = 1        measured: 1, or for an edge the metres that are missing
    the same head helmeted       -> bare_head_1 = 0
    the camera is blurred        -> bare_head_1 = NaN      cannot be judged: UNKNOWN, never 0
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.model.verdict import Truth


class FindingKind(StrEnum):
    """Prefix of the point's key; its places are numbered from 1."""

    BARE_HEAD = "bare_head"
    EDGE_OPEN = "edge_open"
    PERSON_AT_EDGE = "person_at_edge"
    NO_WORK_CLOTHES = "no_work_clothes"
    IN_DANGER_ZONE = "in_danger_zone"
    UNDER_HOOK = "under_hook"
    PERSON_DOWN = "person_down"


ON_REQUEST: Final = (
    FindingKind.NO_WORK_CLOTHES,
    FindingKind.IN_DANGER_ZONE,
    FindingKind.UNDER_HOOK,
    FindingKind.PERSON_DOWN,
)
"""Judged only where the camera's `checks` ask for it, and believed only once commissioning has confirmed it there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place's state after a frame. `measured` is what the point says where `truth` is TRUE (1 for a person, metres
    for a gap); `about` says in short texts and numbers what a person reads of it (zone, edge, track, from_m, to_m,
    what, frames, since_ns), `box_px` (x1, y1, x2, y2) is where it is in the frame. `fired` is true in the one frame
    that confirmed it."""

    kind: FindingKind
    place: int
    truth: Truth
    measured: float
    box_px: tuple[float, float, float, float] | None = None
    about: Mapping[str, str | int | float] = field(default_factory=dict)
    fired: bool = False

    @property
    def key(self) -> str:
        """The point's key in the device table."""
        return f"{self.kind}_{self.place}"


class Ailment(StrEnum):
    """What can be wrong with a camera. Each is a point of the device table: 1 is wrong, 0 is not, NaN is not known."""

    OFFLINE = "offline"
    BLACK = "black"
    FROZEN = "frozen"
    BLURRED = "blurred"
    OVEREXPOSED = "overexposed"
    UNDEREXPOSED = "underexposed"
    COVERED = "covered"
    MOVED = "moved"
    CLOCK_WRONG = "clock_wrong"
    REPLAYED = "replayed"
    NOISY = "noisy"
    HAZY = "hazy"
    BLOCKY = "blocky"
    DIRTY = "dirty"
    TORN = "torn"


@dataclass(frozen=True, slots=True)
class PictureHealth:
    """`ailing` maps every ailment to TRUE, FALSE or UNKNOWN. `usable` says whether the picture may be judged at all;
    `figures` are what was measured (sharpness, mean level, shift in pixels), for the health page."""

    ailing: Mapping[Ailment, Truth]
    usable: bool
    figures: Mapping[str, float] = field(default_factory=dict)
