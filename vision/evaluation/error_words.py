"""What a detector gets wrong, in words and counts: which kind of error, how large, where, in what light, how crowded.

In: a picture, its labels, the boxes at the operating thresholds and those down to the floor. Out: counts by word, that
may be added up over pictures. No picture, no crop and no file name goes into them. Pure but for reading grey levels.

    missed   seen as the other class | boxed loosely | its box went to a neighbour | seen below the threshold | not seen
    false    on a head of the other class | second box | boxed loosely | on a person, beside the head | on nothing

The first word that holds is counted, so that kinds add up; traits (size, place, light, company) are counted beside, of
missed labels and of all labels, because "12 missed in glare" says nothing without how many there were.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.detector.boxes import Boxes
from vision.evaluation.label_file import Labels
from vision.picture.detection_scores import MATCH_IOU, Floats, Sizes, iou_matrix, match_image

Words = Counter[tuple[str, str, str, str]]
"""Counts by class, side (missed, false, labelled), what is said (kind, size, place, light, company) and the word."""
LOOSE_IOU: Final = 0.2
OTHER_HEAD: Final = {SeenClass.HELMET: SeenClass.HEAD, SeenClass.HEAD: SeenClass.HELMET}
SIZES: Final = {
    "under 12 px": Sizes(0.0, 12.0),
    "12 to 20 px": Sizes(12.0, 20.0),
    "20 to 32 px": Sizes(20.0, 32.0),
    "32 to 64 px": Sizes(32.0, 64.0),
    "64 px and more": Sizes(64.0),
}
EDGE_SHARE: Final = 0.005
DARK_LEVEL, GLARE_LEVEL, AGAINST_LEVELS = 50.0, 200.0, 50.0
"""Mean grey of a box below which it is dark and above which it is in glare; how much brighter the surroundings are
where it stands against the light."""
BESIDE_IOU: Final = 0.05


def error_words(picture: NDArray[np.uint8], seen: Boxes, weak: Boxes, labels: Labels, min_head_px: float) -> Words:
    """Counts of one picture. Heads below `min_head_px` are neither missed nor false, as in the figures."""
    grey, words = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), Words()
    for code in SeenClass:
        least = 0.0 if code is SeenClass.PERSON else min_head_px
        found, label = seen.xyxy[seen.class_id == code].astype(np.float64), labels.of_class(code)
        matches = match_image(found, seen.score[seen.class_id == code], label)
        other = OTHER_HEAD.get(code)
        others = seen.xyxy[seen.class_id == other] if other is not None else np.zeros((0, 4))
        heads = labels.xyxy_px[labels.class_id != SeenClass.PERSON] if other is not None else label
        for row, box in enumerate(label):
            if box[3] - box[1] < least:
                continue
            traits = [*_traits(box, grey, heads)]
            _count(words, code, "labelled", traits)
            if not matches.label_hit[row]:
                kind = _why_missed(box, found, others, weak.xyxy[weak.class_id == code])
                _count(words, code, "missed", [("kind", kind), *traits])
        wrong = ~matches.hit & (found[:, 3] - found[:, 1] >= least)
        for box in found[wrong]:
            kind = _why_false(box, label, labels.of_class(other) if other is not None else None, labels)
            _count(words, code, "false", [("kind", kind), *_traits(box, grey, heads)])
    return words


def error_figures(words: Words) -> dict[str, Any]:
    """For JSON: by class the missed (of how many labelled) and the false, each with kinds and traits, most first."""
    figures: dict[str, Any] = {}
    for code in SeenClass:
        name = code.name.lower()
        labelled, missed, false = (_side(words, name, side) for side in ("labelled", "missed", "false"))
        if labelled or false:
            figures[name] = {
                "missed": {
                    "n": sum(missed.get("kind", {}).values()),
                    "of": sum(labelled.get("size", {}).values()),
                    "kind": missed.get("kind", {}),
                    **{trait: _shares(missed.get(trait, {}), of) for trait, of in labelled.items()},
                },
                "false": {"n": sum(false.get("kind", {}).values()), **false},
            }
    return figures


def error_lines(figures: dict[str, Any]) -> list[str]:
    """The same to read."""
    lines = []
    for name, one in figures.items():
        missed, false = one["missed"], one["false"]
        lines.append(f"{name}: {missed['n']} of {missed['of']} missed")
        lines += [f"  {trait:8} {_listed(counts)}" for trait, counts in missed.items() if isinstance(counts, dict)]
        lines.append(f"{name}: {false['n']} false")
        lines += [f"  {trait:8} {_listed(counts)}" for trait, counts in false.items() if isinstance(counts, dict)]
    return lines


def _why_missed(box: Floats, found: Floats, others: NDArray[np.floating], weak: NDArray[np.floating]) -> str:
    if _best(box, others) >= MATCH_IOU:
        return "seen as the other class"
    if _best(box, found) >= MATCH_IOU:
        return "its box went to a neighbour"
    if _best(box, found) >= LOOSE_IOU:
        return "boxed loosely"
    return "seen below the threshold" if _best(box, weak) >= MATCH_IOU else "not seen"


def _why_false(box: Floats, label: Floats, other: Floats | None, labels: Labels) -> str:
    if other is not None and _best(box, other) >= MATCH_IOU:
        return "on a head of the other class"
    if _best(box, label) >= MATCH_IOU:
        return "second box"
    if _best(box, label) >= LOOSE_IOU:
        return "boxed loosely"
    if other is not None and _inside_any(box, labels.of_class(SeenClass.PERSON)):
        return "on a person, beside the head"
    return "on nothing that is labelled"


def _traits(box: Floats, grey: NDArray[np.generic], heads: Floats) -> Iterable[tuple[str, str]]:
    height, width = grey.shape[:2]
    size = np.array([box[3] - box[1]])
    yield "size", next(word for word, sizes in SIZES.items() if sizes.hold(size)[0])
    margin = max(1.0, EDGE_SHARE * max(height, width))
    cut = box[0] <= margin or box[1] <= margin or box[2] >= width - margin or box[3] >= height - margin
    third = min(2, int(3 * (box[1] + box[3]) / 2 / height))
    yield "place", "cut by the edge" if cut else ("upper third", "middle third", "lower third")[third]
    yield "light", _light(box, grey)
    beside = int((iou_matrix(box, heads)[0] > BESIDE_IOU).sum()) if len(heads) else 0
    own = int((iou_matrix(box, heads)[0] > 1 - 1e-6).sum()) if len(heads) else 0
    yield "company", "overlaps another" if beside > own else "apart"


def _light(box: Floats, grey: NDArray[np.generic]) -> str:
    inside = _cut(box, grey)
    if not inside.size:
        return "not measured"
    extent = box[2:] - box[:2]
    around = _cut(np.concatenate([box[:2] - extent / 2, box[2:] + extent / 2]), grey)
    total, part = float(around.sum()), float(inside.sum())
    outside = (total - part) / max(1, around.size - inside.size)
    level = float(inside.mean())
    if level < DARK_LEVEL and outside - level < AGAINST_LEVELS:
        return "dark"
    if outside - level >= AGAINST_LEVELS:
        return "against the light"
    return "glare" if level > GLARE_LEVEL else "even"


def _cut(box: Floats, grey: NDArray[np.generic]) -> NDArray[np.generic]:
    height, width = grey.shape[:2]
    x0, y0, x1, y1 = (round(float(side)) for side in np.clip(box, 0, [width, height, width, height]))
    return grey[y0:y1, x0:x1]


def _best(box: Floats, boxes: NDArray[np.floating]) -> float:
    return float(iou_matrix(box, boxes).max(initial=0.0)) if len(boxes) else 0.0


def _inside_any(box: Floats, persons: Floats) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    inside = (persons[:, 0] <= x) & (x <= persons[:, 2]) & (persons[:, 1] <= y) & (y <= persons[:, 3])
    return bool(inside.any())


def _count(words: Words, code: SeenClass, side: str, said: Iterable[tuple[str, str]]) -> None:
    for trait, word in said:
        words[code.name.lower(), side, trait, word] += 1


def _side(words: Words, name: str, side: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (of_class, of_side, trait, word), n in words.most_common():
        if (of_class, of_side) == (name, side):
            found.setdefault(trait, {})[word] = n
    return found


def _shares(missed: dict[str, int], labelled: dict[str, int]) -> dict[str, list[int]]:
    return {word: [missed.get(word, 0), of] for word, of in labelled.items()}


def _listed(counts: dict[str, Any]) -> str:
    texts = (f"{word} {n[0]} of {n[1]}" if isinstance(n, list) else f"{word} {n}" for word, n in counts.items())
    return ", ".join(texts)
