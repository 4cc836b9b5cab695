"""The card says how often a box is right by its score, where the figures say it."""

from typing import Any

import numpy as np

from vision.evaluation.calibration import TENTHS, reliability
from vision.training.card import table


def figures(**more: Any) -> dict[str, Any]:
    one = {"n": 4, "precision": 0.5, "recall": 0.5, "f1": 0.5, "ap50": 0.5, "threshold": 0.4, "sizes": {}} | more
    return {"images": 2, "data_sha256": "ab" * 32, "min_head_px": 20, "classes": {"helmet": one}}


def test_a_row_a_class_with_a_column_a_tenth() -> None:
    told = reliability(np.full(20, 0.75), np.arange(20) < 14)
    bins = [
        {"from_score": b.from_score, "to_score": b.to_score, "n": b.n, "score": b.score, "right": b.right}
        for b in told.bins
    ]
    text = table("Kept back", figures(calibration={"ece": told.ece, "n": told.n, "bins": bins}))
    row = next(line for line in text.splitlines() if line.startswith("| helmet | 0.050"))
    assert row.count("|") == len(TENTHS) + 3
    assert "| 0.70 (20) |" in row
    assert row.count("| - ") == len(TENTHS) - 1


def test_figures_of_an_older_evaluation_have_no_such_table() -> None:
    assert "How often" not in table("Old", figures())
