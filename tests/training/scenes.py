"""Drawn scenes with labels, enough for a training to have something to learn: no photograph is needed."""

from pathlib import Path

import cv2
import numpy

SIZE = (128, 96)
SKIN, SHIRT = (150, 180, 220), (90, 60, 40)
SHELLS = ((40, 200, 240), (40, 40, 220), (230, 120, 30))


def draw_scene(seed: int) -> tuple[numpy.ndarray, list[str]]:
    """Up to three people on noise, with helmet or bare; label lines in YOLO text."""
    random = numpy.random.default_rng(seed)
    width, height = SIZE
    picture = random.integers(90, 160, (height, width, 3)).astype(numpy.uint8)
    lines = []
    for place in range(int(random.integers(1, 4))):
        side = int(random.integers(12, 20))
        left, top = 6 + 40 * place + int(random.integers(0, 8)), int(random.integers(4, 30))
        helmet = bool(random.random() < 0.5)
        draw_person(picture, (left, top, side), SHELLS[int(random.integers(3))] if helmet else None)
        lines += [
            line(0 if helmet else 1, (left, top, left + side, top + side)),
            line(2, (left - 4, top, left + side + 4, top + 4 * side)),
        ]
    return picture, lines


def draw_person(picture: numpy.ndarray, head: tuple[int, int, int], shell: tuple[int, int, int] | None) -> None:
    left, top, side = head
    cv2.rectangle(picture, (left - 4, top + side), (left + side + 4, top + 4 * side), SHIRT, -1)
    cv2.circle(picture, (left + side // 2, top + side // 2), side // 2, SKIN, -1)
    upper = (left + side // 2, top + side // 2)
    cv2.ellipse(picture, upper, (side // 2, side // 2), 0, 180, 360, shell or (20, 25, 30), -1)


def line(kind: int, box: tuple[int, int, int, int]) -> str:
    width, height = SIZE
    x1, y1, x2, y2 = (min(max(value, 0), limit) for value, limit in zip(box, (width, height) * 2, strict=True))
    middle = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height)
    return f"{kind} {middle[0]:.5f} {middle[1]:.5f} {(x2 - x1) / width:.5f} {(y2 - y1) / height:.5f}"


def write_folder(folder: Path, count: int) -> Path:
    """A folder as the trainer reads it: two sets, `drawn` and `held`."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    rows = ["file,set,person_labels,core"]
    for seed in range(count):
        picture, lines = draw_scene(seed)
        cv2.imwrite(str(folder / "images" / f"scene_{seed}.png"), picture)
        (folder / "labels" / f"scene_{seed}.txt").write_text("\n".join(lines) + "\n")
        rows.append(
            f"images/scene_{seed}.png,{'held' if seed % 5 == 0 else 'drawn'},{'pseudo' if seed % 2 else 'human'},1"
        )
    (folder / "sources.csv").write_text("\n".join(rows) + "\n")
    return folder
