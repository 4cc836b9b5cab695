"""One frame's heads: whose they are, and what each may say. Pure geometry; no memory.

In: tracked detections of a frame. Out: `Look`s, a head box each, and how many persons show no head.

    +------------+ person          a helmet box counts on a head only: its centre in the upper part of the box of a
    |   (head)   | upper 0.4       person, who has no bare head beside it
    |............|
    | [helmet]   | held            below, or beside a bare head of the same person: in a hand, under an arm
    |            |
    +------------+      [helmet]   alone: nobody there: on a hook, on a wall, or the person was missed

Nothing alarms but a bare head; a held helmet says nothing; a helmet alone says less than one on a person (`votes`).
A head cut by the upper or a side edge of the frame may wear what is outside the picture: it says nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections, SeenClass
from vision.helmets.settings import HelmetSettings
from vision.tracking.matching import cheapest_pairs

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

BESIDE = 0.1  # of the person's width that a head's centre may be beside the box
SMALLEST_HEAD, LARGEST_HEAD = 0.08, 0.9  # of the person's height; standing: 0.15, bust: up to half and more
STOOPED_PART = 0.65  # the upper part of somebody who is wider than high
SAME_HEAD = 0.5  # of the smaller box inside the other: two boxes on one head
EDGE_SHARE, EDGE_PX = 0.03, 1.5


class Say(StrEnum):
    """What a head box may say. BARE and WORN are votes, ALONE is a weaker one; all others abstain."""

    BARE = "bare"
    WORN = "worn"
    ALONE = "helmet_alone"
    HELD = "helmet_held"
    TOO_SMALL = "too_small"
    CUT = "cut_by_frame"
    WEAK = "weak"
    STILL = "still_thing"
    UNWATCHED = "unwatched"
    NO_HEAD = "person_without_head"
    HIDDEN = "head_of_another"


VOTES = frozenset({Say.BARE, Say.WORN, Say.ALONE})
CANNOT_TELL = frozenset({Say.TOO_SMALL, Say.CUT, Say.NO_HEAD})
"""Somebody is there and could not be judged."""


@dataclass(frozen=True, slots=True)
class Look:
    """`row` of the detections, `track` -1 where none is kept. `person_row` is -1 without a person. `feet` are fractions
    of the frame. `times_smallest`: height over the smallest that is judged."""

    row: int
    track: int
    say: Say
    box_px: tuple[float, float, float, float]
    score: float
    person_row: int
    feet: tuple[float, float]
    times_smallest: float

    @property
    def height_px(self) -> float:
        """Of the head's box."""
        return self.box_px[3] - self.box_px[1]

    @property
    def centre_px(self) -> tuple[float, float]:
        """Middle of the head's box."""
        return (self.box_px[0] + self.box_px[2]) / 2, (self.box_px[1] + self.box_px[3]) / 2

    @property
    def size_px(self) -> float:
        """Geometric mean of width and height."""
        return sqrt(max((self.box_px[2] - self.box_px[0]) * self.height_px, 1.0))


def look_at(detections: Detections, settings: HelmetSettings) -> list[Look]:
    """Every head box of the frame, then a look for every person on whom no head at its threshold was found: NO_HEAD, or
    HIDDEN where the head of another is in the way."""
    boxes = detections.boxes_xyxy_px.astype(np.float64)
    strong = detections.score >= np.array(settings.thresholds)[detections.class_id]
    persons = np.flatnonzero(strong & (detections.class_id == SeenClass.PERSON))
    heads = np.flatnonzero(detections.class_id != SeenClass.PERSON)
    helmet = detections.class_id[heads] == SeenClass.HELMET
    owner, held = _owners(boxes[heads], helmet, strong[heads], boxes[persons], settings.upper_part)
    looks = []
    for i, row in enumerate(heads):
        person = int(persons[owner[i]]) if owner[i] >= 0 else -1
        say = _say(boxes[row], bool(helmet[i]), bool(strong[row]), bool(held[i]), person, detections, settings)
        looks.append(_look(detections, int(row), say, person, settings))
    shown = {look.person_row for look in looks}
    for row in persons:
        if int(row) not in shown:
            say = Say.HIDDEN if _holds_a_head(boxes[row], boxes[heads[strong[heads]]]) else Say.NO_HEAD
            looks.append(_look(detections, int(row), say, int(row), settings))
    return looks


def _say(
    box: Floats, helmet: bool, strong: bool, held: bool, person: int, detections: Detections, settings: HelmetSettings
) -> Say:
    if not strong:
        return Say.WEAK
    if helmet and held:
        return Say.HELD
    if box[3] - box[1] < settings.smallest_head_px(detections.head_scale):
        return Say.TOO_SMALL
    margin = max(EDGE_PX, EDGE_SHARE * (box[3] - box[1]))
    if box[1] < margin or box[0] < margin or box[2] > detections.frame_width_px - margin:
        return Say.CUT
    if not helmet:
        return Say.BARE
    return Say.WORN if person >= 0 else Say.ALONE


def _look(detections: Detections, row: int, say: Say, person: int, settings: HelmetSettings) -> Look:
    standing = detections.boxes_xyxy_px[person if person >= 0 else row]
    x = (float(standing[0]) + float(standing[2])) / 2 / detections.frame_width_px
    y = float(standing[3]) / detections.frame_height_px
    track = -1 if say in (Say.NO_HEAD, Say.HIDDEN) else int(detections.track_id[row])
    x1, y1, x2, y2 = (float(side) for side in detections.boxes_xyxy_px[row])
    feet = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
    times = (y2 - y1) / settings.smallest_head_px(detections.head_scale)
    return Look(row, track, say, (x1, y1, x2, y2), float(detections.score[row]), person, feet, times)


def _owners(
    heads: Floats, helmet: NDArray[np.bool_], strong: NDArray[np.bool_], persons: Floats, upper_share: float
) -> tuple[Rows, NDArray[np.bool_]]:
    """Person of each head, -1 for none, and which helmets are held. Bare heads choose first: who has one has no other
    head, whatever else is near the top of the box (a helmet swung above the head)."""
    owner, held = np.full(len(heads), -1, dtype=np.intp), np.zeros(len(heads), dtype=bool)
    if not len(heads) or not len(persons):
        return owner, held
    within, fit = _fits(heads, persons, upper_share)
    bare = np.flatnonzero(strong & ~helmet)
    _assign(owner, bare, fit, np.arange(len(persons)))
    overlap = _covered(heads)
    for row in np.flatnonzero(helmet):
        same = bare[overlap[row, bare] >= SAME_HEAD]
        if len(same) and owner[same[0]] >= 0:  # two opinions on one head share its person
            owner[row] = owner[same[0]]
    taken = set(owner[owner >= 0].tolist())
    free = np.array([person for person in range(len(persons)) if person not in taken], dtype=np.intp)
    _assign(owner, np.flatnonzero(helmet & strong & (owner < 0)), fit, free)
    of_bare = [person for person in owner[bare].tolist() if person >= 0]
    for row in np.flatnonzero(helmet & (owner < 0)):
        beside_bare = np.isfinite(fit[row, of_bare]).any() if of_bare else False
        low = within[row].any() and not np.isfinite(fit[row]).any()
        held[row] = bool(beside_bare or low) and not (overlap[row, bare] >= SAME_HEAD).any()
    return owner, held


def _assign(owner: Rows, heads: Rows, fit: Floats, persons: Rows) -> None:
    if len(heads) and len(persons):
        for i, j in cheapest_pairs(fit[np.ix_(heads, persons)]):
            owner[heads[i]] = persons[j]


def _fits(heads: Floats, persons: Floats, upper_share: float) -> tuple[NDArray[np.bool_], Floats]:
    """Which heads lie within which person at all, (h, p), and how badly each fits where a head would be: distance from
    the middle of the upper edge in parts of the person; infinite outside the upper part or out of proportion."""
    width, height = (np.maximum(persons[:, 2 + k] - persons[:, k], 1.0)[None, :] for k in (0, 1))
    head_height = np.maximum(heads[:, 3] - heads[:, 1], 1.0)[:, None]
    x, y = ((heads[:, k] + heads[:, 2 + k])[:, None] / 2 for k in (0, 1))
    aside = np.abs(x - (persons[:, 0] + persons[:, 2])[None, :] / 2) / width
    down = (y - persons[:, 1][None, :]) / height
    ratio = head_height / height
    sized = (ratio >= SMALLEST_HEAD) & (ratio <= LARGEST_HEAD)
    within = (aside <= 0.5 + BESIDE) & (down >= -ratio / 2) & (down <= 1.0) & (ratio <= LARGEST_HEAD)
    part = np.where(width > height, max(STOOPED_PART, upper_share), upper_share)
    cost = aside + np.abs(down - ratio / 2)
    return within, np.where(within & sized & (down <= part), cost, np.inf)


def _covered(boxes: Floats) -> Floats:
    """Share of the smaller of two boxes that lies in the other, (n, n)."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = np.clip(high - low, 0.0, None).prod(axis=2)
    area = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-9)
    return np.asarray(common / np.minimum(area[:, None], area[None, :]))


def _holds_a_head(person: Floats, heads: Floats) -> bool:
    """Whether any head box lies in the upper half of a person."""
    if not len(heads):
        return False
    x, y = (heads[:, 0] + heads[:, 2]) / 2, (heads[:, 1] + heads[:, 3]) / 2
    middle = (person[1] + person[3]) / 2
    return bool(((x >= person[0]) & (x <= person[2]) & (y >= person[1] - 1) & (y <= middle)).any())
