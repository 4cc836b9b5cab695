"""Photographs of real guardrails and openings, as they are and edited: what the edge check says.

    python -m bench.edge_photos DIR --json        DIR holds the photographs named in the table below

The photograph itself is the reference. Its bars are painted over (`cv2.inpaint`) and the result is shown for two
minutes with sensor noise, changing light and a shaking camera; so is the untouched photograph, as the control. With
openings that really lie open it is the other way round: the reference is the photograph with the hole painted over from
around it, which makes a plain cover, and the photograph as it is must be found. For trying, not for figures of quality:
a photograph edited by a program still is that photograph everywhere else. Few of the photographs show a rail or an
opening whole enough to be surveyed; those are listed.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gateway.model.survey import Edge, EdgeKind, RailMark, Survey
from gateway.model.verdict import Truth
from vision.edges.watch import EdgeWatch
from vision.picture.finding import FindingKind
from vision.picture.frame import Frame

SECOND = 1_000_000_000
Spot = tuple[float, float]


@dataclass(frozen=True)
class Photo:
    """Pixels of a 640 x 640 photograph: the foot line, two marks (foot, top) of 1.2 m, and the bars to take out."""

    name: str
    length_m: float
    line: tuple[Spot, ...]
    marks: tuple[tuple[Spot, Spot], ...]
    bars: tuple[tuple[Spot, ...], ...]


PHOTOS = (
    Photo(
        "css_087.jpg",
        2.4,
        ((205, 428), (500, 427)),
        (((205, 428), (205, 163)), ((500, 427), (500, 160))),
        (((208, 154), (503, 150), (503, 170), (208, 174)), ((212, 308), (503, 308), (503, 328), (212, 330))),
    ),
    Photo(
        "css_180.jpg",
        2.4,
        ((150, 530), (223, 358)),
        (((150, 530), (138, 80)), ((223, 358), (223, 125))),
        (((100, 56), (230, 108), (230, 142), (100, 120)), ((128, 325), (230, 240), (230, 282), (128, 385))),
    ),
)


@dataclass(frozen=True)
class Hole:
    """Pixels of a 640 x 640 photograph: the corners of an opening that lies open, and about how long they run (m)."""

    name: str
    number: int
    length_m: float
    corners: tuple[Spot, ...]


HOLES = (
    Hole("css_085.jpg", 1, 4.0, ((366, 432), (397, 446), (351, 528), (320, 509))),
    Hole("css_085.jpg", 2, 4.0, ((82, 344), (92, 349), (49, 386), (40, 380))),
    Hole("css_179.jpg", 1, 4.0, ((218, 513), (230, 520), (193, 561), (182, 552))),
)


def survey_of(photo: Photo, size_px: float = 640.0) -> Survey:
    """What a person would have drawn into the photograph."""

    def part(spot: Spot) -> Spot:
        return (spot[0] / size_px, spot[1] / size_px)

    marks = tuple(RailMark(part(foot), part(top), 1.2) for foot, top in photo.marks)
    line = tuple(part(spot) for spot in photo.line)
    edge = Edge("edge", photo.name, EdgeKind.FLOOR_EDGE, line, photo.length_m, marks)
    return Survey("photo", 1, 0, "bench", "0" * 64, (), (edge,))


def survey_of_hole(hole: Hole, size_px: float = 640.0) -> Survey:
    """The outline of the opening."""
    corners = tuple((x / size_px, y / size_px) for x, y in hole.corners)
    edge = Edge("edge", hole.name, EdgeKind.OPENING, corners, hole.length_m)
    return Survey("photo", 1, 0, "bench", "0" * 64, (), (edge,))


def covered(image: np.ndarray, hole: Hole) -> np.ndarray:
    """The photograph with the opening painted over, its rim included."""
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.array(hole.corners, np.int32)], 255)
    return cv2.inpaint(image, cv2.dilate(mask, np.ones((9, 9), np.uint8)), 5, cv2.INPAINT_TELEA)


def without_bars(image: np.ndarray, photo: Photo) -> np.ndarray:
    """The photograph with its bars painted over from their surroundings."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for bar in photo.bars:
        cv2.fillPoly(mask, [np.array(bar, np.int32)], 255)
    return cv2.inpaint(image, mask, 5, cv2.INPAINT_TELEA)


def shown(watch: EdgeWatch, image: np.ndarray, from_s: int, seconds: int) -> tuple[Truth, float, float]:
    """What the check says after so long, the metres it names, and the mean agreement of the columns."""
    findings = ()
    for second in range(from_s, from_s + seconds):
        dice = np.random.default_rng(second)
        move = np.array([[1, 0, dice.normal(0, 0.7)], [0, 1, dice.normal(0, 0.7)]])
        seen = cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        seen = seen * (0.8 + 0.2 * np.sin(second / 20)) + dice.normal(0, 3, image.shape)
        now = second * SECOND
        frame = Frame("photo", second, now, now, True, 1, np.clip(seen, 0, 255).astype(np.uint8))
        findings = watch.step(frame, np.empty((0, 4), np.float32), True, now)
    told = next(one for one in findings if one.kind is FindingKind.EDGE_OPEN and one.place == 1)
    scores = watch.scores()["edge"]
    mean = float(np.nanmean(scores)) if np.isfinite(scores).any() else float("nan")
    return told.truth, told.measured, mean


def measure(folder: Path) -> dict[str, Any]:
    """Every listed photograph that is in the folder."""
    rows: dict[str, Any] = {}
    for photo in PHOTOS:
        image = cv2.imread(str(folder / photo.name))
        if image is None:
            rows[photo.name] = "not in the folder"
            continue
        watch = EdgeWatch(survey_of(photo), image)
        whole, _, agreed = shown(watch, image, 0, 60)
        edited, metres, agreed_edited = shown(watch, without_bars(image, photo), 60, 90)
        rows[photo.name] = {
            "untouched": whole.name,
            "agreement": round(agreed, 3),
            "bars_out": edited.name,
            "metres_of": [round(metres, 2), photo.length_m],
            "agreement_bars_out": round(agreed_edited, 3),
        }
    for hole in HOLES:
        image = cv2.imread(str(folder / hole.name))
        if image is None:
            rows[hole.name] = "not in the folder"
            continue
        closed = covered(image, hole)
        watch = EdgeWatch(survey_of_hole(hole), closed)
        before, _, _ = shown(watch, closed, 0, 60)
        after, metres, _ = shown(watch, image, 60, 90)
        named = {"covered": before.name, "as_it_is": after.name, "metres_of": [round(metres, 2), hole.length_m]}
        rows[f"{hole.name} opening {hole.number}"] = named
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(json.dumps(measure(options.folder), ensure_ascii=False, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
