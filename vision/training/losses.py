"""Which anchor point answers for which box, and what a wrong answer costs.

In: predictions and the boxes drawn on each canvas. Out: one number to go down, and its parts. Boxes are given to anchor
points by how well score and overlap agree (task-aligned assignment; Feng et al., "TOOD", arXiv:2108.07755), scores are
trained towards that overlap (varifocal loss; Zhang et al., arXiv:2008.13367), boxes by generalised overlap (Rezatofighi
et al., arXiv:1902.09630). It must not know where pictures come from.

Missing is not absent: where people are not all labelled, an anchor point in an unsure place is not taught "no person",
and elsewhere only faintly.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vision.training.classes import HEAD, HELMET, PERSON, UNSURE_HEAD, UNSURE_PERSON
from vision.training.network import Predictions

CANDIDATES = 10
SCORE_POWER = 0.5
OVERLAP_POWER = 4.0
BOX_GAIN = 2.5
# A box that is still far off is taught at least this much; else a new class would hardly begin to learn.
LEAST_BOX_WEIGHT = 0.25
NO_PERSON_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Loss:
    """The sum that is minimised, with its parts for the log."""

    total: Tensor
    scores: float
    boxes: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """For one canvas: score targets (anchors, classes), which anchors answer, and the boxes they answer for."""

    targets: Tensor
    chosen: Tensor
    boxes_xyxy_px: Tensor


def measure_loss(predictions: Predictions, labels: list[Tensor]) -> Loss:
    """Loss of a batch. `labels`: per canvas rows of class, x1, y1, x2, y2; classes 3 and 4 mark unsure places."""
    score_sum = predictions.logits.new_zeros(())
    box_sum = predictions.logits.new_zeros(())
    weight_sum = 0.0
    for logits, boxes, rows in zip(predictions.logits, predictions.boxes_xyxy_px, labels, strict=True):
        sure = rows[rows[:, 0] < UNSURE_PERSON]
        assigned = assign(logits.detach().sigmoid(), boxes.detach(), predictions, sure)
        weights = _negative_weights(predictions, rows)
        score_sum = score_sum + varifocal(logits, assigned.targets, weights)
        strength = assigned.targets[assigned.chosen].amax(1) if bool(assigned.chosen.any()) else assigned.targets[:0, 0]
        overlap = generalised_overlap(boxes[assigned.chosen], assigned.boxes_xyxy_px)
        box_sum = box_sum + ((1 - overlap) * strength.clamp(min=LEAST_BOX_WEIGHT)).sum()
        weight_sum += float(strength.sum())
    norm = max(weight_sum, 1.0)
    total = (score_sum + BOX_GAIN * box_sum) / norm
    return Loss(total, float(score_sum.detach()) / norm, float(box_sum.detach()) / norm)


def assign(scores: Tensor, boxes: Tensor, predictions: Predictions, rows: Tensor) -> Assignment:
    """Give each labelled box its best anchor points; a point wanted by two boxes goes to the one it overlaps more."""
    targets = torch.zeros_like(scores)
    nobody = torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
    if len(rows) == 0:
        return Assignment(targets, nobody, boxes[:0])
    kinds, truth = rows[:, 0].long(), rows[:, 1:]
    overlap = pairwise_overlap(truth, boxes) * _inside(truth, predictions)
    alignment = scores[:, kinds].T ** SCORE_POWER * overlap**OVERLAP_POWER
    best = alignment.topk(min(CANDIDATES, alignment.shape[1]), 1)
    wanted = torch.zeros_like(alignment, dtype=torch.bool).scatter_(1, best.indices, best.values > 0)
    owner = (overlap * wanted).argmax(0)
    chosen = wanted.any(0)
    wanted &= torch.arange(len(rows), device=rows.device)[:, None] == owner
    alignment = alignment * wanted
    peak = (overlap * wanted).amax(1, keepdim=True)
    aligned = alignment / alignment.amax(1, keepdim=True).clamp(min=1e-9) * peak
    targets[chosen, kinds[owner[chosen]]] = aligned[owner[chosen], chosen]
    return Assignment(targets, chosen, truth[owner[chosen]])


def _inside(truth: Tensor, predictions: Predictions) -> Tensor:
    """1 where an anchor point lies in a box (boxes, anchors); a box smaller than a cell reaches a cell far."""
    middles = (truth[:, :2] + truth[:, 2:]) / 2
    reach = ((truth[:, 2:] - truth[:, :2]) / 2).clamp(min=6.0)
    away = (predictions.centres_xy_px[None] - middles[:, None]).abs()
    return (away <= reach[:, None]).all(-1).float()


def _negative_weights(predictions: Predictions, rows: Tensor) -> Tensor:
    weights = torch.ones_like(predictions.logits[0])
    weights[:, PERSON] = NO_PERSON_WEIGHT
    points = predictions.centres_xy_px[:, None]
    for mark, kinds in ((UNSURE_PERSON, (PERSON,)), (UNSURE_HEAD, (HELMET, HEAD))):
        places = rows[rows[:, 0] == mark]
        inside = ((points >= places[None, :, 1:3]) & (points <= places[None, :, 3:5])).all(-1).any(1)
        for kind in kinds:
            weights[inside, kind] = 0.0
    return weights


def varifocal(logits: Tensor, targets: Tensor, negative_weights: Tensor) -> Tensor:
    """Varifocal loss, summed. Positives weigh as their target, negatives as their score squared."""
    scores = logits.detach().sigmoid()
    negatives = 0.75 * scores**2 * negative_weights
    weights = torch.where(targets > 0, targets, negatives)
    return functional.binary_cross_entropy_with_logits(logits, targets, weights, reduction="sum")


def pairwise_overlap(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union of every pair, (one, other)."""
    corner_low = torch.maximum(one[:, None, :2], other[None, :, :2])
    corner_high = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = (corner_high - corner_low).clamp(min=0).prod(-1)
    return shared / (_area(one)[:, None] + _area(other)[None] - shared).clamp(min=1e-6)


def generalised_overlap(one: Tensor, other: Tensor) -> Tensor:
    """Generalised intersection over union, row by row."""
    shared = (torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])).clamp(min=0).prod(-1)
    union = (_area(one) + _area(other) - shared).clamp(min=1e-6)
    hull = torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])
    around = hull.prod(-1).clamp(min=1e-6)
    return shared / union - (around - union) / around


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
