"""The registry's entry beside an exported model: how the detector is to feed it and where it cuts.

In: an ONNX file, thresholds. Out: a YAML file as `vision.detector.registry` reads it. It must not know of training.
"""

import hashlib
from pathlib import Path

import yaml

# Width and height, each about 190,000 pixels: what one thread of a small box does in 15 ms. The aspects are those of
# cameras (4:3, 3:2, 16:9), of telephones held upright, and square.
INPUTS = ((512, 384), (544, 352), (576, 320), (384, 512), (352, 544), (448, 448))
# How heads are looked at a second time, from the picture as it was captured (`vision.detector.head_views`).
HEADS = {"input": [160, 160], "person": 0.3, "head": 0.3, "most": 16}


def write_entry(model: Path, thresholds: dict[str, float], version: str) -> Path:
    """Write `model` with `.yaml` for its ending; thresholds by class name."""
    entry = {
        "name": model.stem,
        "version": version,
        "file": model.name,
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "layout": "yolov8",
        "classes": list(thresholds),
        "inputs": [list(size) for size in INPUTS],
        "colour": "bgr",
        "scale": 1.0,
        "letterbox": "centre",
        "fill": 114,
        "resample": "area",
        "thresholds": {name: round(value, 3) for name, value in thresholds.items()},
        "nms_iou": 0.45,
        "one_head_iou": 0.7,
        "helmet_margin": 2.0,
        "heads": HEADS,
        "card": f"{model.stem}.md",
    }
    path = model.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(entry, sort_keys=False, default_flow_style=None), encoding="utf-8")
    return path
