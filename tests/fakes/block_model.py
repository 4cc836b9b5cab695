"""A tiny ONNX model that needs no training: it sees pure blue as helmet, pure green as bare head, pure red as person.

The input is cut into cells; a cell's score is how much of it has that colour, its box is the cell. Grey, black and
white score nothing. It can say the same in each layout of the registry, so that decoders can be compared.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

BLUE, GREEN, RED = (255, 0, 0), (0, 255, 0), (0, 0, 255)
COLOURS = {"helmet": BLUE, "head": GREEN, "person": RED}
Array = NDArray[Any]
SIZE, CELL = (256, 160), 16


def write_block_model(
    folder: Path,
    layout: str = "yolov8",
    size: tuple[int, int] = SIZE,
    free_batch: bool = True,
    **changes: Any,
) -> Path:
    """Write the model and its registry entry with `changes`; the entry's path. An entry key of None is left out."""
    body = block_model(layout, size, free_batch).SerializeToString()
    return write_entry(folder, body, {"layout": layout, "inputs": [list(size)], "strides": [CELL], **changes})


def write_entry(folder: Path, body: bytes, changes: Mapping[str, Any] | None = None) -> Path:
    """Write a model's bytes and an entry that fits the block model but for `changes`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "blocks.onnx").write_bytes(body)
    entry = {
        "name": "blocks",
        "version": "1",
        "file": "blocks.onnx",
        "sha256": hashlib.sha256(body).hexdigest(),
        "layout": "yolov8",
        "classes": ["helmet", "head", "person"],
        "inputs": [list(SIZE)],
        "thresholds": {"helmet": 0.5, "head": 0.5, "person": 0.5},
        "least_contrast": 0,  # its blocks are of one colour
        **(changes or {}),
    }
    path = folder / "blocks.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in entry.items() if value is not None}))
    return path


def block_model(layout: str = "yolov8", size: tuple[int, int] = SIZE, free_batch: bool = True) -> onnx.ModelProto:
    """The graph: a 1x1 convolution tells colours, average pooling makes cells, constants give boxes."""
    columns, rows = size[0] // CELL, size[1] // CELL
    anchors = columns * rows
    one_of_three = (2 * np.eye(3) - 1)[:, :, None, None] / 255.0
    constants: dict[str, Array] = {
        "colours": one_of_three.astype(np.float32),
        "flat": np.array([0, 3, anchors], np.int64),
        "boxes": _boxes(layout, columns, rows),
    }
    nodes = [
        helper.make_node("Conv", ["images", "colours"], ["pure"]),
        helper.make_node("Relu", ["pure"], ["positive"]),
        helper.make_node("AveragePool", ["positive"], ["cells"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]),
        helper.make_node("Reshape", ["cells", "flat"], ["scores"]),
        *_tail(layout, constants, anchors),
    ]
    return make_model(nodes, constants, size, free_batch)


def make_model(
    nodes: list[onnx.NodeProto],
    constants: Mapping[str, Array],
    size: tuple[int, int] = SIZE,
    free_batch: bool = True,
    outputs: tuple[str, ...] = ("output",),
) -> onnx.ModelProto:
    """A checked model from `images` (n, 3, h, w) to `outputs`."""
    shape: list[str | int] = ["n" if free_batch else 1, 3, size[1], size[0]]
    graph = helper.make_graph(
        nodes,
        "blocks",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 3) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def paint(
    blocks: list[tuple[str, int, int]], width: int = SIZE[0], height: int = SIZE[1], cell: int = CELL
) -> NDArray[np.uint8]:
    """A grey picture with blocks (class, column, row) of one cell each."""
    picture = np.full((height, width, 3), 114, dtype=np.uint8)
    for name, column, row in blocks:
        picture[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = COLOURS[name]
    return picture


def _boxes(layout: str, columns: int, rows: int) -> Array:
    """Constant box rows (1, 4, a): in pixels, or as offsets and logarithms for YOLOX, or corners."""
    y, x = (grid.ravel().astype(np.float32) for grid in np.mgrid[0:rows, 0:columns])
    half, side = np.full_like(x, 0.5), np.full_like(x, float(CELL))
    if layout == "yolox":
        return np.stack([half, half, 0 * x, 0 * x])[None]
    if layout == "end_to_end":
        return np.stack([x * CELL, y * CELL, (x + 1) * CELL, (y + 1) * CELL])[None]
    return np.stack([(x + 0.5) * CELL, (y + 0.5) * CELL, side, side])[None]


def _tail(layout: str, constants: dict[str, Array], anchors: int) -> list[onnx.NodeProto]:
    """From `scores` (n, 3, a) and `boxes` (1, 4, a) to `output`. Boxes take the batch's length by adding zeros."""
    constants["zero"] = np.zeros(1, np.float32)
    spread = [
        helper.make_node("ReduceMax", ["scores"], ["top"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["top", "zero"], ["nothing"]),
        helper.make_node("Add", ["boxes", "nothing"], ["all_boxes"]),
    ]
    if layout == "yolov8":
        return [*spread, helper.make_node("Concat", ["all_boxes", "scores"], ["output"], axis=1)]
    if layout == "end_to_end":
        constants["codes"] = np.array([0, 1, 2], np.float32).reshape(1, 3, 1) + np.zeros((1, 3, anchors), np.float32)
        constants["table"] = np.array([0, 1, 3 * anchors], np.int64)
        return [
            *spread,
            helper.make_node("Add", ["codes", "nothing"], ["all_codes"]),
            helper.make_node("Reshape", ["scores", "table"], ["score_row"]),
            helper.make_node("Reshape", ["all_codes", "table"], ["code_row"]),
            helper.make_node("Concat", ["all_boxes", "all_boxes", "all_boxes"], ["box_rows"], axis=2),
            helper.make_node("Concat", ["box_rows", "score_row", "code_row"], ["wide"], axis=1),
            helper.make_node("Transpose", ["wide"], ["output"], perm=[0, 2, 1]),
        ]
    constants["sure"] = np.ones(1, np.float32)
    return [
        *spread,
        helper.make_node("Add", ["nothing", "sure"], ["objectness"]),
        helper.make_node("Concat", ["all_boxes", "objectness", "scores"], ["wide"], axis=1),
        helper.make_node("Transpose", ["wide"], ["output"], perm=[0, 2, 1]),
    ]
