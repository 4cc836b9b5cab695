"""What `CameraHealth` says of clips of a folder, and what a look costs: false ailments on pictures that are well.

    python -m bench.camera_health DIR [--rate 5] [--json]

Every clip of DIR (mp4, gif, avi, mkv) is looked at as its camera would be, so many frames a second of its own time,
with its first frame as the reference view. Out: a row a clip: frames looked at, the share that was usable, and for how
many seconds each ailment was said; then ms of processor time a look at 1920 x 1080, on one thread. A clip that
pans or cuts is truly moved: what is false is for the reader to say.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from vision.health.camera_health import CameraHealth
from vision.picture.frame import Frame

NS = 1_000_000_000
BEGIN_NS = 1_700_000_000 * NS
SUFFIXES = {".mp4", ".gif", ".avi", ".mkv"}
Image = NDArray[np.uint8]


def frames_of(path: Path, rate: float) -> Iterator[tuple[float, Image]]:
    """Seconds and picture, so many a second of the clip's own time."""
    capture = cv2.VideoCapture(str(path))
    own_rate = capture.get(cv2.CAP_PROP_FPS) or 15.0
    due_s, number = 0.0, 0
    while True:
        found, image = capture.read()
        if not found:
            break
        at_s = number / own_rate
        number += 1
        if at_s + 1e-9 >= due_s:
            due_s += 1 / rate
            yield at_s, np.asarray(image, dtype=np.uint8)
    capture.release()


def looked_at(path: Path, rate: float) -> dict[str, Any]:
    """One clip."""
    health, said, usable, looks, reference = CameraHealth(), Counter[str](), 0, 0, None
    spent_s, sharp = 0.0, []
    for at_s, image in frames_of(path, rate):
        if reference is None:
            reference = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        at_ns = BEGIN_NS + int(at_s * NS)
        frame = Frame(path.stem, looks, at_ns, at_ns, True, 1, image)
        began = time.process_time()
        answer = health.look(frame, reference, at_ns, int((at_s + 1) * NS))
        spent_s += time.process_time() - began
        looks += 1
        usable += answer.usable
        sharp.append(answer.figures["sharpness"])
        said.update(str(ailment) for ailment, truth in answer.ailing.items() if truth is Truth.TRUE)
    seconds = {ailment: round(count / rate, 1) for ailment, count in sorted(said.items())}
    return {
        "clip": path.name,
        "looks": looks,
        "usable_share": round(usable / looks, 3) if looks else None,
        "said_s": seconds,
        "sharpness_median": round(float(np.median(sharp)), 3) if sharp else None,
        "ms_a_look": round(1000 * spent_s / looks, 2) if looks else None,
    }


def cost_ms(looks: int = 200) -> float:
    """Processor time of a look at 1920 x 1080, with a reference."""
    draw = np.random.default_rng(1)
    still = cv2.resize(draw.integers(0, 255, (68, 120, 3)).astype(np.uint8), (1920, 1080))
    images = [cv2.add(still, draw.integers(0, 4, still.shape).astype(np.uint8)) for _ in range(4)]
    health, reference = CameraHealth(), np.asarray(cv2.cvtColor(still, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    spent_s = 0.0
    for number in range(looks + 20):
        at_ns = BEGIN_NS + number * NS // 5
        frame = Frame("cost", number, at_ns, at_ns, True, 1, np.asarray(images[number % 4], dtype=np.uint8))
        began = time.process_time()
        health.look(frame, reference, at_ns, number * NS // 5)
        if number >= 20:
            spent_s += time.process_time() - began
    return 1000 * spent_s / looks


def main() -> None:
    parser = argparse.ArgumentParser(description="false ailments on clips, and what a look costs")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rate", type=float, default=5.0, help="looks a second of the clip's own time")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    clips = sorted(path for path in args.folder.iterdir() if path.suffix in SUFFIXES)
    if not clips:
        parser.error(f"{args.folder}: holds no clip (expected one of {', '.join(sorted(SUFFIXES))})")
    rows = [looked_at(path, args.rate) for path in clips]
    cost = round(cost_ms(), 2)
    if args.json:
        print(json.dumps({"clips": rows, "ms_a_look_1080p": cost}))
        return
    for row in rows:
        print(
            f"{row['clip']:28} {row['looks']:5} looks  usable {row['usable_share']}  said {row['said_s'] or 'nothing'}"
        )
    print(f"one look at 1920 x 1080: {cost} ms of processor time on one thread")


if __name__ == "__main__":
    main()
