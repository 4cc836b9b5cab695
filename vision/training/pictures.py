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

from vision.training.classes import HEAD, HELMET, PERSON, UNSURE_HEAD

Pixels = numpy.typing.NDArray[numpy.uint8]
Numbers = numpy.typing.NDArray[numpy.float32]
# One picture in sixteen of a training set is kept back, to choose thresholds on.
KEPT_BACK_OF_256 = 16
# By how much of its height a helmet's box is too long below, by set. panly grew them from the shell by rule, 1.35 times
# as high as wide; its own bare heads, boxed by hand, have 1.16 in the median.
HELMET_TOO_LONG = {"panly": 0.14}
# What a number in a label file means; others (clothes) are no matter of this detector.
CAMERA_PARTS = 3
LABELS = {0: HELMET, 1: HEAD, 2: PERSON, 5: UNSURE_HEAD}


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture. `boxes` has a row per box: class, x1, y1, x2, y2 in pixels."""

    name: str
    set_name: str
    pixels: Pixels
    boxes: Numbers
    people_complete: bool
    fixed_camera: bool = False

    @property
    def has_bare_head(self) -> bool:
        """True where at least one head without helmet is labelled."""
        return bool((self.boxes[:, 0] == HEAD).any())


@dataclass(frozen=True, slots=True)
class Source:
    """One row of a folder's `sources.csv`, or one picture of a fixed camera."""

    folder: Path
    name: str
    set_name: str
    core: bool
    people_complete: bool
    fixed_camera: bool = False

    @property
    def kept_back(self) -> bool:
        """True for the small part of a training set on which thresholds are chosen; the name alone decides."""
        return hashlib.sha256(self.name.encode()).digest()[0] < KEPT_BACK_OF_256

    @property
    def reported(self) -> bool:
        """True for the half of what is kept back from which figures come; thresholds are chosen on the other."""
        return hashlib.sha256(self.name.encode()).digest()[1] % 2 == 1


def read_sources(*folders: Path) -> list[Source]:
    """All pictures of the folders: in the order of the folder's list, or of their names where it has none."""
    return [source for folder in folders for source in _listed(folder)]


def _listed(folder: Path) -> list[Source]:
    """A folder without a list is one of fixed cameras: its sets are the cameras, its people are all labelled."""
    if not (folder / "sources.csv").exists():
        names = sorted(path.name for path in (folder / "images").glob("*.jpg"))
        return [Source(folder, f"images/{name}", camera_of(name), True, True, fixed_camera=True) for name in names]
    with (folder / "sources.csv").open(newline="", encoding="utf-8") as lines:
        return [
            Source(folder, row["file"], row["set"], row["core"] == "1", row["person_labels"] != "pseudo")
            for row in csv.DictReader(lines)
        ]


def camera_of(file_name: str) -> str:
    """`cctv_2_20_neg_3c_88.jpg` is of camera `cctv_2_20`."""
    return "_".join(file_name.split("_")[:CAMERA_PARTS])


def load(source: Source) -> Picture:
    """One picture with its boxes. Raises ValueError where the file is no picture."""
    pixels = cv2.imread(str(source.folder / source.name))
    if pixels is None:
        raise ValueError(f"{source.name}: no picture")
    height, width = pixels.shape[:2]
    boxes = read_boxes(source.folder / label_name(source.name), width, height)
    return Picture(
        source.name, source.set_name, pixels.astype(numpy.uint8), boxes, source.people_complete, source.fixed_camera
    )


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
    rows = rows[numpy.isin(rows[:, 0], list(LABELS))]
    rows[:, 0] = [LABELS[int(number)] for number in rows[:, 0]]
    half = rows[:, 3:5] / 2
    corners = numpy.concatenate((rows[:, 1:3] - half, rows[:, 1:3] + half), 1)
    return numpy.concatenate((rows[:, :1], corners * numpy.array([width, height] * 2)), 1).astype(numpy.float32)


def in_sets(set_name: str, patterns: tuple[str, ...]) -> bool:
    """True where a pattern is a set's name or its first words (`css` means css_test and css_valid)."""
    return any(f"{set_name}_".startswith(f"{pattern}_") for pattern in patterns)
