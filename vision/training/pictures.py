"""The labelled pictures: read once, kept decoded in memory, split by set.

In: a folder with `images/`, `labels/` (YOLO text: class, centre x, centre y, width, height as fractions; a sixth number
is the confidence of a machine-made label) and `sources.csv` (file, set, core, person_labels). Out: pictures with pixel
boxes. It must not know of networks.
"""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy
import numpy.typing

from vision.training.classes import HEAD, HELMET

Pixels = numpy.typing.NDArray[numpy.uint8]
Numbers = numpy.typing.NDArray[numpy.float32]
# One picture in sixteen of a training set is kept back, to choose thresholds on.
KEPT_BACK_OF_256 = 16
# By how much of its height a helmet's box is too long below, by set. panly grew them from the shell by rule, 1.35 times
# as high as wide; its own bare heads, boxed by hand, have 1.16 in the median.
HELMET_TOO_LONG = {"panly": 0.14}


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture. `boxes` has a row per box: class, x1, y1, x2, y2 in pixels."""

    name: str
    set_name: str
    pixels: Pixels
    boxes: Numbers
    people_complete: bool

    @property
    def has_bare_head(self) -> bool:
        """True where at least one head without helmet is labelled."""
        return bool((self.boxes[:, 0] == HEAD).any())


@dataclass(frozen=True, slots=True)
class Source:
    """One row of `sources.csv`."""

    name: str
    set_name: str
    core: bool
    people_complete: bool

    @property
    def kept_back(self) -> bool:
        """True for the small part of a training set on which thresholds are chosen; the name alone decides."""
        return hashlib.sha256(self.name.encode()).digest()[0] < KEPT_BACK_OF_256

    @property
    def reported(self) -> bool:
        """True for the half of what is kept back from which figures come; thresholds are chosen on the other."""
        return hashlib.sha256(self.name.encode()).digest()[1] % 2 == 1


def read_sources(folder: Path) -> list[Source]:
    """All rows of the folder's list, in its order."""
    with (folder / "sources.csv").open(newline="", encoding="utf-8") as lines:
        return [
            Source(row["file"], row["set"], row["core"] == "1", row["person_labels"] != "pseudo")
            for row in csv.DictReader(lines)
        ]


def load(folder: Path, source: Source) -> Picture:
    """One picture with its boxes. Raises ValueError where the file is no picture."""
    pixels = cv2.imread(str(folder / source.name))
    if pixels is None:
        raise ValueError(f"{source.name}: no picture")
    height, width = pixels.shape[:2]
    boxes = read_boxes(folder / label_name(source.name), width, height)
    return Picture(source.name, source.set_name, pixels.astype(numpy.uint8), boxes, source.people_complete)


def correct(picture: Picture, too_long: Mapping[str, float] = HELMET_TOO_LONG) -> Picture:
    """The picture with the lower edges of its helmets' boxes brought up, where its set has them too low.

    For training only: what is measured keeps the labels as they are. `too_long` is a share of the height, by set.
    """
    share = too_long.get(picture.set_name, 0.0)
    boxes = picture.boxes.copy()
    helmets = boxes[:, 0] == HELMET
    boxes[helmets, 4] -= share * (boxes[helmets, 4] - boxes[helmets, 2])
    return replace(picture, boxes=boxes)


def label_name(picture_name: str) -> str:
    """`images/a.jpg` to `labels/a.txt`."""
    return str(Path(picture_name.replace("images/", "labels/", 1)).with_suffix(".txt"))


def read_boxes(path: Path, width: int, height: int) -> Numbers:
    """The boxes of one label file in pixels, rows of class, x1, y1, x2, y2; none where the file is missing."""
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    rows = numpy.array([line.split()[:5] for line in lines if line.strip()], numpy.float32).reshape(-1, 5)
    half = rows[:, 3:5] / 2
    corners = numpy.concatenate((rows[:, 1:3] - half, rows[:, 1:3] + half), 1)
    return numpy.concatenate((rows[:, :1], corners * numpy.array([width, height] * 2)), 1).astype(numpy.float32)


def in_sets(set_name: str, patterns: tuple[str, ...]) -> bool:
    """True where a set's name begins with one of the patterns (`css` means css_test and css_valid)."""
    return any(set_name.startswith(pattern) for pattern in patterns)
