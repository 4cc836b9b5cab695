"""How well the line "from here on judged" holds: learnt from half of a camera's labelled pictures, held to the others.

    python -m bench.sight_line DIR [--json]

DIR holds `images/cctv_<a>_<b>_*.jpg` and `labels/*.txt` (YOLO; helmets, bare heads and persons count), a and b name
the camera. Each picture stands for ten seconds. Of every person with a labelled head in the other half: does the side
of the line on which the feet are say whether the head is large enough? Out: a row a camera, then all. Labels stand for
a perfect detector: what is measured is the line alone.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from gateway.model.detections import Detections, SeenClass
from gateway.model.sight import Why
from vision.evaluation.label_file import parse_labels
from vision.helmets.helmets import HelmetWatch
from vision.helmets.people import People
from vision.sight.reach import SizesByRow

PICTURE_S = 10.0
HOUR = 1


def people_of_file(label: Path) -> People:
    """Who is in a picture by its labels, as the helmet rule takes it."""
    image = cv2.imread(str(label.parent.parent / "images" / f"{label.stem}.jpg"))
    if image is None:
        raise FileNotFoundError(f"no picture for {label}")
    height, width = image.shape[:2]
    codes = {str(int(code)) for code in SeenClass}
    lines = [line for line in label.read_text().splitlines() if line.split() and line.split()[0] in codes]
    labels = parse_labels("\n".join(lines), width, height, label.name)
    n = len(labels.class_id)
    boxes = labels.xyxy_px.astype(np.float32)
    score, tracks = np.ones(n, np.float32), np.full(n, -1, np.int32)
    watch = HelmetWatch()
    watch.step(Detections("bench", 1, 0, width, height, boxes, score, labels.class_id, tracks), True, 0)
    assert watch.people is not None
    return watch.people


def held(learnt: Sequence[People], other: Sequence[People]) -> Counter[str]:
    """People of `other` by whether the line of `learnt` said what is so."""
    sizes, found = SizesByRow(), Counter[str]()
    for people in learnt:
        for person in people.seen:
            if person.head:
                sizes.take(person.foot, person.head, PICTURE_S, HOUR)
    for people in other:
        reach = sizes.reach(people.smallest, HOUR)
        for person in people.seen:
            if person.why not in (Why.JUDGED, Why.TOO_SMALL) or not person.head:
                continue
            if reach is None or person.foot < reach.seen_from:
                found["not_known"] += 1
                continue
            near = reach.judged_from is not None and person.foot >= reach.judged_from
            found["right" if near == (person.why is Why.JUDGED) else "wrong_near" if near else "wrong_far"] += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cameras: dict[str, list[People]] = defaultdict(list)
    for label in sorted((args.folder / "labels").glob("*.txt")):
        cameras[".".join(label.stem.split("_")[1:3])].append(people_of_file(label))
    rows = {name: held(all_[::2], all_[1::2]) + held(all_[1::2], all_[::2]) for name, all_ in sorted(cameras.items())}
    rows["all"] = sum(rows.values(), Counter[str]())
    for name, row in rows.items():
        told = row["right"] + row["wrong_near"] + row["wrong_far"]
        line = {"camera": name, **row, "right_pct": round(100 * row["right"] / told, 1) if told else None}
        print(json.dumps(line) if args.json else "  ".join(f"{key} {value}" for key, value in line.items()))


if __name__ == "__main__":
    main()
