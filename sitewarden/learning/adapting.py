"""A camera's operating score from what was judged of its alarms: chosen on all, reported on those not chosen on.

In: judged findings of one class as (score, right or wrong), oldest first. Out: a threshold with figures before and
after, or the reason why there is none. Pure.

What verdicts can say, and cannot
    Only what was told was judged. So a threshold may rise above the model's own, or come back down to it, never below:
    how many heads are never told is not known here. `kept` is the share of the right alarms that would still be told.

How it is chosen
    Of the thresholds that keep enough right alarms, the one with the best precision; the lowest of equal ones. Enough:
    the lower end of the 95 % interval of `kept` is `KEEP` at least. With fewer than `NEEDED_RIGHT` right alarms not
    even keeping all of them shows that. Intervals are Jeffreys' (Beta(k + 1/2, n - k + 1/2); Brown, Cai and DasGupta,
    Statistical Science 2001).

How it is reported
    The alarms are cut in time into `PARTS` parts; on each a threshold is used that was chosen on the others. An alarm
    is never judged by a threshold that it helped to choose. What does not hold there is not written.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

KEEP: Final = 0.9
NEEDED_RIGHT: Final = 24
NEEDED_WRONG: Final = 10
PARTS: Final = 5
HIGHEST: Final = 0.95
_DRAWS: Final = 200_000
Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


class NotAdaptedError(ValueError):
    """Nothing is changed; the text says why not."""


@dataclass(frozen=True, slots=True)
class Share:
    """`k` of `n` with the 95 % interval; NaN without any."""

    k: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself, NaN where nothing was counted."""
        return self.k / self.n if self.n else float("nan")

    def document(self) -> dict[str, Any]:
        """For the version's file and for JSON."""
        ends = [round(self.low, 4), round(self.high, 4)] if self.n else None
        return {"k": self.k, "n": self.n, "share": round(self.value, 4) if self.n else None, "interval": ends}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told at a threshold: how much of it is right, and how much of what is right."""

    precision: Share
    kept: Share

    def document(self) -> dict[str, Any]:
        """For the version's file and for JSON."""
        return {"precision": self.precision.document(), "kept": self.kept.document()}


@dataclass(frozen=True, slots=True)
class Adapted:
    """The threshold, and figures at the one in force and at the new one (on alarms it was not chosen on)."""

    threshold: float
    instead_of: float
    before: Told
    after: Told

    def document(self) -> dict[str, Any]:
        """For the version's file and for JSON."""
        ends = {"threshold": self.threshold, "instead_of": round(self.instead_of, 4)}
        return {**ends, "before": self.before.document(), "after": self.after.document()}


def adapt(score: Floats, right: Truths, own_score: float, in_force_score: float) -> Adapted:
    """`score` (n,) and `right` (n,), oldest first; `own_score` is the model's threshold, `in_force_score` the one
    now. Raises NotAdaptedError with what is missing."""
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if n_right < NEEDED_RIGHT or n_wrong < NEEDED_WRONG:
        raise NotAdaptedError(
            f"too few judged alarms: {n_right} right and {n_wrong} wrong, "
            f"at least {NEEDED_RIGHT} right and {NEEDED_WRONG} wrong are needed"
        )
    score = np.maximum(score, own_score)  # it was told, whatever the looks that were kept say
    share = _least_kept(n_right) / n_right
    threshold = _chosen(score, right, own_score, share)
    before = told_at(score, right, np.full(len(score), in_force_score))
    after = told_at(score, right, _crossed(score, right, own_score, share))
    if abs(threshold - in_force_score) < 5e-4:
        raise NotAdaptedError(f"no other threshold is better than {in_force_score:.3f}, which is in force")
    if threshold > in_force_score and not after.precision.value > before.precision.value:
        raise NotAdaptedError("what is chosen on some alarms is no better on the others: scores do not tell them apart")
    if not after.kept.value >= KEEP:
        raise NotAdaptedError(
            f"what is chosen on some alarms keeps {after.kept.k} of {after.kept.n} right ones of the others, "
            f"at least {KEEP:.0%} are to be kept"
        )
    return Adapted(threshold, in_force_score, before, after)


def told_at(score: Floats, right: Truths, thresholds: Floats) -> Told:
    """What is told when each alarm meets its own threshold (n,)."""
    told = score >= thresholds
    k = int((told & right).sum())
    return Told(share_of(k, int(told.sum())), share_of(k, int(right.sum())))


def share_of(k: int, n: int) -> Share:
    """The share of `k` in `n`, with Jeffreys' interval (95 %)."""
    if not n:
        return Share(k, n, float("nan"), float("nan"))
    draws = np.random.default_rng(1).beta(k + 0.5, n - k + 0.5, _DRAWS)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Share(k, n, float(low) if k else 0.0, float(high) if k < n else 1.0)


def _least_kept(n: int) -> int:
    """The fewest of `n` right alarms of which the interval's lower end is still `KEEP`."""
    k = n
    while k > 1 and share_of(k - 1, n).low >= KEEP:
        k -= 1
    return k


def _chosen(score: Floats, right: Truths, own_score: float, share: float) -> float:
    levels = np.unique(score[(score > own_score) & (score < HIGHEST)])
    between = (levels[:-1] + levels[1:]) / 2
    lowest = (own_score + levels[:1]) / 2
    best, best_precision = own_score, float(right.mean())
    for threshold in np.concatenate([lowest, between]):
        told = score >= threshold
        kept, precision = float(right[told].sum() / right.sum()), float(right[told].mean())
        if kept >= share - 1e-9 and precision > best_precision + 1e-9:
            best, best_precision = float(threshold), precision
    return round(best, 4)


def _crossed(score: Floats, right: Truths, own_score: float, share: float) -> Floats:
    """For each alarm the threshold that is chosen on the other parts of the time."""
    part = np.arange(len(score)) * PARTS // len(score)
    thresholds = np.full(len(score), own_score)
    for number in range(PARTS):
        others = part != number
        if right[others].any():
            thresholds[~others] = _chosen(score[others], right[others], own_score, share)
    return thresholds
