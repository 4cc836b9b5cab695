"""The clothes network: a card is written only where it tells both kinds on cameras that it has not seen."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from vision.training.clothes import Worn, folds_of, least_torso_px, train, write_card, write_onnx


def figures(*balanced: float) -> dict[str, Any]:
    names = ("0-24", "24-36", "36-54")
    return {"threshold_on_all": 0.4, "by_size": {n: {"balanced": b} for n, b in zip(names, balanced, strict=True)}}


def test_a_size_counts_only_while_every_larger_one_is_told_as_well() -> None:
    assert least_torso_px(figures(0.9, 0.7, 0.9)) == 36
    assert least_torso_px(figures(0.85, 0.8, 0.9)) == 0
    assert least_torso_px(figures(0.9, 0.9, 0.5)) is None


def worn(camera: str, own: bool, level: int) -> Worn:
    return Worn(camera, np.full((100, 40, 3), level, np.uint8), (0.0, 0.0, 40.0, 100.0), own)


def test_a_training_ends_in_a_model_and_in_a_card_only_where_it_is_worth_one(tmp_path: Path) -> None:
    everybody = [worn("a", own, 220 if own else 30) for own in (True, False) for _ in range(4)]
    path = tmp_path / "work_clothes.onnx"
    write_onnx(train(everybody, 0, 2), path)
    assert not write_card(path, figures(0.5, 0.5, 0.5))
    assert not path.with_suffix(".yaml").exists()
    assert write_card(path, figures(0.9, 0.9, 0.9))
    assert yaml.safe_load(path.with_suffix(".yaml").read_text())["least_torso_px"] == 8


def test_cameras_with_ones_own_clothes_lie_in_different_folds() -> None:
    everybody = [worn(name, own, 0) for name, own in (("a", True), ("b", True), ("c", False), ("c", False))]
    fold = folds_of(everybody)
    assert fold["a"] != fold["b"]
