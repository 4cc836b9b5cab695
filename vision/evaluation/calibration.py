"""Whether a score says how often such a box is right: how far scores are off, and a mapping that brings them nearer.

In: matches of labelled pictures (`vision.picture.detection_scores`). Out: a table score -> share right, the expected
calibration error, and the knots of a registry entry's `calibration`. Pure.

    reliability    boxes by score in tenths; ECE = mean over all boxes of |mean score - share right| of their tenth
                   (Naeini and others, AAAI 2015), here of detections: right is a box that hit a label of its class
    fit            right ~ logistic(a ln s - b ln(1 - s) + c), a, b not below 0 (beta calibration; Kull and others,
                   AISTATS 2017): three numbers, so that a hundred boxes are enough; rising, so that no order changes

Which boxes count is the figures' own rule: a box that hit a label outside the sizes asked for is left out, one that hit
nothing counts when its own height is inside. Boxes below `LEAST_SCORE` are left out: no box so weak is ever used, and
thousands of them would hide everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.picture.detection_scores import ALL_SIZES, Floats, Matches, Sizes

LEAST_SCORE: Final = 0.1
TENTHS: Final = tuple((low / 10, (low + 1) / 10) for low in range(1, 10))
FEWEST_RIGHT = FEWEST_WRONG = 20
"""Boxes of each kind without which no mapping is fitted."""
KNOT_AT: Final = (0.0, 0.02, 0.05, *(round(0.1 * step, 1) for step in range(1, 10)), 0.95, 0.98, 1.0)
_ENDS = 1e-4
_ROUNDS, _HALVINGS, _NEAR = 100, 40, 1e-9
_RIDGE = 1e-2
_LEAST_STEP = 1e-4


class TooFewBoxesError(ValueError):
    """Too little to fit a mapping on; says what is there and what is needed."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Boxes whose score lies in one tenth: how many, their mean score, the share that is right (NaN without boxes)."""

    from_score: float
    to_score: float
    n: int
    score: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """`ece` is the mean distance between score and share right, `n` boxes; both over the tenths of `bins`."""

    ece: float
    n: int
    bins: tuple[Bin, ...]


def scored_boxes(images: Sequence[Matches], sizes: Sizes = ALL_SIZES) -> tuple[Floats, NDArray[np.bool_]]:
    """Score and right or not of every box that counts, (n,) each."""
    kept = [sizes.hold(image.height_px) & (image.score >= LEAST_SCORE) for image in images]
    none = [np.zeros(0)]
    score = np.concatenate([image.score[keep] for image, keep in zip(images, kept, strict=True)] or none)
    right = np.concatenate([image.hit[keep] for image, keep in zip(images, kept, strict=True)] or none)
    return score, right.astype(bool)


def reliability(score: Floats, right: NDArray[np.bool_]) -> Reliability:
    """How far scores are from the share right; NaN without boxes."""
    bins = tuple(_bin(score, right, low, high) for low, high in TENTHS)
    n = sum(each.n for each in bins)
    off = sum(each.n * abs(each.score - each.right) for each in bins if each.n)
    return Reliability(off / n if n else float("nan"), n, bins)


def fit_knots(score: Floats, right: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """The mapping as knots from score 0 to score 1, rising in both. Raises TooFewBoxesError."""
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if n_right < FEWEST_RIGHT or n_wrong < FEWEST_WRONG:
        raise TooFewBoxesError(
            f"{n_right} right and {n_wrong} wrong boxes from score {LEAST_SCORE:g}; "
            f"at least {FEWEST_RIGHT} and {FEWEST_WRONG} are needed"
        )
    at = np.array(KNOT_AT)
    value = _logistic(_features(at) @ _fit(_features(score), right))
    value[0], value[-1] = 0.0, min(1.0, float(value[-1]))
    for place in range(1, len(value)):  # where the curve lies flat
        value[place] = max(value[place], value[place - 1] + _LEAST_STEP)
    value = np.round(value / max(1.0, float(value[-1])), 5)
    return tuple(zip(at.tolist(), value.tolist(), strict=True))


def _bin(score: Floats, right: NDArray[np.bool_], low: float, high: float) -> Bin:
    inside = (score >= low) & ((score < high) | (high == 1.0))
    n = int(inside.sum())
    none = float("nan")
    return Bin(low, high, n, float(score[inside].mean()) if n else none, float(right[inside].mean()) if n else none)


def _features(score: Floats) -> Floats:
    inside = np.clip(score, _ENDS, 1 - _ENDS)
    return np.stack([np.log(inside), -np.log1p(-inside), np.ones_like(inside)], axis=1)


def _fit(features: Floats, right: NDArray[np.bool_]) -> Floats:
    """Newton's steps towards the best a, b, c; where a or b would be below 0 the mapping would fall: that one is 0."""
    used = [0, 1, 2]
    while True:
        found = _newton(features[:, used], right)
        falling = [place for place, column in enumerate(used) if column < 2 and found[place] < 0]
        if not falling:
            whole = np.zeros(3)
            whole[used] = found
            return whole
        used.pop(min(falling, key=lambda place: found[place]))


def _newton(features: Floats, right: NDArray[np.bool_]) -> Floats:
    """Logistic regression with a little ridge towards "the score as it is" (a = b = 1), which a few boxes need."""
    target = np.array([1.0, 1.0, 0.0])[-features.shape[1] :]
    weights, loss = target, _loss(features @ target, right, np.zeros_like(target))
    for _ in range(_ROUNDS):
        guess = _logistic(features @ weights)
        slope = features.T @ (guess - right) + _RIDGE * (weights - target)
        bend = (features * (guess * (1 - guess))[:, None]).T @ features + _RIDGE * np.eye(len(weights))
        step, before = np.linalg.solve(bend, slope), loss
        for _ in range(_HALVINGS):  # a whole step may go too far
            loss = _loss(features @ (weights - step), right, weights - step - target)
            if loss <= before:
                break
            step = step / 2
        weights = weights - step
        if float(np.abs(step).max()) < _NEAR:
            break
    return weights


def _loss(value: Floats, right: NDArray[np.bool_], away: Floats) -> float:
    return float(np.logaddexp(0.0, np.where(right, -value, value)).sum() + _RIDGE / 2 * (away**2).sum())


def _logistic(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -500, 500))))
