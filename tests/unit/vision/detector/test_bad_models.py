"""Models, entries and outputs that cannot be used: each has its own words."""

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from tests.fakes.block_model import block_model, make_model, paint, write_block_model, write_entry
from vision.detector import Backend, ModelError, open_detector, read_model
from vision.detector.engine import open_engine

BACKENDS = list(Backend)


def _refusal(entry: Path, backend: str = "onnxruntime") -> str:
    with pytest.raises(ModelError) as raised:
        open_detector(entry, backend)
    return str(raised.value)


def _model_that(nodes: list[Any], constants: dict[str, Any], **more: Any) -> bytes:
    return make_model(nodes, constants, **more).SerializeToString()


def test_an_empty_model_says_so(tmp_path: Path) -> None:
    assert (
        _refusal(write_entry(tmp_path, b"")) == f"{tmp_path / 'blocks.onnx'}: the file is empty, an ONNX model expected"
    )


def test_a_changed_or_truncated_model_says_both_digests(tmp_path: Path) -> None:
    entry = write_block_model(tmp_path)
    file = tmp_path / "blocks.onnx"
    promised = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_bytes(file.read_bytes()[:-10])
    said = _refusal(entry)
    assert promised in said
    assert hashlib.sha256(file.read_bytes()).hexdigest() in said
    assert "cut off" in said


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("body", [b"\x89PNG no model at all" * 20, b"{}", b"\0" * 300])
def test_bytes_that_are_no_model_are_refused_though_their_digest_holds(
    tmp_path: Path, body: bytes, backend: str
) -> None:
    said = _refusal(write_entry(tmp_path, body), backend)
    assert "blocks.onnx" in said
    assert "no ONNX model" in said


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_cut_off_though_its_digest_holds_is_refused(tmp_path: Path, backend: str) -> None:
    whole = block_model().SerializeToString()
    assert "blocks.onnx" in _refusal(write_entry(tmp_path, whole[: len(whole) // 2]), backend)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    entry = write_block_model(tmp_path)
    (tmp_path / "blocks.onnx").unlink()
    assert str(tmp_path / "blocks.onnx") in _refusal(entry)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("made", "said_layout", "shapes"),
    [
        ("yolov5", "yolov8", ("(1, 160, 8)", "(1, 7, any)")),
        ("yolov8", "yolov5", ("(1, 7, 160)", "(1, any, 8)")),
        ("yolov8", "yolox", ("(1, 7, 160)", "(1, 160, 8)")),
        ("yolov5", "end_to_end", ("(1, 160, 8)", "(1, any, 6)")),
    ],
)
def test_another_layout_than_the_entry_says_is_told_with_both_shapes(
    tmp_path: Path, made: str, said_layout: str, shapes: tuple[str, str], backend: str
) -> None:
    body = block_model(made).SerializeToString()
    said = _refusal(write_entry(tmp_path, body, {"layout": said_layout, "strides": [16]}), backend)
    assert f"output is {shapes[0]}" in said
    assert shapes[1] in said
    assert f"layout {said_layout}" in said


def test_another_number_of_classes_is_told(tmp_path: Path) -> None:
    entry = write_block_model(tmp_path, classes=["helmet", "head"], thresholds={"helmet": 0.5, "head": 0.5})
    assert "output is (1, 7, 160); layout yolov8 with 2 classes and input 256x160 means (1, 6, any)" in _refusal(entry)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float, backend: str) -> None:
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["top"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["top", "shape"], ["one"]),
        helper.make_node("Add", ["one", "bad"], ["output"]),
    ]
    constants = {"shape": np.array([-1, 1, 1]), "bad": np.full((1, 7, 5), value, np.float32)}
    said = _refusal(write_entry(tmp_path, _model_that(nodes, constants)), backend)
    assert said == "blocks.onnx: 35 of 35 output values are not finite"


def test_several_outputs_need_a_name_and_a_name_needs_an_output(tmp_path: Path) -> None:
    graph = block_model()
    graph.graph.output.extend([helper.make_tensor_value_info("scores", 1, [None] * 3)])
    body = graph.SerializeToString()
    assert "outputs are output, scores; the entry must say which" in _refusal(write_entry(tmp_path, body))
    assert "output 'boxen' is not among them" in _refusal(write_entry(tmp_path, body, {"output": "boxen"}))
    assert len(open_detector(write_entry(tmp_path, body, {"output": "output"})).see([paint([("head", 1, 1)])])[0]) == 1


def test_an_input_size_that_the_model_refuses_is_told(tmp_path: Path) -> None:
    said = _refusal(write_block_model(tmp_path, inputs=[[256, 160], [320, 320]]))
    assert "input (1, 3, 320, 320) was refused" in said


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sha256": "abc"}, "sha256: String should match pattern"),
        ({"layout": "yolov99"}, "layout: Input should be 'yolov8'"),
        ({"classes": ["helm", "head", "person"]}, "'helm' is no class: one of helmet, head, person, or null"),
        ({"classes": [None, None, None], "thresholds": {}}, "at least one of helmet, head, person"),
        ({"classes": {0: "person"}}, "classes as a map needs class_count"),
        ({"classes": {9: "person"}, "class_count": 3}, "whole indices below it"),
        ({"thresholds": {"helmet": 0.5}}, "exactly one for each of helmet, head, person"),
        ({"thresholds": {"helmet": 1.5, "head": 0.5, "person": 0.5}}, "less than 1"),
        ({"inputs": []}, "inputs: Tuple should have at least 1 item"),
        ({"inputs": [[256, 8]]}, "inputs.0.1: Input should be greater than or equal to 32"),
        ({"layout": "yolox", "strides": [48]}, "sizes that every stride (48,) divides"),
        ({"std": [1.0, 0.0, 1.0]}, "every value above 0"),
        ({"colour": "grey"}, "colour: Input should be 'bgr' or 'rgb'"),
        ({"version": None}, "version: Field required"),
        ({"treshold": 1}, "treshold: Extra inputs are not permitted"),
    ],
)
def test_an_entry_with_a_fault_names_the_entry_and_the_key(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    entry = write_block_model(tmp_path, **changes)
    said = _refusal(entry)
    assert said.startswith(f"{entry}: ")
    assert fault in said


@pytest.mark.parametrize(("text", "fault"), [("", "a map of keys"), ("- a", "a map of keys"), ("a: [", "no YAML")])
def test_an_entry_that_is_no_map_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert fault in _refusal(tmp_path / "a.yaml")


def test_an_entry_that_is_missing_is_named(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "none.yaml") == f"{tmp_path / 'none.yaml'}: No such file or directory"


def test_opencv_takes_the_place_of_a_missing_onnxruntime_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    engine = open_engine(read_model(write_block_model(tmp_path)), Backend.ONNXRUNTIME, 1)
    assert engine.backend is Backend.OPENCV
    assert "onnxruntime cannot be imported" in caplog.text


def test_the_version_says_name_version_and_digest(tmp_path: Path) -> None:
    model = read_model(write_block_model(tmp_path))
    assert model.version == f"blocks 1 {hashlib.sha256(model.body).hexdigest()[:12]}"


@pytest.mark.parametrize("rows", [1, -1])
def test_a_model_that_does_not_keep_its_free_batch_axis_gets_its_pictures_one_by_one(
    tmp_path: Path, rows: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Its inner reshape is for one picture: a batch either fails (1) or comes out as one long picture (-1)."""
    graph = block_model()
    wrong = numpy_helper.from_array(np.array([1, 3, 160 if rows == 1 else -1]), "flat")
    (flat,) = (one for one in graph.graph.initializer if one.name == "flat")
    flat.CopyFrom(wrong)
    detector = open_detector(write_entry(tmp_path, graph.SerializeToString()))
    pictures = [paint([("head", column, 1)]) for column in range(3)]
    for _ in range(2):
        assert [boxes.xyxy[0, 0] for boxes in detector.see(pictures)] == [0, 16, 32]
    assert caplog.text.count("does not accept a batch of 3") == 1
