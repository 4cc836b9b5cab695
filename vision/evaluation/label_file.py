"""YOLO text labels: one box a line, `class centre_x centre_y width height` as fractions of the picture.

0 helmet, 1 bare head, 2 person; 3 and 4 are clothes and passed over; 5 is a head that is too blurred to judge. A sixth
column (the confidence of a machine-made label) is read over. Pure but for reading the file.
"""

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass

CLOTHES, BLURRED_HEAD = (3, 4), 5
BEYOND = 0.02
"""A box may reach this far (as a fraction) over the border, by rounding or by its maker's rule; it is cut there."""


class LabelError(ValueError):
    """A label file that cannot be used: file, line, what was expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """`xyxy_px` (n, 4) float64 in pixels of the picture, cut at its border; `class_id` (n,) of `SeenClass`;
    `unsure_px` (m, 4) heads of which nobody can tell: whatever is found there is neither right nor wrong."""

    xyxy_px: NDArray[np.float64]
    class_id: NDArray[np.uint8]
    unsure_px: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 4)))

    def of_class(self, seen: SeenClass) -> NDArray[np.float64]:
        """Boxes of one class."""
        return np.asarray(self.xyxy_px[self.class_id == seen])


def read_labels(path: Path, width_px: int, height_px: int) -> Labels:
    """Labels of a picture of that size; an empty file says that nothing is in it. Raises LabelError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LabelError(
            f"{path.name}: no such label file (an empty file means that the picture shows nothing)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path.name}: {error}") from error
    return parse_labels(text, width_px, height_px, path.name)


def parse_labels(text: str, width_px: int, height_px: int, source: str) -> Labels:
    """The same of text; `source` is what an error names."""
    rows = [_row(line, f"{source}:{number}") for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    code = np.array([code for code, _ in rows], dtype=np.uint8)
    xyxy = np.array([box for _, box in rows]).reshape(-1, 4) * [width_px, height_px, width_px, height_px]
    seen = np.isin(code, list(SeenClass))
    return Labels(xyxy[seen], code[seen], xyxy[code == BLURRED_HEAD])


def _row(line: str, where: str) -> tuple[int, list[float]]:
    parts = line.split()
    if len(parts) not in (5, 6):
        raise LabelError(f"{where}: class x y width height expected, found {len(parts)} columns")
    try:
        code, (x, y, width, height) = int(parts[0]), (float(part) for part in parts[1:5])
    except ValueError as error:
        raise LabelError(f"{where}: {error}") from error
    if code not in (*SeenClass, *CLOTHES, BLURRED_HEAD):
        raise LabelError(f"{where}: class {code}; 0 helmet, 1 head, 2 person, 3 or 4 clothes, 5 blurred head expected")
    sides = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    inside = all(isfinite(side) and -BEYOND <= side <= 1 + BEYOND for side in sides)
    if not (inside and width > 0 and height > 0):
        raise LabelError(f"{where}: box {' '.join(parts[1:5])}; fractions of the picture with a size above 0 expected")
    return code, [min(max(side, 0.0), 1.0) for side in sides]
