"""How alike pictures of one view are, and of different ones: `python -m bench.preset_likeness FOLDER [PAIRS]`.

FOLDER holds JPEGs named CAMERA_..._NUMBER.jpg, the camera being the first three words; pictures that differ in the
number alone are of one view. Printed: the likeness that finds presets (`vision.health.preset_match`), of pairs of one
view, of two cameras, and of one view turned by a part of the picture's width (a window over two pictures of it).
"""

import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vision.health.preset_match import THERE, outlines
from vision.health.view_comparison import likeness
from vision.health.view_match import Edges

WINDOW = 0.7
TURNS = (0.013, 0.026, 0.043, 0.086, 0.141, 0.283)
SIZE = (240, 135)


def main(folder: Path, pairs: int) -> int:
    """Print one line for each kind of pair."""
    views: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.jpg")):
        views[path.stem.rpartition("_")[0]].append(path)
    often = [paths for paths in views.values() if len(paths) >= 4]
    dice = random.Random(1)
    same = [dice.sample(dice.choice(often), 2) for _ in range(pairs)]
    _say("one view", [likeness(_seen(a), _seen(b)) for a, b in same])
    both = (dice.sample(often, 2) for _ in range(10 * pairs))
    others = [(dice.choice(a), dice.choice(b)) for a, b in both if _camera(a[0]) != _camera(b[0])][:pairs]
    _say("two cameras", [likeness(_seen(a), _seen(b)) for a, b in others])
    for turn in TURNS:
        _say(f"turned by {turn:.3f}", [likeness(_seen(a, 0.0), _seen(b, turn)) for a, b in same[: pairs // 2]])
    return 0


def _camera(path: Path) -> str:
    return "_".join(path.stem.split("_")[:3])


def _seen(path: Path, turned: float | None = None) -> Edges:
    """Outlines of a picture, or of a window of it that is turned to the right by a part of the window's width."""
    grey = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
    if turned is not None:
        height, width = (round(WINDOW * side) for side in grey.shape)
        left, top = round(turned * width), (grey.shape[0] - height) // 2
        grey = np.ascontiguousarray(grey[top : top + height, left : left + width])
    return outlines(grey, SIZE)


def _say(what: str, alike: Sequence[float]) -> None:
    parts = np.percentile(alike, [5, 10, 50, 95])
    reached = np.mean(np.array(alike) >= THERE)
    print(f"{what}: p5={parts[0]:.2f} p10={parts[1]:.2f} p50={parts[2]:.2f} p95={parts[3]:.2f} there={reached:.2f}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 600))
