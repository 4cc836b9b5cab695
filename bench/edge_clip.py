"""The real clip with the guarded slab edge: what the check says of an edge that is guarded all the time.

    python -m bench.edge_clip site_cctv.mp4 --json

The drawing is `bench/edge_clip.json`, made by hand on the first frame (640 x 352; the length is an estimate from the
columns of the building). The first frame is the reference. The clip is 18 s long, so the confirmation time is set to
6 s here; no person boxes are given. Every column should end up ok or unknown; an open one is a false gap.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vision.edges.settings import EdgeSettings
from vision.edges.watch import EdgeWatch
from vision.picture.frame import Frame
from vision.survey.parsing import read_survey

SECOND = 1_000_000_000
DRAWING = Path(__file__).with_name("edge_clip.json")


def measure(clip: Path) -> dict[str, Any]:
    """Judge five frames a second of the clip."""
    survey = read_survey(json.loads(DRAWING.read_text("utf-8")))
    reader = cv2.VideoCapture(str(clip))
    rate = reader.get(cv2.CAP_PROP_FPS) or 25.0
    watch, number, judged, fired, scores = None, -1, 0, 0, np.empty(0)
    settings = replace(EdgeSettings(), confirm_s=6.0, judge_every_s=0.2, average_s=2.0)
    while True:
        good, image = reader.read()
        if not good:
            break
        number += 1
        if watch is None:
            watch = EdgeWatch(survey, image, settings)
        if number % max(1, round(rate / 5)):
            continue
        now = int(number / rate * SECOND)
        frame = Frame("clip", number, now, now, True, 1, image)
        fired += sum(one.fired for one in watch.step(frame, np.empty((0, 4), np.float32), True, now))
        judged += 1
        scores = watch.scores()["slab"]
    if watch is None:
        raise SystemExit(f"{clip}: no frame could be read, expected a video")
    metres: dict[str, float] = {}
    for part in watch.sections(int(number / rate * SECOND)):
        metres[part.verdict] = round(metres.get(part.verdict, 0.0) + part.to_m - part.from_m, 2)
    return {"frames_judged": judged, "findings": fired, "metres": metres, "agreement": _quartiles(scores)}


def _quartiles(scores: np.ndarray) -> list[float]:
    return [round(float(part), 3) for part in np.nanpercentile(scores, (5, 25, 50, 75))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(json.dumps(measure(options.clip), indent=None if options.json else 1))


if __name__ == "__main__":
    main()
