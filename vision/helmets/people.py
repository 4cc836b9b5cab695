"""The people of one frame and what became of each: judged, or why not. Pure.

In: what the helmet rule's looks finally say. Out: `People`. A person is a person's box, or a bare head without one; a
head without a body that says nothing counts once it has moved, and a helmet alone never: it may hang on a hook.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.model.detections import Detections
from gateway.model.sight import Why
from vision.helmets.looks import VOTES, Look, Say
from vision.helmets.settings import HelmetSettings

HEAD_PART: Final = 0.15  # of a standing person's height: where no head was found, it would be so large
UPRIGHT: Final = 1.5  # times as high as wide: somebody who stands or walks, whole
FROM_EDGE_PX: Final = 2.0
MOST_PEOPLE: Final = 300
_WHY: Final[Mapping[Say, Why]] = {
    Say.TOO_SMALL: Why.TOO_SMALL,
    Say.CUT: Why.CUT,
    Say.NO_HEAD: Why.NO_HEAD,
    Say.HIDDEN: Why.NO_HEAD,
    Say.UNWATCHED: Why.UNWATCHED,
}
"""Every other say that is no vote is UNCLEAR: a head was seen, and what it wears was not."""
_RANK: Final = (Why.JUDGED, Why.UNWATCHED, Why.TOO_SMALL, Why.CUT, Why.UNCLEAR, Why.NO_HEAD)
"""Of several looks at one person the first of these counts."""


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """One person. `foot`: lower edge, `head`: height of the head, both in parts of the picture's height; `head` is 0
    where it tells nothing of the place (no body, or not whole)."""

    why: Why
    foot: float
    head: float


@dataclass(frozen=True, slots=True)
class People:
    """Everybody in a frame that was judged. `smallest`: height from which on a head is judged, in parts of the
    picture's height."""

    smallest: float
    seen: tuple[SeenPerson, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether the frame counts as judged: of those whose helmet is asked for half at least were, or there are
        none."""
        asked = [person.why for person in self.seen if person.why is not Why.UNWATCHED]
        return 2 * asked.count(Why.JUDGED) >= len(asked)


def people_of(
    looks: Sequence[Look], moved: Collection[int], detections: Detections, settings: HelmetSettings
) -> People:
    """`looks` of one frame with what they finally say; `moved` are the tracks of heads that are no things."""
    of_person: dict[int, list[Look]] = {}
    seen: list[SeenPerson] = []
    for look in looks:
        if look.person_row >= 0:
            of_person.setdefault(look.person_row, []).append(look)
        elif look.say is Say.BARE or (look.say in (Say.TOO_SMALL, Say.CUT) and look.track in moved):
            seen.append(SeenPerson(_why(look), look.feet[1], 0.0))
    for each in of_person.values():
        best = min(each, key=lambda look: _RANK.index(_why(look)))
        seen.append(SeenPerson(_why(best), best.feet[1], _head_part(best, detections)))
    smallest_px = settings.smallest_head_px(detections.head_scale)
    return People(smallest_px / detections.frame_height_px, tuple(seen[:MOST_PEOPLE]))


def _why(look: Look) -> Why:
    return Why.JUDGED if look.say in VOTES else _WHY.get(look.say, Why.UNCLEAR)


def _head_part(look: Look, detections: Detections) -> float:
    """Height of the head that was seen, or of the one that a whole standing person has; 0 where neither is there."""
    height_px = detections.frame_height_px
    if look.row != look.person_row:
        return look.height_px / height_px
    x1, y1, x2, y2 = (float(side) for side in detections.boxes_xyxy_px[look.person_row])
    whole = y1 > FROM_EDGE_PX and y2 < height_px - FROM_EDGE_PX and y2 - y1 >= UPRIGHT * (x2 - x1)
    return HEAD_PART * (y2 - y1) / height_px if whole else 0.0
