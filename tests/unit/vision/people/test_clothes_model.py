"""A model of clothes of a site's own: its card is read whole or refused, and its scores are the model's."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from tests.fakes.eye_parts import watched
from vision.detector.faults import ModelError
from vision.eye.models import ModelShelf
from vision.eye.parts import open_parts
from vision.people.clothes_model import open_clothes
from vision.picture.finding import FindingKind


def brightness(folder: Path, **entry: Any) -> Path:
    """A model whose score is the mean of the torso over 255, and its card."""
    nodes = [
        helper.make_node("ReduceMean", ["torsos"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Div", ["mean", "white"], ["share"]),
        helper.make_node("Unsqueeze", ["share", "last"], ["own"]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("torsos", TensorProto.FLOAT, ["n", 3, 96, 64])],
        [helper.make_tensor_value_info("own", TensorProto.FLOAT, ["n", 1])],
        [
            helper.make_tensor("white", TensorProto.FLOAT, [], [255.0]),
            helper.make_tensor("last", TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    body = model.SerializeToString()
    onnx.checker.check_model(model)
    (folder / "bright.onnx").write_bytes(body)
    card = {"name": "bright", "version": "1.0", "file": "bright.onnx", "sha256": hashlib.sha256(body).hexdigest()}
    card |= {"own": 0.7, "work": 0.3, "least_torso_px": 30} | entry
    path = folder / "bright.yaml"
    path.write_text(yaml.safe_dump(card), encoding="utf-8")
    return path


def test_its_scores_are_the_models(tmp_path: Path) -> None:
    model = open_clothes(brightness(tmp_path))
    torsos = np.stack([np.full((96, 64, 3), grey, np.uint8) for grey in (0, 51, 255)])
    assert model.scores(torsos) == pytest.approx([0.0, 0.2, 1.0])
    assert (model.limits.own, model.limits.least_px) == (0.7, 30)
    assert model.version.startswith("bright 1.0 ")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"sha256": "0" * 64}, "SHA-256 of its"),
        ({"file": "gone.onnx"}, "No such file"),
        ({"work": 0.9}, "at most own expected"),
        ({"least_torso_px": 2}, "least_torso_px"),
        ({"colour": "bgr"}, "colour"),
    ],
)
def test_a_card_that_cannot_be_used_says_why(tmp_path: Path, entry: dict[str, Any], why: str) -> None:
    with pytest.raises(ModelError, match=why):
        open_clothes(brightness(tmp_path, **entry))


def no_model(*_: object) -> None:
    raise ValueError("no model in this test")


def test_a_camera_whose_model_is_gone_judges_no_clothes_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = watched(checks=["no_work_clothes", "person_down"], clothes_model=str(tmp_path / "gone.yaml"))
    people = open_parts(asked, ModelShelf(no_model), 0, 0).people
    assert people is not None
    assert people.kinds == (FindingKind.NO_WORK_CLOTHES, FindingKind.PERSON_DOWN)
    assert "clothes_model_failed" in caplog.text
    assert open_parts(watched(), ModelShelf(no_model), 0, 0).people is None
