"""What precision, recall, F1 and AP mean here: one definition for the trainer, the evaluate command and the cards.

In: boxes found and boxes labelled, an image at a time. Out: figures. Pure; knows no file, no model and no camera.

    match_image      greedy by falling score, one class at a time, IoU >= 0.5; one label is taken once
    Matches          what matching left of an image: per box found a score and hit or not, per label its height
    scores_at        precision, recall, F1 at a threshold, over any number of images pooled
    average_precision   area under the precision envelope over recall, every point (not 11, not 101)
    bootstrap        95 % interval over resampled images

Small boxes (`Sizes`): a label outside the sizes asked for is an ignore region. It is not missed when nothing found it,
and what found it is not false. A box that hit no label is false only when its own height is inside. This is how
size ranges are counted in the usual benchmarks (COCO), with one difference: matching does not depend on the range.

Where nothing was labelled or found, a ratio has no value: NaN, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

MATCH_IOU = 0.5
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Box heights in pixels that count: `from_px` <= height < `to_px`."""

    from_px: float = 0.0
    to_px: float = float("inf")

    def hold(self, height_px: Floats) -> NDArray[np.bool_]:
        """Which heights are inside."""
        return (height_px >= self.from_px) & (height_px < self.to_px)


ALL_SIZES = Sizes()


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """One class in one image. Boxes found, (p,): `score`, `hit`, and `height_px`, which is that of the label where the
    box hit one, else its own. `label_height_px` (n,) is of every label, `label_hit` (n,) whether a box took it."""

    score: Floats
    hit: NDArray[np.bool_]
    height_px: Floats
    label_height_px: Floats
    label_hit: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Figures of one class. `n` labels counted, of which `found`; `false` boxes. Ratios are NaN without a value."""

    precision: float
    recall: float
    f1: float
    n: int
    found: int
    false: int


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision and recall at each distinct score, falling. All three (k,); `precision` is as counted, no envelope."""

    score: Floats
    precision: Floats
    recall: Floats

    @property
    def f1(self) -> Floats:
        """Harmonic mean at each score, (k,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = 2 * self.precision * self.recall / (self.precision + self.recall)
        return np.nan_to_num(mean, nan=0.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """2.5 and 97.5 percentile of each figure over the resamples: (low, high), NaN where it never had a value."""

    precision: tuple[float, float]
    recall: tuple[float, float]
    f1: tuple[float, float]
    ap50: tuple[float, float]


def iou_matrix(a_xyxy: ArrayLike, b_xyxy: ArrayLike) -> Floats:
    """Intersection over union of each box of `a` (n, 4) with each of `b` (m, 4): (n, m), 0 where both are empty."""
    a, b = np.asarray(a_xyxy, np.float64).reshape(-1, 4), np.asarray(b_xyxy, np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = np.prod(np.clip(high - low, 0.0, None), axis=2)
    area_a, area_b = (np.prod(np.clip(box[:, 2:] - box[:, :2], 0.0, None), axis=1) for box in (a, b))
    union = area_a[:, None] + area_b[None, :] - inside
    return np.asarray(np.divide(inside, union, out=np.zeros_like(inside), where=union > 0))


def match_image(
    found_xyxy: ArrayLike, score: ArrayLike, label_xyxy: ArrayLike, match_iou: float = MATCH_IOU
) -> Matches:
    """Match the boxes of **one class** in one image. Boxes in pixels; the best scored box chooses first, among the
    labels still free, the one it overlaps most. Equal scores keep the order given."""
    found = np.asarray(found_xyxy, np.float64).reshape(-1, 4)
    label = np.asarray(label_xyxy, np.float64).reshape(-1, 4)
    scores = np.asarray(score, np.float64).reshape(-1)
    height, label_height = found[:, 3] - found[:, 1], label[:, 3] - label[:, 1]
    hit, label_hit = np.zeros(len(found), dtype=bool), np.zeros(len(label), dtype=bool)
    overlap = iou_matrix(found, label)
    for row in np.argsort(-scores, kind="stable") if len(label) else ():
        best = int(np.argmax(overlap[row]))
        if overlap[row, best] >= match_iou:
            hit[row], label_hit[best], height[row] = True, True, label_height[best]
            overlap[:, best] = -1.0
    return Matches(scores, hit, height, label_height, label_hit)


def scores_at(images: Sequence[Matches], threshold: ArrayLike, sizes: Sizes = ALL_SIZES) -> ClassScores:
    """Figures of one class over pooled images, of boxes with score >= `threshold`: one for all, or one an image, where
    images judged by several models are pooled."""
    found, false, n = (int(total) for total in _counts(images, threshold, sizes).sum(axis=0))
    return ClassScores(
        _ratio(found, found + false), _ratio(found, n), _ratio(2 * found, found + false + n), n, found, false
    )


def curve(images: Sequence[Matches], sizes: Sizes = ALL_SIZES) -> Curve:
    """Precision and recall at every distinct score; empty when no box counts. Recall is NaN without labels."""
    score, hit, _image = _ranked(images, sizes)
    n = sum(int(sizes.hold(image.label_height_px).sum()) for image in images)
    last = _last_of_equal(score)
    found, seen = np.cumsum(hit)[last].astype(np.float64), (last + 1).astype(np.float64)
    return Curve(score[last], found / seen, found / n if n else np.full(len(last), np.nan))


def average_precision(images: Sequence[Matches], sizes: Sizes = ALL_SIZES) -> float:
    """Area under the envelope of precision over recall, over all scores that the matches hold. Cutting boxes by a score
    before matching makes it smaller: give boxes down to about 0.01. NaN without labels."""
    points = curve(images, sizes)
    if not any(sizes.hold(image.label_height_px).any() for image in images):
        return float("nan")
    return _area(points.precision[None, :], points.recall[None, :])[0] if len(points.score) else 0.0


def best_threshold(images: Sequence[Matches], sizes: Sizes = ALL_SIZES) -> float:
    """The score at which F1 is highest; NaN when no box hits. Chosen on validation images, never on those reported."""
    points = curve(images, sizes)
    f1 = points.f1
    return float(points.score[int(np.argmax(f1))]) if f1.size and f1.max() > 0 else float("nan")


def bootstrap(
    images: Sequence[Matches], threshold: ArrayLike, sizes: Sizes = ALL_SIZES, rounds: int = 1000, seed: int = 1
) -> Interval:
    """95 % percentile intervals, resampling whole images (boxes of one image are not independent). `threshold` as in
    `scores_at`."""
    draws = _draws(len(images), rounds, seed)
    totals = draws @ _counts(images, threshold, sizes).astype(np.float64)
    found, false, n = totals[:, 0], totals[:, 1], totals[:, 2]
    return Interval(
        _percentiles(_ratios(found, found + false)),
        _percentiles(_ratios(found, n)),
        _percentiles(_ratios(2 * found, found + false + n)),
        _percentiles(_resampled_ap(images, sizes, draws)),
    )


def _counts(images: Sequence[Matches], threshold: ArrayLike, sizes: Sizes) -> NDArray[np.int64]:
    """Found, false, labelled of each image: (images, 3)."""
    rows = np.zeros((len(images), 3), dtype=np.int64)
    limits = np.broadcast_to(np.asarray(threshold, dtype=np.float64), len(images))
    for row, image, limit in zip(rows, images, limits, strict=True):
        counted = (image.score >= limit) & sizes.hold(image.height_px)
        row[:] = (counted & image.hit).sum(), (counted & ~image.hit).sum(), sizes.hold(image.label_height_px).sum()
    return rows


def _ranked(images: Sequence[Matches], sizes: Sizes) -> tuple[Floats, NDArray[np.bool_], NDArray[np.intp]]:
    """Score, hit and image number of every counted box, by falling score."""
    kept = [sizes.hold(image.height_px) for image in images]
    score = np.concatenate([image.score[keep] for image, keep in zip(images, kept, strict=True)] or [np.zeros(0)])
    hit = np.concatenate([image.hit[keep] for image, keep in zip(images, kept, strict=True)] or [np.zeros(0, bool)])
    number = np.repeat(np.arange(len(images)), [int(keep.sum()) for keep in kept])
    order = np.argsort(-score, kind="stable")
    return score[order], hit[order], number[order]


def _last_of_equal(score: Floats) -> NDArray[np.intp]:
    """Boxes of one score come or go together: the position of the last of each, in a falling row."""
    return np.flatnonzero(np.append(np.diff(score) != 0, True)) if len(score) else np.zeros(0, np.intp)


def _area(precision: Floats, recall: Floats) -> Floats:
    """Area under the envelope of each row, (rows, k) -> (rows,). Recall must not fall along a row."""
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((np.diff(recall, axis=1, prepend=0.0) * envelope).sum(axis=1))


def _draws(images: int, rounds: int, seed: int) -> Floats:
    """How often each image was drawn in each round: (rounds, images)."""
    if not images:
        return np.zeros((rounds, 0))
    chance = np.random.default_rng(seed)
    return chance.multinomial(images, np.full(images, 1.0 / images), size=rounds).astype(np.float64)


def _resampled_ap(images: Sequence[Matches], sizes: Sizes, draws: Floats, at_once: int = 50) -> Floats:
    """AP of each round: every box weighs as often as its image was drawn."""
    score, hit, number = _ranked(images, sizes)
    n = draws @ np.array([sizes.hold(image.label_height_px).sum() for image in images], dtype=np.float64)
    last, areas = _last_of_equal(score), np.full(len(draws), np.nan)
    for start in range(0, len(draws), at_once):
        weight = draws[start : start + at_once][:, number]
        found, seen = np.cumsum(weight * hit, axis=1)[:, last], np.cumsum(weight, axis=1)[:, last]
        labels = n[start : start + at_once][:, None]
        precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
        recall = np.divide(found, labels, out=np.full_like(found, np.nan), where=labels > 0)
        area = _area(precision, recall) if len(last) else np.zeros(len(labels))
        areas[start : start + at_once] = np.where(labels[:, 0] > 0, area, np.nan)
    return areas


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _ratios(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _percentiles(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
